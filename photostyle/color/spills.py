"""Where a drawn region spills over its silhouette: sky that was drawn as part of a spire.

An area without edges that is drawn as one region nearly everywhere is that region's in its last
corner too, however the hand slipped there.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FLAT = 0.02  # gradient of colours a pixel, at a long side of 512, below which an area has no edge
SMOOTH, DEPTH, NEAR = 1.0, 30.0, 16.0  # in the same pixels: noise, how far a drawing may have
# slipped, and standard deviation of where a region's own colours are taken
OWNED, LEAST_AREA, LEAST_SURE = 0.92, 0.005, 200  # share of an area that is drawn as the region; of
# the picture, for a spill to be put right; and of the same pixels, for the drawing to be sure
ALIKE, LEAST_DISTANCE = 2.0, 0.04  # deviations from the region's colours near there; and always


def without_spills(image: Array, masks: Array, scale: float) -> tuple[Array, Array]:
    """K×H×W masks of which even areas, drawn as one region but for a corner, are that region's,
    and where that makes them sure (H×W).

    Args:
        image: H×W×3 float32 in [0, 1]. masks: K×H×W, summing to 1 over K.
        scale: long side of the image in units of 512 pixels.
    """
    labels = masks.argmax(axis=0)
    areas, owner, sizes = _owned_areas(image, labels, scale)
    large = sizes > LEAST_AREA * labels.size
    out = masks.copy()
    for k in range(len(masks)):
        own = ((owner == k) & large)[areas]
        deep = cv2.distanceTransform((labels != k).astype(np.uint8), cv2.DIST_L2, 3)
        spilled = own & (labels != k) & (deep < DEPTH * scale)
        if not spilled.any():
            continue
        spilled &= _resembles(image, (own & (labels == k)).astype(np.float32), NEAR * scale)
        out[:, spilled] = np.eye(len(masks))[k][:, None]
    sure = np.where(sizes > LEAST_SURE * scale**2, owner, -1)
    return out, sure[areas] == out.argmax(axis=0)


def _owned_areas(image: Array, labels: Array, scale: float) -> tuple[Array, Array, Array]:
    """H×W numbers of areas without edges, each area's region, -1 where none owns it, and its size
    in pixels."""
    smooth = cv2.GaussianBlur(image, (0, 0), SMOOTH * scale)
    across, down = (
        cv2.Sobel(smooth, cv2.CV_32F, *axis, scale=scale / 8) for axis in ((1, 0), (0, 1))
    )
    edge = np.sqrt(np.einsum("ijc,ijc->ij", across, across) + np.einsum("ijc,ijc->ij", down, down))
    count, areas = cv2.connectedComponents((edge < FLAT).astype(np.uint8), connectivity=4)
    regions = int(labels.max()) + 1
    table = np.bincount((areas * regions + labels).ravel(), minlength=count * regions)
    table = table.reshape(count, regions)
    sizes = table.sum(axis=1)
    owned = table.max(axis=1) > OWNED * sizes
    owned[0] = False  # the edges themselves
    return areas, np.where(owned, table.argmax(axis=1), -1), sizes


def _resembles(image: Array, own: Array, sigma: float) -> Array:
    """H×W: whether a colour is among those of a region (weights H×W) near it."""
    total = blurred(own, sigma) + 1e-6
    mean = blurred(image * own[..., None], sigma) / total[..., None]
    square = blurred(np.einsum("ijc,ijc->ij", image, image) * own, sigma) / total
    variance = np.maximum(square - np.einsum("ijc,ijc->ij", mean, mean), 0)
    off = image - mean
    away = np.einsum("ijc,ijc->ij", off, off)
    alike: Array = away < np.maximum(ALIKE**2 * variance, LEAST_DISTANCE**2)
    return alike


def blurred(plane: Array, sigma: float) -> Array:
    """Gaussian blur of H×W or H×W×C; a wide one at a quarter of the size, where it is the same and
    cheap."""
    if sigma < 4:
        return cv2.GaussianBlur(plane, (0, 0), max(0.3, sigma))
    size = plane.shape[1::-1]
    small = cv2.resize(plane, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), size)
