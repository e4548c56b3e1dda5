"""What every transform promises: a picture in, latents out, and back."""

from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.brief import Brief
from photostyle.images.picture import image_size
from photostyle.segmentation.masks import resize_masks


@dataclass(frozen=True)
class Latents(Brief):
    """A picture under a transform.

    Attributes:
        maps: N×C×h×w, of which the transfers read the statistics.
        size: (height, width) of the picture, which the maps cover and may exceed.
        stride: pixels that a position is high and wide.
    """

    maps: Tensor
    size: tuple[int, int]
    stride: int

    def moved(self, maps: Tensor) -> "Latents":
        """Other latents of that size."""
        return replace(self, maps=maps)

    def masks(self, masks: Tensor) -> Tensor:
        """K×h×w shares of every position in masks K×H×W of the picture."""
        height, width = self.maps.shape[2:]
        more = (0, width * self.stride - masks.shape[2], 0, height * self.stride - masks.shape[1])
        whole = F.pad(masks[None], more, mode="replicate")[0]
        return resize_masks(whole, (height, width))


class Transform(Protocol):
    """A picture as latents.

    Attributes:
        linear: whether latents of a sum are the sum of latents, so that a picture of less contrast
            has latents of less deviation and no others.
    """

    linear: bool

    def encode(self, image: Tensor) -> Latents:
        """The latents of N×3×H×W pictures of any size."""
        ...

    def decode(self, latents: Latents) -> Tensor:
        """The N×3×H×W pictures of latents, not clipped to [0, 1]."""
        ...


def padded(image: Tensor, multiple: int) -> Tensor:
    """N×3×H×W pictures whose last row and column are repeated until `multiple` divides both."""
    height, width = image_size(image)
    more = (0, -width % multiple, 0, -height % multiple)
    return F.pad(image, more, mode="replicate")


def parted(maps: Tensor, axis: int, sizes: tuple[int, int]) -> Tensor:
    """torch's `unflatten`, of which its stubs say nothing."""
    return torch.unflatten(maps, axis, sizes)


def cut(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The pictures without what `padded` added."""
    return image[:, :, : size[0], : size[1]]
