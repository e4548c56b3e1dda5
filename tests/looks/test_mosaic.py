"""Photographs side by side: no gaps, equal areas, each with its own heights."""

import numpy as np
import pytest
import torch

from photostyle.looks.mosaic import LEAST_AREA, Mosaic
from tests.looks.scenes import picture


@pytest.mark.parametrize("count", [2, 3, 5, 7, 12, 13, 40])
def test_all_of_the_page_is_covered_once_and_evenly(count: int) -> None:
    mosaic = Mosaic.of([(600, 900)] * (count - 1) + [(900, 600)], 700)
    covered = np.zeros(mosaic.size, int)
    for rows, columns in mosaic.tiles:
        covered[rows, columns] += 1
    assert len(mosaic.tiles) == count
    assert (covered == 1).all()
    areas = [(r.stop - r.start) * (c.stop - c.start) for r, c in mosaic.tiles]
    assert max(areas) / min(areas) < 1.06
    assert min(areas) > 0.95 * min(LEAST_AREA, 700 * 467 / count)


def test_panoramas_keep_enough_of_both_sides() -> None:
    mosaic = Mosaic.of([(100, 2000)] * 4, 700)
    assert min(r.stop - r.start for r, _ in mosaic.tiles) >= 48


def test_pictures_lie_in_their_tiles_with_their_means() -> None:
    pictures = [picture(n, (60 + 10 * n, 90)) for n in range(5)]
    mosaic = Mosaic.of([(60 + 10 * n, 90) for n in range(5)], 300)
    page = mosaic.assembled(pictures)
    for part, own in zip(mosaic.parts(page), pictures, strict=True):
        assert torch.allclose(part.mean((2, 3)), own.mean((2, 3)), atol=0.01)


def test_labels_and_heights_are_those_of_each_photograph() -> None:
    mosaic = Mosaic.of([(40, 60)] * 3, 240)
    labels = [np.full((40, 60), n, np.int32) for n in range(3)]
    labels[1][20:] = 9
    ids = mosaic.assembled_ids(labels)
    y, x = (v.reshape(mosaic.size) for v in mosaic.places())
    for n, (rows, columns) in enumerate(mosaic.tiles):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        assert np.allclose(y[rows, columns][:, 0], (np.arange(height) + 0.5) / height - 0.5)
        assert np.allclose(x[rows, columns][0], (np.arange(width) + 0.5) / width - 0.5)
        lower = y[rows, columns] > 0
        assert (ids[rows, columns][~lower] == n).all()
        assert (ids[rows, columns][lower] == (9 if n == 1 else n)).all()
