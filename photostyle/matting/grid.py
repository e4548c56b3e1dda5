"""Affine bilateral grid: a picture recoloured by colour maps that vary slowly over place and
brightness.

Chen et al., "Bilateral Guided Upsampling" (2016); Gharbi et al., "Deep Bilateral Learning" (2017).
Every cell of a gz×gy×gx grid holds an affine colour change; a pixel reads, trilinearly, at its
place and at the guide's brightness. What comes out is locally an affine function of what goes in,
so it stays a photograph, and the same grid renders a larger original.

The twelve numbers of a cell act on opponent colours (brightness, red - blue, green - magenta),
about mid-grey, and are changes: zero leaves the picture as it is. Brightness and chroma can so be
held back separately.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.images.picture import LUMA
from photostyle.runtime.device import constant

#: Orthonormal rows: brightness and two chroma axes of RGB.
OPPONENT = F.normalize(torch.tensor([[1.0, 1, 1], [1, 0, -1], [-0.5, 1, -0.5]]), dim=1)
_BASIS = tuple(map(tuple, OPPONENT.tolist()))
#: Coefficients of a cell: three rows (brightness and two chromas out) of three gains and an offset.
COEFFICIENTS = 12
#: Depth, height and width of the grid.
SHAPE = (8, 16, 16)
#: A step along brightness is held back by so much less than one along the picture.
DEPTH_STIFFNESS = 0.5


def identity_grid(
    shape: tuple[int, int, int] = SHAPE, device: torch.device | None = None
) -> Tensor:
    """The 1×12×gz×gy×gx grid that changes nothing."""
    return torch.zeros(1, COEFFICIENTS, *shape, device=device)


def slice_grid(grid: Tensor, guide: Tensor) -> Tensor:
    """The coefficients of every pixel, 1×12×H×W.

    Args:
        grid: 1×12×gz×gy×gx, its outermost nodes on the picture's corners and on black and white.
        guide: 1×1×H×W brightness in [0, 1]; the picture may have any size.
    """
    height, width = guide.shape[2:]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=grid.device, dtype=grid.dtype),
        torch.linspace(-1, 1, width, device=grid.device, dtype=grid.dtype),
        indexing="ij",
    )
    place = torch.stack([x, y, guide[0, 0] * 2 - 1], dim=-1)[None, None]  # 1×1×H×W×3
    sliced = F.grid_sample(grid, place, padding_mode="border", align_corners=True)
    return sliced[:, :, 0]  # 1×12×1×H×W -> 1×12×H×W


def apply_affine(coefficients: Tensor, image: Tensor) -> Tensor:
    """The 1×3×H×W image changed by 1×12×H×W coefficients; not clamped."""
    basis = constant(_BASIS, image)
    centered = torch.einsum("ij,njhw->nihw", basis, image - 0.5)
    terms = torch.cat([centered, torch.ones_like(centered[:, :1])], dim=1)  # 1×4×H×W
    rows = coefficients.reshape(1, 3, 4, *image.shape[2:])  # 1×12×H×W -> 1×3×4×H×W
    change = (rows * terms[:, None]).sum(dim=2)
    return image + torch.einsum("ij,nihw->njhw", basis, change)


def grid_roughness(grid: Tensor, chroma: float) -> Tensor:
    """Mean squared difference between neighbouring cells, summed over the three directions.

    Args:
        chroma: how much stiffer the two chroma rows are than the brightness row.
    """
    weight = constant((1.0,) * 4 + (chroma,) * 8, grid)[:, None, None, None]
    stiffness = {2: DEPTH_STIFFNESS, 3: 1.0, 4: 1.0}
    parts = [s * (weight * grid.diff(dim=d).square()).mean()
             for d, s in stiffness.items() if grid.shape[d] > 1]  # fmt: skip
    return torch.stack(parts).sum() if parts else grid.sum() * 0.0


def brightness(image: Tensor) -> Tensor:
    """The guide of a 1×3×H×W image: 1×1×H×W luma (ITU-R BT.601)."""
    weights = constant(LUMA, image)[None, :, None, None]
    return (image * weights).sum(dim=1, keepdim=True)
