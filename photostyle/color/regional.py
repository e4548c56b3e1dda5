"""A regional look: one smooth colour map per region, apart from the picture that it was found on.

The maps are a few numbers a region, so they serve any size. Where one region ends and the next
begins is told by guided masks, affine functions of the content's colours (He, Sun, Tang 2013,
eq. 19), which follow the edges of the picture that they are applied to, pixel by pixel.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.beyond import beyond
from photostyle.color.grain import grain_variance, smoothed
from photostyle.color.silhouettes import Borders
from photostyle.color.terms import apply_rows, apply_terms
from photostyle.images.picture import LUMA, image_size, reduced
from photostyle.matting.maps import neighbours
from photostyle.runtime.device import in_threads

#: Rows and columns of the tiles that are rendered at a time, so that the terms of one stay in the
#: processor's cache; most lie within one region.
TILE = 64, 512
#: Long side at which it is decided which regions a tile has, and the weight below which one is left
#: out.
SIDE, LEAST_WEIGHT = 512, 0.004
#: What stays of the chroma of noise, and at least of its size where a map darkens.
GRAIN_CHROMA, GRAIN_LEAST = 0.4, 0.25
#: Steepness of a map in most of a region's colours up to which its grain needs no care.
STEEP, STEP = 1.15, 0.02
#: Share of plain clipping for colours outside [0, 1], which keeps them pure where giving up chroma
#: alone would wash out a flame or a lamp.
PURE = 0.5

Tile = tuple[slice, slice]


@dataclass(frozen=True)
class Care(Brief):
    """What is measured of a picture so that its noise is not enlarged.

    Attributes:
        steepness: of each region's map in the colours that it has there.
        grain: variance below which detail may be noise.
    """

    steepness: tuple[float, ...]
    grain: float

    @property
    def steep(self) -> list[bool]:
        """Which maps' grain needs care."""
        return [slope > STEEP for slope in self.steepness]

    @property
    def detail(self) -> float:
        """The variance that counts: the steeper the map, the more of the detail may be noise."""
        return max(self.steepness) * self.grain

    @classmethod
    def pooled(cls, cares: "Sequence[Care]") -> "Care":
        """One for several pictures under maps that are blended: the steepest, the mean noise."""
        steepest = (max(own) for own in zip(*(one.steepness for one in cares), strict=True))
        return cls(tuple(steepest), sum(one.grain for one in cares) / len(cares))


