"""The network on pictures of any size in bounded memory, with the same result.

Instance normalisation sees the whole picture, so tiles cannot simply be styled apart. Here a strip
of rows goes through the layers with the rows around it that it depends on, and wherever a layer
normalises, the statistics over all strips are gathered first. Only maps at a quarter of the size
are ever held whole: two of them; where these do not fit into the memory, in half precision, which
moves the result by less than one 8-bit level; and where these do not either, one, at the price
of computing most of the network twice. The layers above them are computed again for each pass,
which costs about half as much again as the whole picture at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

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
from photostyle.runtime.memory import give_back_freed

#: Rows of a strip are multiples of this: a row of the smallest map.
ALIGNMENT = 4
#: Fewest rows of a strip; below, the rows around it would be most of the work.
LEAST_ROWS = 16
#: A strip of any map has more rows than this.
SHORTEST = 8
#: Live maps at full size, in channels of the first layer: input and output of a convolution, its
#: padded copy, and what the library keeps on the side.
LIVE_MAPS = 6

#: Share of the free memory that is taken where no bound is given, and on a CPU at most so many
#: bytes: strips cost a quarter more time at most.
MEMORY_SHARE, MOST_ON_CPU = 0.5, 512 * 2**20
#: Bytes of a strip's maps at most, however much there is: wider strips are no faster.
MOST_IN_STRIP = 96 * 2**20

Rows = Callable[[int, int], Tensor]


def stylised(
    network: TransformNetwork, images: Tensor, memory: int | None = None, out: Tensor | None = None
) -> Tensor:
    """Pictures in the network's style.

    Args:
        network: in evaluation mode.
        images: N×3×H×W in [0, 1] of any size, on the network's device.
        memory: bytes that may be taken beside the pictures; more than that and the picture goes
            through in strips. None for no bound.
        out: where the result goes, of the images' shape; they themselves will do.

    Returns:
        N×3×H×W in [0, 1]; `out` where that is given.
    """
    height, width = image_size(images)
    # Reflection needs something to reflect.
    frame = (0, max(0, LEAST_SIDE - width), 0, max(0, LEAST_SIDE - height))
    whole = F.pad(images, frame, mode="replicate") if any(frame) else images
    rows = strip_rows(network, whole.shape, memory)
    form = torch.contiguous_format
    target = torch.empty_like(images, memory_format=form) if out is None else out
    room = target if whole is images else torch.empty_like(whole, memory_format=form)
    with torch.inference_mode():
        if rows >= whole.shape[2]:
            result: Tensor = network(whole.contiguous(memory_format=torch.channels_last))
        else:
            give_back_freed()
            kept = kept_maps(network, whole.shape, memory)
            result = in_strips(network, whole, rows, kept, room)
    return target if result is target else target.copy_(result[:, :, :height, :width])


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
    rows = int(min(memory, MOST_IN_STRIP) / row) - 2 * LEAST_ROWS  # less those around it
    return max(LEAST_ROWS, rows // ALIGNMENT * ALIGNMENT)


@dataclass(frozen=True)
class Kept:
    """How the maps at a quarter of the size are held whole.

    Attributes:
        kind: their type. spare: whether a second one saves work.
    """

    kind: torch.dtype = torch.float32
    spare: bool = True


def kept_maps(network: TransformNetwork, shape: Sequence[int], memory: int | None) -> Kept:
    """What N×3×H×W pictures leave room for in so many bytes."""
    count, _, height, width = shape
    channels = network.layers(network.down)[-1].weight.shape[0]
    values = channels * count * (height // 4) * (width // 4)
    if memory is None or 2 * 4 * values <= memory:
        return Kept()
    return Kept(torch.float16, spare=2 * 2 * values <= memory)


@dataclass
class _Statistics:
    """Sums over all rows of a layer's map, in double precision where the device has it; per picture
    and channel."""

    count: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def add(self, rows: Tensor) -> None:
        kind = torch.float32 if rows.device.type == "mps" else torch.float64
        self.count += rows.shape[2] * rows.shape[3]
        for part in torch.split(rows, 8, dim=2):  # doubles of all of it would be most of the memory
            values = part.to(kind)
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
        return self.finish(self.convolved(first, end))

    def finish(self, rows: Tensor) -> Tensor:
        """What comes after the convolution, on rows of it."""
        if self.affine is None:
            return self.layer.finish(rows)
        scale, shift = self.affine
        rows = torch.addcmul(shift, rows, scale)
        return rows.relu_() if self.layer.relu else rows

    def finished(self, source: Rows) -> Rows:
        """Rows of the layer's map from those of its convolution."""
        return lambda first, end: self.finish(source(first, end))

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
            self.normalise(statistics)
        return self

    def normalise(self, statistics: _Statistics) -> None:
        """Sets what its normalisation does, from sums over all rows."""
        if isinstance(self.layer.norm, InstanceNorm):
            self.affine = statistics.affine(self.layer.norm)


