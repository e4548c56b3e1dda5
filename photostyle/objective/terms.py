"""Terms on an encoder's features: targets made once, sums over positions, and their distance.

A term's `gather` gives, for one layer, what it needs of the features; unless `additive` is False
these are sums over positions, so that a picture may come in tiles. `value` makes the loss of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol

import torch
from torch import Tensor

from photostyle.encoders.base import Encoder
from photostyle.losses import (
    RegionRows,
    as_rows,
    gram_distance,
    masked_gram,
    moment_distance,
    moments,
    region_rows,
)
from photostyle.patches import PatchBank, patch_loss
from photostyle.segmentation.masks import resize_masks
from photostyle.tiling import Tile, encoded_tiles, map_size, whole_maps

#: As the sum that the paper writes, the content term grows with the picture and, with normalised
#: weights, leaves no style at any α/β that its figures name; as a plain mean it leaves no content.
#: This many times the mean, their range from 5e-4 to 1e-2 goes from style alone to content that is
#: plain to see, at any size, with the encoders that we could measure.
GATYS_UNIT = 100.0

#: Statistics of a region's features: N×C rows and K regions ↦ K×…, additive over positions.
Statistic = Callable[[Tensor, Sequence[RegionRows]], Tensor]


class FeatureTerm(Protocol):
    """A term on features."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that it reads."""
        ...

    @property
    def additive(self) -> bool:
        """Whether `gather` over the tiles of a picture adds up to that over the picture."""
        ...

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        """What is needed of the 1×C×h×w features of `layer`: of a tile, or of all (None)."""
        ...

    def value(self, gathered: Mapping[str, Tensor]) -> Tensor:
        """The unweighted term."""
        ...


@dataclass(frozen=True)
class Reference:
    """A style picture, what it counts, and its partners of the content's regions.

    Attributes:
        image: 1×3×h×w. masks: K×h×w. share: of the statistics; those of all references sum to 1.
    """

    image: Tensor
    masks: Tensor
    share: float


@dataclass(frozen=True)
class ContentTerm:
    """Squared distances of features from the content's, the mean over layers.

    Attributes:
        targets: 1×C×h×w features of the content, by layer.
        scale: features of the content ↦ the factor on their layer's sum of squares.
        strides: pixels per position, by layer.

    Source: Gatys et al. 2016, eq. 1.
    """

    layers: tuple[str, ...]
    targets: Mapping[str, Tensor]
    scale: Callable[[Tensor], float]
    strides: Mapping[str, int]
    additive: bool = True

    @cached_property
    def scales(self) -> dict[str, float]:
        return {name: self.scale(target) for name, target in self.targets.items()}

    def aimed_at(self, targets: Mapping[str, Tensor]) -> "ContentTerm":
        """The same term for another content of that size, from its features."""
        return replace(self, targets=targets)

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        target = self.targets[layer]
        if tile is not None:
            target = tile.of(target, self.strides[layer])
        return (features - target).square().sum()

    def value(self, gathered: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self.scales[name] * gathered[name] for name in self.layers]).mean()


