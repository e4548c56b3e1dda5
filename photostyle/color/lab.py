"""CIELAB (D65, 2°) from and to sRGB, differentiable."""

from collections.abc import Callable

import torch
from torch import Tensor

from photostyle.runtime.device import constant, in_threads

#: Colours that are worked on at a time, so that what comes between stays in the processor's cache.
AT_ONCE = 8192

# IEC 61966-2-1: linear sRGB to XYZ, each row divided by the white point's component.
_TO_XYZ = torch.tensor(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]], dtype=torch.float64,
)  # fmt: skip
_TO_XYZ /= _TO_XYZ.sum(dim=1, keepdim=True)
_TO_LAB = torch.tensor([[0.0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=torch.float64)
_WHITE = (16.0, 0.0, 0.0)  # L* = 116 f(Y) − 16
_KNEE = 6 / 29


def _numbers(matrix: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))


#: Columns are what comes out, as colours are rows.
XYZ_OF_RGB, LAB_OF_ROOTS = _numbers(_TO_XYZ.T), _numbers(_TO_LAB.T)
RGB_OF_XYZ, ROOTS_OF_LAB = (_numbers(torch.linalg.inv(m).T) for m in (_TO_XYZ, _TO_LAB))


def light_of(rgb: Tensor) -> Tensor:
    """Linear light of sRGB values, of any shape; the curve goes on beyond [0, 1]."""
    return torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04) + 0.055) / 1.055) ** 2.4)


def srgb_of(light: Tensor) -> Tensor:
    """sRGB values of linear light, the inverse of `light_of`."""
    high = 1.055 * light.clamp(min=0.003) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, high)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """L* in [0, 100], a* and b*, as N×3, of N×3 sRGB values; beyond [0, 1] it stays smooth."""
    xyz = light_of(rgb) @ constant(XYZ_OF_RGB, rgb)
    low = xyz / (3 * _KNEE**2) + 4 / 29
    roots = torch.where(xyz <= _KNEE**3, low, xyz.clamp(min=_KNEE**3 / 2) ** (1 / 3))
    lab = roots @ constant(LAB_OF_ROOTS, rgb)
    return lab - constant(_WHITE, lab)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """N×3 sRGB, not clamped, of N×3 CIELAB values."""
    roots = (lab + constant(_WHITE, lab)) @ constant(ROOTS_OF_LAB, lab)
    xyz = torch.where(roots <= _KNEE, (roots - 4 / 29) * (3 * _KNEE**2), roots**3)
    return srgb_of(xyz @ constant(RGB_OF_XYZ, lab))


def lab_of(rgb: Tensor) -> Tensor:
    """What `rgb_to_lab` gives, without gradients and in half the time or less."""
    return _in_parts(rgb_to_lab, rgb)


def rgb_of(lab: Tensor) -> Tensor:
    """What `lab_to_rgb` gives, likewise."""
    return _in_parts(lab_to_rgb, lab)


def _in_parts(convert: Callable[[Tensor], Tensor], colors: Tensor) -> Tensor:
    colors = colors.detach()
    out = torch.empty(colors.shape, dtype=colors.dtype, device=colors.device)

    def work(first: int) -> None:
        out[first : first + AT_ONCE] = convert(colors[first : first + AT_ONCE])

    in_threads(work, range(0, len(colors), AT_ONCE), colors.device)
    return out


def delta_e(image: Tensor, other: Tensor) -> Tensor:
    """H×W distances in CIELAB (1976) of two pictures 1×3×H×W."""
    a, b = (rgb_to_lab(x[0].flatten(1).T.double()) for x in (image, other))
    found: Tensor = (a - b).norm(dim=1).reshape(image.shape[2:])
    return found.float()
