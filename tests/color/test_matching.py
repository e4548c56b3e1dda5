"""Matching by structure, on parts of one made photograph and on pictures of different kinds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.matching import (
    LEAST_PLACES,
    STRIDE,
    Matches,
    changed,
    linear_between,
    match_regions,
    match_whole,
    places_of,
)

SIZE = (96, 96)


def photograph(height: int = 96, width: int = 160, seed: int = 0) -> Tensor:
    """A sky over houses and grass: shapes of many kinds and colours, which recur along it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([0.45 + 0.2 * y / height, 0.6 + 0.1 * y / height, 0.9 - 0.2 * y / height])
    for left in range(0, width, 16):
        top, color = int(rng.integers(20, 45)), rng.uniform(0.15, 0.7, 3)
        wall = (x >= left) & (x < left + 13) & (y >= top) & (y < 70)
        picture[:, wall] = color[:, None]
        panes = wall & (((x - left) % 6) > 2) & (((y - top) % 8) > 4)
        picture[:, panes] = (color * 0.3)[:, None]
    grass = y >= 70
    blades = 0.12 * rng.normal(size=(height, width))
    blades = F.avg_pool2d(torch.from_numpy(blades)[None, None], (5, 1), 1, (2, 0))[0, 0].numpy()
    green = np.stack([0.25 + 2 * blades, 0.45 + 2 * blades, 0.15 + blades])
    picture[:, grass] = green[:, grass]
    return torch.from_numpy(picture).float()[None].clamp(0.02, 0.98)


def graded(image: Tensor) -> Tensor:
    """A late, warm light."""
    gains = torch.tensor([0.85, 0.65, 0.5])[None, :, None, None]
    return (gains * image + 0.04).clamp(0, 1)


def whole(image: Tensor) -> Tensor:
    return torch.ones(1, *image.shape[2:])


@pytest.fixture(scope="module")
def parts() -> tuple[Tensor, Tensor]:
    picture = photograph()
    return picture[..., :96].contiguous(), graded(picture[..., 64:]).contiguous()


@pytest.fixture(scope="module")
def matches(parts: tuple[Tensor, Tensor]) -> Matches:
    return match_regions(*parts, *map(whole, parts))


def test_parts_of_one_photograph_give_its_grade(
    parts: tuple[Tensor, Tensor], matches: Matches
) -> None:
    content, _ = parts
    assert matches.kinship.tolist() == [1.0]
    found, truth = changed(content, whole(content), matches), graded(content)
    assert (found - truth).abs().mean() < 0.035
    assert (found - truth).abs().mean() < (content - truth).abs().mean() / 5


def test_deterministic(parts: tuple[Tensor, Tensor], matches: Matches) -> None:
    again = match_regions(*parts, *map(whole, parts))
    np.testing.assert_array_equal(again.change, matches.change)
    np.testing.assert_array_equal(again.kinship, matches.kinship)


@pytest.mark.parametrize("case", ["noise", "flat"])
def test_unlike_pictures_are_not_kin(parts: tuple[Tensor, Tensor], case: str) -> None:
    noise = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    other = noise if case == "noise" else torch.full((1, 3, 96, 96), 0.4)
    for pair in ((parts[0], other), (other, parts[0])):
        assert match_regions(*pair, *map(whole, pair)).kinship.tolist() == [0.0]


def test_regions_have_maps_of_their_own_unless_they_are_too_small(
    parts: tuple[Tensor, Tensor],
) -> None:
    side = 2 * STRIDE  # four places
    assert (side / STRIDE) ** 2 < LEAST_PLACES
    masks = torch.zeros(3, *SIZE)
    masks[0, :48], masks[1, 48:] = 1, 1
    masks[:2, :side, :side], masks[2, :side, :side] = 0, 1
    found = match_regions(*parts, masks, masks)
    assert found.change.shape == (3, 20, 3)
    assert found.kinship[2] == 0
    assert not found.change[2].any()
    assert found.kinship[:2].min() > 0
    assert not np.array_equal(found.change[0], found.change[1])


def test_whole_pictures_give_all_regions_one_map(
    parts: tuple[Tensor, Tensor], matches: Matches
) -> None:
    masks = torch.rand(3, *SIZE)
    found = match_whole(*parts, masks, masks)
    assert found.kinship.tolist() == [1.0] * 3
    for change in found.change:
        np.testing.assert_array_equal(change, matches.change[0])


def test_regions_of_unlike_pictures_are_not_kin(parts: tuple[Tensor, Tensor]) -> None:
    """Two skies are alike whatever lies below them."""
    content, other = parts[0], parts[0].clone()
    other[:, :, 40:] = torch.rand(1, 3, 56, 96, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(2, *SIZE)
    masks[0, :20], masks[1, 20:] = 1, 1
    assert not match_regions(content, other, masks, masks).kinship.any()


def test_changed_blends_the_maps_of_regions() -> None:
    content = torch.full((1, 3, 4, 6), 0.4)
    change = np.zeros((2, 20, 3))
    change[0, 0], change[1, 0] = 0.2, -0.2
    share = torch.linspace(0, 1, 6).expand(4, 6)
    out = changed(content, torch.stack([share, 1 - share]), Matches(change, np.ones(2)))
    torch.testing.assert_close(out, (0.2 + 0.4 * share).expand(1, 3, 4, 6))
    change[0, 0] = 2.0
    assert changed(content, torch.stack([share, 1 - share]), Matches(change, np.ones(2))).max() == 1


@pytest.mark.parametrize("size", [(48, 1000), (700, 48), (48, 48)])
def test_narrow_pictures_can_be_matched(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    places = places_of(image)
    assert len(places.features) == len(places.colors) == len(places.heights)
    assert len(places.features) >= 12 * 12
    torch.testing.assert_close(places.features.norm(dim=1), torch.ones(len(places.features)))


def test_features_do_not_see_the_look() -> None:
    image = photograph()
    one, other = places_of(image), places_of(0.5 * image + 0.1)
    assert (one.features * other.features).sum(dim=1).mean() > 0.97


def test_linear_map_carries_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 3)) * [0.3, 0.2, 0.1], rng.normal(size=(400, 3)) @ (
        0.2 * np.eye(3) + 0.05
    ) + [0.2, 0.5, 0.6]  # fmt: skip
    weights = rng.uniform(0.5, 1, 500), rng.uniform(0.5, 1, 400)
    out = linear_between(x, weights[0], y, weights[1], ridge=1e-9)(x)
    for found, w, wanted, v in ((out, weights[0], y, weights[1]),):
        np.testing.assert_allclose(np.average(found, axis=0, weights=w),
                                   np.average(wanted, axis=0, weights=v), atol=1e-9)  # fmt: skip
        np.testing.assert_allclose(np.cov(found.T, aweights=w, ddof=0),
                                   np.cov(wanted.T, aweights=v, ddof=0), atol=1e-6)  # fmt: skip
