"""The scene: content and style at one working size with their paired masks, which every later
stage reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.images.picture import resize
from photostyle.segmentation.masks import resize_masks


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
        content_masks: K×H×W, summing to 1 over K. style_masks: K×h×w.
        more: further style pictures, each 1×3×h×w; as a whole, they serve every region.
    """

    content: Tensor
    style: Tensor
    content_masks: Tensor
    style_masks: Tensor
    more: tuple[Tensor, ...] = ()

    def scaled(self, scale: float) -> "Scene":
        """The same scene with all pictures and masks at `scale` times their size."""
        if scale == 1.0:
            return self
        content_size, style_size = (_scaled(x, scale) for x in (self.content, self.style))
        return Scene(
            resize(self.content, content_size),
            resize(self.style, style_size),
            resize_masks(self.content_masks, content_size),
            resize_masks(self.style_masks, style_size),
            tuple(resize(x, _scaled(x, scale)) for x in self.more),
        )

    def to(self, device: torch.device) -> "Scene":
        content, style, content_masks, style_masks = (x.to(device) for x in self.pair)
        more = tuple(x.to(device) for x in self.more)
        return Scene(content, style, content_masks, style_masks, more)

    @property
    def pair(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Content, style, and the masks of both."""
        return self.content, self.style, self.content_masks, self.style_masks

    def references(self, blend: Sequence[float] | None) -> list[Reference]:
        """The style pictures with their shares: of `blend`, or equal ones."""
        images = [self.style, *self.more]
        parts = list(blend or [1.0] * len(images))
        whole = [x.new_ones(len(self.style_masks), *x.shape[2:]) for x in self.more]
        return [
            Reference(image, masks, part / sum(parts))
            for image, masks, part in zip(images, [self.style_masks, *whole], parts, strict=True)
        ]


def _scaled(image: Tensor, scale: float) -> tuple[int, int]:
    height, width = image.shape[-2:]
    return max(1, round(height * scale)), max(1, round(width * scale))
