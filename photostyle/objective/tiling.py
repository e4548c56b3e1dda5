"""Sums over the positions of an encoder's maps in little memory: the picture is encoded in tiles.

A Gram matrix is a sum over positions, and so is a squared difference of features. Each tile is
encoded with a margin as wide as the encoder sees, of which nothing counts, so the sums are those
of the whole picture. The gradient encodes every tile once more, which costs a third of the time
and saves the memory of all maps but one tile's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from photostyle.encoders.base import Encoder
from photostyle.runtime.memory import held_bytes

#: Sides of tiles are multiples of this, so that a tile begins where a position of every map does.
ALIGNMENT = 32
#: Sides that are chosen when none is asked for: below, the margins would cost most of the time.
LEAST_SIDE, MOST_SIDE = 256, 2048
#: What a pass with gradient needs, as a multiple of what it keeps for the way back.
WORKING_FACTOR = 1.6
#: Share of the free memory that may be used.
MEMORY_SHARE = 0.6
#: Side of the picture on which the encoder's needs are measured.
PROBE_SIDE = 128


@dataclass(frozen=True)
class Tile:
    """A part of the picture.

    Attributes:
        size: (height, width) of the picture.
        inner: rows and columns whose features count.
        outer: rows and columns that are encoded, the inner ones with their margin.
    """

    size: tuple[int, int]
    inner: tuple[slice, slice]
    outer: tuple[slice, slice]

    def of(self, whole: Tensor, stride: int) -> Tensor:
        """The part of a …×h×w map of the whole picture that counts here."""
        rows, columns = (
            slice(part.start // stride, length if part.stop == side else part.stop // stride)
            for part, side, length in zip(self.inner, self.size, whole.shape[-2:], strict=True)
        )
        return whole[..., rows, columns]

    def cut(self, features: Tensor, stride: int) -> Tensor:
        """The part that counts of the features of the outer rows and columns."""
        rows, columns = (
            slice(
                (part.start - wide.start) // stride,
                None if part.stop == side else (part.stop - wide.start) // stride,
            )
            for part, wide, side in zip(self.inner, self.outer, self.size, strict=True)
        )
        return features[..., rows, columns]


#: Takes a piece of the picture, 1×3×h×w, and the tile that it is the outer part of; gives sums.
Gather = Callable[[Tensor, Tile], Sequence[Tensor]]


def tiles(size: tuple[int, int], side: int, reach: int) -> list[Tile]:
    """The tiles of a picture, row by row; one that covers it all where it is no larger than one.

    Args:
        size: (height, width).
        side: of the inner parts in pixels, rounded up to `ALIGNMENT`; the last of a row or column
            has half as much to one and a half times as much.
        reach: pixels that the deepest layer in use sees beyond its own position.
    """
    side = _aligned(side)
    margin = _aligned(reach)
    rows, columns = (_parts(length, side) for length in size)
    return [
        Tile(
            size,
            (row, column),
            (_widened(row, margin, size[0]), _widened(column, margin, size[1])),
        )
        for row in rows
        for column in columns
    ]


def _parts(length: int, side: int) -> list[slice]:
    starts = list(range(0, max(1, length - side // 2), side))
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], length], strict=True)]


def _widened(part: slice, margin: int, length: int) -> slice:
    return slice(max(0, part.start - margin), min(length, part.stop + margin))


def _aligned(pixels: int) -> int:
    return -(-pixels // ALIGNMENT) * ALIGNMENT


def tiled_sums(image: Tensor, gather: Gather, parts: Sequence[Tile]) -> tuple[Tensor, ...]:
    """Sums over tiles of what `gather` gives for each; differentiable once in the image.

    Args:
        image: 1×3×H×W.
        gather: differentiable in the piece of the picture; called twice for each tile.
    """
    return cast(tuple[Tensor, ...], _TiledSums.apply(image, gather, parts))


class _TiledSums(torch.autograd.Function):
    """Autograd would keep the maps of every tile until the sums are known."""

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, gather: Gather, parts: Sequence[Tile]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(image)
        ctx.gather, ctx.parts = gather, parts
        sums: list[Tensor] = []
        for tile in parts:
            found = gather(_piece(image, tile), tile)
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else list(found)
        return tuple(sums)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (image,) = ctx.saved_tensors
        out = torch.zeros_like(image)
        for tile in ctx.parts:
            with torch.enable_grad():
                piece = _piece(image, tile).detach().requires_grad_(True)
                found = ctx.gather(piece, tile)
                (part,) = torch.autograd.grad(found, piece, grads)
            _piece(out, tile).add_(part)
        return out, None, None


def _piece(image: Tensor, tile: Tile) -> Tensor:
    return image[..., tile.outer[0], tile.outer[1]]


def encoded_tiles(
    encoder: Encoder, image: Tensor, layers: Sequence[str], tile: int
) -> Iterator[tuple[Tile, dict[str, Tensor]]]:
    """The features of a picture, tile by tile (0 for a single one)."""
    deepest = max(layers, key=encoder.layer_names.index)
    size = image.shape[2], image.shape[3]
    parts = tiles(size, tile or max(size), encoder.reach(deepest))
    # Maps of a whole picture are worth keeping for the next run; those of tiles are too many.
    encode = encoder.remembered if len(parts) == 1 else encoder
    for part in parts:
        with torch.no_grad():
            features = encode(_piece(image, part), layers)
        yield part, {name: part.cut(x, encoder.stride(name)) for name, x in features.items()}


def whole_maps(
    encoder: Encoder, image: Tensor, layers: Sequence[str], tile: int
) -> dict[str, Tensor]:
    """The whole maps of a picture."""
    out: dict[str, Tensor] = {}
    size = image.shape[2], image.shape[3]
    for part, features in encoded_tiles(encoder, image, layers, tile):
        for name, piece in features.items():
            if name not in out:
                shape = (1, piece.shape[1], *map_size(size, encoder.stride(name)))
                out[name] = piece.new_empty(shape).contiguous(memory_format=torch.channels_last)
            part.of(out[name], encoder.stride(name)).copy_(piece)
    return out


def map_size(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """(height, width) of a map whose positions are `stride` pixels high and wide."""
    return size[0] // stride, size[1] // stride


def tile_side(
    encoder: Encoder, layers: Sequence[str], size: tuple[int, int], free: int | None
) -> int:
    """The side of tiles with which a pass with gradient fits into memory; 0 for no tiles.

    Args:
        layers: that are read.
        size: (height, width) of the picture.
        free: bytes of memory that are free; None where that is not known.
    """
    if free is None or not layers:
        return 0
    room = MEMORY_SHARE * free / (WORKING_FACTOR * kept_bytes(encoder, layers))  # pixels
    if size[0] * size[1] <= room:
        return 0
    margin = _aligned(encoder.reach(max(layers, key=encoder.layer_names.index)))
    # The last tile of a row and column is up to half as long again.
    side = int((room**0.5 - 2 * margin) / 1.5) // ALIGNMENT * ALIGNMENT
    return min(max(side, LEAST_SIDE), MOST_SIDE)


def kept_bytes(encoder: Encoder, layers: Sequence[str]) -> float:
    """Bytes for each pixel of the picture that a pass keeps for the gradient, measured on one."""
    weight = next(iter([*encoder.parameters(), *encoder.buffers()]))
    picture = torch.full((1, 3, PROBE_SIDE, PROBE_SIDE), 0.5, dtype=weight.dtype)
    picture = picture.to(weight.device).requires_grad_(True)
    own = {_place(w)[0] for w in [*encoder.parameters(), *encoder.buffers()]}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        place, size = _place(tensor)
        if place not in own:
            kept[place] = size
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        features = encoder(picture, layers)
    for tensor in features.values():
        note(tensor)
    return sum(kept.values()) / PROBE_SIDE**2


def _place(tensor: Tensor) -> tuple[int, int]:
    """Its storage's address and bytes; where a device does not tell, each tensor has its own."""
    storage = tensor.untyped_storage()
    try:
        address = storage.data_ptr()
    except RuntimeError:
        address = 0
    return (address, storage.nbytes()) if address else (id(tensor), held_bytes(tensor))
