"""What stays of the photograph after the fact: lightness and colour apart, and protected things.

All of it works on the finished picture and its content, at any size, so nothing is solved again.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.regional import in_gamut
from photostyle.images.picture import LUMA, fit_size, image_size, resize, to_array
from photostyle.matting.guided import GuidedFilter

Array = NDArray[Any]

#: Long side at which protected things are looked for.
SIDE = 700
#: Windows and ridge of the filter that brings their borders to the picture's edges.
RADIUS, EPSILON = 6, 1e-4
#: Rows worked on at a time.
STRIP = 256


def kept(
    content: Tensor,
    image: Tensor,
    luminance: float = 1.0,
    color: float = 1.0,
    whole: Tensor | None = None,
    chroma: Tensor | None = None,
    *,
    bounded: bool = True,
) -> Tensor:
    """A finished picture of which part is the content's again.

    Args:
        content, image: 1×3×H×W, in [0, 1] where `bounded`.
        luminance, color: shares of the change in luma and in chroma to keep, in [0, 1].
        whole, chroma: H×W shares of the content's own look, or of its chroma alone, to bring back.
    """
    weights = content.new_tensor(LUMA)[:, None, None]
    out = torch.empty_like(content)
    for top in range(0, content.shape[2], STRIP):
        rows = slice(top, top + STRIP)
        own, new = content[0, :, rows], image[0, :, rows]
        own_luma, new_luma = ((weights * x).sum(dim=0) for x in (own, new))
        tint = torch.full_like(own_luma, color)
        if chroma is not None:
            tint *= 1 - chroma[rows].to(own)
        mixed = torch.lerp(own - own_luma, new - new_luma, tint)
        mixed += torch.lerp(own_luma, new_luma, luminance)
        if whole is not None:
            mixed = torch.lerp(mixed, own, whole[rows].to(own))
        if bounded:
            mixed = in_gamut(mixed.reshape(3, -1)).reshape_as(own).clamp_(0.0, 1.0)
        out[0, :, rows] = mixed
    return out


def found(content: Tensor, what: str) -> Tensor:
    """H×W in [0, 1]: where there is skin, something neutral, or sky in a content 1×3×H×W."""
    size = image_size(content)
    small = resize(content, fit_size(size, min(SIDE, max(size))))
    rgb = to_array(small).astype(np.float64)
    guided = np.clip(GuidedFilter(rgb, RADIUS, EPSILON)(FINDERS[what](rgb)), 0, 1)
    plane = torch.from_numpy(guided).float()[None, None]
    return F.interpolate(plane, size, mode="bilinear")[0, 0]


def found_maps(content: Tensor, what: str) -> Tensor:
    """4×H×W: the same as slopes over r, g, b and an offset, so that it serves larger pictures."""
    rgb = to_array(content).astype(np.float64)
    slopes, offsets = GuidedFilter(rgb, RADIUS, EPSILON).coefficients(FINDERS[what](rgb))
    return torch.from_numpy(np.concatenate([slopes[0], offsets])).float()


def _skin(rgb: Array) -> Array:
    """By hue and saturation, as skin of every tone has nearly one hue (Chai, Ngan 1999, with soft
    borders)."""
    luma = rgb @ np.array(LUMA)
    blue, red = 0.564 * (rgb[..., 2] - luma), 0.713 * (rgb[..., 0] - luma)
    inside = _between(red, 0.02, 0.19, 0.02) * _between(blue, -0.20, -0.01, 0.02)
    ratio = -blue / np.maximum(red, 1e-3)  # 0.4 is pink, 1.3 is yellow
    out: Array = inside * _between(ratio, 0.35, 1.25, 0.15) * _between(luma, 0.12, 0.95, 0.05)
    return out


def _neutral(rgb: Array) -> Array:
    spread = rgb.max(axis=-1) - rgb.min(axis=-1)
    return 1 - _between(spread, 0.08, 2.0, 0.05)


def _sky(rgb: Array) -> Array:
    """What is even, light or blue, and reaches down from the upper edge."""
    luma = rgb @ np.array(LUMA)
    blue = rgb[..., 2] - np.maximum(rgb[..., 0], rgb[..., 1] - 0.02)
    light = (blue > 0.0) & (luma > 0.15) | (luma > 0.6)
    mean = cv2.blur(luma, (5, 5))
    even = np.sqrt(np.maximum(cv2.blur(luma * luma, (5, 5)) - mean * mean, 0)) < 0.05
    _, parts = cv2.connectedComponents((light & even).astype(np.uint8))
    above = np.unique(parts[: max(1, len(parts) // 50)])
    sky = np.isin(parts, above[above > 0]).astype(np.uint8)
    closed = cv2.morphologyEx(sky, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return closed.astype(np.float64)


def _between(x: Array, low: float, high: float, soft: float) -> Array:
    """1 between the limits, falling to 0 within `soft` outside them."""
    return np.clip(np.minimum(x - low, high - x) / soft + 1, 0, 1)


#: What can be protected by its look; H×W×3 colours ↦ H×W.
FINDERS: dict[str, Callable[[Array], Array]] = {
    "skin": _skin,
    "neutrals": _neutral,
    "sky": _sky,
}
