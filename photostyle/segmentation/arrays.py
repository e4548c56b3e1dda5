"""Masks as people have them besides files: arrays of ids, soft planes, planes by name, pictures."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from photostyle.brief import shape_of
from photostyle.errors import MaskError
from photostyle.images.given import values_of
from photostyle.places import expanded
from photostyle.segmentation.labels import NAMED
from photostyle.segmentation.masks import SUM_TOLERANCE, LabelMap

Array = NDArray[Any]

#: A file or folder; H×W integer ids; K×H×W soft masks in [0, 1], plane k for the id k; planes H×W
#: by the names of their regions; or a label picture, as a PIL image or H×W×3 uint8. Arrays may be
#: NumPy's or torch's.
MaskLike: TypeAlias = (
    str | os.PathLike[str] | Image.Image | Array | Tensor | Mapping[str, Array | Tensor] | LabelMap
)

#: Different ids, or colours, above which an array is no mask but a photograph.
MOST_IDS = 80
#: What of a picture is in none of the planes.
REST = "rest"


def mask_of(given: MaskLike | None, name: str) -> Path | LabelMap | None:
    """The mask that was given, whatever it came as: a path as it is, all else as labels.

    Args:
        name: what messages call it, such as "The content's mask".

    Raises:
        MaskError: a shape, type or range that is no mask's.
    """
    if given is None or isinstance(given, LabelMap):
        return given
    if isinstance(given, str | os.PathLike):
        return expanded(given)
    if isinstance(given, Image.Image):
        what = f"{name} (PIL image of {given.width}×{given.height} pixels, mode {given.mode})"
        ids = given.mode in ("1", "L", "I") or given.mode.startswith("I;")
        return _ids(np.asarray(given), what) if ids else _colours(given, what)
    if isinstance(given, Mapping):
        return _named(given, name)
    if isinstance(given, Tensor | np.ndarray):
        kind = "torch tensor" if isinstance(given, Tensor) else "NumPy array"
        what = f"{name} ({kind} of {shape_of(given)})"
        return _of_array(_numpy(given, what), what)
    raise MaskError(
        f"{name} is a {type(given).__name__}; give a path, H×W integers, K×H×W soft masks, or a "
        "dict of planes by name."
    )


def fingerprint(labels: LabelMap) -> str:
    """SHA-256 of a label map's names and values, in hex."""
    digest = hashlib.sha256(repr(labels.names).encode())
    for values in (labels.ids, labels.soft):
        if values is not None:
            digest.update(f"{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _numpy(given: Array | Tensor, what: str) -> Array:
    if not isinstance(given, Tensor):
        return np.asarray(given)
    try:
        return values_of(given)
    except ValueError as error:
        raise MaskError(f"{what} has no values that can be read; give a dense array.") from error


def _of_array(array: Array, what: str) -> LabelMap:
    if array.size == 0:
        raise MaskError(f"{what} has no pixels; give a mask.")
    if array.ndim == 2:
        return _ids(array, what)
    if array.ndim == 3 and len(array) == 1 and array.dtype.kind in "iu":
        return _ids(array[0], what)  # as torch has them: one plane of ids, not one soft plane
    if array.ndim == 3 and array.shape[2] == 1 < len(array):
        raise MaskError(f"{what} has its one channel last; give H×W, as x[..., 0] is.")
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8:
        return _colours(Image.fromarray(np.ascontiguousarray(array)), what)
    if array.ndim == 3:
        return _soft(array, tuple(f"id {k}" for k in range(len(array))), what)
    raise MaskError(f"{what} has an unknown shape; give H×W integers or K×H×W soft masks.")


def _ids(array: Array, what: str) -> LabelMap:
    """Integers, or truth values, that name the region of each pixel."""
    if array.dtype.kind not in "iub":
        raise MaskError(
            f"{what} holds no integers; give an id for every pixel, or K×H×W soft masks, one plane "
            "for each region."
        )
    found = np.unique(array.astype(np.int64))
    if found[0] < 0:
        raise MaskError(f"{what} holds {found[0]}; ids are whole numbers from 0.")
    if len(found) > MOST_IDS:
        raise MaskError(
            f"{what} holds {len(found)} different values; a mask has at most {MOST_IDS} ids."
        )
    ids = np.searchsorted(found, array.astype(np.int64)).astype(np.int32)
    return LabelMap(ids, tuple(f"id {value}" for value in found), what)


def _colours(picture: Image.Image, what: str) -> LabelMap:
    """A label picture in memory: each colour is a region."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.int32) @ (65536, 256, 1)
    found, ids = np.unique(pixels, return_inverse=True)
    if len(found) > MOST_IDS:
        raise MaskError(
            f"{what} has {len(found)} colours; a label picture has flat ones, at most {MOST_IDS}."
        )
    colours = ((int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in found)
    called = {rgb: name for name, rgb in NAMED.items()}
    names = tuple(called.get(c, "#{:02x}{:02x}{:02x}".format(*c)) for c in colours)
    return LabelMap(ids.reshape(pixels.shape).astype(np.int32), names, what)


def _named(planes: Mapping[str, Array | Tensor], name: str) -> LabelMap:
    """Planes H×W by the names of their regions."""
    what = f"{name} (planes of {', '.join(map(str, planes)) or 'nothing'})"
    arrays = {str(key): _numpy(plane, what) for key, plane in planes.items()}
    if not all(name.strip() for name in arrays):
        raise MaskError(f"{what} has a plane without a name; give each region one.")
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise MaskError(f"{what} must have planes of one height and width, H×W each.")
    scaled = [_plane(array) for array in arrays.values()]
    return _soft(np.stack(scaled), tuple(arrays), what)


def _plane(plane: Array) -> Array:
    """0…255 as drawn by paint programs becomes 0…1; everything else stays."""
    return plane / np.float32(255) if plane.dtype == np.uint8 and plane.max() > 1 else plane


def _soft(planes: Array, names: tuple[str, ...], what: str) -> LabelMap:
    """K×H×W in [0, 1]; what they leave to 1 is a region of its own."""
    values = planes.astype(np.float32)
    if not ((values >= 0).all() and (values <= 1 + SUM_TOLERANCE).all()):  # false for NaN, too
        raise MaskError(
            f"{what} has values from {values.min():g} to {values.max():g}; soft masks, a plane for "
            "each region, lie in [0, 1]."
        )
    total = values.sum(axis=0)
    if total.max() > 1 + 100 * SUM_TOLERANCE:
        if len(values) > values.shape[2]:
            raise MaskError(
                f"{what} has {len(values)} planes, one for each region; planes come first in an "
                "array, so give K×H×W, as x.transpose(2, 0, 1) is."
            )
        raise MaskError(
            f"{what} sums to {total.max():.3g} over the regions at some pixel; divide the planes "
            "by their sum, so that it is at most 1."
        )
    values, total = values / np.maximum(total, 1), np.minimum(total, 1)
    if total.min() < 1 - 100 * SUM_TOLERANCE:
        rest = REST if REST not in names else f"({REST})"
        values, names = np.concatenate([values, 1 - total[None]]), (*names, rest)
    else:
        values = values / total
    return LabelMap(values.argmax(axis=0).astype(np.int32), names, what, soft=values)
