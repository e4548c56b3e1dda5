"""The patch term: each patch of the features comes near the most similar one of the style's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from photostyle.encoders.base import Encoder
from photostyle.objective.patches import PatchBank, patch_loss
from photostyle.objective.tiling import Tile, map_size, whole_maps
from photostyle.segmentation.masks import resize_masks
from photostyle.segmentation.scene import Reference


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
