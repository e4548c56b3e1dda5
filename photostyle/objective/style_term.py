"""The style term: statistics of features, region by region, come near the style's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from photostyle.encoders.base import Encoder
from photostyle.objective.losses import (
    RegionRows,
    as_rows,
    gram_distance,
    masked_gram,
    moment_distance,
    moments,
    onward_gram,
    region_rows,
)
from photostyle.objective.tiling import Tile, encoded_tiles, map_size
from photostyle.segmentation.masks import resize_masks
from photostyle.segmentation.scene import Reference

#: Statistics of a region's features: N×C rows and K regions ↦ K×…, additive over positions.
Statistic = Callable[[Tensor, Sequence[RegionRows]], Tensor]


@dataclass(frozen=True)
class _LayerTarget:
    """One layer's regions and what their statistics should be.

    Attributes:
        masks: K×h×w of the content's map. regions: the same as rows.
        totals, shares: K sums of the masks, and K area shares.
        statistics: K×… targets.
    """

    masks: Tensor
    regions: tuple[RegionRows, ...]
    totals: Tensor
    shares: Tensor
    statistics: Tensor


@dataclass(frozen=True)
class StyleTerm:
    """Area-weighted distances of regions' statistics from the style's, over layers.

    Attributes:
        weights: of the layers, everything that is constant in them.
        statistic, distance: what is compared, and how: K×… and K×… ↦ K.
        scaling: of the positions' weights, as in `region_rows`.
        onward: layers whose gradient can be added to that of a deeper one of this term.
    """

    layers: tuple[str, ...]
    targets: Mapping[str, _LayerTarget]
    weights: Mapping[str, float]
    strides: Mapping[str, int]
    statistic: Statistic
    distance: Callable[[Tensor, Tensor], Tensor]
    scaling: str
    onward: frozenset[str] = frozenset()
    additive: bool = True

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        target = self.targets[layer]
        regions = target.regions
        if tile is None and layer in self.onward:
            return onward_gram(features, regions)
        if tile is not None:
            masks = tile.of(target.masks, self.strides[layer])
            regions = _regions(masks, target.totals, self.scaling, features.shape[1])
        return self.statistic(as_rows(features), regions)

    def value(self, gathered: Mapping[str, Tensor]) -> Tensor:
        losses = []
        for name, target in self.targets.items():
            distance = self.distance(gathered[name], target.statistics)
            losses.append(self.weights[name] * (target.shares * distance).sum())
        return torch.stack(losses).sum()


#: By name: statistic, distance, and the factor of scaling "gatys" (1/4 in their eq. 4).
STATISTICS: dict[str, tuple[Statistic, Callable[..., Tensor], float]] = {
    "gram": (masked_gram, gram_distance, 0.25),
    "mean-std": (moments, moment_distance, 1.0),
}


@torch.no_grad()
def style_term(
    content_size: tuple[int, int],
    content_masks: Tensor,
    references: Sequence[Reference],
    encoder: Encoder,
    layer_weights: Mapping[str, float],
    take: Tensor,
    *,
    kind: str,
    scaling: str,
    tile: int = 0,
    direct: bool = False,
) -> StyleTerm:
    """The style term on Gram matrices, or on channel means and deviations.

    Args:
        content_size: (height, width) of the content.
        content_masks: K×H×W.
        references: style pictures; their statistics are blended linearly.
        layer_weights: by layer, in the order of the layers.
        take: K factors on the regions' shares.
        kind: "gram" or "mean-std".
        scaling: "target", relative to the target's norm; "dpst", Luan et al.'s normalisation;
            "gatys", 1/(4 N²M²) Σ(G − A)², where G/M of a picture does not depend on its size.
        tile: side of the tiles in which the styles are encoded, 0 for none.
        direct: whether the maps that are gathered from are those that the encoder goes on from.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    layers = tuple(layer_weights)
    encoder.check_layers(layers)
    statistic, distance, quarter = STATISTICS[kind]
    unit = {"target": 1.0 / encoder.style_unit, "gatys": quarter}.get(scaling, 1.0)
    positions = scaling if kind == "gram" else "target"  # moments are means
    wanted = [_statistics(encoder, one, layers, statistic, positions, tile) for one in references]
    strides = {name: encoder.stride(name) for name in layers}
    targets = {}
    for name in layers:
        masks = resize_masks(content_masks, map_size(content_size, strides[name])).to(take)
        found = [(one.share, of[name]) for one, of in zip(references, wanted, strict=True)]
        targets[name] = _layer_target(masks, found, take, positions)
    deepest = max(layers, key=encoder.layer_names.index)
    onward = frozenset(layers) - {deepest} if direct and encoder.apart and kind == "gram" else ()
    return StyleTerm(
        layers, targets, {name: unit * weight for name, weight in layer_weights.items()}, strides,
        statistic, partial(distance, relative=scaling == "target"), positions, frozenset(onward),
    )  # fmt: skip


def _layer_target(
    masks: Tensor,
    found: Sequence[tuple[float, Mapping[int, Tensor]]],
    take: Tensor,
    scaling: str,
) -> _LayerTarget:
    """The target of one layer.

    Args:
        masks: K×h×w of the content's map.
        found: share and {number of the region: statistics} of each style picture.
    """
    # A region that a style lacks has no statistics: a zero target would drain its colour.
    kept = [k for k, mask in enumerate(masks) if mask.any() and all(k in s for _, s in found)]
    blends = [torch.stack([share * s[k] for share, s in found]).sum(dim=0) for k in kept]
    masks, channels = masks[kept], blends[0].shape[-1]
    shares = masks.mean(dim=(1, 2)) * take[kept]
    regions = _regions(masks, None, scaling, channels)
    return _LayerTarget(masks, regions, masks.sum(dim=(1, 2)), shares, torch.stack(blends))


def _statistics(
    encoder: Encoder,
    style: Reference,
    layers: Sequence[str],
    statistic: Statistic,
    scaling: str,
    tile: int,
) -> dict[str, dict[int, Tensor]]:
    """The statistics of a style picture, by layer and number of the region."""
    found: dict[str, dict[int, Tensor]] = {name: {} for name in layers}
    size = style.image.shape[2], style.image.shape[3]
    masks = {
        name: resize_masks(style.masks, map_size(size, encoder.stride(name))).to(style.image)
        for name in layers
    }
    for part, maps in encoded_tiles(encoder, style.image, layers, tile):
        for name, features in maps.items():
            numbers = [k for k, mask in enumerate(masks[name]) if mask.any()]
            here = part.of(masks[name][numbers], encoder.stride(name))
            totals = masks[name][numbers].sum(dim=(1, 2))
            regions = _regions(here, totals, scaling, features.shape[1])
            sums = statistic(as_rows(features), regions) if regions else ()
            for k, value in zip(numbers, sums, strict=True):
                found[name][k] = found[name][k] + value if k in found[name] else value
    return found


def _regions(
    masks: Tensor, totals: Tensor | None, scaling: str, channels: int
) -> tuple[RegionRows, ...]:
    """The rows of masks K×h×w, none of which is empty as a whole."""
    sums = masks.sum(dim=(1, 2)) if totals is None else totals
    found = (
        region_rows(mask, scaling=scaling, channels=channels, total=total)
        for mask, total in zip(masks, sums, strict=True)
    )
    return tuple(region for region in found if region is not None)
