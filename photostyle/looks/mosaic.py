"""Several photographs on one page without gaps, each with as much of it as any other, so that
whatever is done to the page pools their statistics."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.terms import places
from photostyle.images.picture import resize

Array = NDArray[Any]

#: Pixels of a photograph on the page, at least.
LEAST_AREA = 96**2
#: Sides of a photograph on the page are at most so unlike.
NARROW = 2.5


@dataclass(frozen=True)
class Mosaic:
    """Where photographs lie on a page.

    Attributes:
        size: (height, width) of the page.
        tiles: rows and columns of every photograph, in their order.
    """

    size: tuple[int, int]
    tiles: tuple[tuple[slice, slice], ...]

    @classmethod
    def single(cls, size: tuple[int, int]) -> "Mosaic":
        """The page that is one photograph."""
        return cls(size, ((slice(0, size[0]), slice(0, size[1])),))

    @classmethod
    def of(cls, sizes: Sequence[tuple[int, int]], long_side: int) -> "Mosaic":
        """The page of photographs of these (height, width). Rows hold as equal numbers as can be,
        and rows and tiles are stretched so that all areas are alike."""
        count = len(sizes)
        rows = max(1, round(math.sqrt(count)))  # a page like a photograph
        usual = math.exp(sum(math.log(w / h) for h, w in sizes) / count)
        usual = min(max(usual, 1 / NARROW), NARROW)
        height, width = _page(usual * count / rows**2, long_side, count)
        share = [count // rows + (n < count % rows) for n in range(rows)]
        ends = np.rint(np.cumsum([0, *share]) * height / count).astype(int)
        tiles = []
        for top, bottom, held in zip(ends[:-1], ends[1:], share, strict=True):
            across = np.rint(np.arange(held + 1) * width / held).astype(int)
            tiles += [(slice(int(top), int(bottom)), slice(int(left), int(right)))
                      for left, right in itertools.pairwise(across)]  # fmt: skip
        return cls((height, width), tuple(tiles))

    def assembled(self, images: Sequence[Tensor]) -> Tensor:
        """1×C×H×W of 1×C×h×w pictures, each brought to its tile."""
        page = images[0].new_zeros(1, images[0].shape[1], *self.size)
        for image, (rows, columns) in zip(images, self.tiles, strict=True):
            tile = rows.stop - rows.start, columns.stop - columns.start
            page[:, :, rows, columns] = resize(image, tile)
        return page

    def assembled_ids(self, labels: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
        """H×W labels of h×w ones, by nearest neighbour."""
        page = np.zeros(self.size, np.int32)
        for ids, (rows, columns) in zip(labels, self.tiles, strict=True):
            down, across = (
                (2 * np.arange(part.stop - part.start) + 1) * n // (2 * (part.stop - part.start))
                for part, n in zip((rows, columns), ids.shape, strict=True)
            )
            page[rows, columns] = ids[down[:, None], across]
        return page

    def parts(self, page: Tensor) -> list[Tensor]:
        """What of a page …×H×W belongs to each photograph."""
        return [page[..., rows, columns] for rows, columns in self.tiles]

    def places(self) -> tuple[Array, Array]:
        """(y, x) of all pixels of the page, each in its own photograph: centres in [-½, ½]."""
        page = torch.zeros(2, *self.size, dtype=torch.float64)
        for part in self.parts(page):
            part.copy_(torch.from_numpy(np.stack(places((part.shape[1], part.shape[2])))
                                        .reshape(part.shape)))  # fmt: skip
        y, x = page.flatten(1).numpy()
        return y, x


def _page(proportions: float, long_side: int, count: int) -> tuple[int, int]:
    """(height, width) of a page of width : height, with room enough for so many."""
    width = long_side if proportions >= 1 else long_side * proportions
    height = width / proportions
    larger = max(1.0, math.sqrt(LEAST_AREA * count / (width * height)))
    return round(height * larger), round(width * larger)
