"""Which frames of a film share their looks, and which of them the looks are found on."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from photostyle.errors import OptionError
from photostyle.films.glancing import glimpses
from photostyle.films.shots import CutFinder

Consistency = Literal["shot", "whole", "frame"]
#: Frames that a look is found on: of a shot, or of a part of it, and of a whole film.
SAMPLES, SAMPLES_OF_WHOLE = 4, 9
MOST_KEYS = 100
#: Long side of the frames that cuts are looked for in.
SIDE = 192


@dataclass(frozen=True)
class Keeping:
    """How looks are kept over a film.

    Attributes:
        consistency: what has looks of its own: a shot, the whole film, or every frame.
        key_frames: looks of each, blended between the middles of as many parts.

    Raises:
        OptionError: another word, or a number out of range.
    """

    consistency: Consistency = "shot"
    key_frames: int = 1

    def __post_init__(self) -> None:
        known = get_args(Consistency)
        if self.consistency not in known:
            raise OptionError(
                f"--consistency is {self.consistency!r}; choose from {', '.join(known)}."
            )
        if not 1 <= self.key_frames <= MOST_KEYS:
            raise OptionError(f"--key-frames is {self.key_frames}; it must be 1 to {MOST_KEYS}.")
        if self.consistency == "frame" and self.key_frames > 1:
            raise OptionError("--key-frames: with --consistency frame every frame is one.")


@dataclass(frozen=True)
class Passage:
    """The frames of a film from the first to the one before the end."""

    first: int
    end: int

    def parts(self, count: int) -> list["Passage"]:
        """As many equal parts, fewer where there are not as many frames."""
        count = min(count, self.end - self.first)
        ends = [self.first + n * (self.end - self.first) // count for n in range(count + 1)]
        return [Passage(a, b) for a, b in itertools.pairwise(ends)]

    def samples(self, count: int) -> list[int]:
        """The middle frame of each of as many parts."""
        return [(part.first + part.end - 1) // 2 for part in self.parts(count)]


def shots_of(path: Path, tell: Callable[[int], None] = lambda done: None) -> list[Passage]:
    """The shots of a film; `tell` is told of every frame that was looked at.

    Raises:
        ImageError: it is no film, or has no frame that can be read.
    """
    finder = CutFinder()
    for number, pixels in enumerate(glimpses(path, SIDE), start=1):
        finder.show(pixels)
        tell(number)
    return [Passage(first, end) for first, end in finder.shots()]
