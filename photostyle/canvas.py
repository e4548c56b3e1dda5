"""Canvases: what the optimiser moves, and how it becomes an image. The objective does not know."""

from typing import Protocol

import torch
from torch import Tensor


class Canvas(Protocol):
    """A picture under work.

    Attributes:
        parameters: leaf tensors that the optimiser moves, in place.
    """

    parameters: list[Tensor]

    def image(self) -> Tensor:
        """The 1×3×H×W picture that the parameters stand for, differentiable in them."""
        ...


class PixelCanvas:
    """The pixels themselves."""

    def __init__(self, start: Tensor) -> None:
        pixels = start.detach().clone(memory_format=torch.contiguous_format).requires_grad_(True)
        self.parameters = [pixels]

    def image(self) -> Tensor:
        return self.parameters[0]


def build_canvas(name: str, start: Tensor) -> Canvas:
    """The canvas of that name, showing `start`."""
    return {"pixels": PixelCanvas}[name](start)
