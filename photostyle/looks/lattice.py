"""Colour maps as tables: a lattice of colours, and the curves (a shaper) that may lead into it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief

Array = NDArray[Any]
#: 3×N float32 colours to 3×N colours.
ColourMap = Callable[[Tensor], Tensor]
Corner = tuple[float, float, float]

ZERO: Corner = (0.0, 0.0, 0.0)
ONE: Corner = (1.0, 1.0, 1.0)
#: Colours that a function is asked for at a time.
_AT_ONCE = 2**16


@dataclass(frozen=True, eq=False)
class Lattice(Brief):
    """A colour map, known at N×N×N colours and read between them trilinearly.

    Attributes:
        values: N×N×N×3 float32, finite, N ≥ 2: result (r, g, b) at [r, g, b] of the colour given.
        low, high: the colours at the first and the last node; what lies beyond is taken to the
            nearest of them, channel by channel.
        title: what its maker calls it, may be empty.
    """

    values: Array
    low: Corner = ZERO
    high: Corner = ONE
    title: str = ""

    def __post_init__(self) -> None:
        shape = self.values.shape
        if shape != (self.size,) * 3 + (3,) or self.size < 2:
            raise ValueError(f"a lattice of shape {shape} is not N×N×N×3 with N of 2 or more")
        _check_ends(self.low, self.high)

    @property
    def size(self) -> int:
        """N, the nodes along a side."""
        return len(self.values)

    @classmethod
    def identity(cls, size: int = 2, low: Corner = ZERO, high: Corner = ONE) -> "Lattice":
        """The lattice that changes nothing between low and high."""
        return cls(nodes(size, low, high).astype(np.float32), low, high)

    @classmethod
    def of(
        cls, function: ColourMap, size: int = 33, low: Corner = ZERO, high: Corner = ONE,
        title: str = "",
    ) -> "Lattice":  # fmt: skip
        """The table of a function: what it gives for the colours of all nodes.

        Args:
            function: takes 3×N float32 colours and gives 3×N; not clamped here. The `apply` of
                another lattice or shaper is one.
        """
        colours = torch.from_numpy(nodes(size, low, high).reshape(-1, 3).astype(np.float32)).T
        parts = torch.tensor_split(colours, math.ceil(size**3 / _AT_ONCE), dim=1)
        given = torch.cat([function(part.contiguous()) for part in parts], dim=1)
        return cls(given.T.reshape(size, size, size, 3).float().cpu().numpy(), low, high, title)

    def apply(self, rgb: Tensor) -> Tensor:
        """The colours under the map: 3×… floating-point of any shape to the same, on its device."""
        table = torch.from_numpy(self.values).to(rgb).permute(3, 0, 1, 2)  # 3×r×g×b
        low, high = rgb.new_tensor([self.low, self.high])[..., None]  # 3×1 each
        flat = rgb.reshape(3, -1)
        # As many rows as there are threads, since sampling shares out nothing smaller.
        rows = torch.get_num_threads() if flat.shape[1] > _AT_ONCE else 1
        length = math.ceil(flat.shape[1] / rows)
        spare = rows * length - flat.shape[1]
        at = ((flat - low) * (2 / (high - low)) - 1).flip(0)  # b, g, r, each in [-1, 1]
        at = torch.nn.functional.pad(at, (0, spare)).T.reshape(rows, 1, 1, length, 3)
        found = torch.nn.functional.grid_sample(
            table.expand(rows, -1, -1, -1, -1), at, padding_mode="border", align_corners=True
        )  # rows×3×1×1×length
        return (
            found[:, :, 0, 0].transpose(0, 1).reshape(3, -1)[:, : flat.shape[1]].reshape(rgb.shape)
        )


@dataclass(frozen=True, eq=False)
class Shaper(Brief):
    """A curve for each channel, known at N evenly spaced values and straight between them.

    Attributes:
        values: N×3 float32, finite, N ≥ 2: result of each channel.
        low, high: what the first and the last row stand for; what lies beyond is taken to them.
    """

    values: Array
    low: Corner = ZERO
    high: Corner = ONE

    def __post_init__(self) -> None:
        shape = self.values.shape
        if len(shape) != 2 or shape[0] < 2 or shape[1] != 3:
            raise ValueError(f"curves of shape {shape} are not N×3 with N of 2 or more")
        _check_ends(self.low, self.high)

    @property
    def size(self) -> int:
        """N, the values of each channel."""
        return len(self.values)

    @classmethod
    def of(
        cls, function: ColourMap, size: int = 4096, low: Corner = ZERO, high: Corner = ONE
    ) -> "Shaper":
        """The curves of a function that treats each channel of 3×N values for itself."""
        steps = np.linspace(low, high, size, dtype=np.float64)  # N×3
        given = function(torch.from_numpy(steps.T.astype(np.float32).copy()))
        return cls(given.T.float().cpu().numpy(), low, high)

    def apply(self, rgb: Tensor) -> Tensor:
        """The values under the curves: 3×… floating-point of any shape to the same."""
        table = torch.from_numpy(self.values).to(rgb).T.contiguous()  # 3×N
        low, high = rgb.new_tensor([self.low, self.high])[..., None]
        at = (rgb.reshape(3, -1) - low) * ((self.size - 1) / (high - low))
        at = at.clamp(0, self.size - 1)
        below = at.long().clamp(max=self.size - 2)
        first, second = table.gather(1, below), table.gather(1, below + 1)
        return torch.lerp(first, second, at - below).reshape(rgb.shape)


def nodes(size: int, low: Corner = ZERO, high: Corner = ONE) -> Array:
    """N×N×N×3 float64, the colours at the nodes of a lattice, [r, g, b]."""
    steps = np.linspace(low, high, size, dtype=np.float64)  # N×3
    return np.stack(np.meshgrid(*steps.T, indexing="ij"), axis=-1)


def _check_ends(low: Corner, high: Corner) -> None:
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise ValueError(f"values from {low} to {high} do not rise")
