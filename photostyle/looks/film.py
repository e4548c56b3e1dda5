"""Films under looks: one for each shot, or several that are blended over it.

In a shot nothing is measured of one frame alone: noise and bars are those of a few frames of it,
and regions and protected things are followed, so that what does not change does not flicker.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from photostyle.color.regional import is_gentle
from photostyle.color.silhouettes import Borders
from photostyle.config.rendering import RenderConfig
from photostyle.errors import OptionError
from photostyle.films.colours import Pixels
from photostyle.films.glancing import glimpses, picked, stills
from photostyle.films.reading import FilmReader
from photostyle.films.restyling import FilmReport, restyle
from photostyle.films.tensors import image_of, pixels_of
from photostyle.finish.delivery import partly, shares
from photostyle.images.photograph import photograph
from photostyle.images.picture import Metadata, Photo, image_size
from photostyle.looks.drawn import planes_of
from photostyle.looks.following import SIDE, Follower, spread
from photostyle.looks.keyed import KeyedLooks, Planes, care_of
from photostyle.looks.look import Look, without
from photostyle.looks.lut import Lut
from photostyle.looks.passages import SAMPLES, SAMPLES_OF_WHOLE, Keeping, Passage, shots_of
from photostyle.looks.regions import regions_for
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.segmenter import Wishes, drawings_of, segment_alone

#: Gives the look of some frames, H×W×3; with the regions of each where these are given.
Maker = Callable[[Sequence[Pixels], Sequence[Planes] | None], Look]
#: Told what is done, "cuts" or "frames", how many frames, and of how many, 0 where not known.
Tell = Callable[[str, int, int], None]

#: Where bars are looked for if nothing else is.
STILLS = (0.25, 0.5, 0.75)
_NO_BORDERS = Borders(torch.zeros(1, 4, 1, 1), torch.zeros(1, 3, 1, 1))


@dataclass(frozen=True)
class Wanted:
    """What a film is to be under, and how.

    Attributes:
        look: a look, or what makes one for frames.
        mask: of the regions of the film's first frame.
        wishes: how regions are found where none are given; see `regions_for`.
        options: strength and what else `render` can choose.
    """

    look: Look | Maker
    options: RenderConfig = field(default_factory=RenderConfig)
    keeping: Keeping = field(default_factory=Keeping)
    mask: Path | LabelMap | None = None
    wishes: Wishes = field(default_factory=Wishes)

    @property
    def each(self) -> bool:
        """Whether every frame is for itself."""
        return self.keeping.consistency == "frame"

    @property
    def measures(self) -> bool:
        """Whether something is to be known of all of a shot's frames before the first is made."""
        if self.each or not isinstance(self.look, Look):
            return not self.each
        look = self.look
        plain = isinstance(look.whole, Lut) or is_gentle(look.whole)
        return bool(look.regions or self.options.protect or not plain)


def graded_film(
    source: Path,
    target: Path,
    wanted: Wanted,
    *,
    codec: str = "h264",
    quality: int | None = None,
    tell: Tell = lambda what, done, expected: None,
) -> FilmReport:
    """A film under looks; all else that is in the file stays as it is.

    Args:
        target, codec, quality: as for `films.restyling.restyle`.

    Raises:
        ImageError: the source is no film, or has no frame that can be read.
        MaskError, OptionError, OutputError: a mask, an option or the place does not do.
        KeyboardInterrupt: before any frame was written; then there is no file.
    """
    if wanted.keeping.consistency == "frame" and wanted.mask is not None:
        raise OptionError(
            "--content-mask is of the first frame and is not followed with --consistency frame; "
            "take shot or whole."
        )
    with FilmReader(source) as reader:
        expected = reader.info.expected
    shots = None
    if wanted.measures:
        shots = shots_of(source, lambda done: tell("cuts", done, expected))
    graded = _Graded(source, wanted, shots)
    report = restyle(
        source, target, graded, codec=codec, quality=quality,
        progress=lambda done, total: tell("frames", done, total),
    )  # fmt: skip
    return replace(report, notes=(*report.notes, *graded.notes))


