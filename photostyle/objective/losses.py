"""The terms of the objective, as pure functions of tensors.

Features are `rows`: N×C float tensors, one row per position, row-major (what a channels-last
1×C×h×w map is without copying). A `RegionRows` lists the positions of one region and their
weights, so that a term over K regions touches each position about once and not K times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, pad

#: Adds a gradient to N×C rows, in their place, and gives them back.
Addition = Callable[[Tensor], Tensor]

#: Levels of 0–255 within which the length of a gradient is rounded off.
LEAST_LENGTH = 0.01


@dataclass(frozen=True)
class RegionRows:
    """The positions of one region in a feature map.

    Attributes:
        index: M int64 row numbers, ascending; None when the region is the whole map.
        root: M×1 float square roots of the weights that rows have in a Gram matrix.
    """

    index: Tensor | None
    root: Tensor


def as_rows(features: Tensor) -> Tensor:
    """1×C×h×w features as N×C rows, N = h·w row-major; a view when they are channels-last."""
    channels = features.shape[1]
    return features.permute(0, 2, 3, 1).reshape(-1, channels)  # 1×C×h×w -> h·w×C


def region_rows(
    mask: Tensor, *, scaling: str, channels: int, total: Tensor | None = None
) -> RegionRows | None:
    """Rows and weights of one soft mask; None when the mask is empty.

    Args:
        mask: h×w float in [0, 1].
        scaling: "dpst" gives Luan et al.'s (F·m)(F·m)ᵀ/(C·Σm); any other weighs each position by
            its share m/Σm, so that the Gram matrix is the region's second moment.
        channels: C of the features.
        total: Σm, when `mask` is a part of a larger one; its own sum without.
    """
    flat = mask.reshape(-1, 1)  # h×w -> N×1
    total = flat.sum() if total is None else total
    if total <= 0:
        return None
    root = flat / (channels * total).sqrt() if scaling == "dpst" else (flat / total).sqrt()
    index = flat[:, 0].nonzero()[:, 0]
    if len(index) == len(flat):
        return RegionRows(None, root)
    return RegionRows(index, root[index])


class _MaskedGram(torch.autograd.Function):
    """Autograd would keep the weighted copy of every region's rows and multiply twice."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, regions: Sequence[RegionRows], owed: "list[Addition] | None"
    ) -> Tensor:
        weighted = [_weighted(rows, region) for region in regions]
        ctx.save_for_backward(*weighted)
        ctx.regions, ctx.shape, ctx.owed = regions, rows.shape, owed
        return torch.stack([w.T @ w for w in weighted])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None]:
        own = partial(_add_gradient, ctx.saved_tensors, ctx.regions, grad)
        if ctx.owed is not None:
            ctx.owed.append(own)
            return None, None, None
        return own(grad.new_zeros(ctx.shape)), None, None


def _add_gradient(
    parts: Sequence[Tensor], regions: Sequence[RegionRows], grad: Tensor, out: Tensor
) -> Tensor:
    """Adds to `out`, N×C, what the rows owe to the gradient K×C×C of their Gram matrices."""
    for weighted, region, g in zip(parts, regions, grad, strict=True):
        if not len(weighted):  # a tile that this region does not reach
            continue
        part = _times(weighted, g + g.T).mul_(region.root)
        if region.index is None:
            out += part
        else:
            out.index_add_(0, region.index, part)
    return out


def _weighted(rows: Tensor, region: RegionRows) -> Tensor:
    """The region's rows under the roots of their weights: the Gram matrix is their own product."""
    if region.index is None:
        return rows * region.root
    return rows.index_select(0, region.index).mul_(region.root)


def _times(rows: Tensor, matrix: Tensor) -> Tensor:
    """N×C rows times a symmetric C×C matrix, as a 1×1 convolution of a channels-last map: the
    convolution library does it in half the time of the matrix product on a CPU."""
    as_map = rows.view(1, -1, 1, rows.shape[1]).permute(0, 3, 1, 2)  # N×C -> 1×C×N×1
    out = conv2d(as_map, matrix[:, :, None, None])
    return out.permute(0, 2, 3, 1).reshape(rows.shape)  # 1×C×N×1 -> N×C


def masked_gram(rows: Tensor, regions: Sequence[RegionRows]) -> Tensor:
    """Gram matrices Fᵀ diag(w_k) F of K regions.

    Args:
        rows: N×C features.
        regions: K regions of the same map.

    Returns:
        K×C×C symmetric matrices; differentiable once in `rows`.

    Source: Gatys et al. 2016, eq. 3; with masks, Luan et al. 2017, eq. 4.
    """
    return cast(Tensor, _MaskedGram.apply(rows, regions, None))


