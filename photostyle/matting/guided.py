"""Guided filter: the best local affine map of a picture, smoothed.

He, Sun and Tang, "Guided Image Filtering" (ECCV 2010, TPAMI 2013), with a colour guide.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 or float64


class GuidedFilter:
    """Edge-aware smoothing in which the output is, locally, an affine function of the guide.

    In every window of side 2·radius + 1 the target p is fitted as aᵀI + b with ridge ε on a
    (eq. 5 and 6, colour form eq. 19); the coefficients of all windows that cover a pixel are
    averaged there. Windows end at the picture's border. Work on the guide is done once, so one
    object serves many targets.

    Args:
        guide: H×W×3, float32 or float64, any scale; arithmetic runs in its dtype.
        radius: in pixels, ≥ 1; may exceed the picture.
        epsilon: ridge in squared units of the guide: structure whose variance is well below it
            is smoothed away. Float32 needs about 1e-5 of the squared range or more.
    """

    def __init__(self, guide: Array, radius: int, epsilon: float) -> None:
        self.dtype = guide.dtype
        self.radius = radius
        self.guide = _planes(guide)
        # The covariances below are differences of large numbers unless the guide is centred.
        self.center = [float(plane.mean(dtype=np.float64)) for plane in self.guide]
        self.guide = [p - self.dtype.type(c) for p, c in zip(self.guide, self.center, strict=True)]
        self.count = _box(np.ones(guide.shape[:2], self.dtype), radius)
        self.mean = [self._average(plane) for plane in self.guide]
        self.inverse = _inverse([
            self._average(self.guide[i] * self.guide[j]) - self.mean[i] * self.mean[j]
            + self.dtype.type(epsilon if i == j else 0.0)
            for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        ])  # fmt: skip

    def __call__(self, target: Array) -> Array:
        """The filtered target, shaped like the H×W or H×W×C target, in the guide's dtype."""
        if target.ndim == 2:
            return self._filter(target)
        return np.stack([self._filter(plane) for plane in _planes(target)], axis=-1)

    def coefficients(self, target: Array) -> tuple[Array, Array]:
        """The smoothed affine maps themselves: slope C×3×H×W and offset C×H×W, such that
        the filtered channel c is Σ_i slope[c, i] · guide_i + offset[c]. They are smooth, so they
        may be enlarged and applied to a larger guide."""
        planes = [target] if target.ndim == 2 else _planes(target)
        slopes, offsets = [], []
        for plane in planes:
            slope, offset = self._fit(plane)
            slopes.append(np.stack(slope))
            shift = sum(a * self.dtype.type(c) for a, c in zip(slope, self.center, strict=True))
            offsets.append(offset - shift)
        return np.stack(slopes), np.stack(offsets)

    def _filter(self, plane: Array) -> Array:
        slope, offset = self._fit(plane)
        for a, g in zip(slope, self.guide, strict=True):
            offset = offset + a * g
        return offset

    def _fit(self, plane: Array) -> tuple[list[Array], Array]:
        plane = np.ascontiguousarray(plane, self.dtype)
        mean = self._average(plane)
        cov = [self._average(g * plane) - m * mean
               for g, m in zip(self.guide, self.mean, strict=True)]  # fmt: skip
        rows = ((0, 1, 2), (1, 3, 4), (2, 4, 5))  # of the symmetric inverse's six entries
        slope = [sum(self.inverse[k] * c for k, c in zip(row, cov, strict=True)) for row in rows]
        offset = mean - sum(a * m for a, m in zip(slope, self.mean, strict=True))
        return [self._average(a) for a in slope], self._average(offset)

    def _average(self, plane: Array) -> Array:
        return _box(plane, self.radius) / self.count


def _planes(image: Array) -> list[Array]:
    return [np.ascontiguousarray(image[..., c]) for c in range(image.shape[-1])]


def _box(plane: Array, radius: int) -> Array:
    """Window sums; what lies outside the picture counts as zero."""
    # A window wider than twice the picture covers all of it anyway.
    radius = min(radius, max(plane.shape))
    side = (2 * radius + 1, 2 * radius + 1)
    out: Array = cv2.boxFilter(plane, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return out


def _inverse(m: list[Array]) -> list[Array]:
    """Inverse of symmetric 3×3 matrices, given and returned as the entries 00 01 02 11 12 22."""
    a, b, c, d, e, f = m
    cofactors = [d * f - e * e, c * e - b * f, b * e - c * d,
                 a * f - c * c, b * c - a * e, a * d - b * b]  # fmt: skip
    det = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    return [x / det for x in cofactors]
