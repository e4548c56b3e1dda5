"""Canvases: what the optimiser moves, and how it becomes an image. The objective does not know."""

from typing import Protocol

import torch
from torch import Tensor

from photostyle.errors import OptionError
from photostyle.feedforward.network import TransformNetwork
from photostyle.feedforward.tiling import stylised, usual_memory
from photostyle.images.picture import image_size, resize
from photostyle.matting.grid import (
    apply_affine,
    brightness,
    grid_roughness,
    identity_grid,
    slice_grid,
)
from photostyle.matting.maps import fit_local_affine

#: Weight of a grid's roughness for a photorealism weight of 1: a stiff grid is to the grid what
#: the Matting Laplacian is to pixels, so one option governs both.
ROUGHNESS = 2 / 15
#: How much stiffer the grid's chroma rows are than its brightness row.
CHROMA_STIFFNESS = 1.0
#: Windows and ridge of the local maps through which pixels reach another size: small enough to
#: keep light that changes within an object, large enough to be fitted by any texture.
RADIUS, EPSILON = 4, 1e-4


class Canvas(Protocol):
    """A picture under work.

    Attributes:
        parameters: leaf tensors that the optimiser moves, in place.
    """

    parameters: list[Tensor]

    def image(self) -> Tensor:
        """The 1×3×H×W picture that the parameters stand for, differentiable in them."""
        ...

    def penalties(self) -> dict[str, Tensor]:
        """Weighted terms on the parameters themselves, by name."""
        ...

    def render(self, start: Tensor, content: Tensor) -> Tensor:
        """The finished picture at another size, in [0, 1].

        Args:
            start: 1×3×H×W picture that the canvas was made from, at that size.
            content: 1×3×H×W content at that size.
        """
        ...


class PixelCanvas:
    """The pixels themselves.

    Args:
        start: 1×3×H×W picture to begin with.
        content: the content at that size.
    """

    def __init__(self, start: Tensor, content: Tensor) -> None:
        # L-BFGS views its parameters flat, so they are contiguous and not channels-last.
        pixels = start.detach().clone(memory_format=torch.contiguous_format)
        self.parameters = [pixels.requires_grad_(True)]
        self.content = content

    def image(self) -> Tensor:
        return self.parameters[0]

    def penalties(self) -> dict[str, Tensor]:
        return {}

    def render(self, start: Tensor, content: Tensor) -> Tensor:
        picture = self.image().detach().clamp(0.0, 1.0)
        if content.shape == picture.shape:
            return picture
        return fit_local_affine(picture, self.content, RADIUS, EPSILON).apply(content)


class PaintedCanvas(PixelCanvas):
    """Pixels that are a picture of their own, and not the content in another light."""

    def render(self, start: Tensor, content: Tensor) -> Tensor:
        return resize(self.image().detach().clamp(0.0, 1.0), image_size(content))


class AffineGridCanvas:
    """A bilateral grid of affine colour changes on top of the start.

    Args:
        start, content: as for pixels; the content's brightness is the grid's guide.
        roughness: weight on the differences between neighbouring cells.
    """

    def __init__(self, start: Tensor, content: Tensor, roughness: float) -> None:
        self.parameters = [identity_grid(device=start.device).requires_grad_(True)]
        self.start, self.guide = start.detach(), brightness(content)
        self.roughness = roughness

    def image(self) -> Tensor:
        return apply_affine(slice_grid(self.parameters[0], self.guide), self.start)

    def penalties(self) -> dict[str, Tensor]:
        rough = grid_roughness(self.parameters[0], CHROMA_STIFFNESS)
        return {"roughness": self.roughness * rough}

    @torch.no_grad()
    def render(self, start: Tensor, content: Tensor) -> Tensor:
        coefficients = slice_grid(self.parameters[0], brightness(content))
        return apply_affine(coefficients, start).clamp(0.0, 1.0)


class NetworkCanvas:
    """The weights of a feed-forward network, which makes the picture of the content.

    Args:
        network: in evaluation mode; its weights are the parameters.
        content: the content at the size of the solve.
    """

    def __init__(self, network: TransformNetwork, content: Tensor) -> None:
        self.network = network.requires_grad_(True)
        self.parameters: list[Tensor] = list(network.parameters())
        self.content = content

    def image(self) -> Tensor:
        picture: Tensor = self.network(self.content)
        return picture

    def penalties(self) -> dict[str, Tensor]:
        return {}

    def render(self, start: Tensor, content: Tensor) -> Tensor:
        return stylised(self.network, content, usual_memory(content.device))


def build_canvas(
    name: str,
    start: Tensor,
    content: Tensor,
    photoreal_weight: float,
    deliver: str = "maps",
    network: TransformNetwork | None = None,
) -> Canvas:
    """The canvas of that name: "pixels" or "affine-grid", showing `start`, or "network".

    Args:
        deliver: how pixels reach another size: through local "maps" of the content, or as "pixels".
        network: behind the canvas "network".
    """
    if name == "network":
        if network is None:
            raise OptionError("--canvas network needs a network; give --model FILE.")
        return NetworkCanvas(network, content)
    if name == "affine-grid":
        return AffineGridCanvas(start, content, ROUGHNESS * photoreal_weight)
    return {"maps": PixelCanvas, "pixels": PaintedCanvas}[deliver](start, content)