def onward_gram(features: Tensor, regions: Sequence[RegionRows]) -> Tensor:
    """`masked_gram` of a map 1×C×h×w that an encoder goes on from.

    The gradient is added in its place to the one that comes from further on, which spares a map of
    zeros and a sum of two maps. So one has to come, in a buffer of its own.
    """
    owed: list[Addition] = []

    def add(grad: Tensor) -> Tensor:
        rows = as_rows(grad)
        while owed:
            rows = owed.pop()(rows)
        return rows.view(1, *features.shape[2:], -1).permute(0, 3, 1, 2)  # h·w×C -> 1×C×h×w

    if features.requires_grad:
        features.register_hook(add)  # type: ignore[no-untyped-call]
    return cast(Tensor, _MaskedGram.apply(as_rows(features), regions, owed))


def moments(rows: Tensor, regions: Sequence[RegionRows]) -> Tensor:
    """Weighted sums of the features of K regions and of their squares: K×2×C.

    Args:
        rows: N×C features.
        regions: K regions of the same map, whose weights sum to 1 each, for mean and mean square.
    """
    found = []
    for region in regions:
        weights = region.root.square().T  # M×1 -> 1×M
        part = rows if region.index is None else rows.index_select(0, region.index)
        found.append(torch.cat([weights @ part, weights @ part.square()]))
    return torch.stack(found)


def gram_distance(grams: Tensor, targets: Tensor, *, relative: bool) -> Tensor:
    """Squared distances of K Gram matrices, K×C×C, from their targets: K values.

    Args:
        relative: squared Frobenius distance over the target's squared norm, so that 1 is "nothing
            of the style" for any encoder, layer and region; else the mean over C².

    Source: Gatys et al. 2016, eq. 4-5; Luan et al. 2017, eq. 4.
    """
    distance = (grams - targets).square().mean(dim=(1, 2))
    if relative:
        distance = distance / targets.square().mean(dim=(1, 2)).clamp(min=1e-12)
    return distance


def moment_distance(found: Tensor, targets: Tensor, *, relative: bool) -> Tensor:
    """Squared distances of K channel means and deviations from their targets: K values.

    Args:
        found, targets: K×2×C from `moments`.
        relative: over the squared norm of the target's means and deviations; else the mean over C.

    Source: Huang and Belongie 2017 (arXiv 1703.06868), eq. 13; Li et al. 2017 (1701.01036), eq. 14.
    """
    mine, wanted = _mean_and_deviation(found), _mean_and_deviation(targets)
    distance = (mine - wanted).square().sum(dim=1).mean(dim=1)
    if relative:
        distance = distance / wanted.square().sum(dim=1).mean(dim=1).clamp(min=1e-12)
    return distance


def _mean_and_deviation(found: Tensor) -> Tensor:
    """K×2×C: means, then standard deviations; smooth where a channel is constant."""
    mean, square = found.unbind(dim=1)
    variance = (square - mean.square()).clamp(min=0)
    return torch.stack([mean, (variance + 1e-6).sqrt()], dim=1)


def tv_loss(image: Tensor, form: str) -> Tensor:
    """Total variation of a 1×3×H×W image on the 0–255 scale, per pixel.

    Args:
        form: "squares", ½ Σ(dx² + dy²), as in Luan et al.'s code; "power", Σ(dx² + dy²)^1.25
            (Mahendran and Vedaldi 2015, arXiv 1412.0035, eq. 4 with β = 2.5); "length",
            Σ√(dx² + dy²). Differences reach to the right and downwards, 0 beyond the border.
    """
    dx = (image[..., :, 1:] - image[..., :, :-1]).square()
    dy = (image[..., 1:, :] - image[..., :-1, :]).square()
    pixels = image.shape[2] * image.shape[3]
    if form == "squares":
        return 0.5 * 255.0**2 * (dx.sum() + dy.sum()) / pixels
    both = 255.0**2 * (pad(dx, (0, 1)) + pad(dy, (0, 0, 0, 1)))
    if form == "power":
        return both.pow(1.25).sum() / pixels
    # The root has no slope at 0: rounded off within a hundredth of a level.
    return ((both + LEAST_LENGTH**2).sqrt() - LEAST_LENGTH).sum() / pixels


def gamut_loss(image: Tensor) -> Tensor:
    """Mean squared excess outside [0, 1], summed over channels; keeps an optimiser from winning
    out of range what clamping takes back."""
    excess = image - image.clamp(0.0, 1.0)
    return excess.square().sum() / (image.shape[2] * image.shape[3])
