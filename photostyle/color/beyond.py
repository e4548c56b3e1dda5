"""Colour maps beyond the colours that they were found on: outside sRGB, and brighter than white."""

from collections.abc import Callable

from torch import Tensor

#: Length of the step that a map's slope is taken over.
STEP = 0.02
#: How much further than the content's a result's colours may reach beyond what is shown.
MOST = 1.5


def beyond(function: Callable[[Tensor], Tensor], colors: Tensor, far: Tensor) -> Tensor:
    """What a colour map makes of the steps `far` from colours in [0, 1], both 3×rows×W, by its
    slope there in their direction: polynomials run away outside, and tables end."""
    size = far.abs().amax(dim=0).clamp(min=STEP)
    made = (function(colors) - function(colors - far * (STEP / size))) * (size / STEP)
    most = MOST * far.square().sum(dim=0).sqrt()
    return made * (most / made.square().sum(dim=0).sqrt().clamp(min=1e-9)).clamp(max=1.0)
