"""A backdrop of one colour stays of one colour.

Fitted as a whole, a picture may change with the place, as a sky is told from snow by its place
alone. Where the content has one and the same colour all over it offers no such change, and what a
solve made of it at different places (a studio's paper wall, pink in one corner and blue in the
other) is no light but dirt.
"""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.images.picture import image_size, reduced

Array = NDArray[Any]

#: Share of a picture that has a backdrop's colour, at least. Of photographs without a backdrop up
#: to .17 is so much alike, of those with one .4 and more.
LEAST_SHARE = 0.3
SAME = 0.02  # how far a channel may be off that colour
BINS = 24  # a channel, of the histogram in which that colour is looked for
SIDE = 256  # pixels at which it is looked for, so that noise counts for little


def with_even_backdrop(image: Tensor, content: Tensor, weight: Tensor | None = None) -> Tensor:
    """A finished picture 1×3×H×W whose backdrop has one colour, its mean, where the content
    1×3×H×W has a backdrop of one colour; else the picture as it is.

    Args:
        weight: H×W, of the content's pixels; what has none is no backdrop.
    """
    color = _backdrop_color(content, weight)
    if color is None:
        return image
    near = (content - color[None, :, None, None]).abs().amax(dim=1) < SAME  # 1×H×W
    if weight is not None:
        near &= weight > 0
    if not near.any():
        return image
    mean = image[0][:, near[0]].mean(dim=1)
    return torch.where(near[:, None], mean[None, :, None, None], image)


def _backdrop_color(content: Tensor, weight: Tensor | None) -> Tensor | None:
    """The colour (3,) that so much of a content has, if there is one."""
    small = reduced(content, SIDE)
    colors = small[0].detach().cpu().flatten(1).T.double().numpy()  # N×3
    seen: Array = np.ones(len(colors))
    if weight is not None:
        plane = weight.detach().cpu().float().numpy()
        seen = cv2.resize(plane, image_size(small)[::-1], interpolation=cv2.INTER_AREA).ravel()
    key = (colors.clip(0, 1) * (BINS - 1)).round().astype(np.int64) @ [BINS * BINS, BINS, 1]
    own = key == np.bincount(key, weights=seen).argmax()
    found = np.median(colors[own], axis=0)
    near = np.abs(colors - found).max(axis=1) < SAME
    if seen[near].sum() < LEAST_SHARE * seen.sum():
        return None
    return content.new_tensor(found)
