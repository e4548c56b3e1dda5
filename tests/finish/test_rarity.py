"""Colours that are rare in their region."""

import pytest
import torch
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.finish.rarity import kept_chroma, rarity


@pytest.fixture
def lawn() -> Tensor:
    """Green of some variety, with a red patch of one per cent."""
    noise = 0.05 * torch.rand(1, 3, 80, 100, generator=torch.Generator().manual_seed(0))
    image = torch.tensor([0.2, 0.5, 0.15])[None, :, None, None] + noise
    image[:, :, 30:39, 40:49] = torch.tensor([0.7, 0.1, 0.1])[:, None, None]
    return image


def chroma(image: Tensor) -> Tensor:
    return rgb_to_lab(image[0].reshape(3, -1).T)[:, 1:]


def test_only_the_patch_is_rare(lawn: Tensor) -> None:
    found = rarity(lawn, torch.ones(1, 80, 100))
    assert found[32:37, 42:47].min() > 0.8
    assert found[:20].max() < 0.2
    assert found.min() >= 0
    assert found.max() <= 1


def test_patch_in_a_region_of_its_own_is_not_rare(lawn: Tensor) -> None:
    patch = torch.zeros(80, 100)
    patch[30:39, 40:49] = 1
    wide = torch.nn.functional.interpolate(lawn, scale_factor=3)
    masks = torch.stack([1 - patch, patch])
    masks = torch.nn.functional.interpolate(masks[None], scale_factor=3)[0]
    assert rarity(wide, masks).max() < 0.5


def test_kept_chroma_is_the_formula(lawn: Tensor) -> None:
    image = (0.5 * lawn.flip(1) + 0.2).clamp(0, 1)
    share = torch.linspace(0, 1, 80)[:, None].expand(80, 100)
    out = kept_chroma(image, lawn, share)
    torch.testing.assert_close(out[:, :, 0], image[:, :, 0], rtol=0, atol=0)
    lightness = [rgb_to_lab(x[0].reshape(3, -1).T)[:, 0] for x in (image, lawn, out)]
    fade = (lightness[0] / lightness[1]).clamp(max=1)[:, None]
    part = share.reshape(-1, 1)
    expected = (1 - part) * chroma(image) + part * fade * chroma(lawn)
    inside = ((out > 0.001) & (out < 0.999)).all(dim=1).reshape(-1)
    assert inside.float().mean() > 0.9
    torch.testing.assert_close(chroma(out)[inside], expected[inside], rtol=0, atol=0.02)
    torch.testing.assert_close(lightness[2][inside], lightness[0][inside], rtol=0, atol=0.02)


def test_the_same_picture_stays(lawn: Tensor) -> None:
    out = kept_chroma(lawn, lawn, torch.full((80, 100), 0.5))
    torch.testing.assert_close(out, lawn, rtol=0, atol=1e-4)
