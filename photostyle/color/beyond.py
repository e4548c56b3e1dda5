"""Colour maps beyond the colours that they were found on: outside sRGB, and brighter than white."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

#: Length of the step that a map's slope is taken over.
STEP = 0.02
#: How much further than the content's a result's colours may reach beyond what is shown.
MOST = 1.5
#: Means of R, G and B from which light counts as brighter than white, and from which wholly so.
BRIGHT = 0.95, 1.05
#: Difference up to which colours are what is shown of the ones beyond.
SAME = 0.02
#: Square of a distance from grey that says nothing of a hue.
GREY = 1e-4


def beyond(function: Callable[[Tensor], Tensor], colors: Tensor, far: Tensor) -> Tensor:
    """What a colour map makes of the steps `far` from colours in [0, 1], both 3×rows×W.

    Light goes on by the map's slope there in their direction: polynomials run away outside, and
    tables end. Chroma outside sRGB is turned and scaled as the map does with the chroma of what is
    shown, so that a hue goes on as it is.
    """
    size = far.abs().amax(dim=0).clamp(min=STEP)
    made = function(colors)
    steep = (made - function(colors - far * (STEP / size))) * (size / STEP)
    wide = colors + far
    light = (BRIGHT[1] - wide.mean(dim=0)) / (BRIGHT[1] - BRIGHT[0])
    shown = 2 - (wide.clamp(0, 1) - colors).abs().amax(dim=0) / SAME
    share = torch.minimum(light, shown).clamp(0, 1)
    found = torch.lerp(steep, steep.mean(dim=0) + _turned(far, colors, made), share)
    most = MOST * far.square().sum(dim=0).sqrt()
    return found * (most / found.square().sum(dim=0).sqrt().clamp(min=1e-9)).clamp(max=1.0)


def _turned(far: Tensor, colors: Tensor, made: Tensor) -> Tensor:
    """The chroma of steps, turned and scaled as that of colours is to become that of others."""
    (x, y), (a, b), (c, d) = map(_chroma, (far, colors, made))
    size = a.square() + b.square() + GREY
    along, across = (c * a + d * b) / size, (d * a - c * b) / size
    limit = (MOST / (along.square() + across.square()).sqrt().clamp(min=1e-9)).clamp(max=1.0)
    u, v = (x * along - y * across) * limit, (x * across + y * along) * limit
    return torch.stack([
        u * (2 / math.sqrt(6)), v / math.sqrt(2) - u / math.sqrt(6),
        -v / math.sqrt(2) - u / math.sqrt(6),
    ])  # fmt: skip


def _chroma(colors: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates of 3×rows×W colours in the plane across grey."""
    red, green, blue = colors
    return (2 * red - green - blue) / math.sqrt(6), (green - blue) / math.sqrt(2)
