"""Whether like colours of the content came out alike: gains of colour differences, and stains.

A photograph's look is a smooth map of its colours. What is objected to most in a transfer is that
one wall, one sky, one skin comes out in two colours, and no map of colours does that. So pairs of
nearby colours are taken from anywhere in a region, wherever they lie in the picture: the gain of a
pair is its ΔE (CIE76) in the result over that in the content. A wanted gradient over an even
surface counts too, as a stain that is slow.
"""

import math
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.lab import lab_of
from photostyle.errors import ImageError
from photostyle.images.heat import heat_picture
from photostyle.images.picture import check_image, fit_size, image_size, resize
from photostyle.segmentation.masks import members, resize_masks

Array = NDArray[Any]

#: Long side at which stains are looked for.
SIDE = 512
#: ΔE below which two colours are one, in content and result alike: noise has no gain.
FLOOR = 2.0
#: ΔE up to which colours of the content are like each other.
NEAR = 8.0
#: Pixels of a region below which nothing is said of it.
LEAST = 64

_BLUR = 1.0  # standard deviation in pixels, against noise
_PIXELS, _PARTNERS = 40_000, 3  # pixels of the picture that are paired, and pairs of each
_CELL, _FEW = 6.0, 20  # side of a cell of like colours in ΔE; pairs that say nothing of a cell
#: Grid of the heat map: side of a cell in ΔE, its smoothing in cells, fits, and the ΔE at which a
#: pixel's weight in the next of them is a half.
_GRID, _SPREAD, _FITS, _OUTLIER = 8.0, 0.7, 2, 5.0
_RIDGE = 1e-3  # ΔE² per pixel, so that a flat region has a map
_SEEN, _GLARING = 3.0, 33.0  # ΔE from the map of colours where the heat map is 0 and 1


def gains(image: Tensor, content: Tensor, masks: Tensor) -> tuple[float, float]:
    """How the colour map of a result treats like colours: (smoothness, stain).

    Args:
        image, content: 1×3×H×W float32 sRGB in [0, 1], of one size, best at most 512 px a side.
        masks: K×H×W in [0, 1]; for the pixels that belong see `members`. Regions of under 64
            pixels are left out.

    Returns:
        smoothness: median gain of pairs 2 to 8 ΔE apart: what becomes of the contrast between
            like colours. 1 for the content itself, g for a map that scales CIELAB by g.
        stain: 1 + the 95th percentile of max(ΔE out, 2) / max(ΔE in, 2), over pairs up to 8 ΔE
            apart, less its median at that colour. 1 where any two like colours were treated as
            all others of that colour were.

    Both are 1 where there are no pairs. The same pixels give the same numbers.
    """
    before, after = _lab(content), _lab(image)
    first, second, cells = _pairs(before, masks)
    apart = _distance(before[first], before[second])
    near = apart < NEAR
    first, second, cells, apart = (x[near] for x in (first, second, cells, apart))
    if not len(apart):
        return 1.0, 1.0
    apart_after = _distance(after[first], after[second])
    gain = np.maximum(apart_after, FLOOR) / np.maximum(apart, FLOOR)
    excess = float(np.percentile(gain - _usual(gain, cells), 95))
    told = apart >= FLOOR
    smoothness = float(np.median(apart_after[told] / apart[told])) if told.any() else 1.0
    return smoothness, 1.0 + max(excess, 0.0)


def stains(image: Tensor, content: Tensor, masks: Tensor) -> Tensor:
    """Where like colours came out unlike: H×W float32 in [0, 1], on the image's device.

    A pixel's distance from what its region made of that colour of the content, 0 up to 3 ΔE and 1
    from 33 ΔE. What it made of a colour is an affine map of CIELAB and, on a grid of colours, what
    that leaves (the bilateral grid of Chen, Paris and Durand, SIGGRAPH 2007, without its axes in
    place), fitted twice, so that a stain hardly draws it. Looked for at 512 px, shown at the
    picture's size; 0 outside all regions. Takes what `gains` does, of any size.

    Raises ImageError where the pictures break the contract or differ in size.
    """
    check_image(image, "The result")
    check_image(content, "The content")
    size = image_size(image)
    if size != image_size(content):
        raise ImageError(
            f"The result should have the content's size, {_named(content)}, not {_named(image)}."
        )
    small = fit_size(size, min(SIDE, max(size)))
    before, after = _lab(resize(content, small)), _lab(resize(image, small))
    departed = np.zeros(len(before), np.float32)
    for inside in _regions(resize_masks(masks.cpu(), small)):
        departed[inside] = _departures(before[inside], after[inside])
    heat = ((departed - _SEEN) / (_GLARING - _SEEN)).clip(0, 1).reshape(small)
    full = cv2.resize(heat, size[::-1], interpolation=cv2.INTER_LINEAR).reshape(size)
    return torch.from_numpy(full).to(image.device)


