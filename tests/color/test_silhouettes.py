"""Borders of regions on made pictures of two colours, whose mixtures are known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.regional import RegionalLook
from photostyle.color.silhouettes import BAND, borders_of, decided
from photostyle.color.terms import COUNT
from photostyle.images.picture import to_array

SIDE, RADIUS = 192, 40.0
#: Pixels by which a region is drawn too small or too large.
OFF = 0.6 * BAND * SIDE / 512
INSIDE, OUTSIDE = torch.tensor([0.75, 0.5, 0.25]), torch.tensor([0.2, 0.35, 0.6])


def offsets() -> tuple[Tensor, Tensor]:
    """H×W distances down and across from the disc's middle."""
    at = torch.arange(SIDE) - (SIDE - 1) / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    return y, x


def away() -> Tensor:
    """H×W distances from the disc's edge, positive inside."""
    y, x = offsets()
    return RADIUS - (y * y + x * x).sqrt()


def disc() -> Tensor:
    """An antialiased disc, 1×3×H×W."""
    share = (away() + 0.5).clamp(0, 1)
    picture = share * INSIDE[:, None, None] + (1 - share) * OUTSIDE[:, None, None]
    grain = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return (picture + 0.01 * (grain - 0.5))[None]


def drawn(kind: str) -> Tensor:
    """2×H×W masks, the disc's first."""
    if kind == "exact":
        own = away() > 0
    elif kind == "small":
        own = away() > OFF
    elif kind == "large":
        own = away() > -OFF
    else:  # an octagon around it, whose corners are the furthest from it
        y, x = (v.abs() for v in offsets())
        own = torch.maximum(torch.maximum(y, x), (x + y) / 2**0.5) < RADIUS
    return torch.stack([own, ~own]).float()


def constant(color: Tensor) -> Tensor:
    coefficients = torch.zeros(COUNT, 3)
    coefficients[0] = color
    return coefficients


def look(kind: str, *maps: Tensor) -> RegionalLook:
    return RegionalLook(torch.stack(maps), borders_of(disc(), drawn(kind)), torch.ones(2))


def gain(by: float, offset: float) -> Tensor:
    coefficients = constant(torch.full((3,), offset))
    coefficients[1:4] = by * torch.eye(3)
    return coefficients


@pytest.mark.parametrize("kind", ["exact", "small", "large", "octagon"])
def test_weights_end_within_a_pixel_of_the_edge(kind: str) -> None:
    weights = look(kind, gain(0.5, 0.0), gain(0.5, 0.5)).weights(disc())[0]
    near = away().abs() < 8
    inside, outside = near & (away() > 1), near & (away() < -1)
    assert (weights[inside] > 0.5).float().mean() > 0.99
    assert (weights[outside] < 0.5).float().mean() > 0.99
    assert weights[inside].mean() > 0.95
    assert weights[outside].mean() < 0.05


@pytest.mark.parametrize("kind", ["exact", "small"])
def test_mixed_pixels_become_mixtures_of_what_both_sides_become(kind: str) -> None:
    """Under two very different maps there is no rim."""
    dark, light = gain(0.3, 0.0), gain(0.3, 0.6)
    out = look(kind, dark, light).apply(disc())[0]
    share = (away() + 0.5).clamp(0, 1)
    ends = [0.3 * INSIDE, 0.3 * OUTSIDE + 0.6]
    expected = share * ends[0][:, None, None] + (1 - share) * ends[1][:, None, None]
    edge = (share > 0) & (share < 1)
    assert (out - expected)[:, edge].abs().mean() < 0.06
    least, most = (torch.stack(ends).amin(0), torch.stack(ends).amax(0))
    assert (out >= least[:, None, None] - 0.03).all()
    assert (out <= most[:, None, None] + 0.03).all()


def test_one_region_needs_no_borders() -> None:
    borders = borders_of(disc(), torch.ones(1, SIDE, SIDE))
    assert borders.weights.shape == (1, 4, 1, 1)
    assert borders.colors.shape == (1, 3, 1, 1)


def test_sides_are_the_colours_of_the_regions() -> None:
    colors = borders_of(disc(), drawn("exact")).colors
    assert colors.shape == (2, 3, SIDE // 2, SIDE // 2)
    for side, color in zip(colors, (INSIDE, OUTSIDE), strict=True):
        assert (side - color[:, None, None]).abs().max() < 0.03


def test_like_colours_are_parted_where_they_were_drawn() -> None:
    flat = np.full((SIDE, SIDE, 3), 0.4, np.float32)
    masks = drawn("exact").numpy()
    found = decided(flat, masks, SIDE / 512)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    assert ((found[0] > 0.5) == (masks[0] > 0.5)).mean() > 0.99


def test_far_from_borders_the_drawing_stays() -> None:
    image, masks = to_array(disc()), drawn("exact").numpy()
    found = decided(image.astype(np.float32), masks, SIDE / 512)
    far = np.abs(away().numpy()) > BAND * SIDE / 512 + 2
    np.testing.assert_array_equal(found[:, far], masks[:, far])


def test_a_region_of_a_few_pixels_and_one_of_none_are_borne() -> None:
    masks = torch.zeros(3, SIDE, SIDE)
    masks[0] = 1
    masks[0, 5, 5:7], masks[1, 5, 5:7] = 0, 1
    borders = borders_of(disc(), masks)
    assert borders.weights.isfinite().all()
    assert borders.colors.isfinite().all()
    made = RegionalLook(torch.stack([gain(0.5, 0.1)] * 2 + [gain(0.4, 0.0)]), borders,
                        torch.ones(3))  # fmt: skip
    assert made.apply(disc()).isfinite().all()
    assert made.weights(disc())[0, 20:].min() > 0.99
