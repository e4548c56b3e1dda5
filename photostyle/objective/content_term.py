"""The content term: features stay near the content's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from photostyle.encoders.base import Encoder
from photostyle.objective.tiling import Tile, whole_maps

#: As the sum that the paper writes, the content term grows with the picture and, with normalised
#: weights, leaves no style at any α/β that its figures name; as a plain mean it leaves no content.
#: This many times the mean, their range from 5e-4 to 1e-2 goes from style alone to content that is
#: plain to see, at any size, with the encoders that we could measure.
GATYS_UNIT = 100.0


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
    scale: Callable[[Tensor], Tensor | float]
    strides: Mapping[str, int]
    additive: bool = True

    @cached_property
    def scales(self) -> dict[str, Tensor | float]:
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

    def scale(target: Tensor) -> Tensor | float:
        if scaling == "target":
            return 1.0 / (encoder.content_unit * target.square().sum()).clamp(min=1e-12)
        return (1.0 if scaling == "dpst" else 0.5 * GATYS_UNIT) / target.numel()

    return ContentTerm(layers, targets, scale, {name: encoder.stride(name) for name in layers})
