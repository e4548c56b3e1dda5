"""Where a film is cut: between frames that differ in colours and in structure at once.

A flash changes colours and no structure, or is over after a few frames; a fade goes by small steps;
a pan keeps most of the picture, elsewhere. So two frames are as far apart as the geometric mean of

- how far the colours of one have to move at least to become the other's (Wasserstein distance of
  each channel, with the picture in [0, 1]), and
- 1 minus the correlation of the middle of one with the best place in the other,

and a cut is where all frames just before are far from all just after, and farther than is usual
around there. Where a film goes through black, the last whole picture is compared with the next.
"""

import itertools
from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from photostyle.films.colours import Pixels

Floats = npt.NDArray[np.float32]

#: Of the small picture, (width, height); a quarter on each side is left to shifts.
_SMALL = 48, 32
#: Frames on each side that are compared with each other: flashes are shorter.
_REACH = 5
#: Distance of a cut, and how many times the median around it.
_FAR, _TIMES, _AROUND = 0.1, 2.5, 8
#: Spread of grey below which a frame shows nothing, and frames that a fade takes at most.
_BLANK, _FADE = 0.02, 60


@dataclass(frozen=True)
class _Look:
    """A frame as it is compared: grey, 32×48, its sorted colours, and the spread of its grey."""

    grey: Floats
    colours: Floats
    spread: float


class CutFinder:
    """Is shown a film's frames one by one, and knows its shots at the end."""

    def __init__(self) -> None:
        self._count = 0
        self._near: deque[_Look] = deque(maxlen=2 * _REACH)
        self._steps: list[float] = []  # between frame n and what comes before it, from n = 1
        self._black = _Black()

    def show(self, pixels: Pixels) -> None:
        """Takes the next frame, H×W×3, uint8 or uint16."""
        look = _look(pixels)
        self._near.append(look)
        self._black.show(look, self._count)
        self._count += 1
        if self._count > _REACH:
            self._steps.append(_step(list(self._near), _REACH))

    def shots(self) -> list[tuple[int, int]]:
        """(first frame, frame after the last) of each shot so far."""
        near = list(self._near)
        open_ends = range(min(_REACH, self._count) - 1, 0, -1)
        cuts = _cuts([*self._steps, *(_step(near, after) for after in open_ends)])
        for first, last in self._black.passed():
            if not any(first <= cut <= last + 1 for cut in cuts):
                cuts.append((first + last + 1) // 2)
        edges = [0, *sorted(cuts), self._count]
        return [(a, b) for a, b in itertools.pairwise(edges) if b > a]


class _Black:
    """Follows a film into black and out again, and compares the fullest pictures beside it."""

    def __init__(self) -> None:
        self._passed: list[tuple[int, int]] = []
        self._before: deque[_Look] = deque(maxlen=_FADE)
        self._run: tuple[int, int] | None = None
        self._after: _Look | None = None

    def show(self, look: _Look, number: int) -> None:
        if look.spread < _BLANK:
            if self._run is None or self._after is not None:
                self._settle()
                self._run = number, number
            self._run = self._run[0], number
            return
        if self._run is not None and (self._after is None or look.spread > self._after.spread):
            self._after = look
        if self._run is None or number > self._run[1] + _FADE // 2:
            self._settle()
            self._before.append(look)

    def passed(self) -> list[tuple[int, int]]:
        """First and last black frame wherever what follows is another picture."""
        self._settle()
        return self._passed

    def _settle(self) -> None:
        if self._run is not None and self._after is not None:
            if self._before:
                last = max(self._before, key=lambda look: look.spread)
                if _distance(last, self._after) > _FAR:
                    self._passed.append(self._run)
                self._before.clear()
            self._before.append(self._after)
            self._run = self._after = None


def _look(pixels: Pixels) -> _Look:
    white = np.iinfo(pixels.dtype).max
    rough = max(1, min(pixels.shape[1] // _SMALL[0], pixels.shape[0] // _SMALL[1]) // 4)
    some: npt.NDArray[Any] = np.ascontiguousarray(pixels[::rough, ::rough])
    small = cv2.resize(some, _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32) / white
    grey = np.ascontiguousarray(small.mean(axis=2))
    return _Look(grey, np.sort(small.reshape(-1, 3), axis=0), float(grey.std()))


def _distance(one: _Look, other: _Look) -> float:
    """How far two frames are apart; by colours alone where one of them shows nothing."""
    colours = float(np.abs(one.colours - other.colours).mean())
    if min(one.spread, other.spread) < _BLANK:
        return colours
    height, width = one.grey.shape
    middle = one.grey[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    alike = float(cv2.matchTemplate(other.grey, middle, cv2.TM_CCOEFF_NORMED).max())
    return float(np.sqrt(colours * (1.0 - min(max(alike, 0.0), 1.0))))


def _step(looks: list[_Look], after: int) -> float:
    """The least distance from any of the last `after` frames to any of the few before them."""
    old, new = looks[:-after][-_REACH:], looks[-after:]
    least = _distance(old[-1], new[0])
    for one in old:
        for other in new:
            if least <= _FAR:
                return least
            least = min(least, _distance(one, other))
    return least


def _cuts(steps: list[float]) -> list[int]:
    """Frames that begin a shot."""
    cuts = []
    for i, step in enumerate(steps):
        around = steps[max(0, i - _AROUND) : i] + steps[i + 1 : i + 1 + _AROUND]
        if step > _FAR and step > _TIMES * (float(np.median(around)) if around else 0.0):
            cuts.append(i + 1)
    return cuts
