"""Smooth colour maps as a sum of terms: what of a colour, and slowly of place, they may read.

A map takes a content's colour z = (r, g, b) at the place (x, y) to Σ_t c_t · term_t(z, x, y). With
few and gentle terms two like colours come out alike, so it can lay no stain on a material.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.images.picture import LUMA

Array = NDArray[Any]

#: Exponents of r, g, b in the colour terms: all monomials up to the third degree.
POWERS = tuple(
    (i, j, k)
    for degree in range(4)
    for i in range(degree, -1, -1)
    for j in range(degree - i, -1, -1)
    for k in (degree - i - j,)
)
COLORS = len(POWERS)
#: The terms of place, in order: y, y·r, y·g, y·b, y², x, x·luma, x², x·y.
PLACES = 9
COUNT = COLORS + PLACES


def color_terms(rgb: Array) -> Array:
    """N×20 float64 monomials of N×3 colours, in the order of `POWERS`."""
    r, g, b = np.asarray(rgb, np.float64).T
    out = np.empty((len(r), COLORS))
    powers = [[np.ones_like(c), c, c * c, c * c * c] for c in (r, g, b)]
    for column, (i, j, k) in enumerate(POWERS):
        out[:, column] = powers[0][i] * powers[1][j] * powers[2][k]
    return out


def place_terms(rgb: Array, y: Array, x: Array) -> Array:
    """N×9 float64 terms of place of N×3 colours at N places, each in [-½, ½] of the picture."""
    rgb = np.asarray(rgb, np.float64)
    luma = rgb @ np.array(LUMA)
    return np.column_stack([y, y[:, None] * rgb, y * y, x, x * luma, x * x, x * y])


def places(size: tuple[int, int]) -> tuple[Array, Array]:
    """(y, x) of all pixels of a (height, width) picture in row-major order, centres in [-½, ½]."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    return ((y + 0.5) / height - 0.5).ravel(), ((x + 0.5) / width - 0.5).ravel()


def apply_terms(coefficients: Tensor, rgb: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """3×N colours under one map.

    Args:
        coefficients: 29×3, colour terms first, then terms of place.
        rgb: 3×N. y, x: N places in [-½, ½].
    """
    r, g, b = rgb
    luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b
    squares = r * r, r * g, r * b, g * g, g * b, b * b
    rows = [torch.ones_like(r), r, g, b, *squares]
    if coefficients[10:COLORS].any():
        rr, rg, _, gg, _, bb = squares
        rows += [rr * r, rr * g, rr * b, gg * r, rg * b, bb * r, gg * g, gg * b, bb * g, bb * b]
        used = coefficients
    else:
        used = torch.cat([coefficients[:10], coefficients[COLORS:]])
    rows += [y, y * r, y * g, y * b, y * y, x, x * luma, x * x, x * y]
    return used.T @ torch.stack(rows)  # 3×T @ T×N
