"""Frames: borders of one colour around a photograph, such as a passe-partout, the rim of a scan, or
the bars of a letterbox.

A frame is lines of one colour from one end of the picture to the other that end all along at once,
and the photograph reaches into the corners of what they enclose. A night sky ends at a skyline, and
an object on a white ground does not reach into corners, so neither is a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Levels of 255 that compression moves one colour by, in the mean of a line and anywhere but in a
#: share of it.
SAME, OFF = 5.0, 0.02
#: Levels from which a pixel is clearly of the photograph, and what share of a line is so on either
#: side of a frame's edge.
CLEAR, OUTSIDE, INSIDE = 24.0, 0.15, 0.6
#: Lines over which an edge may be blurred, and over which compression may ring before it.
BLUR, RINGING = 3, 16
#: More layers than a frame has: a rim, a white mat, a thin line.
MOST_LAYERS = 5
#: Least share of the picture's shorter side that the photograph has on its own, and pixels.
LEAST_INSIDE, LEAST_PIXELS = 0.25, 16
#: Share of the picture's side that a frame takes on one side at most; and where it is on one side
#: or two adjacent ones only, when it must be black or white, too.
DEEPEST, ALONE = 0.42, 0.1
#: Levels from the end of the scale of black and of white.
END = 12.0
#: Side of the squares in the corners as a share of the photograph, and what of them is clear.
CORNER, FILLED = 0.04, 0.5


@dataclass(frozen=True)
class Frame:
    """How many lines of a picture are a frame on each side."""

    top: int
    bottom: int
    left: int
    right: int

    def inside(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of the photograph in a picture of (height, width)."""
        return slice(self.top, size[0] - self.bottom), slice(self.left, size[1] - self.right)

    def __str__(self) -> str:
        sides = ((name, n) for name, n in vars(self).items() if n)
        return ", ".join(f"{name} {n}" for name, n in sides)


@dataclass(frozen=True)
class _Side:
    """A side: how many lines are of one colour, the innermost one's colour, whether the photograph
    begins all along the line after them, and on what share of it."""

    depth: int = 0
    colour: tuple[float, ...] = ()
    clear: float = 0.0

    @property
    def sharp(self) -> bool:
        return self.clear >= INSIDE


def frame_of(pixels: Array) -> Frame | None:
    """The frame around an H×W×3 photograph in [0, 1]; None without one."""
    size, frame = pixels.shape[:2], Frame(0, 0, 0, 0)
    for _ in range(MOST_LAYERS):
        layer = _layer(pixels[frame.inside(size)])
        if layer is None or any(a and not b for a, b in _paired(frame, layer)):
            break
        frame = Frame(*(a + b for a, b in _paired(frame, layer)))
    else:
        return None
    rows, columns = frame.inside(size)
    inner = pixels[rows, columns]
    least = max(LEAST_PIXELS, LEAST_INSIDE * min(size))
    if not any(vars(frame).values()) or min(inner.shape[:2]) < least:
        return None
    lines = inner, inner[::-1], inner.swapaxes(0, 1), inner.swapaxes(0, 1)[::-1]
    edges = [line for line, depth in zip(lines, vars(frame).values(), strict=True) if depth]
    plain = sum(_one(line[BLUR] * 255.0, np.median(line[BLUR] * 255.0, axis=0)) for line in edges)
    return frame if 2 * plain <= len(edges) else None  # flat areas are no photograph


def _paired(one: Frame, other: Frame) -> list[tuple[int, int]]:
    return list(zip(vars(one).values(), vars(other).values(), strict=True))


def _layer(pixels: Array) -> Frame | None:
    """The outermost layer of a frame, of one colour."""
    height, width = pixels.shape[:2]
    top, bottom = _side(pixels), _side(pixels[::-1])
    rows = pixels[top.depth : height - bottom.depth].swapaxes(0, 1)
    sides = _accepted([top, bottom, _side(rows), _side(rows[::-1])], (height, height, width, width))
    if sides is None:
        return None
    frame = Frame(*(side.depth for side in sides))
    inner = pixels[frame.inside((height, width))]
    colour = next(side.colour for side in sides if side.depth)
    corners = sum(_clear(square, colour) >= FILLED for square in _corners(inner))
    weak = any(side.depth and not side.sharp for side in sides)
    return frame if corners >= (2 if weak else 3) else None


def _side(lines: Array) -> _Side:
    """What the lines begin with, from the outermost on."""
    first, limit, depth = lines[0] * 255.0, int(DEEPEST * len(lines)), 0
    colour = np.median(first, axis=0)
    while depth <= limit and _one(lines[depth] * 255.0, colour):
        depth += 1
    kept = tuple(float(v) for v in colour)
    if not 0 < depth <= limit:
        return _Side(min(depth, limit), kept)
    shares = [_clear(line, kept) for line in lines[depth : depth + RINGING + BLUR]]
    for n, share in enumerate(shares[:RINGING]):
        if share >= OUTSIDE:
            near = shares[n : n + BLUR]
            edge = next(k for k, value in enumerate(near) if value >= max(near) / 2)
            return _Side(depth + n + edge, kept, max(near))
    return _Side(depth, kept)


def _accepted(sides: list[_Side], lengths: Sequence[int]) -> list[_Side] | None:
    """The sides with the frame alone; None where they are no frame.

    Args:
        sides: top, bottom, left and right. lengths: of the picture, across each.
    """
    sharp = [side for side in sides if side.sharp]
    if not sharp or any(_apart(side.colour, sharp[0].colour) for side in sharp):
        return None
    opposite = [sides[k] for k in (1, 0, 3, 2)]
    found = []
    for side, other in zip(sides, opposite, strict=True):
        if side.depth and not side.sharp:  # where it ends nobody sees: as deep as its opposite
            same = other.sharp and not _apart(side.colour, other.colour)
            side = replace(side, depth=min(side.depth, other.depth) if same else 0)
        found.append(side if side.depth else _Side())
    pairs = [a.depth and b.depth for a, b in (found[:2], found[2:])]
    around = all(side.sharp for side in found)
    grey = max(sharp[0].colour) - min(sharp[0].colour) <= END
    if around or (any(pairs) and grey and len(sharp) > 1):
        return found
    ends = min(sharp[0].colour) >= 255 - END or max(sharp[0].colour) <= END
    if any(pairs):
        return found if ends else None
    thin = all(side.depth <= ALONE * n for side, n in zip(found, lengths, strict=True))
    return found if ends and thin and all(side.clear >= 0.9 for side in sharp) else None


def _corners(inner: Array) -> list[Array]:
    side = max(2, round(CORNER * min(inner.shape[:2])))
    ends = slice(None, side), slice(-side, None)
    return [inner[rows, columns].reshape(-1, 3) for rows in ends for columns in ends]


def _one(line: Array, colour: Array) -> bool:
    """Whether N×3 levels are of one colour."""
    away = np.abs(line - colour).max(axis=1)
    return bool(away.mean() <= SAME and (away > CLEAR).mean() <= OFF)


def _clear(line: Array, colour: tuple[float, ...]) -> float:
    """Share of N×3 pixels in [0, 1] that are clearly of another colour."""
    away = np.abs(line * 255.0 - np.array(colour)).max(axis=1)
    return float((away > CLEAR).mean())


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 3 * SAME
