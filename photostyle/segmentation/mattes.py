"""Mattes: two regions with a soft border between them, as selections and cut-outs are feathered.

What parts a matte from a label picture is that nothing between its two extremes is an area of one
level: values there belong to ramps, which run from one extreme to the other. What parts it from a
photograph is that most of it is at the extremes, or that all else is smooth.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photostyle.segmentation.labels import CORE_SHARE, NAMED, Colours, rgb_of
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.speckle import APART, FLAT, TOLERANCE

Array = NDArray[Any]

#: Largest differences of 255 up to which a level is one of the extremes, and least between them.
END, LEAST_RANGE = 15.0, 40.0
#: Share of the pixels that may lie off the line between the colours of the extremes; and of a part
#: of them, above which that is not worth asking all.
OFF, SURELY_OFF = 0.005, 0.01
#: Range over 3×3 pixels, of 255, of an area of one level; and how far its levels are apart.
LEVEL, SAME = 6.0, 4.0
#: Share of the picture at the extremes from which it is a matte; and with less, if it is smooth.
CLEAR, LEAST_CLEAR, LEAST_END = 0.7, 0.15, 5e-4
#: Mean difference of 255 of a ramp from its blur, and from its median, at most.
ROUGH, SPECKLED = 4.0, 8.0
#: Width of the border in pixels from which it is soft; below it was only drawn smoothly. Between
#: colours that are not grey narrower ones are read as labels, whose meaning a pair may tell.
SOFT, WIDE = 2.5, 14.0
#: Part of either end of a ramp, of 1, that compression leaves no meaning.
NOISE = 0.03


def matte_of(
    picture: Image.Image, source: str, names: Colours | None = None, *, noisy: bool = False
) -> LabelMap | None:
    """The two regions of a feathered matte; None for any other picture.

    Args:
        names: of colours, where they were given; without them greys are black and white.
        noisy: compressed with losses, so that values near the extremes are of them.
    """
    found = _line(_pixels(picture))
    if found is None:
        return None
    levels, ends = found[0].astype(np.float32), found[1]
    called = _names(ends, names)
    share = None if called is None else shares_of(levels)
    if called is None or share is None:
        return None
    if not _grey(ends) and _width(share) < WIDE:
        return None
    return two_regions(share, called, source, noisy=noisy)


def two_regions(
    share: Array, names: tuple[str, str], source: str, *, noisy: bool = False
) -> LabelMap:
    """A label map of H×W shares in [0, 1] of the second region; soft if the border is wide."""
    if noisy:
        share = ((share - NOISE) / (1 - 2 * NOISE)).clip(0, 1)
    ids = (share > 0.5).astype(np.int32)
    if _width(share) < SOFT:
        return LabelMap(ids, names, source)
    soft = np.stack([1 - share, share]).astype(np.float32)
    return LabelMap(ids, names, source, soft=soft)


def shares_of(levels: Array) -> Array | None:
    """How much of the upper extreme every pixel of H×W levels (0 to 255) has, in [0, 1]; None
    where the levels are no matte, or have nothing between the extremes."""
    low, high = (float(v) for v in np.quantile(levels, [0.001, 0.999]))
    low = float(np.median(levels[levels <= low + END]))
    high = float(np.median(levels[levels >= high - END]))
    if high - low < LEAST_RANGE:
        return None
    upper, lower = levels >= high - END, levels <= low + END
    between = ~(upper | lower)
    if not between.any():  # a border that was drawn smoothly, if barely
        between = (levels != low) & (levels != high)
    clear = 1 - between.mean()
    if not between.any() or clear < LEAST_CLEAR or min(upper.mean(), lower.mean()) < LEAST_END:
        return None
    share = ((levels - low) / (high - low)).clip(0, 1).astype(np.float32)
    if _labelled(levels, between, _width(share)) or not _ramps(levels, between, clear):
        return None
    return share


def _pixels(picture: Image.Image) -> Array:
    """H×W or H×W×3 float32 from 0 to 255, deep greys with their fractions."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32))
        top = next((t for t in (1.0, 255.0, 65535.0) if values.max() <= t), values.max())
        return np.asarray(values.clip(0, None) * (255 / top))
    return rgb_of(picture).astype(np.float32)


