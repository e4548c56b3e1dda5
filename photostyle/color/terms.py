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
#: Columns of those that read the height alone: the first five.
HEIGHT = tuple(range(COLORS, COLORS + 5))


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
    cubic = bool(coefficients[10:COLORS].any())
    used = coefficients if cubic else torch.cat([coefficients[:10], coefficients[COLORS:]])
    rows = rgb.new_empty(len(used), rgb.shape[1])  # T×N, written in place: a copy costs as much
    r, g, b = rgb
    rows[0], rows[1:4] = 1.0, rgb
    factors = [(r, r), (r, g), (r, b), (g, g), (g, b), (b, b)]
    rr, rg, _, gg, _, bb = rows[4:10]
    if cubic:
        factors += [(rr, r), (rr, g), (rr, b), (gg, r), (rg, b), (bb, r), (gg, g), (gg, b), (bb, g)]
        factors += [(bb, b)]
    for one, (left, right) in zip(rows[4:], factors, strict=False):
        torch.mul(left, right, out=one)
    place = rows[-PLACES:]
    place[0], place[5] = y, x
    luma = rgb.new_tensor(LUMA) @ rgb
    ends = [(y, r), (y, g), (y, b), (y, y), None, (x, luma), (x, x), (x, y)]
    for one, pair in zip(place[1:], ends, strict=True):
        if pair is not None:
            torch.mul(*pair, out=one)
    return used.T @ rows  # 3×T @ T×N


def apply_rows(coefficients: Tensor, rgb: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """3×R×W colours of R rows under one map, as `apply_terms` has them.

    Where the map reads no place but the height, which is the same all along a row, every row has a
    map of colours alone, which costs half or less.

    Args:
        coefficients: 29×3. rgb: 3×R×W. y: R places, x: W, in [-½, ½].
    """
    if coefficients[COLORS + len(HEIGHT) :].any():
        here = y.repeat_interleave(len(x)), x.repeat(len(y))
        return apply_terms(coefficients, rgb.reshape(3, -1), *here).reshape_as(rgb)
    count = COLORS if coefficients[10:COLORS].any() else 10
    level, tint = coefficients[COLORS], coefficients[COLORS + 1 :][:3]
    own = coefficients[:count].T.expand(len(y), 3, count).clone()  # R×3×C
    own[:, :, 0] += y[:, None] * level + (y * y)[:, None] * coefficients[COLORS + 4]
    own[:, :, 1:4] += y[:, None, None] * tint.T
    terms = rgb.new_empty(len(y), count - 1, rgb.shape[2])  # all but the constant
    terms[:, :3] = rgb.transpose(0, 1)
    rows = terms.unbind(dim=1)
    for k in range(4, count):
        left, right = FACTORS[k]
        torch.mul(rows[left - 1], rows[right - 1], out=rows[k - 1])
    return torch.baddbmm(own[:, :, :1], own[:, :, 1:], terms).transpose(0, 1)


def _factors() -> dict[int, tuple[int, int]]:
    """The two terms, both before it, that each term of a higher degree than 1 is the product of."""
    place = {power: k for k, power in enumerate(POWERS)}
    found = {}
    for power, k in place.items():
        if sum(power) < 2:
            continue
        axis = next(n for n in range(3) if power[n])
        rest = tuple(p - (n == axis) for n, p in enumerate(power))
        found[k] = place[tuple(int(n == axis) for n in range(3))], place[rest]  # type: ignore[index]
    return found


FACTORS = _factors()
