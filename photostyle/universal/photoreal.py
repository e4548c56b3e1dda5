"""Style in the low bands, the content's own high bands: a photograph stays one.

The idea is WCT2's (Yoo et al. 2019). The low band of a wavelet packet is the picture at a small
size; region by region, and within a region for its shadows, middles and lights apart, its colours
are whitened and coloured as the style's. What is finer is the content's own, under the same matrix,
so that its contrast stays in proportion to that around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.config.universal import LatentsConfig
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Scene
from photostyle.universal.latents import Latents, parted
from photostyle.universal.transfers import (
    AffineMap,
    Source,
    Statistics,
    adain_map,
    part_of,
    statistics,
    summed,
)
from photostyle.universal.wavelets import WaveletPackets

#: Ranks of a region's brightness at which its shadows, middles and lights have all the weight.
RANKS = (0.1, 0.5, 0.9)
#: Share of a tone's own covariance against its region's.
OWN_TONE = 0.7
#: Positions of which a tone's statistics are worth half, its region's the other half.
FEW = 12.0
#: Deviation of the low band that means nothing, and the most that a map may enlarge a difference.
NOISE, MOST_GAIN = 0.004, 8.0


@dataclass(frozen=True)
class _Low:
    """A picture's low band 1×3×h×w, in units of the picture, with masks K×h×w by weight."""

    band: Tensor
    masks: Tensor
    share: float = 1.0

    def by_tone(self) -> list[tuple[Tensor, list[Statistics]]]:
        """Of every region the tones 3×h×w of all positions, and the statistics of each tone."""
        regions = Source(self.band, self.masks).statistics()
        found = []
        for mask, region in zip(self.masks, regions, strict=True):
            tones = tones_of(self.band[0, 0], mask)
            own = [_leant(statistics(self.band, mask * tone), region) for tone in tones]
            found.append((tones, own))
        return found


def low_bands_moved(
    scene: Scene, options: LatentsConfig, blend: Sequence[float] | None = None
) -> Tensor:
    """The content in the style's light and colours, 1×3×H×W in [0, 1].

    Args:
        blend: shares of several styles.
    """
    packets = WaveletPackets(options.levels)
    latents = packets.encode(scene.content)
    masks = latents.masks(scene.content_masks)
    weight = scene.weights[0]
    seen = None if weight is None else latents.masks(weight[None])[0]
    content = _Low(_low(latents), counted(masks, seen)).by_tone()
    styles = []
    for reference in scene.references(blend):
        its = packets.encode(reference.image)
        styles.append(_Low(_low(its), its.masks(reference.masks), reference.share))
    found = [style.by_tone() for style in styles]
    parts = [style.share for style in styles]
    shares, maps = [], []
    for k, (tones, own) in enumerate(content):
        shares.append(masks[k] * tones)
        for n, statistic in enumerate(own):
            changes = [_gentle(statistic, its[k][1][n], options.transfer) for its in found]
            maps.append(part_of(summed(changes, parts), options.alpha))
    moved = _applied(latents, torch.cat(shares), maps)
    return packets.decode(latents.moved(moved)).clamp(0.0, 1.0)


def _low(latents: Latents) -> Tensor:
    return latents.maps[:, :3] / latents.stride


def tones_of(light: Tensor, weights: Tensor) -> Tensor:
    """3×h×w shares of shadows, middles and lights, summing to 1, at every position, by the rank
    that its brightness has in a region.

    Args:
        light: h×w brightness. weights: h×w, of the region.
    """
    rank = _ranks(light.flatten(), weights.flatten()).reshape(light.shape)
    first, middle, last = RANKS
    dark = ((middle - rank) / (middle - first)).clamp(0, 1)
    bright = ((rank - middle) / (last - middle)).clamp(0, 1)
    return torch.stack([dark, 1 - dark - bright, bright])


def _ranks(light: Tensor, weights: Tensor) -> Tensor:
    """N ranks in [0, 1], equal for equal values."""
    values, inverse = torch.unique(light, return_inverse=True)
    own = torch.zeros(len(values), dtype=torch.float64).to(light.device)
    own.index_add_(0, inverse, weights.double())
    middle = own.cumsum(0) - 0.5 * own
    return (middle / own.sum().clamp(min=1e-9))[inverse].to(light)


def _leant(own: Statistics, region: Statistics) -> Statistics:
    """A tone's statistics, the less its own the fewer positions it has."""
    found = own.mixed(region, FEW / (own.weight + FEW))
    covariance = torch.lerp(region.covariance, found.covariance, OWN_TONE)
    return Statistics(own.weight, found.mean, covariance)


def _gentle(content: Statistics, style: Statistics, transfer: str) -> AffineMap:
    """The map of a tone. Of all whitenings and colourings the one that moves colours least (Pitié
    and Kokaram 2007), with noise counted in, so that it is not enlarged."""
    if transfer == "adain":
        return adain_map(content, style)
    noise = NOISE**2 * torch.eye(3).to(content.covariance)
    source, target = content.covariance + noise, style.covariance + noise
    root, inverse = _power(source, 0.5), _power(source, -0.5)
    matrix = inverse @ _power(root @ target @ root, 0.5) @ inverse
    left, gain, right = torch.linalg.svd(matrix)
    matrix = (left * gain.clamp(max=MOST_GAIN)) @ right
    return AffineMap(matrix, style.mean - matrix @ content.mean)


def _power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    out: Tensor = (vectors * values.clamp(min=1e-12) ** exponent) @ vectors.T
    return out


def _applied(latents: Latents, shares: Tensor, maps: Sequence[AffineMap]) -> Tensor:
    """Latents of which all three colours of every packet are under the mixture of maps, by M×h×w
    shares, of their position; the offsets belong to the low band."""
    packets = parted(latents.maps[0], 0, (-1, 3))  # P×3×h×w
    matrices = torch.stack([change.matrix for change in maps]).to(packets)
    offsets = torch.stack([change.offset for change in maps]).to(packets)
    matrix = torch.einsum("mhw,mkc->kchw", shares, matrices)
    moved = torch.einsum("kchw,pchw->pkhw", matrix, packets)
    moved[0] += latents.stride * torch.einsum("mhw,mk->khw", shares, offsets)
    return moved.flatten(0, 1)[None]
