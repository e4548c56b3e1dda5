"""Patches: the nearest by brute force, the loss by the formula, regions and blocks."""

import pytest
import torch
from torch import Tensor

from photostyle.objective import patches
from photostyle.objective.patches import PatchBank, patch_loss


def noise(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def mine() -> Tensor:
    return noise(1, 4, 7, 9, seed=1)


@pytest.fixture
def style() -> Tensor:
    return noise(1, 4, 8, 6, seed=2)


def unfolded(features: Tensor) -> Tensor:
    """N×(C·9) patches, row by row."""
    return torch.nn.functional.unfold(features, 3)[0].T


def brute(features: Tensor, style: Tensor, allowed: Tensor) -> Tensor:
    """Numbers of the nearest patches by normalised cross-correlation, one pair at a time."""
    found = []
    for one in unfolded(features):
        best, which = -1.0, -1
        for number, other in enumerate(unfolded(style)):
            likeness = (one @ other / one.norm() / other.norm()).item()
            if allowed[number] and likeness > best:
                best, which = likeness, number
        found.append(which)
    return torch.tensor(found)


@pytest.mark.parametrize("block", [1, 100, 1 << 24])
def test_nearest_is_the_brute_forces(
    mine: Tensor, style: Tensor, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "BLOCK", block)
    bank = PatchBank(style, torch.ones(1, 8, 6))
    expected = brute(mine, style, torch.ones(24, dtype=torch.bool))
    assert torch.equal(bank.nearest(mine, 0), expected)


def test_regions_take_from_their_partners(mine: Tensor, style: Tensor) -> None:
    partners = torch.zeros(2, 8, 6)
    partners[0, :4], partners[1, 4:] = 1.0, 1.0
    bank = PatchBank(style, partners)
    for region in range(2):
        inside = partners[region, 1:-1, 1:-1].reshape(-1) > 0.5
        assert torch.equal(bank.nearest(mine, region), brute(mine, style, inside))


def test_loss_and_gradient_are_the_formula(mine: Tensor, style: Tensor) -> None:
    masks, partners = torch.zeros(2, 7, 9), torch.zeros(2, 8, 6)
    masks[0, :, :5], masks[1, :, 5:] = 1.0, 1.0
    partners[0, :4], partners[1, 4:] = 1.0, 1.0
    leaf = mine.clone().requires_grad_(True)
    loss = patch_loss(leaf, PatchBank(style, partners), masks)

    other = mine.clone().requires_grad_(True)
    expected = torch.zeros((), dtype=torch.float64)
    for region in range(2):
        inside = partners[region, 1:-1, 1:-1].reshape(-1) > 0.5
        match = brute(mine, style, inside)
        here = masks[region, 1:-1, 1:-1].reshape(-1) > 0.5
        gap = unfolded(other) - unfolded(style)[match]
        expected = expected + gap[here].square().sum()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-10)
    grads = [torch.autograd.grad(*pair)[0] for pair in ((loss, leaf), (expected, other))]
    torch.testing.assert_close(*grads, rtol=1e-10, atol=1e-10)


def test_style_itself_costs_nothing(style: Tensor) -> None:
    everywhere = torch.ones(1, 8, 6)
    assert patch_loss(style, PatchBank(style, everywhere), everywhere).item() < 1e-20


def test_region_that_the_style_lacks_pulls_on_nothing(mine: Tensor, style: Tensor) -> None:
    bank = PatchBank(style, torch.zeros(1, 8, 6))
    assert patch_loss(mine, bank, torch.ones(1, 7, 9)).item() == 0.0
