"""Shadows that a solve has crushed, given back.

Statistics of a night picture are met most cheaply by pushing half of the content to black. Where
the solve leaves much less local contrast than its start had, the picture turns back towards the
start; elsewhere it stays as it is.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.matting.grid import brightness
from photostyle.objective.drift import low_pass

#: Radius of the windows and deviation of their weights' low-pass, as a share of the long side.
WINDOW = 1 / 64
#: Contrast below which two windows count as equally flat: half a step of an 8-bit picture.
FLAT = 0.002


def lost_contrast(image: Tensor, start: Tensor, least: float) -> Tensor:
    """How far each place should turn back towards the start: H×W in [0, 1].

    Args:
        image, start: 1×3×H×W in [0, 1], both through the same post-processing.
        least: share of the start's local contrast (standard deviation of brightness in a window)
            below which the start comes back; 0 gives zeros.
    """
    radius = max(1, round(max(image.shape[2:]) * WINDOW))
    found, wanted = (_contrast(brightness(x), radius) for x in (image, start))
    lost = (1 - (found + FLAT) / (least * wanted + FLAT)).clamp(0, 1)
    return low_pass(lost, float(radius))[0, 0]


def _contrast(plane: Tensor, radius: int) -> Tensor:
    """Standard deviation in every window of side 2·radius + 1, inside the picture."""
    # Centred, because the variance is a difference of two squares.
    plane = plane - plane.mean()
    variance = _mean(plane.square(), radius) - _mean(plane, radius).square()
    return torch.sqrt(variance.clamp(min=0))


def _mean(plane: Tensor, radius: int) -> Tensor:
    side = 2 * radius + 1
    return F.avg_pool2d(plane, side, stride=1, padding=radius, count_include_pad=False)
