"""Transfers: latents moved to the statistics of a style's, as affine maps of their channels.

AdaIN (Huang and Belongie 2017) carries every channel's mean and deviation, WCT (Li et al. 2017,
"Universal Style Transfer via Feature Transforms") the whole covariance: whitened by E_c D_c^-½ E_cᵀ
and coloured by E_s D_s^½ E_sᵀ (ZCA), in directions whose variance is worth it. Both are affine, so
that several styles, a part of the change and the share of a region are sums of maps. Statistics are
taken in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.brief import Brief

#: Added to variances of AdaIN, as in the paper.
EPSILON = 1e-5
#: Positions of which a region's statistics are worth half, the whole picture's the other half, for
#: each channel whose covariances they are to tell.
FEW = 1.0

TRANSFERS = ("adain", "wct")


@dataclass(frozen=True)
class Statistics(Brief):
    """Of C channels: weight (positions), mean (C) and covariance (C×C), float64."""

    weight: float
    mean: Tensor
    covariance: Tensor

    def mixed(self, other: "Statistics", share: float) -> "Statistics":
        """These at 1 − share, the other ones at `share`."""
        mean = torch.lerp(self.mean, other.mean, share)
        return Statistics(self.weight, mean, torch.lerp(self.covariance, other.covariance, share))


@dataclass(frozen=True)
class AffineMap(Brief):
    """x ↦ matrix · x + offset, of C channels; float64."""

    matrix: Tensor
    offset: Tensor

    def __call__(self, maps: Tensor) -> Tensor:
        """Of N×C×h×w latents, in their dtype."""
        matrix, offset = self.matrix.to(maps), self.offset.to(maps)
        return torch.einsum("kc,nchw->nkhw", matrix, maps) + offset[:, None, None]


def statistics(maps: Tensor, weights: Tensor) -> Statistics:
    """Of one picture's latents.

    Args:
        maps: 1×C×h×w. weights: h×w, how much each position counts; all 0 gives no weight.
    """
    values, share = maps[0].flatten(1).double(), weights.flatten().double()  # C×N, N
    total = float(share.sum())
    if total <= 0:
        count = len(values)
        return Statistics(0.0, values.new_zeros(count), values.new_zeros(count, count))
    mean = values @ share / total
    centred = values - mean[:, None]
    return Statistics(total, mean, (centred * share) @ centred.T / total)


def adain(content: Tensor, style: Tensor) -> Tensor:
    """AdaIN of whole N×C×h×w latents, in their own dtype and differentiable; see `adain_map`."""
    (mean, own), (wanted_mean, wanted) = (
        (x.mean(dim=(2, 3), keepdim=True), x.var(dim=(2, 3), keepdim=True, correction=0))
        for x in (content, style)
    )
    gain = ((wanted + EPSILON) / (own + EPSILON)).sqrt()
    return gain * (content - mean) + wanted_mean


def adain_map(content: Statistics, style: Statistics) -> AffineMap:
    """x ↦ σ_s · (x − μ_c) / σ_c + μ_s, channel by channel."""
    own, wanted = (s.covariance.diagonal() for s in (content, style))
    gain = ((wanted + EPSILON) / (own + EPSILON)).sqrt()
    return AffineMap(torch.diag(gain), style.mean - gain * content.mean)


def wct_map(content: Statistics, style: Statistics, cutoff: float) -> AffineMap:
    """x ↦ E_s D_s^½ E_sᵀ E_c D_c^-½ E_cᵀ (x − μ_c) + μ_s.

    Args:
        cutoff: variance below which a direction, of the content or of the style, is left out.
    """
    white = _power(content.covariance, -0.5, cutoff)
    colour = _power(style.covariance, 0.5, cutoff)
    matrix = colour @ white
    return AffineMap(matrix, style.mean - matrix @ content.mean)


def _power(covariance: Tensor, exponent: float, cutoff: float) -> Tensor:
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    kept = values > cutoff
    vectors = vectors[:, kept]
    out: Tensor = (vectors * values[kept] ** exponent) @ vectors.T
    return out


def summed(maps: Sequence[AffineMap], shares: Sequence[float]) -> AffineMap:
    """The map whose result is the sum of theirs by the shares."""
    pairs = list(zip(maps, shares, strict=True))
    return AffineMap(
        sum((s * m.matrix for m, s in pairs), torch.zeros_like(maps[0].matrix)),
        sum((s * m.offset for m, s in pairs), torch.zeros_like(maps[0].offset)),
    )


def part_of(change: AffineMap, alpha: float) -> AffineMap:
    """α times the map and 1 − α times leaving all as it is."""
    same = AffineMap(torch.eye(len(change.offset)).to(change.matrix), 0 * change.offset)
    return summed([change, same], [alpha, 1 - alpha])


@dataclass(frozen=True)
class Source(Brief):
    """A picture's latents with its regions.

    Attributes:
        maps: 1×C×h×w. masks: K×h×w, how much each position counts in every region.
        share: of a style among several.
    """

    maps: Tensor
    masks: Tensor
    share: float = 1.0

    def statistics(self) -> list[Statistics]:
        """Of every region; of one with few positions rather those of all of them together."""
        own = [statistics(self.maps, mask) for mask in self.masks]
        whole = statistics(self.maps, self.masks.sum(dim=0))
        channels = self.maps.shape[1]
        return [s.mixed(whole, FEW * channels / (s.weight + FEW * channels)) for s in own]


def region_maps(
    content: Source, styles: Sequence[Source], transfer: str, alpha: float, cutoff: float
) -> list[AffineMap]:
    """The map of every region.

    Args:
        content, styles: with the same number of regions, which pair up; shares sum to 1.
        transfer: one of `TRANSFERS`. alpha: share of the change in [0, 1].
        cutoff: of `wct_map`.
    """
    mine = content.statistics()
    theirs = [style.statistics() for style in styles]
    found = []
    for k, own in enumerate(mine):
        maps = [
            adain_map(own, its[k]) if transfer == "adain" else wct_map(own, its[k], cutoff)
            for its in theirs
        ]
        found.append(part_of(summed(maps, [style.share for style in styles]), alpha))
    return found


def transferred(maps: Tensor, masks: Tensor, changes: Sequence[AffineMap]) -> Tensor:
    """1×C×h×w latents, every region under its map.

    Args:
        masks: K×h×w, summing to 1 over K.
    """
    if len(changes) == 1:
        return changes[0](maps)
    return sum(
        (mask * change(maps) for mask, change in zip(masks, changes, strict=True)),
        torch.zeros_like(maps),
    )
