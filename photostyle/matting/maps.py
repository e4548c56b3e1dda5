"""From the size of the optimisation to any other, through local affine maps of the content.

A map per pixel of the small picture says how the content's colours become the result's. The maps
are smooth, so they may be enlarged; applied to the full-size content they give a full-size result
with every detail of the original.

Source: Chen et al. 2016, bilateral guided upsampling, with a guided filter's maps for a grid's.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.brief import Brief
from photostyle.images.picture import image_size, resize
from photostyle.matting.guided import GuidedFilter

#: Rows rendered at a time: with 12 coefficients each they stay in the processor's cache.
STRIP = 16


@dataclass(frozen=True)
class LocalAffine(Brief):
    """Affine colour maps over a picture.

    Attributes:
        coefficients: 12×h×w float32: the 3×3 slopes row by row, then the 3 offsets, in units of
            the [0, 1] image.
    """

    coefficients: Tensor

    def size_on(self, content_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of delivery on a content of that size: its own."""
        return content_size

    def mixed(self, other: "LocalAffine", share: Tensor) -> "LocalAffine":
        """These maps where the h×w `share` is 0, `other` where it is 1."""
        return LocalAffine(torch.lerp(self.coefficients, other.coefficients, share))

    def faded(self, strength: Tensor) -> "LocalAffine":
        """The maps at part of their strength: where it is 0 the content, where it is 1 the result.

        Args:
            strength: h×w, or a scalar.
        """
        identity = torch.zeros_like(self.coefficients)
        identity[[0, 4, 8]] = 1.0
        return LocalAffine(identity).mixed(self, strength)

    def apply(self, content: Tensor, wide: Tensor | None = None) -> Tensor:
        """The content under the maps: 1×3×H×W in [0, 1] for a 1×3×H×W content of any size, or not
        bounded for one, `wide`, that reaches beyond [0, 1].

        Needs memory for the result and 12 values for each column of the content and row of maps.
        """
        height, width = content.shape[2:]
        maps = self.coefficients.to(content.device)
        across = F.interpolate(maps[None], (maps.shape[1], width), mode="bilinear")[0]  # 12×h×W
        above, below, part = neighbours(maps.shape[1], height, content.device)
        content = content if wide is None else wide
        out = torch.empty_like(content)
        for top in range(0, height, STRIP):
            rows = slice(top, top + STRIP)
            upper, lower = across[:, above[rows]], across[:, below[rows]]
            strip = torch.lerp(upper, lower, part[rows, None])  # 12×rows×W
            _transform(strip, content[0, :, rows], out[0, :, rows])
        return out.clamp_(0.0, 1.0) if wide is None else out


@dataclass(frozen=True)
class Painted(Brief):
    """A picture of its own, which is no map of the content.

    Attributes:
        picture: 1×3×h×w float32 in [0, 1].
        strength: h×w or scalar in [0, 1], of the picture over the content.
    """

    picture: Tensor
    strength: Tensor

    def size_on(self, content_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of delivery: the picture's own, as enlarging would add nothing."""
        return image_size(self.picture)

    def faded(self, strength: Tensor) -> "Painted":
        """The picture at part of its strength: where it is 0 the content shows."""
        return Painted(self.picture, self.strength * strength)

    def apply(self, content: Tensor, wide: Tensor | None = None) -> Tensor:
        """The picture over the content, or over its `wide` colours, at the content's size: 1×3×H×W,
        in [0, 1] where they are."""
        content = content if wide is None else wide
        size = image_size(content)
        picture = resize(self.picture, size).to(content.device)
        strength = self.strength.to(content).expand(image_size(self.picture))[None, None]
        return torch.lerp(content, picture, F.interpolate(strength, size, mode="bilinear"))


def fit_local_affine(image: Tensor, content: Tensor, radius: int, epsilon: float) -> LocalAffine:
    """Smoothed local affine maps that take `content` to `image`, both 1×3×h×w in [0, 1].

    Args:
        radius: of the windows, in pixels.
        epsilon: ridge on the slopes, in squared units of the content.

    Source: He, Sun, Tang 2013, eq. 19.
    """
    guide = content[0].permute(1, 2, 0).cpu().double().numpy()  # 1×3×h×w -> h×w×3
    target = image[0].detach().permute(1, 2, 0).cpu().double().numpy()  # 1×3×h×w -> h×w×3
    slope, offset = GuidedFilter(guide, radius, epsilon).coefficients(target)
    flat = np.concatenate([slope.reshape(9, *slope.shape[2:]), offset])  # 3×3×h×w, 3×h×w -> 12×h×w
    return LocalAffine(torch.from_numpy(flat).float())


def neighbours(rows: int, height: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """For each of `height` output rows, or columns, the two of `rows` around it and how far it is
    between them."""
    at = (torch.arange(height, device=device) + 0.5) * (rows / height) - 0.5
    at = at.clamp(0, rows - 1)
    above = at.floor().long()
    return above, (above + 1).clamp(max=rows - 1), at - above


def _transform(maps: Tensor, content: Tensor, out: Tensor) -> None:
    """Writes the 3×rows×W content under 12×rows×W maps to `out`."""
    for c in range(3):
        plane = torch.addcmul(maps[9 + c], maps[3 * c], content[0])
        plane.addcmul_(maps[3 * c + 1], content[1])
        torch.addcmul(plane, maps[3 * c + 2], content[2], out=out[c])
