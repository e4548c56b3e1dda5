"""Label pictures by their colours: palettes that are given, told by a file, or learnt from a pair.

What a colour means shows only in both pictures of a pair: the nine colours, or flat colours that
the two share.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photostyle.errors import MaskError
from photostyle.segmentation.labels import (
    NAMED,
    PALETTE,
    Colours,
    indexed_with,
    labels_of,
    rgb_of,
    tolerance_of,
)
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.speckle import APART, FLAT, between, flat_areas, scattered

Array = NDArray[Any]

MOST_COLOURS = 40  # more flat colours than this are no palette
LEARNT_SHARE = 0.9  # of both pictures that the shared flat colours must cover
LEAST_FLAT = 2e-3  # share of the picture that makes a flat colour a label
SPECKLED_FLAT = 0.3  # share of a speckled picture that is flat all the same
COVERED_SHARE = 0.85  # of a speckled picture that its flat colours must cover


def read_coloured(
    pictures: Sequence[tuple[Image.Image, Path]], known: Colours | None
) -> list[LabelMap]:
    """Label maps of coloured pictures that share one palette, each with the file that it is from.

    Args:
        known: names and colours, where they are given.

    Raises:
        MaskError: one of them is no label picture of that palette, or of any.
    """
    if known:
        return [_read(picture, known, path) for picture, path in pictures]
    learnt = None
    if any(_ambiguous(picture) for picture, _ in pictures):
        learnt = _learnt([rgb_of(picture) for picture, _ in pictures])
    try:
        return [_read(picture, learnt or PALETTE, path) for picture, path in pictures]
    except MaskError:
        other = PALETTE if learnt else _learnt([rgb_of(picture) for picture, _ in pictures])
        if not other:
            raise
    return [_read(picture, other, path) for picture, path in pictures]


def _read(picture: Image.Image, palette: Colours, path: Path) -> LabelMap:
    if indexed_with(picture, palette):
        return LabelMap(np.asarray(picture).astype(np.int32), tuple(palette), str(path))
    return labels_of(rgb_of(picture), palette, path)


def _ambiguous(picture: Image.Image) -> bool:
    """Whether two flat colours of the picture would be read as one of the nine."""
    rgb = rgb_of(picture)
    found = _without_speckle(rgb, flat_colours(rgb, apart=APART), APART)
    colours = np.array(found or [(0, 0, 0)])
    nine = np.array(list(PALETTE.values()))
    gaps = np.abs(colours[:, None] - nine).max(axis=2)
    nearest = gaps.argmin(axis=1)[gaps.min(axis=1) <= tolerance_of(PALETTE)]
    return len(np.unique(nearest)) < len(nearest)


def _learnt(pictures: Sequence[NDArray[np.uint8]]) -> dict[str, tuple[int, int, int]] | None:
    """The palette of the flat colours, when the pictures share it; None when they do not."""
    colours: list[tuple[int, int, int]] = []
    found = [flat_colours(rgb) for rgb in pictures]
    kept = [_without_speckle(rgb, mine) for rgb, mine in zip(pictures, found, strict=True)]
    for rgb, mine in zip(pictures, kept, strict=True):
        if not mine or not _is_drawing(rgb, mine):
            return None
        colours += [c for c in mine if _position(c, colours) is None]
    # What is speckle in one picture may be a region in the other.
    places = [{_position(c, colours) for c in mine} - {None} for mine in found]
    shared = set.intersection(*places)
    if not shared or len(colours) > MOST_COLOURS:
        return None
    names = {rgb: name for name, rgb in NAMED.items()}
    return {names.get(c, "#{:02x}{:02x}{:02x}".format(*c)): c for c in colours}


def _is_drawing(rgb: NDArray[np.uint8], colours: Sequence[tuple[int, int, int]]) -> bool:
    """Whether a picture is nearly all flat, or flat colours with speckle all over.

    Speckle breaks up flat areas, so it is the pixels that are counted then; but colours that run
    into each other are a photograph's.
    """
    flat = flat_share(rgb)
    if flat >= LEARNT_SHARE * 0.9:
        return True
    apart = all(_position(c, colours[:i], 2 * APART) is None for i, c in enumerate(colours))
    if flat < SPECKLED_FLAT or len(colours) > MOST_COLOURS or not apart:
        return False
    covered = np.zeros(flat_areas(rgb).shape, bool)
    for colour in colours:
        covered |= _like(rgb, colour)
    return bool(covered.mean() >= COVERED_SHARE)


def _without_speckle(
    rgb: NDArray[np.uint8], colours: Sequence[tuple[int, int, int]], apart: int = FLAT
) -> list[tuple[int, int, int]]:
    """The colours of H×W×3 pixels, most frequent first, that are no speckle beside earlier ones."""
    flat = flat_areas(rgb)
    kept: list[tuple[int, int, int]] = []
    for colour in colours:
        if not kept or not between(colour, kept) or not scattered(_like(rgb, colour, apart) & flat):
            kept.append(colour)
    return kept


def _like(
    rgb: NDArray[np.uint8], colour: tuple[int, int, int], apart: int = FLAT
) -> NDArray[np.bool_]:
    """H×W: whether pixels have a colour, up to `apart` in every channel."""
    bounds = np.array(colour) + np.array([[-apart], [apart]])  # (2, 3)
    low, high = bounds.clip(0, 255)
    return cv2.inRange(rgb, low, high) > 0


def _position(
    colour: tuple[int, ...], colours: Sequence[tuple[int, ...]], apart: int = FLAT
) -> int | None:
    """Where a colour is in a list, give or take what compression does to it."""
    for i, other in enumerate(colours):
        if max(abs(a - b) for a, b in zip(colour, other, strict=True)) <= apart:
            return i
    return None


def flat_colours(
    rgb: NDArray[np.uint8], where: Array | None = None, apart: int = FLAT
) -> list[tuple[int, int, int]]:
    """The colours of the picture's flat areas, most frequent first."""
    flat = flat_areas(rgb) if where is None else flat_areas(rgb) & where
    pixels = rgb[flat].astype(np.int64)
    if len(pixels) == 0:
        return []
    keys = pixels @ np.array([65536, 256, 1])
    found, counts = np.unique(keys, return_counts=True)
    chosen: list[tuple[int, int, int]] = []
    totals: list[int] = []
    for k in np.argsort(-counts)[:4096]:
        colour = (int(found[k]) >> 16, int(found[k]) >> 8 & 255, int(found[k]) & 255)
        at = _position(colour, chosen, apart)
        if at is None:
            chosen.append(colour)
            totals.append(int(counts[k]))
        else:
            totals[at] += int(counts[k])
        if len(chosen) > 4 * MOST_COLOURS:
            break
    least = LEAST_FLAT * flat.size
    return [c for c, n in zip(chosen, totals, strict=True) if n >= least]


def flat_share(rgb: NDArray[np.uint8], where: Array | None = None) -> float:
    """Share of the picture, or of a part of it, that is flat."""
    flat = flat_areas(rgb)
    return float(flat.mean() if where is None else flat[where].mean())
