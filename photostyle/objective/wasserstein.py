"""How far a region's colours are from its partner's: sliced Wasserstein distance in CIELAB.

Rabin et al., "Wasserstein Barycenter and its Application to Texture Mixing" (2011). Needs no
encoder. The axes and the pixels in use are fixed when the object is made, so that a line search
always meets one and the same function.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from photostyle.color.lab import rgb_to_lab
from photostyle.segmentation.masks import members

AXES = 24
#: Pixels of a region in use at most; the quantiles of so many are exact to well under 1 ΔE.
MOST_PIXELS = 12_000
#: Regions smaller than this on either side are left out.
LEAST_PIXELS = 30


@dataclass(frozen=True)
class _Target:
    pixels: Tensor  # M row numbers
    quantiles: Tensor  # axes×M, the style's values at the content's ranks
    share: float


class RegionWasserstein:
    """Callable on the picture's N×3 CIELAB values: the area-weighted mean over regions of the
    squared sliced 2-Wasserstein distance to the style's region, in ΔE².

    Args:
        style: 1×3×h×w image.
        content_masks, style_masks: K×H×W and K×h×w; for the pixels that belong see `members`.
        weights: K factors on the regions' areas; None for ones.
    """

    def __init__(
        self,
        style: Tensor,
        content_masks: Tensor,
        style_masks: Tensor,
        weights: Tensor | None = None,
    ) -> None:
        self.axes = even_axes(AXES).to(style)
        lab = rgb_to_lab(style[0].reshape(3, -1).T)
        self.targets: list[_Target] = []
        sides = members(content_masks), members(style_masks)
        for k, (mask, partner) in enumerate(zip(*sides, strict=True)):
            pixels, source = (m.reshape(-1).nonzero()[:, 0] for m in (mask, partner))
            if min(len(pixels), len(source)) < LEAST_PIXELS:
                continue
            share = len(pixels) * (1.0 if weights is None else float(weights[k]))
            pixels = _thinned(pixels)
            wanted = ordered(self.axes.T @ lab[source].T)
            self.targets.append(_Target(pixels, _quantiles(wanted, len(pixels)), share))

    def __call__(self, lab: Tensor) -> Tensor:
        total = sum(target.share for target in self.targets)
        loss = lab.sum() * 0.0
        for target in self.targets:
            found = ordered(self.axes.T @ lab.index_select(0, target.pixels).T)
            # Unit axes see a third of the squared distance in three dimensions.
            mean = 3 * (found - target.quantiles).square().mean()
            loss = loss + target.share / total * mean
        return loss


def even_axes(count: int) -> Tensor:
    """3×count unit vectors spread evenly over the half sphere (a Fibonacci lattice)."""
    k = torch.arange(count, dtype=torch.float64) + 0.5
    z, angle = k / count, k * math.pi * (3 - math.sqrt(5))
    radius = (1 - z.square()).sqrt()
    return torch.stack([radius * angle.cos(), radius * angle.sin(), z])


def ordered(rows: Tensor) -> Tensor:
    """The values of every row of an n×m tensor, ascending; differentiable once.

    Equal values get the mean of their gradients: which of them comes first is the sort's own
    affair, another on every processor.
    """
    if rows.requires_grad and torch.is_grad_enabled():
        return _Ordered.apply(rows)  # type: ignore[no-any-return]
    if rows.device.type != "cpu":
        return rows.sort(dim=1).values
    return torch.from_numpy(np.sort(rows.detach().numpy(), axis=1))


class _Ordered(torch.autograd.Function):
    """`ordered`, on a CPU by NumPy, which sorts in a fifth of PyTorch's time or less."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        if rows.device.type == "cpu":
            order = torch.from_numpy(np.argsort(rows.detach().numpy(), axis=1))
        else:
            order = rows.argsort(dim=1)
        values = rows.gather(1, order)
        ctx.save_for_backward(order, values)
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        order, values = ctx.saved_tensors
        return torch.empty_like(gradient).scatter_(1, order, _among_equals(gradient, values))


def _among_equals(gradient: Tensor, values: Tensor) -> Tensor:
    """n×m gradients of n×m ascending values, of which equal ones have their mean."""
    begins = torch.ones_like(values, dtype=torch.bool)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    group = begins.cumsum(dim=1) - 1
    sums = torch.zeros_like(gradient).scatter_add_(1, group, gradient)
    sizes = torch.zeros_like(gradient).scatter_add_(1, group, torch.ones_like(gradient))
    return (sums / sizes.clamp(min=1.0)).gather(1, group)


def _thinned(pixels: Tensor) -> Tensor:
    if len(pixels) <= MOST_PIXELS:
        return pixels
    chosen = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    return pixels[chosen[:MOST_PIXELS].sort().values.to(pixels.device)]


def _quantiles(ordered: Tensor, count: int) -> Tensor:
    """axes×count values at even ranks of axes×n sorted ones, linear between neighbours."""
    last = ordered.shape[1] - 1
    at = (torch.arange(count, device=ordered.device) + 0.5) / count * (last + 1) - 0.5
    at = at.clamp(0, last)
    low = at.floor().long()
    part = (at - low).to(ordered)
    return ordered[:, low] * (1 - part) + ordered[:, (low + 1).clamp(max=last)] * part