def stain_map(image: Tensor, content: Tensor, masks: Tensor) -> Tensor:
    """`stains` as a picture over the content: 1×3×H×W float32 in [0, 1], on the image's device."""
    return heat_picture(stains(image, content, masks), content)


def _named(image: Tensor) -> str:
    return f"{image.shape[-1]}×{image.shape[-2]}"


def _lab(image: Tensor) -> Array:
    """HW×3 float32 CIELAB, slightly smoothed: the blur is of Lab, which commutes with its maps."""
    height, width = image_size(image)
    lab = lab_of(image.detach()[0].cpu().reshape(3, -1).T).numpy().reshape(height, width, 3)
    smooth: Array = cv2.GaussianBlur(lab, (0, 0), _BLUR, borderType=cv2.BORDER_REFLECT)
    return smooth.reshape(-1, 3)


def _distance(one: Array, other: Array) -> Array:
    off = one - other
    distance: Array = np.sqrt(np.einsum("nc,nc->n", off, off))
    return distance


def _regions(masks: Tensor) -> list[Array]:
    """The numbers of each region's pixels."""
    inside = (np.flatnonzero(mask) for mask in members(masks.cpu()).numpy())
    return [pixels for pixels in inside if len(pixels) >= LEAST]


def _pairs(colours: Array, masks: Tensor) -> tuple[Array, Array, Array]:
    """Pixel numbers of both partners, and the number of the cell of colours that they share.

    In each region a sample of the pixels, always the same and in proportion to its area, is put
    in random order and sorted into cells; those that follow each other in a cell are pairs.
    """
    found: list[Array] = [np.empty((3, 0), np.int64)]
    cells = 0
    for inside in _regions(masks):
        wanted = max(LEAST, math.ceil(_PIXELS * len(inside) / len(colours)))
        chosen = np.random.default_rng(0).permutation(inside)[:wanted]
        places = np.floor(colours[chosen] / _CELL).astype(np.int64) + 512  # N×3
        keys = (places * np.array([1 << 20, 1 << 10, 1])).sum(axis=1)
        _, cell = np.unique(keys, return_inverse=True)
        order = np.argsort(cell, kind="stable")
        chosen, cell = chosen[order], cell[order] + cells
        for step in range(1, _PARTNERS + 1):
            same = cell[step:] == cell[:-step]
            rows = (chosen[:-step][same], chosen[step:][same], cell[step:][same])
            found.append(np.stack(rows))
        cells = int(cell[-1]) + 1
    first, second, shared = np.concatenate(found, axis=1)
    return first, second, shared


def _usual(gain: Array, cells: Array) -> Array:
    """The median gain of each pair's cell; of all pairs where the cell has too few."""
    order = np.lexsort((gain, cells))
    starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
    counts = np.diff(starts, append=len(gain))
    ranked = gain[order]
    medians = (ranked[starts + (counts - 1) // 2] + ranked[starts + counts // 2]) / 2
    medians = np.where(counts >= _FEW, medians, np.median(gain))
    usual = np.empty_like(gain)
    usual[order] = np.repeat(medians, counts)
    return usual


def _departures(before: Array, after: Array) -> Array:
    """Each pixel's ΔE from the smooth map of colours of its region; takes N×3 CIELAB."""
    known = np.concatenate([before - before.mean(axis=0), np.ones_like(before[:, :1])], axis=1)
    weights = np.ones(len(before), np.float32)
    departed = np.zeros(len(before), np.float32)
    for _ in range(_FITS):
        weighted = known * weights[:, None]
        normal = weighted.T @ known + _RIDGE * len(before) * np.eye(4)
        fitted = known @ np.linalg.solve(normal, weighted.T @ after).astype(np.float32)
        left = after - fitted
        departed = _distance(left, _averages(before, left, weights))
        weights = 1 / (1 + np.square(departed / _OUTLIER))
    return departed


def _averages(colours: Array, values: Array, weights: Array) -> Array:
    """Weighted means of the N×3 values over pixels of like colours: N×3."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    places = colours / _GRID - np.floor(colours.min(axis=0) / _GRID) + 0.5
    cells = np.rint(places).astype(np.int64)
    shape = tuple(cells.max(axis=0) + 2)
    flat = np.ravel_multi_index(tuple(cells.T), shape)

    def gathered(amounts: Array) -> Array:
        grid = np.bincount(flat, amounts, math.prod(shape)).reshape(shape)
        smooth: Array = gaussian_filter(grid, _SPREAD, truncate=2, mode="constant")
        return smooth

    total = np.maximum(gathered(weights), 1e-6)
    means = (gathered(weights * channel) / total for channel in values.T)
    return np.stack(
        [map_coordinates(m.astype(np.float32), places.T, order=1, mode="nearest") for m in means],
        axis=1,
    )
