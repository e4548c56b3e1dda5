"""The terms of the objective, as pure functions of tensors.

Features are `rows`: N×C float tensors, one row per position, row-major (what a channels-last
1×C×h×w map is without copying). A `RegionRows` lists the positions of one region and their
weights, so that a term over K regions touches each position about once and not K times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d, mse_loss


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


def region_rows(mask: Tensor, *, scaling: str, channels: int) -> RegionRows | None:
    """Rows and weights of one soft mask; None when the mask is empty.

    Args:
        mask: h×w float in [0, 1].
        scaling: "target" weighs each position by its share m/Σm, so that the Gram matrix is the
            region's second moment; "paper" gives Luan et al.'s (F·m)(F·m)ᵀ/(C·Σm).
        channels: C of the features.
    """
    flat = mask.reshape(-1, 1)  # h×w -> N×1
    total = flat.sum()
    if total <= 0:
        return None
    root = (flat / total).sqrt() if scaling == "target" else flat / (channels * total).sqrt()
    index = flat[:, 0].nonzero()[:, 0]
    if len(index) == len(flat):
        return RegionRows(None, root)
    return RegionRows(index, root[index])


class _MaskedGram(torch.autograd.Function):
    """Autograd would keep the weighted copy of every region's rows and multiply twice."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, regions: Sequence[RegionRows]) -> Tensor:
        weighted = [_weighted(rows, region) for region in regions]
        ctx.save_for_backward(*weighted)
        ctx.regions, ctx.shape = regions, rows.shape
        return torch.stack([w.T @ w for w in weighted])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        out = grad.new_zeros(ctx.shape)
        for weighted, region, g in zip(ctx.saved_tensors, ctx.regions, grad, strict=True):
            part = _times(weighted, g + g.T).mul_(region.root)
            if region.index is None:
                out += part
            else:
                out.index_add_(0, region.index, part)
        return out, None


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
    return cast(Tensor, _MaskedGram.apply(rows, regions))


def content_loss(features: Tensor, target: Tensor, *, relative: bool) -> Tensor:
    """Mean squared difference; divided by the target's mean square when `relative`.

    Source: Gatys et al. 2016, eq. 1 (there a sum; METHOD of Luan et al. 2017 takes the mean).
    """
    mean = mse_loss(features, target)
    return mean / target.square().mean().clamp(min=1e-12) if relative else mean


def gram_loss(grams: Tensor, targets: Tensor, shares: Tensor, *, relative: bool) -> Tensor:
    """Area-weighted squared distance of Gram matrices over regions.

    Args:
        grams, targets: K×C×C.
        shares: K area shares of the content's regions, summing to 1.
        relative: each region's squared Frobenius distance over its target's squared norm, so that
            1 is "nothing of the style" for any encoder, layer and region; else the mean over C².

    Source: Gatys et al. 2016, eq. 4-5; Luan et al. 2017, eq. 4.
    """
    distance = (grams - targets).square().mean(dim=(1, 2))  # K
    if relative:
        distance = distance / targets.square().mean(dim=(1, 2)).clamp(min=1e-12)
    return (shares * distance).sum()


def tv_loss(image: Tensor) -> Tensor:
    """½ Σ(dx² + dy²) of a 1×3×H×W image on the 0–255 scale, per pixel (Luan et al.'s code sums)."""
    dx = (image[..., :, 1:] - image[..., :, :-1]).square().sum()
    dy = (image[..., 1:, :] - image[..., :-1, :]).square().sum()
    return 0.5 * 255.0**2 * (dx + dy) / (image.shape[2] * image.shape[3])


def gamut_loss(image: Tensor) -> Tensor:
    """Mean squared excess outside [0, 1], summed over channels; keeps an optimiser from winning
    out of range what clamping takes back."""
    excess = image - image.clamp(0.0, 1.0)
    return excess.square().sum() / (image.shape[2] * image.shape[3])
