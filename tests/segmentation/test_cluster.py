"""Joint clustering: what belongs together across light and season, and when it does not."""

import numpy as np
import pytest

from photostyle.segmentation.cluster import cluster_pair
from photostyle.segmentation.superpixels import analyse, enlarge


def landscape(
    sky: tuple[float, float, float], land: tuple[float, float, float], horizon: float,
    size: tuple[int, int] = (120, 180), seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """A smooth sky over a rough land, and which pixels are land."""
    height, width = size
    rng = np.random.default_rng(seed)
    line = horizon * height + 0.06 * height * np.sin(np.arange(width) / 13 + seed)
    ground = np.arange(height)[:, None] > line
    picture = np.where(ground[..., None], land, sky)
    picture = (
        picture + rng.normal(0, 1, (height, width, 1)) * np.where(ground, 0.07, 0.004)[..., None]
    )
    return picture.clip(0, 1).astype(np.float32), ground


DAY = landscape((0.55, 0.75, 0.95), (0.35, 0.45, 0.2), 0.5)
NIGHT = landscape((0.04, 0.05, 0.12), (0.5, 0.38, 0.15), 0.35, (140, 150), seed=1)


def agreement(labels: np.ndarray, truth: np.ndarray) -> float:
    return float((labels == truth).mean())


def test_day_pairs_with_night() -> None:
    """The sky takes from the sky, though one is lighter than its land and the other darker."""
    mine, theirs, count = cluster_pair(DAY[0], NIGHT[0])
    assert count == 2
    land = mine[-1, 0]
    assert agreement(mine == land, DAY[1]) > 0.97
    assert agreement(theirs == land, NIGHT[1]) > 0.97


def test_borders_lie_on_edges() -> None:
    mine, _, _ = cluster_pair(DAY[0], NIGHT[0])
    wrong = (mine == mine[-1, 0]) != DAY[1]
    rows = np.abs(np.arange(120)[:, None] - (~DAY[1]).sum(axis=0))
    assert wrong[rows > 4].mean() < 0.005


def test_equal_pictures_give_equal_regions() -> None:
    mine, theirs, count = cluster_pair(DAY[0], DAY[0])
    assert count >= 2
    np.testing.assert_array_equal(mine, theirs)


def test_nothing_random() -> None:
    first, again = (cluster_pair(DAY[0], NIGHT[0]) for _ in range(2))
    np.random.seed(7)  # noqa: NPY002 - whatever state others leave
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_exposure_changes_little() -> None:
    mine, _, _ = cluster_pair(DAY[0], NIGHT[0])
    darker, _, _ = cluster_pair(DAY[0] * 0.8, NIGHT[0])
    assert agreement(mine == mine[-1, 0], darker == darker[-1, 0]) > 0.98


def test_plain_pictures_are_one_region() -> None:
    grey = np.full((60, 80, 3), 0.5, np.float32)
    mine, theirs, count = cluster_pair(grey, NIGHT[0])
    assert count == 1
    assert mine.max() == theirs.max() == 0


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_number_asked_for(wanted: int) -> None:
    mine, theirs, count = cluster_pair(DAY[0], DAY[0][:, ::-1].copy(), wanted)
    assert count <= wanted
    assert (count == 1) is (wanted == 1)
    assert set(np.unique(mine)) == set(np.unique(theirs)) == set(range(count))


@pytest.mark.parametrize("size", [(48, 400), (400, 48), (48, 48)])
def test_awkward_sizes(size: tuple[int, int]) -> None:
    picture, _ = landscape((0.5, 0.7, 0.9), (0.3, 0.4, 0.2), 0.5, size)
    mine, theirs, count = cluster_pair(picture, NIGHT[0])
    assert mine.shape == size
    assert theirs.shape == NIGHT[0].shape[:2]
    assert mine.max() < count


class TestSuperpixels:
    found = analyse(DAY[0])

    def test_partition(self) -> None:
        count = len(self.found.area)
        assert set(np.unique(self.found.ids)) == set(range(count))
        areas = np.bincount(self.found.ids.ravel()) / self.found.ids.size
        np.testing.assert_allclose(self.found.area, areas)
        assert self.found.descriptors.shape == (count, 8)
        assert 150 < count < 600

    def test_edges_lie_between_them(self) -> None:
        """Hardly any superpixel has both sky and land."""
        rows = np.arange(self.found.ids.shape[0]) / self.found.ids.shape[0]
        columns = np.arange(self.found.ids.shape[1]) / self.found.ids.shape[1]
        truth = DAY[1][(rows * 120).astype(int)][:, (columns * 180).astype(int)]
        land = np.bincount(self.found.ids.ravel(), weights=truth.ravel())
        share = land / np.bincount(self.found.ids.ravel())
        assert np.minimum(share, 1 - share) @ self.found.area < 0.01

    def test_the_nearest_is_the_one_with_the_shortest_path(self) -> None:
        found, count = self.found, len(self.found.area)
        paths = np.full((count, count), np.inf)
        np.fill_diagonal(paths, 0)
        for (i, j), step in zip(found.pairs, found.steps, strict=True):
            paths[i, j] = paths[j, i] = step
        for k in range(count):  # Floyd and Warshall
            paths = np.minimum(paths, paths[:, k, None] + paths[None, k])
        chosen = np.zeros(count, bool)
        chosen[[3, 40, 90, count - 1]] = True
        nearest = found.nearest(chosen)
        assert set(nearest) == set(np.flatnonzero(chosen))
        each = np.arange(count)
        np.testing.assert_allclose(paths[each, nearest], paths[:, chosen].min(axis=1))


def test_enlarging_moves_borders_to_edges() -> None:
    picture, land = DAY
    small = land[::3, ::3].astype(int)
    shifted = np.roll(small, 1, axis=0)  # three pixels off at full size
    out = enlarge(shifted, 2, picture)
    assert agreement(out[6:-6], land[6:-6]) > agreement(
        np.repeat(np.repeat(shifted, 3, 0), 3, 1)[6:-6], land[6:-6]
    )
