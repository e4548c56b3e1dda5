"""Speckle in label pictures: stray colours that compression, resizing and soft borders leave.

What parts a stray colour from one that was painted is substance in place: a painted colour fills at
least one connected area of some width, while speckle lies scattered or in seams along borders.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

TOLERANCE = 48
"""Largest difference per channel (of 255) at which a pixel is near a palette colour. Below 64 no
pixel is near two of the nine."""

FLAT = 12
"""Largest range of any channel over 3×3 pixels in an area of one colour."""

APART = 24
"""Difference per channel of two colours that no compression makes of one."""

FOREIGN_SHARE = 0.05
"""Share of the picture above which areas of a colour outside the palette are refused."""

DRAWN_SHARE = 0.5
"""Share of the picture that has a label's colour, up to `APART`, when it is no photograph."""

BLOB_SHARE = 1e-3
"""Share of the picture that a connected area needs, to be one of substance."""

PIECE = 1 / 8
"""Share of a colour's flat pixels that its largest piece has at least, when it is no speckle."""

PIECE_SHARE = 2e-3
"""Share of the picture that makes a piece of a colour a region, whatever else the colour has."""

TRACE = 0.01
"""Share of the picture up to which speckle is not worth a note."""

BORDER = 7
"""Width in pixels of the strip along a border in which soft colours are no speckle."""

Colour = tuple[int, int, int]

_SQUARE = np.ones((3, 3), np.uint8)


def flat_areas(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """H×W: whether the 3×3 pixels around have one colour, up to `FLAT`; of H×W×3."""
    return _spread(rgb, 3) <= FLAT


def stray(
    rgb: NDArray[np.uint8], near: NDArray[np.int8], flat: NDArray[np.bool_], own: NDArray[np.int16]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Sort the flat areas that are near no label: those that are a label's after all, and foreign.

    Args:
        rgb: H×W×3.
        near: H×W ids of the colour that each pixel is near, -1 for none.
        flat: H×W, of `flat_areas`.
        own: K×3, the colours of the labels.

    Returns:
        `near` with the pixels that are clearly nearest to one label, and H×W bool of the pixels in
        areas of substance that have no label's colour. Nothing is sorted where flat areas far from
        all labels are no more than `FOREIGN_SHARE`, as place decides about these; where labels are
        so alike that compression could make one of the other; and in photographs.
    """
    far = (near < 0) & flat
    if far.mean() <= FOREIGN_SHARE or _alike(own):
        return near, far
    nearest, first, second = _nearest(rgb.reshape(-1, 3), own)
    if (first <= APART).mean() < DRAWN_SHARE:
        return near, far
    clear = ((first <= APART) & (2 * first <= second)).reshape(far.shape)
    near = np.where(far & clear, nearest.reshape(far.shape), near)
    foreign = far & (first > APART).reshape(far.shape)
    return near, _substance(rgb, foreign)


def scattered(here: NDArray[np.bool_]) -> bool:
    """Whether the flat pixels of a colour, H×W, lie in many pieces and none is a region's."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(here.astype(np.uint8), connectivity=8)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
    return largest < PIECE_SHARE * here.size and largest < PIECE * here.sum()


def between(colour: Colour, others: Sequence[Colour]) -> bool:
    """Whether a colour is near one of the others, or a blend of two of them, as on a soft border.

    A blend is up to `APART` from the straight line between two colours, in every channel.
    """
    mine, ends = np.array(colour, float), np.array(others, float).reshape(-1, 3)  # (K, 3)
    if (np.abs(ends - mine).max(axis=1) <= TOLERANCE).any():
        return True
    lines = ends[None] - ends[:, None]  # (K, K, 3)
    long = np.maximum((lines**2).sum(axis=2), 1)
    along = (((mine - ends)[:, None] * lines).sum(axis=2) / long).clip(0, 1)  # (K, K)
    gap = np.abs(ends[:, None] + along[..., None] * lines - mine).max(axis=2)
    return bool((gap <= APART).any())


def speckle_share(exact: NDArray[np.int8], ids: NDArray[np.int32]) -> float:
    """Share of H×W pixels that have no label's own colour (`exact` < 0), away from borders."""
    strip = np.ones((BORDER, BORDER), np.uint8)
    labels = ids.astype(np.uint8)
    inside = cv2.dilate(labels, strip) == cv2.erode(labels, strip)
    return float(((exact < 0) & inside).mean())


def _alike(own: NDArray[np.int16]) -> bool:
    """Whether two of K×3 colours are within `APART` of each other."""
    gaps = np.abs(own[:, None] - own).max(axis=2)  # (K, K)
    return bool((gaps[~np.eye(len(own), dtype=bool)] <= APART).any())


def _nearest(
    colours: NDArray[np.uint8], own: NDArray[np.int16]
) -> tuple[NDArray[np.int8], NDArray[np.int16], NDArray[np.int16]]:
    """Of N×3: the nearest of K colours, int8, and the differences per channel to it and to the
    second nearest, int16 (the largest value without a second); N each."""
    nearest = np.full(len(colours), -1, np.int8)
    first = np.full(len(colours), np.iinfo(np.int16).max // 2, np.int16)
    second = first.copy()
    pixels = colours.astype(np.int16)
    for label, colour in enumerate(own):
        gap = np.abs(pixels - colour).max(axis=1)
        closer = gap < first
        second = np.where(closer, first, np.minimum(second, gap))
        nearest[closer], first[closer] = label, gap[closer]
    return nearest, first, second


def _substance(rgb: NDArray[np.uint8], foreign: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """H×W: the pixels of `foreign` in connected areas of one colour that are wide and large.

    A ramp between two labels is flat in small, but its colour drifts over a wider window.
    """
    width = 2 * max(3, round(min(foreign.shape) / 100)) + 1
    window = np.ones((width, width), np.uint8)
    level = foreign & (_spread(rgb, width) <= 2 * FLAT)
    # The window of a pixel in the middle of an area that is just so wide reaches to its rim, which
    # `flat_areas` has taken off.
    core = level & cv2.erode(
        cv2.dilate(foreign.astype(np.uint8), _SQUARE), window, borderValue=1
    ).astype(bool)
    grown = cv2.dilate(core.astype(np.uint8), window).astype(bool) & foreign
    _, parts, stats, _ = cv2.connectedComponentsWithStats(grown.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= BLOB_SHARE * foreign.size
    large[0] = False
    return np.asarray(large[parts])


def _spread(rgb: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """H×W: the largest range of any channel over width×width pixels."""
    window = np.ones((width, width), np.uint8)
    return np.asarray((cv2.dilate(rgb, window) - cv2.erode(rgb, window)).max(axis=2))
