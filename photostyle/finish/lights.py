"""Lights of a dark style in a picture that is one region.

A map that gives every colour what the style has on the whole leaves the few lights of a dark style
(lamps, a flame, one cloud) to nobody: a night comes out without any light, dull. Where the
content has lights of its own, and they are few, they get at least half the brightness of the
style's, and its hue. Where they have that anyhow nothing is lifted: by eye it only takes night
away.
"""

from math import factorial, prod

import torch
from torch import Tensor

from photostyle.color.terms import COUNT, POWERS, apply_terms, places
from photostyle.images.picture import LUMA, reduced

SIDE = 256  # pixels at which both pictures are measured
TOP = 0.02  # share of the content that is its lights
BRIGHTEST = 0.01  # share of the style that its lights are at least as bright as
LEAST = 0.5  # of the brightness of the style's lights, for the content's
#: Shares of the content that are nearly as bright up to which its lights are few, and from which
#: they are none.
FEW, BROAD = 0.4, 0.6
NEARLY = 0.5  # what "nearly" is, of the lift
LIT = 0.5  # from which share of its lights' luma on a style's pixels tell their hue
STEEPEST = 1.5  # that the lift adds to the tone's slope: a dark content's noise is no light
DEGREE = 2  # of luma by which the lift grows, so that darks stay dark


def with_lights(found: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """A map's 29×3 coefficients with more light for the content's lights, where the style's are
    brighter than what the map makes of them.

    Args:
        content, style: 1×3×H×W and 1×3×h×w in [0, 1].
    """
    small, goal = (reduced(picture, SIDE)[0].cpu().double() for picture in (content, style))
    luma = goal.new_tensor(LUMA)
    y, x = (torch.from_numpy(place) for place in places((small.shape[1], small.shape[2])))
    colors, bright = small.flatten(1), goal.flatten(1)
    light, its = luma @ colors, luma @ bright
    top = light >= light.quantile(1 - TOP)
    now = float(luma @ apply_terms(found.cpu().double(), colors, y, x)[:, top].mean(dim=1))
    brightest = float(its.quantile(1 - BRIGHTEST))
    missing = LEAST * brightest - now
    most = float((light[top] ** DEGREE).mean())
    share = float((light**DEGREE > NEARLY * most).double().mean())
    few = min(1.0, (BROAD - share) / (BROAD - FEW))
    if missing <= 0 or few <= 0 or not most:
        return found
    hue = bright[:, its >= LIT * brightest].mean(dim=1)
    lift = few * missing / most
    lift = min(lift, STEEPEST / DEGREE / most ** (1 - 1 / DEGREE))
    change = torch.outer(_luma_power(), lift * hue / (luma @ hue))
    return found + change.to(found)


def _luma_power() -> Tensor:
    """29: coefficients of luma to that degree."""
    out = torch.zeros(COUNT, dtype=torch.float64)
    for k, power in enumerate(POWERS):
        if sum(power) == DEGREE:
            ways = factorial(DEGREE) / prod(map(factorial, power))
            out[k] = ways * prod(share**n for share, n in zip(LUMA, power, strict=True))
    return out