class _Graded:
    """The change of a film, called with its frames in order.

    Attributes:
        notes: sentences for the user.
    """

    def __init__(self, source: Path, wanted: Wanted, shots: Sequence[Passage] | None) -> None:
        self.source, self.wanted = source, wanted
        self.notes: list[str] = []
        self._number, self._end = 0, 0
        self._shots = shots
        self._upcoming = _shown(source, shots, self._picks) if shots else iter(())
        self._whole: KeyedLooks | None = None
        self._known: tuple[str, ...] = ()

    def __call__(self, pixels: Pixels) -> Pixels:
        if self._number >= self._end:
            alone = Passage(self._number, self._number + 1), {self._number: pixels}
            self._begin(*next(self._upcoming, alone))
        content = image_of(pixels)
        levels = pixels_of(self._made(content), pixels.dtype)
        self._number += 1
        if self._looks.bars is None:
            return levels
        inside = self._looks.bars.inside(image_size(content))
        out = pixels.copy()
        out[inside] = levels[inside]
        return out

    def _picks(self, passage: Passage) -> list[int]:
        """The frames that looks and regions of a shot are found on; its first is among them."""
        parts = passage.parts(self.wanted.keeping.key_frames)
        return sorted({passage.first, *(n for part in parts for n in part.samples(SAMPLES))})

    def _begin(self, passage: Passage, shown: Mapping[int, Pixels]) -> None:
        """Finds looks and regions for a shot, of some of its frames."""
        self._end = passage.end
        if self._shots is None and not self.wanted.each:
            self._end = sys.maxsize
            self._looks = KeyedLooks.of(
                [cast(Look, self.wanted.look)], [0.0], stills(self.source, STILLS)
            )
        elif self.wanted.keeping.consistency == "whole" and self._shots:
            self._whole = self._whole or self._found(self._all_of(self._shots), None)
            self._looks = self._whole
        else:
            self._looks = self._found(passage, shown)
        if passage.first == 0:
            self._known = tuple(self._looks.regions)
            self._looks.looks[0].check(self.wanted.options)
        elif self.wanted.mask is not None and not self.notes and self._known:
            self.notes.append(
                f"{self.source}: the masks are of the first frame; from the cut at frame "
                f"{passage.first + 1} on, there is the look of the whole."
            )
        self._follow(passage, shown)

    def _all_of(self, shots: Sequence[Passage]) -> Passage:
        """All frames that one look is for; with masks those of the first shot, where these are."""
        return shots[0] if self.wanted.mask is not None else Passage(0, shots[-1].end)

    def _found(self, passage: Passage, shown: Mapping[int, Pixels] | None) -> KeyedLooks:
        """The looks of frames; these are read where they are not shown."""
        parts = passage.parts(self.wanted.keeping.key_frames)
        count = SAMPLES if shown is not None else SAMPLES_OF_WHOLE
        samples = [part.samples(count) for part in parts]
        numbers = [n for part in samples for n in part]
        frames = dict(picked(self.source, numbers)) if shown is None else shown
        make = self.wanted.look
        if isinstance(make, Look):
            looks, parts = [make], [passage]
        else:
            regions = None
            if self.wanted.mask is not None and passage.first == 0:
                regions = self._followed(frames.get(0), numbers)
            looks = [
                make([frames[n] for n in part], [regions[n] for n in part] if regions else None)
                for part in samples
            ]
        centres = [(part.first + part.end - 1) / 2 for part in parts]
        return KeyedLooks.of(looks, centres, [frames[n] for n in numbers if n in frames])

    def _followed(self, first: Pixels | None, numbers: Sequence[int]) -> dict[int, Planes]:
        """The regions of some frames of the first shot, by following the given ones."""
        mask, follower = self.wanted.mask, Follower()
        if first is None:
            first = next(iter(picked(self.source, [0])))[1]
        photo = photograph(self._photo(first))
        [drawing] = drawings_of([mask], [photo])
        wishes = replace(self.wanted.wishes, segmenter="labels")
        masks, _ = segment_alone(photo.image, drawing, wishes)
        given = planes_of(masks, image_size(photo.image))
        follower.names = tuple(given)
        found: dict[int, Planes] = {}
        for number, pixels in enumerate(glimpses(self.source, SIDE)):
            follower.regions(follower.show(image_of(pixels)), None if number else given)
            if number in numbers:
                assert follower.masks is not None
                found[number] = dict(zip(follower.names, follower.masks, strict=True))
            if number >= max(numbers):
                break
        return found

    def _photo(self, pixels: Pixels) -> Photo:
        return Photo(image_of(pixels), Metadata(), self.source, "")

    def _follow(self, passage: Passage, shown: Mapping[int, Pixels]) -> None:
        """Begins to follow the regions of a shot, and the things that are protected."""
        self._anchors = self._regions(passage, shown)
        names = dict.fromkeys(name for planes in self._anchors.values() for name in planes)
        if not names.keys() & {*self._looks.regions}:
            self._anchors, names = {}, {}
        self._follower = Follower(tuple(names))
        self._care = self._looks.care
        if names:
            pairs = [(image_of(shown[n]), planes) for n, planes in self._anchors.items()]
            self._care = care_of(self._looks.looks, pairs)
        self._options = without(self.wanted.options, {*self._known} - names.keys())
        self._values, self._things = shares(self._options, tuple(names) or ("all",))

    def _regions(self, passage: Passage, shown: Mapping[int, Pixels]) -> dict[int, Planes]:
        """The regions of the key frames of a shot, as far as they are given or can be found."""
        mask, look = self.wanted.mask, self._looks.looks[0]
        if mask is not None and passage.first > 0:
            return {}
        later = passage.parts(self.wanted.keeping.key_frames)[1:] if mask is None else []
        found: dict[int, Planes] = {}
        for number in (passage.first, *(part.samples(SAMPLES)[0] for part in later)):
            if number not in shown:
                continue
            photo = photograph(self._photo(shown[number]))
            masks, _ = regions_for(look, photo, mask, self.wanted.wishes)
            if masks is not None:
                found[number] = planes_of(masks, image_size(photo.image))
        names = dict.fromkeys(name for planes in found.values() for name in planes)
        return {
            number: {n: planes.get(n, torch.zeros_like(next(iter(planes.values())))) for n in names}
            for number, planes in found.items()
        }

    def _made(self, content: Tensor) -> Tensor:
        """A frame, 1×3×H×W, under its looks."""
        follower, options, borders = self._follower, self._options, _NO_BORDERS
        planes: dict[str, Tensor] = {}
        if follower.names or self._things:
            small = follower.show(content)
            if follower.names:
                borders = follower.regions(small, self._anchors.get(self._number))
            for what, share in self._things.items():
                planes[what] = share * spread(follower.thing(small, what), content)
        maps = self._looks.at(self._number, follower.names, borders)
        if min(self._values) < 1:
            maps = maps.faded(self._values)
        made = maps.apply(content, care=self._care)
        whole = not planes and options.luminance is None and options.color is None
        return made if whole else partly(content, made, options, planes)


def _shown(
    source: Path, shots: Sequence[Passage], picks: Callable[[Passage], list[int]]
) -> Iterator[tuple[Passage, dict[int, Pixels]]]:
    """Every shot with the frames that are wanted of it, read only as far as it is asked for."""
    frames = picked(source, {n for shot in shots for n in picks(shot)})
    for shot in shots:
        found = {}
        for number, pixels in frames:
            found[number] = pixels
            if number == picks(shot)[-1]:
                break
        yield shot, found
