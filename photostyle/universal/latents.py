"""What every transform promises: a picture in, latents out, and back."""

from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from photostyle.brief import Brief
from photostyle.images.picture import image_size


@dataclass(frozen=True)
class Latents(Brief):
    """A picture under a transform.

    Attributes:
        maps: N×C×h×w, of which the transfers read the statistics.
        size: (height, width) of the picture, which the maps cover and may exceed.
    """

    maps: Tensor
    size: tuple[int, int]


class Transform(Protocol):
    """A picture as latents."""

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
    return F.pad(image, more, mode="replicate") if any(more) else image


def cut(image: Tensor, size: tuple[int, int]) -> Tensor:
    """The pictures without what `padded` added."""
    return image[:, :, : size[0], : size[1]]
