"""Shapes of annotation files, painted as labels: outlines and bitmaps.

Run lengths are those of the COCO API (Lin et al. 2014, "Microsoft COCO"): along columns, beginning
with the outside.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

#: Corners of the outline that stands for a circle or an ellipse.
CORNERS = 180
#: Pixels that a bitmap has at most; more are no mask of a picture that can be read.
MOST_PIXELS = 120_000_000


@dataclass(frozen=True, eq=False)
class Shape:
    """A named area in the coordinates of the picture that it was drawn on.

    Attributes:
        points: N×2 float64 corners of an outline, x before y.
        bitmap: h×w bool in place of an outline; its upper left pixel is the only point, and
            `whole` says whether it is the picture's own extent, of whatever size.
    """

    name: str
    points: Array
    bitmap: Array | None = None
    whole: bool = False


def outline(name: str, points: Any) -> Shape:
    """A polygon of N×2 numbers; ValueError where they are none."""
    corners = np.array(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(corners).all():
        raise ValueError("a coordinate is not finite")
    return Shape(name, corners)


def box(name: str, x: float, y: float, width: float, height: float) -> Shape:
    """A rectangle from its upper left corner."""
    return outline(name, [[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def ellipse(
    name: str, middle: Sequence[float], radii: Sequence[float], angle: float = 0.0
) -> Shape:
    """An ellipse with its two radii, turned by an angle in radians; a circle where they are one."""
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    x, y = radii[0] * np.cos(turn), radii[1] * np.sin(turn)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)
    return outline(name, turned + np.array(middle, dtype=np.float64))


def encoded_bitmap(name: str, corner: Sequence[float], text: str) -> Shape:
    """A bitmap from a base64-coded picture, not 0 inside; ValueError where it is none."""
    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as picture:
        _check_size(picture.height, picture.width)
        inside = np.asarray(picture.convert("L")) > 0
    return Shape(name, outline(name, corner).points, inside)


def run_lengths(name: str, coded: dict[str, Any]) -> Shape:
    """A bitmap from COCO's run lengths, compressed or not; ValueError where they do not fit."""
    height, width = (int(n) for n in coded["size"])
    _check_size(height, width)
    counts = coded["counts"]
    lengths = np.array(_expanded(counts) if isinstance(counts, str) else counts, dtype=np.int64)
    if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError("run lengths do not fill their size")
    inside = np.arange(len(lengths)) % 2 == 1
    bitmap = np.repeat(inside, lengths).reshape(width, height).T
    return Shape(name, np.zeros((1, 2)), bitmap, whole=True)


def _check_size(height: int, width: int) -> None:
    if min(height, width) < 1 or height * width > MOST_PIXELS:
        raise ValueError("a bitmap has no size, or too large a one")


def _expanded(text: str) -> list[int]:
    """Run lengths of their text: five bits a sign, lowest first, from the fourth number on as the
    difference to the last but one."""
    found: list[int] = []
    value = shift = 0
    for code in text.encode("ascii"):
        bits = code - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("a sign is none of run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        found.append(value + found[-2] if len(found) > 2 else value)
        value = shift = 0
    return found


def paint(ids: NDArray[np.int32], shape: Shape, label: int, scale: tuple[float, float]) -> None:
    """Set the shape's pixels of H×W ids to a label.

    Args:
        scale: (y, x) from the coordinates of the shape to those of the ids.
    """
    if shape.bitmap is None:
        # What lies far outside would not fit the integers that OpenCV takes.
        far = np.array(ids.shape[::-1])
        corners = (shape.points * np.array(scale[::-1])).clip(-far, 2 * far)
        cv2.fillPoly(ids, [corners.round().astype(np.int32)], label)
    elif shape.whole:
        ids[_resized(shape.bitmap, ids.shape)] = label
    else:
        place = (shape.points[0, ::-1] * np.array(scale)).round().astype(int)
        size = np.maximum(1, np.round(np.array(shape.bitmap.shape) * scale)).astype(int)
        first, last = np.maximum(place, 0), np.minimum(place + size, ids.shape)
        if (first < last).all():
            rows, columns = (slice(a, b) for a, b in zip(first, last, strict=True))
            (top, left), (bottom, right) = first - place, last - place
            part = _resized(shape.bitmap, (size[0], size[1]))[top:bottom, left:right]
            ids[rows, columns][part] = label


def _resized(bitmap: Array, size: tuple[int, ...]) -> Array:
    """h×w bool at another size, nearest neighbour."""
    rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n)
                     for n, m in zip(size, bitmap.shape, strict=True))  # fmt: skip
    found: Array = bitmap[rows[:, None], columns]
    return found
