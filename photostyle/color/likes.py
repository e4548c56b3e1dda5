"""Which places of one picture are most like those of another, by brute force in parts that stay in
the processor's cache."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.runtime.device import in_threads

Array = NDArray[Any]

PARTNERS = 5  # of a place
COLOR, HEIGHT = 1.0, 0.2  # what a distance in RGB, and the picture's height, cost in similarity
MOST_ASKING = 1024  # places of a picture that look for partners, among all of the other
AT_ONCE = 128  # of them, so that what is compared stays in the processor's cache


@dataclass(frozen=True)
class Places:
    """Places of a picture at the matching size.

    Attributes:
        features: N×C of length 1. colors: N×3. heights: N in [0, 1], from the top.
        structured: N, whether there is anything to tell the place by.
    """

    features: Tensor
    colors: Array
    heights: Array
    structured: Array

    def only(self, chosen: Array) -> "Places":
        """Those of the places for which the N booleans hold."""
        return Places(
            self.features[torch.from_numpy(chosen)], self.colors[chosen], self.heights[chosen],
            self.structured[chosen],
        )  # fmt: skip

    def thinned(self, most: int) -> "Places":
        """At most so many of the places, evenly chosen."""
        count = len(self.heights)
        if count <= most:
            return self
        chosen = np.zeros(count, bool)
        chosen[np.linspace(0, count - 1, most).round().astype(int)] = True
        return self.only(chosen)


@dataclass(frozen=True)
class Asking:
    """Some places of one picture, evenly chosen, which look for their likes in all of the other.

    Attributes:
        asking: the numbers of the n places. structured: n, as in `Places`.
        alike: n×m similarities to the other's m places. down: n heights. across: m heights.
    """

    asking: Array
    structured: Tensor
    alike: Tensor
    down: Tensor
    across: Tensor

    @classmethod
    def of(cls, one: Places, other: Places, most: int = MOST_ASKING) -> "Asking":
        """At most so many places of one picture, which ask all of the other."""
        count = len(one.heights)
        asking = np.linspace(0, count - 1, min(count, most)).round().astype(int)
        down, across = (
            torch.from_numpy(heights).float() for heights in (one.heights[asking], other.heights)
        )
        alike = one.features[torch.from_numpy(asking)] @ other.features.T
        return cls(asking, torch.from_numpy(one.structured[asking]), alike, down, across)

    def likest(self, colors: Array, others: Array) -> Tensor:
        """n: how like the likest place of the other is, given the colours of both."""
        best = torch.empty(len(self.down))

        def look(rows: slice) -> None:
            best[rows] = self._near(rows, colors, others).amax(dim=1)

        in_threads(look, self._parts(), self.alike.device)
        return best

    def partners(self, colors: Array, others: Array) -> tuple[Tensor, Tensor]:
        """n×k similarities of the likest places, their heights counted too, and their numbers."""
        count = min(PARTNERS, self.alike.shape[1])
        top = torch.empty(len(self.down), count)
        index = torch.empty(top.shape, dtype=torch.long)

        def look(rows: slice) -> None:
            near = self._near(rows, colors, others)
            near -= (self.down[rows, None] - self.across).abs_().mul_(HEIGHT)
            top[rows], index[rows] = highest(near, count)

        in_threads(look, self._parts(), self.alike.device)
        return top, index

    def _near(self, rows: slice, colors: Array, others: Array) -> Tensor:
        """Similarities of some rows less the distances of colours."""
        mine, its = (
            torch.from_numpy(np.clip(c, 0, 1)).float() for c in (colors[self.asking[rows]], others)
        )
        return torch.cdist(mine, its).mul_(-COLOR).add_(self.alike[rows])

    def _parts(self) -> list[slice]:
        return [slice(at, at + AT_ONCE) for at in range(0, len(self.down), AT_ONCE)]


def highest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """What `topk` gives of every row, sooner: the highest of a row are in those columns of it, laid
    out in lines, whose own highest are the highest."""
    width = math.isqrt(count * values.shape[1])
    depth = values.shape[1] // width
    if depth < 2:
        return values.topk(count, dim=1)
    whole = depth * width
    columns = values[:, :whole].reshape(-1, depth, width).amax(dim=1).topk(count, dim=1).indices
    lines = torch.arange(0, whole, width)[:, None] + columns[:, None]  # rows×depth×count
    rest = torch.arange(whole, values.shape[1]).expand(len(values), -1)
    chosen = torch.cat([lines.flatten(1), rest], dim=1)
    top, at = values.gather(1, chosen).topk(count, dim=1)
    return top, chosen.gather(1, at)
