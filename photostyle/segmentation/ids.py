"""Integer ids: grey pictures of 8 to 32 bits and indexed ones, whose values count up labels."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photostyle.segmentation.labels import CORE_SHARE, EXACT
from photostyle.segmentation.masks import LabelMap, spread
from photostyle.segmentation.palettes import MOST_COLOURS

Array = NDArray[Any]

#: Values that data sets give to pixels without a label, in 8 and in 16 bits.
VOID_IDS = (255, 65535)
#: Largest of ids that were counted up, if there is no more to tell them by.
COUNTED = 63


def ids_of(picture: Image.Image, path: Path) -> LabelMap | None:
    """Integer ids: few values of a grey picture that are not black, grey and white; those that mean
    no label are filled from their neighbours."""
    values, full = _integers(picture)
    if values is None:
        return None
    labelled = _labelled(values)
    values = spread(values, labelled)
    found, counts = np.unique(values, return_counts=True)
    if len(found) < 2 or len(found) > MOST_COLOURS * 2 or _blended(values, len(found)):
        return None
    levels = np.array([0, 128, 255]) * (full / 255)
    grey = np.abs(found[:, None] - levels).min(axis=1).max() <= EXACT * full / 255
    drawn = grey or counts.min() < CORE_SHARE * values.size
    if labelled.all() and found.max() >= full / 4 and drawn:
        return None
    ids = np.searchsorted(found, values).astype(np.int32)
    return LabelMap(ids, tuple(f"id {value}" for value in found), str(path))


def _blended(values: Array, count: int) -> bool:
    """Whether most of the values are nowhere an area: they are of smooth borders."""
    square = np.ones((3, 3), np.uint8)
    planes = values.astype(np.float32)
    core = cv2.dilate(planes, square) == cv2.erode(planes, square)
    return bool(2 * len(np.unique(values[core])) < count)


def _labelled(values: Array) -> NDArray[np.bool_]:
    """H×W: which integers are ids. By the conventions of data sets 255, or what stands for it in
    other depths, is no label beside ids that were counted up, and nothing below 0 is one."""
    found = np.unique(values)
    void = np.isin(found, VOID_IDS) | (found < 0)
    others = found[~void]
    counted = len(others) > 1 and (others.max() <= COUNTED or np.diff(others).min() <= EXACT)
    if not counted:
        void = found < 0
    return np.asarray(~np.isin(values, found[void])) if len(others) else values >= 0


def _integers(picture: Image.Image) -> tuple[Array | None, int]:
    """H×W integers of a grey picture, or of an indexed one with a palette that says nothing; and
    the largest value that they can have."""
    if picture.mode == "P":
        indices = np.asarray(picture)
        used = np.unique(indices)
        colours = np.array(picture.getpalette("RGB"), dtype=int).reshape(-1, 3)[used]
        silent = len(np.unique(colours, axis=0)) < len(used)
        ramp = (colours == used[:, None]).all() and used.max() < 64
        return (indices, 255) if silent or ramp else (None, 0)
    if picture.mode == "L":
        return np.asarray(picture), 255
    if picture.mode.startswith("I"):
        return np.asarray(picture.convert("I")), 65535
    return None, 0


def void_filled(picture: Image.Image) -> Image.Image:
    """An indexed picture with indices that mean no label filled from around them."""
    if picture.mode != "P":
        return picture
    indices = np.asarray(picture)
    labelled = _labelled(indices)
    if labelled.all():
        return picture
    filled = picture.copy()
    filled.putdata(spread(indices, labelled).ravel().tolist())
    return filled
