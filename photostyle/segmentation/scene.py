"""The scene: content and style at one working size with their paired masks, which every later
stage reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.images.picture import resize
from photostyle.segmentation.masks import Weights, counted, resize_masks


@dataclass(frozen=True)
class Reference(Brief):
    """A style picture, what it counts, and its partners of the content's regions.

    Attributes:
        image: 1×3×h×w. masks: K×h×w. share: of the statistics; those of all references sum to 1.
    """

    image: Tensor
    masks: Tensor
    share: float


@dataclass(frozen=True)
class Scene(Brief):
    """Content and style at one working size.

    Attributes:
        content: 1×3×H×W image. style: 1×3×h×w image.
        content_masks: K×H×W, summing to 1 over K. style_masks: K×h×w, by the style's weights.
        more: further style pictures, each 1×3×h×w; as a whole, they serve every region.
        weights: of content and style. more_weights: of `more`, where any are told.
    """

    content: Tensor
    style: Tensor
    content_masks: Tensor
    style_masks: Tensor
    more: tuple[Tensor, ...] = ()
    weights: Weights = (None, None)
    more_weights: tuple[Tensor | None, ...] = ()

    def scaled(self, scale: float) -> "Scene":
        """The same scene with all pictures and masks at `scale` times their size."""
        if scale == 1.0:
            return self
        content_size, style_size = (_scaled(x, scale) for x in (self.content, self.style))
        mine, its = self.weights
        return Scene(
            resize(self.content, content_size),
            resize(self.style, style_size),
            resize_masks(self.content_masks, content_size),
            resize_masks(self.style_masks, style_size),
            tuple(resize(x, _scaled(x, scale)) for x in self.more),
            (_resized(mine, content_size), _resized(its, style_size)),
            tuple(w if w is None else _resized(w, _scaled(w, scale)) for w in self.more_weights),
        )

    def to(self, device: torch.device) -> "Scene":
        def moved(weight: Tensor | None) -> Tensor | None:
            return weight if weight is None else weight.to(device)

        mine, its = self.weights
        return Scene(
            self.content.to(device), self.style.to(device),
            self.content_masks.to(device), self.style_masks.to(device),
            tuple(x.to(device) for x in self.more),
            (moved(mine), moved(its)), tuple(map(moved, self.more_weights)),
        )  # fmt: skip

    @property
    def counted(self) -> Tensor:
        """K×H×W masks of the content in which each pixel counts by its weight."""
        return counted(self.content_masks, self.weights[0])

    @property
    def pair(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Content, style, and the masks of both in which each pixel counts by its weight."""
        return self.content, self.style, self.counted, self.style_masks

    @property
    def styles(self) -> list[tuple[Tensor, Tensor | None]]:
        """All style pictures with their weights."""
        weights = self.more_weights or (None,) * len(self.more)
        return [(self.style, self.weights[1]), *zip(self.more, weights, strict=True)]

    def references(self, blend: Sequence[float] | None) -> list[Reference]:
        """The style pictures with their shares: of `blend`, or equal ones."""
        parts = list(blend or [1.0] * (1 + len(self.more)))
        count = len(self.style_masks)
        masks = [counted(x.new_ones(count, *x.shape[2:]), w) for x, w in self.styles[1:]]
        return [
            Reference(image, mask, part / sum(parts))
            for (image, _), mask, part in zip(
                self.styles, [self.style_masks, *masks], parts, strict=True
            )
        ]


def _resized(weight: Tensor | None, size: tuple[int, int]) -> Tensor | None:
    return None if weight is None else resize_masks(weight[None], size)[0]


def _scaled(image: Tensor, scale: float) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return max(1, round(height * scale)), max(1, round(width * scale))