def content_term(
    content: Tensor, encoder: Encoder, layers: tuple[str, ...], scaling: str, tile: int = 0
) -> ContentTerm:
    """The content term.

    Args:
        content: 1×3×H×W.
        scaling: "target", relative to the content's own sum of squares; "dpst", the mean over
            positions and channels; "gatys", their eq. 1, ½ Σ, over N·M in units of 1/`GATYS_UNIT`.
        tile: side of the tiles in which the content is encoded, 0 for none.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    encoder.check_layers(layers)
    targets = whole_maps(encoder, content, layers, tile)

    def scale(target: Tensor) -> float:
        if scaling == "target":
            return 1.0 / max(encoder.content_unit * target.square().sum().item(), 1e-12)
        return (1.0 if scaling == "dpst" else 0.5 * GATYS_UNIT) / target.numel()

    return ContentTerm(layers, targets, scale, {name: encoder.stride(name) for name in layers})


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
    """

    layers: tuple[str, ...]
    targets: Mapping[str, _LayerTarget]
    weights: Mapping[str, float]
    strides: Mapping[str, int]
    statistic: Statistic
    distance: Callable[[Tensor, Tensor], Tensor]
    scaling: str
    additive: bool = True

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        target = self.targets[layer]
        regions = target.regions
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

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    layers = tuple(layer_weights)
    encoder.check_layers(layers)
    statistic, distance, quarter = STATISTICS[kind]
    unit = {"target": 1.0 / encoder.style_unit, "gatys": quarter}.get(scaling, 1.0)
    positions = scaling if kind == "gram" else "target"  # moments are means
    wanted = [_statistics(encoder, one, layers, statistic, positions, tile) for one in references]
    targets = {}
    for name in layers:
        size = map_size(content_size, encoder.stride(name))
        masks = resize_masks(content_masks, size).to(references[0].image)
        # A region that a style lacks has no statistics: a zero target would drain its colour.
        kept = [
            k for k, mask in enumerate(masks) if mask.any() and all(k in w[name] for w in wanted)
        ]
        blends = [
            torch.stack(
                [one.share * found[name][k] for one, found in zip(references, wanted, strict=True)]
            ).sum(dim=0)
            for k in kept
        ]
        channels = wanted[0][name][kept[0]].shape[-1]
        regions = _regions(masks[kept], None, positions, channels)
        shares = masks[kept].mean(dim=(1, 2)) * take[kept]
        targets[name] = _LayerTarget(
            masks[kept], regions, masks[kept].sum(dim=(1, 2)), shares, torch.stack(blends)
        )
    return StyleTerm(
        layers,
        targets,
        {name: unit * weight for name, weight in layer_weights.items()},
        {name: encoder.stride(name) for name in layers},
        statistic,
        partial(distance, relative=scaling == "target"),
        positions,
    )


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


@dataclass(frozen=True)
class PatchTerm:
    """Distances of the features' patches from their nearest in the style, over layers.

    Attributes:
        banks: of the style's patches. masks: K×h×w of the content's maps. weights: of the layers.
    """

    layers: tuple[str, ...]
    banks: Mapping[str, PatchBank]
    masks: Mapping[str, Tensor]
    weights: Mapping[str, float]
    additive: bool = field(default=False)  # a patch may lie across a border of tiles

    def gather(self, layer: str, features: Tensor, tile: Tile | None) -> Tensor:
        return features

    def value(self, gathered: Mapping[str, Tensor]) -> Tensor:
        losses = [
            self.weights[name] * patch_loss(gathered[name], self.banks[name], self.masks[name])
            for name in self.layers
        ]
        return torch.stack(losses).sum()


@torch.no_grad()
def patch_term(
    content_size: tuple[int, int],
    content_masks: Tensor,
    style: Reference,
    encoder: Encoder,
    layer_weights: Mapping[str, float],
    *,
    scaling: str,
) -> PatchTerm:
    """The style term on patches: the mean over the values of all patches, over the style's mean
    square under scaling "target".

    Args:
        content_size, content_masks, layer_weights: as for `style_term`.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    layers = tuple(layer_weights)
    encoder.check_layers(layers)
    maps = whole_maps(encoder, style.image, layers, 0)
    banks, masks, weights = {}, {}, {}
    for name, features in maps.items():
        size = map_size(content_size, encoder.stride(name))
        banks[name] = PatchBank(features, resize_masks(style.masks, tuple(features.shape[2:])))
        masks[name] = resize_masks(content_masks, size)
        values = 9 * features.shape[1] * max(1, (size[0] - 2) * (size[1] - 2))
        unit = features.square().mean().item() if scaling == "target" else 1.0
        weights[name] = layer_weights[name] / (values * max(unit, 1e-12))
    return PatchTerm(layers, banks, masks, weights)