@dataclass(frozen=True)
class RegionalLook(Brief):
    """Smooth colour maps and where they hold.

    Attributes:
        coefficients: K×29×3 float32, see `terms`: content colours in [0, 1] to the result's.
        borders: of the K regions.
        strengths: K, share of each region's change in [0, 1].
    """

    coefficients: Tensor
    borders: Borders
    strengths: Tensor

    def size_on(self, content_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of delivery on a content of that size: its own."""
        return content_size

    def faded(self, strengths: Sequence[float]) -> "RegionalLook":
        """The look at part of its strength, one number a region."""
        return replace(self, strengths=self.strengths * self.strengths.new_tensor(strengths))

    def apply(
        self, content: Tensor, wide: Tensor | None = None, care: Care | None = None
    ) -> Tensor:
        """The content under the look: 1×3×H×W in [0, 1] for a 1×3×H×W content of any size.

        Args:
            wide: 1×3×H×W, where the content reaches beyond [0, 1] or has more light than it shows;
                the maps go on straight from the content to it, and so beyond [0, 1].
            care: what was measured of the content; without it, it is measured.
        """
        maps = list(self.coefficients.to(content))
        places = [(torch.arange(n, device=content.device) + 0.5) / n - 0.5
                  for n in content.shape[2:]]  # fmt: skip
        weights = self.weights(content[..., :1, :1] if self.one else reduced(content, SIDE))
        care = care or self.care(content)
        steep, detail = care.steep, care.detail
        planes = self._planes(content)
        out = torch.empty_like(content)

        def render(rows: slice) -> None:
            band = smoothed(content, rows, detail) if any(steep) else content[0, :, rows]
            for columns in _slices(content.shape[3], TILE[1]):
                strip, smooth = content[0, :, rows, columns], band[:, :, columns]
                y, x = (p[at] for p, at in zip(places, (rows, columns), strict=True))
                far = None if wide is None else wide[0, :, rows, columns] - strip
                kept = self._regions_in((rows, columns), weights, image_size(content))
                total: Tensor | None = None
                for k, weight, shift in _shared(strip, kept, planes, (rows, columns)):
                    own = [strip, smooth] if steep[k] else [strip]
                    inside = own
                    if shift is not None:
                        own = [colors + shift for colors in own]
                        inside = [colors.clamp(0.0, 1.0) for colors in own]
                    found = _mapped(maps[k], inside, (y, x))
                    if far is not None:
                        there = functools.partial(apply_rows, maps[k], y=y, x=x)
                        found = found + beyond(there, inside[0], far)
                        own = [own[0] + far, *own[1:]]
                    if self.strengths[k] < 1:  # unclamped colours add up to the content's own
                        found = torch.lerp(own[0], found, float(self.strengths[k]))
                    found = found if weight is None else weight * found
                    total = found if total is None else total + found
                here = out[0, :, rows, columns]
                low, high = (0.0, 1.0) if wide is None else (-torch.inf, torch.inf)
                _ = here.zero_() if total is None else torch.clamp(total, low, high, out=here)

        in_threads(render, _slices(content.shape[2], TILE[0]), content.device)
        return out

    def care(self, content: Tensor) -> Care:
        """What `apply` has to mind of a content 1×3×H×W in [0, 1]."""
        if all(map(is_gentle, self.coefficients)):
            return Care((0.0,) * len(self.coefficients), 0.0)
        small = reduced(content, SIDE)
        pairs = zip(self.coefficients.to(content), self.weights(small), strict=True)
        steepness = tuple(_steepness(one, small, mask) for one, mask in pairs)
        return Care(steepness, grain_variance(content) if max(steepness) > STEEP else 0.0)

    def weights(self, content: Tensor) -> Tensor:
        """K×H×W weights of the regions on a content 1×3×H×W, summing to 1."""
        count = len(self.coefficients)
        if self.one:  # as good as one region
            return torch.eye(count, 1).to(content)[:, :, None].expand(-1, *content.shape[2:])
        whole = slice(0, content.shape[2]), slice(0, content.shape[3])
        return affine_weights(content[0], self._planes(content)[0].at(*whole))

    @property
    def one(self) -> bool:
        """Whether all regions have the same map."""
        same = (self.coefficients == self.coefficients[:1]).all()
        return bool(same and (self.strengths == self.strengths[:1]).all())

    def _planes(self, content: Tensor) -> "tuple[_Planes, _Planes]":
        """The borders' weights and colours at the content's size."""
        size = image_size(content)
        return (
            _Planes(self.borders.weights.to(content.device), size),
            _Planes(self.borders.colors.to(content.device), size),
        )

    def _regions_in(self, tile: Tile, weights: Tensor, size: tuple[int, int]) -> list[int]:
        """The regions that a tile of a picture of that size may have, from their small weights."""
        around = []
        for part, whole, small in zip(tile, size, weights.shape[1:], strict=True):
            first, last = part.start * small // whole - 2, -(-part.stop * small // whole) + 2
            around.append(slice(max(0, first), last))
        most = weights[:, around[0], around[1]].amax(dim=(1, 2))
        return [k for k, weight in enumerate(most.tolist()) if weight > LEAST_WEIGHT]


class _Planes:
    """K×C×h×w planes enlarged to a size, a tile at a time, bilinearly."""

    def __init__(self, planes: Tensor, size: tuple[int, int]) -> None:
        self._planes = planes
        self._axes = [neighbours(small, n, planes.device)
                      for n, small in zip(size, planes.shape[2:], strict=True)]  # fmt: skip

    def at(self, rows: slice, columns: slice, kept: Sequence[int] | None = None) -> Tensor:
        """K×C×rows×columns of a tile, of all regions or of those kept."""
        (above, below, down), (left, right, across) = (
            [part[at] for part in axis]
            for axis, at in zip(self._axes, (rows, columns), strict=True)
        )
        first, last = int(above[0]), int(below[-1]) + 1
        near = self._planes[:, :, first:last] if kept is None else self._planes[kept, :, first:last]
        wide = torch.lerp(near.index_select(3, left), near.index_select(3, right), across)
        upper, lower = (wide.index_select(2, at - first) for at in (above, below))
        return torch.lerp(upper, lower, down[:, None])


def _slices(size: int, step: int) -> list[slice]:
    return [slice(at, min(at + step, size)) for at in range(0, size, step)]


def affine_weights(colors: Tensor, affine: Tensor) -> Tensor:
    """K×rows×W weights of 3×rows×W colours under K×4×rows×W maps, summing to 1."""
    found = (affine[:, :3] * colors).sum(dim=1).add_(affine[:, 3]).clamp_(0, 1)
    return found / found.sum(dim=0).clamp(min=1e-6)


def _shared(
    strip: Tensor, kept: Sequence[int], planes: tuple[_Planes, _Planes], tile: Tile
) -> list[tuple[int, Tensor | None, Tensor | None]]:
    """The regions of a tile, each with its weights (None for all of it) and with what brings the
    colours of mixed pixels to those of the region alone, 3×rows×W (None for nothing)."""
    if len(kept) == 1:
        return [(kept[0], None, None)]
    weights = affine_weights(strip, planes[0].at(*tile, kept))
    sides = planes[1].at(*tile, kept)  # k×3×rows×W
    mixed = (weights[:, None] * sides).sum(dim=0)
    return [(k, weights[n], sides[n] - mixed) for n, k in enumerate(kept)]


def _steepness(coefficients: Tensor, content: Tensor, mask: Tensor) -> float:
    """How much a map enlarges a small difference, in most of the colours that a region (mask h×w
    of a content 1×3×h×w) has."""
    inside = (mask.flatten() > 0.5).nonzero()[:, 0]
    if not len(inside):
        return 0.0
    some = content[0].flatten(1)[:, inside[:: max(1, len(inside) // 500)]]  # 3×N
    return float(_slopes(coefficients, some, torch.zeros_like(some[0])).quantile(0.9))


def is_gentle(coefficients: Tensor) -> bool:
    """Whether a map is nowhere so steep that grain needs care, whatever the content."""
    ends = torch.linspace(0, 1, 6)
    colors = torch.cartesian_prod(ends, ends, ends).T.to(coefficients)  # 3×216
    heights = (torch.full_like(colors[0], y) for y in (-0.5, 0.0, 0.5))
    return all(bool((_slopes(coefficients, colors, y) <= STEEP).all()) for y in heights)


def _slopes(coefficients: Tensor, colors: Tensor, y: Tensor) -> Tensor:
    """N: how much a map enlarges a small difference at most, of 3×N colours at N heights."""
    middle = torch.zeros_like(y)
    base = apply_terms(coefficients, colors, y, middle)
    steps = [
        (apply_terms(coefficients, colors + STEP * axis[:, None], y, middle) - base) / STEP
        for axis in torch.eye(3).to(colors)
    ]
    slopes = torch.stack(steps, dim=-1).permute(1, 0, 2)  # N×3×3
    norms: Tensor = torch.linalg.matrix_norm(slopes, ord=2)
    return norms


def _mapped(coefficients: Tensor, pair: Sequence[Tensor], here: tuple[Tensor, Tensor]) -> Tensor:
    """3×rows×W colours under a map; given their smooth version too, grain keeps the size that it
    has beside its own brightness, and little chroma, while what is broad is enlarged."""
    found = [
        in_gamut(apply_rows(coefficients, x, *here).reshape(3, -1)).reshape_as(x) for x in pair
    ]
    if len(pair) == 1:
        return found[0]
    (full, base), (strip, smooth) = found, pair
    detail = full - base
    darker = (_luma(base) / _luma(smooth).clamp(min=1e-2)).clamp(GRAIN_LEAST, 1.0)
    allowed = _length2(strip - smooth) * darker.square_()
    share = (allowed / _length2(detail).clamp_(min=1e-12)).clamp_(max=1.0).sqrt_()
    grey = _luma(detail) * (share * (1 - GRAIN_CHROMA))
    return detail.mul_(share * GRAIN_CHROMA).add_(grey).add_(base)


def _luma(rgb: Tensor) -> Tensor:
    return LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2]


def _length2(rgb: Tensor) -> Tensor:
    """Squared length of three planes, without a reduction, which is far slower."""
    r, g, b = rgb
    return torch.addcmul(torch.addcmul(r * r, g, g), b, b)


def in_gamut(rgb: Tensor) -> Tensor:
    """3×N colours of which those outside [0, 1] have given up chroma, and a little luma."""
    low, high = torch.aminmax(rgb) if rgb.numel() else (rgb.new_zeros(()), rgb.new_ones(()))
    if low >= 0 and high <= 1:
        return rgb
    r, g, b = rgb
    least, most = (f(f(r, g), b) for f in (torch.minimum, torch.maximum))
    outside = ((least < 0) | (most > 1)).nonzero()[:, 0]
    own = rgb.index_select(1, outside)
    luma = _luma(own)
    inside = luma.clamp(0.0, 1.0)
    away = own - luma
    room = torch.where(away > 0, 1 - inside, inside)
    keep = (room / away.abs().clamp(min=1e-6)).amin(dim=0).clamp(max=1.0)
    mapped = torch.lerp(inside + away * keep, own.clamp(0.0, 1.0), PURE)
    return rgb.index_copy(1, outside, mapped)
