"""A regional look: one smooth colour map per region, apart from the picture that it was found on.

The maps are a few numbers a region, so they serve any size. Where one region ends and the next
begins is told by guided masks, affine functions of the content's colours (He, Sun, Tang 2013,
eq. 19), which follow the edges of the picture that they are applied to, pixel by pixel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.silhouettes import Borders
from photostyle.color.terms import COUNT, LUMA, apply_terms

#: Rows rendered at a time, so that the terms of a strip stay in the processor's cache.
STRIP = 16
#: Weight below which a region is left out of a strip.
LEAST_WEIGHT = 1e-3
#: Windows and variance of what counts as fine detail, noise among it, in pixels at the picture's
#: own size and in squared colour; and how many times such detail may grow.
GRAIN, GRAIN_VARIANCE, GRAIN_GAIN = 5, 1e-4, 1.0
#: Share of plain clipping for colours outside [0, 1], which keeps them pure where giving up chroma
#: alone would wash out a flame or a lamp.
PURE = 0.5


@dataclass(frozen=True)
class RegionalLook:
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

    def map(self, region: int) -> Tensor:
        """29×3 coefficients of one region at its strength."""
        identity = self.coefficients.new_zeros(COUNT, 3)
        identity[1:4] = torch.eye(3)
        return torch.lerp(identity, self.coefficients[region], self.strengths[region])

    def apply(self, content: Tensor) -> Tensor:
        """The content under the look: 1×3×H×W in [0, 1] for a 1×3×H×W content of any size."""
        height, width = content.shape[2:]
        maps = [self.map(k).to(content) for k in range(len(self.coefficients))]
        out = torch.empty_like(content)
        x = (torch.arange(width, device=content.device) + 0.5) / width - 0.5
        for top, weights, shifts in self._strips(content):
            strip = content[0, :, top : top + STRIP]
            smooth = _smoothed(content, top, strip.shape[1])
            y = (
                torch.arange(top, top + strip.shape[1], device=content.device) + 0.5
            ) / height - 0.5
            here = y.repeat_interleave(width), x.repeat(strip.shape[1])
            total = torch.zeros_like(strip)
            for (k, weight), shift in zip(weights, shifts, strict=True):
                alone, even = ((x + shift).clamp(0.0, 1.0) for x in (strip, smooth))
                total += weight * _mapped(maps[k], alone, even, here)
            out[0, :, top : top + STRIP] = total
        return out.clamp_(0.0, 1.0)

    def weights(self, content: Tensor) -> Tensor:
        """K×H×W weights of the regions on a content 1×3×H×W, summing to 1."""
        planes = content.new_zeros(len(self.coefficients), *content.shape[2:])
        for top, found, _ in self._strips(content):
            for k, weight in found:
                planes[k, top : top + STRIP] = weight
        return planes

    @property
    def one(self) -> bool:
        """Whether all regions have the same map."""
        same = (self.coefficients == self.coefficients[:1]).all()
        return bool(same and (self.strengths == self.strengths[:1]).all())

    def _strips(
        self, content: Tensor
    ) -> Iterator[tuple[int, list[tuple[int, Tensor]], list[Tensor]]]:
        """For every strip its first row, the regions in it with their rows×W weights, and what
        brings the colours of mixed pixels to those of each region alone, 3×rows×W."""
        height = content.shape[2]
        if self.one:
            for top in range(0, height, STRIP):
                yield top, [(0, content.new_ones(()))], [content.new_zeros(())]
            return
        affine, colors = (_Rows(x.to(content.device), content.shape[2:])
                          for x in (self.borders.weights, self.borders.colors))  # fmt: skip
        for top in range(0, height, STRIP):
            slopes = affine.at(top)  # K×4×rows×W
            strip = content[0, :, top : top + STRIP]
            found = (slopes[:, :3] * strip).sum(dim=1).add_(slopes[:, 3]).clamp_(0, 1)
            found = found / found.sum(dim=0).clamp(min=1e-6)
            kept = [k for k in range(len(found)) if float(found[k].max()) > LEAST_WEIGHT]
            shares = found[kept] / found[kept].sum(dim=0).clamp(min=1e-6)
            if len(kept) == 1:
                yield top, [(kept[0], shares[0])], [content.new_zeros(())]
                continue
            sides = colors.at(top)[kept]  # k×3×rows×W
            mixed = (shares[:, None] * sides).sum(dim=0)
            yield top, list(zip(kept, shares, strict=True)), list(sides - mixed)


class _Rows:
    """Strips of K×C×h×w planes enlarged to a size."""

    def __init__(self, planes: Tensor, size: Sequence[int]) -> None:
        height, width = size
        rows = planes.shape[2]
        self._wide = F.interpolate(planes, (rows, width), mode="bilinear")
        at = (torch.arange(height, device=planes.device) + 0.5) * (rows / height) - 0.5
        at = at.clamp(0, rows - 1)
        self._above = at.floor().long()
        self._below, self._part = (self._above + 1).clamp(max=rows - 1), at - self._above

    def at(self, top: int) -> Tensor:
        """K×C×rows×W of the strip that begins with the row."""
        rows = slice(top, top + STRIP)
        upper, lower = self._wide[:, :, self._above[rows]], self._wide[:, :, self._below[rows]]
        return torch.lerp(upper, lower, self._part[rows, None])


def _mapped(
    coefficients: Tensor, strip: Tensor, smooth: Tensor, here: tuple[Tensor, Tensor]
) -> Tensor:
    """3×rows×W colours under a map that leaves grain as it is while it enlarges what is broad."""
    base, full = (
        in_gamut(apply_terms(coefficients, x.reshape(3, -1), *here)).reshape_as(strip)
        for x in (smooth, strip)
    )
    detail = full - base
    allowed = GRAIN_GAIN * (strip - smooth).square().sum(dim=0).sqrt()
    share = (allowed / detail.square().sum(dim=0).sqrt().clamp(min=1e-6)).clamp(max=1.0)
    return base + share * detail


def _smoothed(content: Tensor, top: int, rows: int) -> Tensor:
    """3×rows×W of the content without its fine detail: each channel guided by itself."""
    first, last = max(0, top - 2 * GRAIN), min(content.shape[2], top + rows + 2 * GRAIN)
    plane = content[:, :, first:last]
    centred = plane - 0.5  # the variance is a difference of two squares
    mean = _box(centred)
    variance = (_box(centred * centred) - mean * mean).clamp(min=0)
    slope = variance / (variance + GRAIN_VARIANCE)
    smooth = _box(slope) * centred + _box(mean - slope * mean) + 0.5
    return smooth[0, :, top - first : top - first + rows]


def _box(plane: Tensor) -> Tensor:
    """Means over windows; along rows, then along columns, which is the same and quicker."""
    side = 2 * GRAIN + 1
    rows = F.avg_pool2d(plane, (1, side), 1, (0, GRAIN), count_include_pad=False)
    return F.avg_pool2d(rows, (side, 1), 1, (GRAIN, 0), count_include_pad=False)


def in_gamut(rgb: Tensor) -> Tensor:
    """3×N colours of which those outside [0, 1] have given up chroma, and a little luma."""
    luma = LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2]
    inside = luma.clamp(0.0, 1.0)
    away = rgb - luma
    room = torch.where(away > 0, 1 - inside, inside)
    keep = (room / away.abs().clamp(min=1e-6)).amin(dim=0).clamp(max=1.0)
    return torch.lerp(inside + away * keep, rgb.clamp(0.0, 1.0), PURE)
