"""Terms of the objective against float64 code written straight from the formulas."""

import pytest
import torch
from torch import Tensor

from photostyle.losses import (
    as_rows,
    content_loss,
    gamut_loss,
    gram_loss,
    masked_gram,
    region_rows,
    tv_loss,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.fixture
def features(generator: torch.Generator) -> Tensor:
    return torch.randn(1, 7, 6, 9, generator=generator, dtype=torch.float64)


@pytest.fixture
def masks(generator: torch.Generator) -> Tensor:
    """Three soft regions that sum to 1; each is zero somewhere."""
    raw = torch.rand(3, 6, 9, generator=generator, dtype=torch.float64) - 0.4
    raw = raw.clamp(min=0) + 1e-3 * torch.eye(3, dtype=torch.float64)[:, :, None].repeat(1, 2, 9)
    return raw / raw.sum(0)


def reference_gram(features: Tensor, mask: Tensor, scaling: str) -> Tensor:
    """The formula, pixel by pixel."""
    channels, height, width = features.shape[1:]
    gram = torch.zeros(channels, channels, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            f, m = features[0, :, y, x], mask[y, x]
            gram += torch.outer(f, f) * (m if scaling == "target" else m * m)
    if scaling == "target":
        return gram / mask.sum()
    return gram / (channels * height * width * mask.mean())


@pytest.mark.parametrize("scaling", ["target", "dpst"])
def test_masked_gram_is_the_formula(features: Tensor, masks: Tensor, scaling: str) -> None:
    rows = as_rows(features)
    regions = [region_rows(m, scaling=scaling, channels=7) for m in masks]
    grams = masked_gram(rows, regions)
    for gram, mask in zip(grams, masks, strict=True):
        torch.testing.assert_close(gram, reference_gram(features, mask, scaling), rtol=1e-12,
                                   atol=1e-12)  # fmt: skip


def test_masked_gram_gradient(features: Tensor, masks: Tensor) -> None:
    regions = [region_rows(m, scaling="target", channels=7) for m in masks]
    rows = as_rows(features).clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions), rows)


def test_whole_region_gradient(features: Tensor) -> None:
    everywhere = region_rows(torch.ones(6, 9, dtype=torch.float64), scaling="target", channels=7)
    part = torch.zeros(6, 9, dtype=torch.float64)
    part[2:4, 1:5] = 0.5
    regions = [everywhere, region_rows(part, scaling="target", channels=7)]
    assert everywhere.index is None
    assert regions[1].index is not None
    rows = as_rows(features).clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions), rows)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions[::-1]), rows)


def test_rows_of_channels_last_features_share_memory(features: Tensor) -> None:
    last = features.contiguous(memory_format=torch.channels_last)
    assert as_rows(last).data_ptr() == last.data_ptr()
    torch.testing.assert_close(as_rows(last)[9 * 2 + 3], features[0, :, 2, 3])


def test_empty_mask_has_no_rows() -> None:
    assert region_rows(torch.zeros(3, 3), scaling="target", channels=2) is None


def test_gram_loss_is_one_for_nothing_of_the_style(generator: torch.Generator) -> None:
    targets = torch.randn(2, 5, 5, generator=generator)
    shares = torch.tensor([0.25, 0.75])
    loss = gram_loss(torch.zeros_like(targets), targets, shares, relative=True)
    assert loss.item() == pytest.approx(1.0, rel=1e-6)
    plain = gram_loss(torch.zeros_like(targets), targets, shares, relative=False)
    expected = 0.25 * (targets[0] ** 2).mean() + 0.75 * (targets[1] ** 2).mean()
    assert plain.item() == pytest.approx(expected.item(), rel=1e-6)


def test_content_loss(features: Tensor) -> None:
    target = features + 0.5
    assert content_loss(features, target, relative=False).item() == pytest.approx(0.25)
    relative = content_loss(features, target, relative=True).item()
    assert relative == pytest.approx(0.25 / target.square().mean().item())


def test_tv_loss_on_a_ramp() -> None:
    """A horizontal ramp of 1/255 a pixel: dx = 1 at 3·H·(W−1) places, dy = 0."""
    height, width = 4, 6
    ramp = (torch.arange(width) / 255.0).expand(1, 3, height, width)
    expected = 0.5 * 3 * height * (width - 1) / (height * width)
    assert tv_loss(ramp).item() == pytest.approx(expected, rel=1e-5)


def test_gamut_loss_sees_only_what_is_outside() -> None:
    image = torch.full((1, 3, 2, 2), 0.5)
    assert gamut_loss(image).item() == 0.0
    image[0, 0, 0, 0], image[0, 1, 1, 1] = 1.2, -0.1
    assert gamut_loss(image).item() == pytest.approx((0.2**2 + 0.1**2) / 4, rel=1e-5)
