"""What of a picture file is photograph: not what is transparent, and not the frame around it.

Every pixel counts by its weight, its opacity, and none of a frame. What does not count at all is
filled from around it, so that nothing of it reaches the rest through windows and networks.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.images.formats.stored import LEAST_OPACITY
from photostyle.images.frames import Frame, frame_of
from photostyle.images.picture import Photo, image_size, resize, to_array
from photostyle.images.spaces import standard

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Photograph(Photo):
    """A picture whose `image` is filled where there is nothing to see.

    Attributes:
        weight: H×W float32 in [0, 1], how much each pixel counts; None where all count alike.
        frame: around the photograph, or None. own, own_wide: `image` and `wide` with it.
    """

    weight: Tensor | None = None
    frame: Frame | None = None
    own: Tensor | None = None
    own_wide: Tensor | None = None

    @property
    def shown(self) -> Tensor:
        """1×3×H×W as it is looked at, with its frame and without hidden colours."""
        return self.image if self.own is None else self.own

    @property
    def unseen(self) -> bool:
        """Whether all of it is transparent."""
        alpha = self.metadata.alpha
        return alpha is not None and bool(alpha.max() < LEAST_OPACITY)

    def weight_at(self, size: tuple[int, int]) -> Tensor | None:
        """The weights at a size (height, width)."""
        if self.weight is None:
            return None
        return resize(self.weight[None, None], size)[0, 0]


def photograph(photo: Photo) -> Photograph:
    """The picture with what of it is photograph; all of it where nothing is seen."""
    if isinstance(photo, Photograph):
        return photo
    facts = vars(photo)
    weight = _opacity(photo)
    if weight is None or not (weight == 0).any():
        frame = frame_of(photo.image[0].permute(1, 2, 0).numpy())
        if frame is not None:
            inside = torch.zeros(image_size(photo.image))
            inside[frame.inside(image_size(photo.image))] = 1
            weight = inside if weight is None else inside * weight
            facts = {**facts, "notes": (*photo.notes, _frame_note(photo, frame))}
            facts |= _filled(photo, weight)
            facts |= {"own": photo.image, "own_wide": photo.wide}
            return Photograph(**facts, weight=weight, frame=frame)
    if weight is None:
        return Photograph(**facts)
    return Photograph(**{**facts, **_filled(photo, weight)}, weight=weight)


def _filled(photo: Photo, weight: Tensor) -> dict[str, Tensor | None]:
    """The picture as shown and its wide one, filled where it has no weight."""
    image, wide = filled(photo.image, weight), photo.wide
    if wide is not None:
        wide = torch.where(weight > 0, wide, image)
    return {"image": image, "wide": wide}


def seen_photograph(photo: Photo, name: str) -> Photograph:
    """`photograph` of a picture in which there is something to see.

    Args:
        name: what messages call it where it is no file.

    Raises:
        ImageError: all of it is transparent.
    """
    found = photograph(photo)
    if found.unseen:
        raise ImageError(
            f"{found.path or name} is wholly transparent: there is nothing in it to see."
        )
    return found


def _frame_note(photo: Photo, frame: Frame) -> str:
    return (
        f"{photo.called}: the frame around the photograph ({frame} pixels) is no part of it: "
        "it counts for nothing, and a result has it as it is."
    )


def filled(image: Tensor, weight: Tensor | None) -> Tensor:
    """An image 1×3×H×W with the pixels without weight, H×W, filled smoothly from around them."""
    if weight is None or not (weight == 0).any():
        return image
    known = (weight > 0).numpy()
    pixels = to_array(image)
    out = np.where(known[..., None], pixels, _spread(pixels, weight.numpy()))
    flat = np.ascontiguousarray(out.clip(0, 1).transpose(2, 0, 1))
    return torch.from_numpy(flat)[None].to(image)


def framed(image: Tensor, photo: Photo, nth: int | None = None) -> Tensor:
    """A result 1×3×h×w of a photograph, or its nth wide one, with the frame that this has, at the
    result's size."""
    if not isinstance(photo, Photograph) or photo.frame is None or photo.own is None:
        return image
    size = image_size(image)
    inside = torch.zeros(image_size(photo.own))
    inside[photo.frame.inside(image_size(photo.own))] = 1
    share = resize(inside[None, None], size).to(image)
    own, bounded = photo.own, nth is None
    if nth is not None and photo.own_wide is not None:
        own = photo.own_wide[nth : nth + 1]
    return torch.lerp(resize(own, size, bounded=bounded).to(image), image, share)


def in_gamut(photo: Photograph) -> Photograph:
    """A style whose colours outside sRGB count at their own hue and lightness, where the nearest
    that are shown have others."""
    if photo.wide is None or photo.metadata.hdr or photo.metadata.scene is not None:
        return photo
    values = standard("srgb").of_srgb(to_array(photo.wide))
    image = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]  # 1×3×H×W
    return replace(photo, image=image)


def beside(image: Tensor, photo: Photo) -> Tensor | None:
    """The wide pictures of a photograph whose shown one, without its frame, became `image`: what is
    beyond that stays as far from it as it was. None where it has none."""
    if photo.wide is None:
        return None
    away = [one[None] - photo.image for one in photo.wide]
    return torch.cat([framed(image + far, photo, n) for n, far in enumerate(away)])


def unframed(image: Tensor, photo: Photo) -> Tensor:
    """A result of a photograph, 1×3×h×w, filled where that has nothing to see."""
    if not isinstance(photo, Photograph) or photo.weight is None:
        return image
    share = resize((photo.weight > 0).float()[None, None], image_size(image))[0, 0]
    # A pixel that is part frame is neither the frame nor the photograph.
    return filled(image, (share > (0.999 if photo.frame else 0)).float())


def _opacity(photo: Photo) -> Tensor | None:
    """H×W weights by alpha, the most opaque one's 1; None where all are alike, or none is seen."""
    alpha = photo.metadata.alpha
    if alpha is None or alpha.max() < LEAST_OPACITY:
        return None
    seen = np.where(alpha < LEAST_OPACITY, 0, alpha / alpha.max()).astype(np.float32)
    return None if seen.min() == 1 else torch.from_numpy(seen)


def _spread(pixels: Array, weight: Array) -> Array:
    """H×W×3 averages of the pixels around, over as small a distance as has any weight.

    Halved until all is one pixel and doubled again (pull and push: Gortler et al. 1996, "The
    Lumigraph", section 3.4).
    """
    levels = [(pixels * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        half = [(n + 1) // 2 for n in levels[-1][1].shape[::-1]]
        colours, total = (cv2.resize(x, half, interpolation=cv2.INTER_AREA) for x in levels[-1])
        levels.append((colours.reshape(*half[::-1], 3), total.reshape(half[::-1])))
    out: Array = np.zeros((1, 1, 3), np.float32)
    for colours, total in reversed(levels[1:]):
        out = cv2.resize(out, total.shape[::-1], interpolation=cv2.INTER_LINEAR)
        share = np.minimum(1, 4 * total)[..., None]
        out = share * colours / np.maximum(total, 1e-9)[..., None] + (1 - share) * out
    return cv2.resize(out, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
