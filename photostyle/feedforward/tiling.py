"""The network on pictures of any size in bounded memory, with the same result.

Instance normalisation sees the whole picture, so tiles cannot simply be styled apart. Here a strip
of rows goes through the layers with the rows around it that it depends on, and wherever a layer
normalises, the statistics over all strips are gathered first. Only maps at a quarter of the size
are ever held whole; the layers above them are computed again for each pass, which costs about half
as much again as the whole picture at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.feedforward.network import (
    LEAST_SIDE,
    NORM_EPSILON,
    InstanceNorm,
    Layer,
    TransformNetwork,
)
from photostyle.images.picture import image_size
from photostyle.runtime.device import free_memory

#: Rows of a strip are multiples of this: a row of the smallest map.
ALIGNMENT = 4
#: Fewest rows of a strip; below, the rows around it would be most of the work.
LEAST_ROWS = 32
#: A strip of any map has more rows than this.
SHORTEST = 8
#: Live maps at full size, in channels of the first layer: input and output of a convolution, its
#: padded copy, and what the library keeps on the side.
LIVE_MAPS = 6

#: Share of the free memory that is taken where no bound is given, and on a CPU at most so many
#: bytes: strips cost a quarter more time at most.
MEMORY_SHARE, MOST_ON_CPU = 0.5, 512 * 2**20

Rows = Callable[[int, int], Tensor]


def stylised(network: TransformNetwork, images: Tensor, memory: int | None = None) -> Tensor:
    """Pictures in the network's style.

    Args:
        network: in evaluation mode.
        images: N×3×H×W in [0, 1] of any size, on the network's device.
        memory: bytes that may be taken beside the pictures; more than that and the picture goes
            through in strips. None for no bound.

    Returns:
        N×3×H×W in [0, 1].
    """
    height, width = image_size(images)
    # Reflection needs something to reflect.
    frame = (0, max(0, LEAST_SIDE - width), 0, max(0, LEAST_SIDE - height))
    whole = F.pad(images, frame, mode="replicate") if any(frame) else images
    rows = strip_rows(network, whole.shape, memory)
    with torch.inference_mode():
        if rows >= whole.shape[2]:
            result: Tensor = network(whole.contiguous(memory_format=torch.channels_last))
        else:
            result = in_strips(network, whole, rows)
    # A tensor of its own, laid out as images are.
    return result[:, :, :height, :width].clone(memory_format=torch.contiguous_format)


def usual_memory(device: torch.device) -> int | None:
    """The bytes for `stylised` where the user gives none; None where free memory is not known."""
    free = free_memory(device)
    usual = None if free is None else int(MEMORY_SHARE * free)
    return usual if device.type != "cpu" else min(usual or MOST_ON_CPU, MOST_ON_CPU)


def strip_rows(network: TransformNetwork, shape: Sequence[int], memory: int | None) -> int:
    """Rows of a strip of N×3×H×W pictures such that its maps fit into so many bytes."""
    count, _, height, width = shape
    if memory is None:
        return height
    channels = network.layers(network.down)[0].weight.shape[0]
    row = LIVE_MAPS * 4 * channels * count * width  # bytes
    if row * height <= memory:
        return height
    rows = int(memory / row) - 2 * LEAST_ROWS  # less those around it
    return max(LEAST_ROWS, rows // ALIGNMENT * ALIGNMENT)


@dataclass
class _Statistics:
    """Sums over all rows of a layer's map, in double precision where the device has it; per picture
    and channel."""

    count: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def add(self, rows: Tensor) -> None:
        values = rows.to(torch.float32 if rows.device.type == "mps" else torch.float64)
        self.count += rows.shape[2] * rows.shape[3]
        self.total = self.total + values.sum(dim=(2, 3))
        self.squares = self.squares + values.square().sum(dim=(2, 3))

    def affine(self, norm: InstanceNorm) -> tuple[Tensor, Tensor]:
        """Scale and shift, N×C×1×1, that normalise the map."""
        mean = torch.as_tensor(self.total) / self.count
        variance = torch.as_tensor(self.squares) / self.count - mean.square()
        scale = norm.weight.to(mean) / (variance.clamp(min=0.0) + NORM_EPSILON).sqrt()
        shift = norm.bias.to(mean) - mean * scale
        return scale.float()[..., None, None], shift.float()[..., None, None]


@dataclass
class _Stage:
    """A layer on top of a map of which rows can be had.

    Attributes:
        size: (height, width) of the layer's map. source_height: of the map below.
        affine: scale and shift of its normalisation, once they are known.
    """

    layer: Layer
    source: Rows
    source_height: int
    size: tuple[int, int]
    affine: tuple[Tensor, Tensor] | None = None

    def convolved(self, first: int, end: int) -> Tensor:
        """Rows [first, end) of the layer's map before its normalisation."""
        low, high, ahead = self.layer.source_rows(first, end)
        inside = self.source(max(0, low), min(self.source_height, high))
        left, right, _, _ = self.layer.padding
        frame = (left, right, max(0, -low), max(0, high - self.source_height))
        padded = F.pad(inside, frame, mode=self.layer.padding_mode)
        rows = self.layer.convolve(padded.contiguous(memory_format=torch.channels_last))
        return rows[:, :, ahead : ahead + end - first, : self.size[1]]

    def __call__(self, first: int, end: int) -> Tensor:
        """Rows [first, end) of the layer's map."""
        rows = self.convolved(first, end)
        if self.affine is None:
            return self.layer.finish(rows)
        scale, shift = self.affine
        rows = torch.addcmul(shift, rows, scale)
        return rows.relu_() if self.layer.relu else rows

    def strips(self, rows: int) -> Iterator[tuple[int, int]]:
        """First row and end of every strip; a short rest, which has too little to reflect, goes
        with the last one."""
        height = self.size[0]
        starts = list(range(0, max(1, height - SHORTEST), rows))
        return zip(starts, [*starts[1:], height], strict=True)

    def gathered(self, rows: int) -> "_Stage":
        """The stage with its statistics, from a pass over all strips; itself if it needs none."""
        if isinstance(self.layer.norm, InstanceNorm):
            statistics = _Statistics()
            for first, end in self.strips(rows):
                statistics.add(self.convolved(first, end))
            self.affine = statistics.affine(self.layer.norm)
        return self


def _rows_of(whole: Tensor) -> Rows:
    return lambda first, end: whole[:, :, first:end]


@torch.inference_mode()
def in_strips(network: TransformNetwork, images: Tensor, rows: int) -> Tensor:
    """What `network(images)` gives, in strips of so many rows; N×3×H×W.

    Args:
        images: N×3×H×W, at least `LEAST_SIDE` a side.
        rows: a multiple of `ALIGNMENT`.
    """
    size = image_size(images)
    half, quarter = _halved(size), _halved(_halved(size))
    sizes = (size, half, quarter)
    source, below = _rows_of(images), size
    for layer, own, step in zip(network.layers(network.down), sizes, (1, 2, 4), strict=True):
        stage = _Stage(layer, source, below[0], own).gathered(rows // step)
        source, below = stage, own
    x = torch.cat([stage(a, b) for a, b in stage.strips(rows // 4)], dim=2)
    for block in network.blocks:
        x = block(x)
    source = _rows_of(x)
    for layer, own, step in zip(network.layers(network.up), (half, size), (2, 1), strict=True):
        stage = _Stage(layer, source, below[0], own).gathered(rows // step)
        source, below = stage, own
    output = _Stage(network.output, source, size[0], size)
    return torch.cat([output(a, b) for a, b in output.strips(rows)], dim=2)


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2