def _line(pixels: Array) -> tuple[Array, Array] | None:
    """H×W levels from 0 to 255 along the line that the colours lie on, and the 2×3 colours at its
    ends; None where they lie on none."""
    if pixels.ndim == 2:
        ends = np.quantile(pixels, [0.001, 0.999])[:, None].repeat(3, axis=1)
        return pixels, ends
    flat = pixels.reshape(-1, 3)
    some = flat[:: max(1, len(flat) // 100_000)]
    middle = some.mean(axis=0)
    axis = np.linalg.svd((some - middle).T @ (some - middle))[0][:, 0].astype(np.float32)
    axis = axis if axis.sum() >= 0 else -axis
    if _off(some - middle, axis) > SURELY_OFF or _off(flat - middle, axis) > OFF:
        return None
    along = (flat - middle) @ axis
    low, high = np.quantile(along, [0.001, 0.999])
    ends = middle + np.array([[low], [high]]) * axis
    reach = max(float(np.abs(ends[1] - ends[0]).max()), 1.0)  # levels of the channel that has most
    if np.ptp(axis) < 0.2:  # grey: its own values, not those of a line through all colours
        return pixels.mean(axis=2), ends
    levels = (along - low) * (reach / max(float(high - low), 1e-6))
    return levels.reshape(pixels.shape[:2]).clip(0, 255), ends


def _off(colors: Array, axis: Array) -> float:
    """The share of N×3 colours that lie apart from the line along an axis through 0."""
    away = np.abs(colors - (colors @ axis)[:, None] * axis)
    return float((np.maximum.reduce(list(away.T)) > APART).mean())


def _names(ends: Array, given: Colours | None) -> tuple[str, str] | None:
    """What the colours at both ends are called; None where they have no names, or one."""
    if given is None and _grey(ends):
        return "black", "white"
    names = given or NAMED
    gaps = np.abs(np.array(list(names.values())) - ends[:, None]).max(axis=2)  # (2, K)
    if gaps.min(axis=1).max() > (FLAT if given is None else TOLERANCE):
        return None
    first, second = (list(names)[k] for k in gaps.argmin(axis=1))
    return None if first == second else (first, second)


def _grey(ends: Array) -> bool:
    return bool(np.ptp(ends, axis=1).max() <= APART)


def _width(share: Array) -> float:
    """Mean width of the border in pixels, from one extreme to the other."""
    upper = share > 0.5
    edge = (upper[1:] != upper[:-1]).sum() + (upper[:, 1:] != upper[:, :-1]).sum()
    soft = (share > END / 255) & (share < 1 - END / 255)
    return float(soft.sum() / max(1, edge))


def _labelled(levels: Array, between: Array, width: float) -> bool:
    """Whether there is an area of one level between the extremes, and not just the crest or the
    saddle of a ramp, which is flat over a part of the ramp's width only."""
    square = np.ones((3, 3), np.uint8)
    flat = between & (cv2.dilate(levels, square) - cv2.erode(levels, square) <= LEVEL)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=8)
    least = max(4.0, CORE_SHARE * flat.size)
    inside = cv2.distanceTransform(flat.astype(np.uint8), cv2.DIST_L2, 3)
    for part in range(1, count):
        x, y, w, h, area = stats[part]
        if area < least:
            continue
        here = parts[y : y + h, x : x + w] == part
        own = levels[y : y + h, x : x + w][here]
        one = (np.abs(own - np.median(own)) <= SAME).mean() > 0.95
        if one and inside[y : y + h, x : x + w][here].max() >= max(1.0, width / 3):
            return True
    return False


def _ramps(levels: Array, between: Array, clear: float) -> bool:
    """Whether what lies between the extremes is smooth as ramps are, and no speckle or texture."""
    median = cv2.medianBlur(levels, 3)
    # A border that was only drawn smoothly is as rough as speckle, but there is little of it.
    if np.abs(levels - median)[between].mean() > SPECKLED and between.mean() > 0.05:
        return False
    blurred = cv2.GaussianBlur(levels, (0, 0), 3)
    return bool(clear >= CLEAR or np.abs(levels - blurred)[between].mean() <= ROUGH)