def _rows_of(whole: Tensor) -> Rows:
    return lambda first, end: whole[:, :, first:end].float()


@torch.inference_mode()
def in_strips(
    network: TransformNetwork, images: Tensor, rows: int, kept: Kept | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """What `network(images)` gives, in strips of so many rows; N×3×H×W.

    Args:
        images: N×3×H×W, at least `LEAST_SIDE` a side.
        rows: a multiple of `ALIGNMENT`.
        kept: how maps are held whole; None for full precision.
        out: where the result goes; the images themselves will do.
    """
    kept = kept or Kept()
    size = image_size(images)
    half, quarter = _halved(size), _halved(_halved(size))
    sizes = (size, half, quarter)
    source, below = _rows_of(images), size
    for layer, own, step in zip(network.layers(network.down), sizes, (1, 2, 4), strict=True):
        stage = _Stage(layer, source, below[0], own).gathered(rows // step)
        source, below = stage, own
    x = _filled(stage, rows // 4, _map(stage, images, kept.kind))
    (_through_blocks if kept.spare else _through_blocks_again)(network, x, rows)
    source = _rows_of(x)
    for layer, own, step in zip(network.layers(network.up), (half, size), (2, 1), strict=True):
        stage = _Stage(layer, source, below[0], own).gathered(rows // step)
        source, below = stage, own
    output = _Stage(network.output, source, size[0], size)
    return _filled(output, rows, torch.empty_like(images) if out is None else out)


def _through_blocks(network: TransformNetwork, x: Tensor, rows: int) -> None:
    """The map at a quarter of the size, N×C×h×w, through the residual blocks, in its place.

    A convolution's strips replace rows of what they are made of only when no later strip needs
    them, so beside `x` there is one more map.
    """
    change = torch.empty_like(x)
    size = image_size(x)
    for block in network.blocks:
        first = _Stage(cast(Layer, block.first), _rows_of(x), size[0], size)
        first.normalise(_convolved(first, rows, change))
        second = _Stage(cast(Layer, block.second), first.finished(_rows_of(change)), size[0], size)
        second.normalise(_convolved(second, rows, change))
        rest = second.finished(_rows_of(change))
        for top, end in second.strips(rows):
            x[:, :, top:end] += rest(top, end)


def _through_blocks_again(network: TransformNetwork, x: Tensor, rows: int) -> None:
    """`_through_blocks` without a second map: each pass convolves anew."""
    size = image_size(x)
    for block in network.blocks:
        first = _Stage(cast(Layer, block.first), _rows_of(x), size[0], size).gathered(rows)
        second = _Stage(cast(Layer, block.second), first, size[0], size).gathered(rows)
        late = _Late(x)
        for top, end in second.strips(rows):
            late.write(top, end, x[:, :, top:end] + second(top, end))
        late.end()


@dataclass
class _Late:
    """Writes strips into the map that they are made of, each when the one after it is made: that
    still reads the last rows of it, as they were."""

    target: Tensor
    held: tuple[int, int, Tensor] | None = None

    def write(self, first: int, end: int, rows: Tensor) -> None:
        self.end()
        self.held = first, end, rows.to(self.target.dtype)

    def end(self) -> None:
        if self.held:
            first, end, rows = self.held
            self.target[:, :, first:end] = rows
        self.held = None


def _convolved(stage: _Stage, rows: int, target: Tensor) -> _Statistics:
    """Writes a layer's map before its normalisation, which may be the map that it is made of;
    gives the statistics."""
    statistics, late = _Statistics(), _Late(target)
    for first, end in stage.strips(rows):
        found = stage.convolved(first, end)
        statistics.add(found)
        late.write(first, end, found)
    late.end()
    return statistics


def _map(stage: _Stage, like: Tensor, kind: torch.dtype) -> Tensor:
    """Room for a layer's map."""
    shape = (len(like), stage.layer.weight.shape[0], *stage.size)
    form = torch.channels_last
    return torch.empty(shape, dtype=kind, device=like.device, memory_format=form)


def _filled(stage: _Stage, rows: int, target: Tensor) -> Tensor:
    """The target with a layer's map, strip by strip."""
    for first, end in stage.strips(rows):
        target[:, :, first:end] = stage(first, end)
    return target


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2
