"""A look on many pictures and films: a job for each, at its own size and depth."""

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from photostyle.config.rendering import RenderConfig
from photostyle.errors import MaskError, OptionError
from photostyle.films.containers import VIDEO_SUFFIXES, written_suffix
from photostyle.images.listing import hidden
from photostyle.jobs.jobs import Record, key_of, sha256_of
from photostyle.places import as_seen

if TYPE_CHECKING:
    from photostyle.looks.passages import Consistency
    from photostyle.runtime.memory import Memory
    from photostyle.segmentation.segmenter import Wishes


@dataclass(frozen=True)
class Finding:
    """How the regions of pictures are found; see `looks.regions.regions_for`.

    Attributes:
        how: auto, semantic or none.
        model, groups, palette: as for `segmentation.Wishes`.
    """

    how: str = "auto"
    model: str | None = None
    groups: str | None = None
    palette: str | None = None

    @property
    def wishes(self) -> "Wishes":
        from photostyle.segmentation.segmenter import Wishes

        return Wishes(self.how, self.model, self.groups, palette=self.palette)


@dataclass(frozen=True)
class LookJob:
    """A picture under a look; bit depth, alpha and metadata stay.

    Attributes:
        name, labels: see `jobs.Job`.
        mask: the picture's own masks, where they are given.
        options: strength and what else `render` can choose anew.
    """

    name: str
    picture: Path
    look: Path
    options: RenderConfig
    mask: Path | None = None
    finding: Finding = Finding()
    suffix: str = ".png"

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        return (("picture", self.picture.name), ("look", self.look.stem))

    @functools.cached_property
    def key(self) -> str:
        inputs = [
            None if path is None else sha256_of(path)
            for path in (self.picture, self.look, self.mask)
        ]
        options = json.dumps([vars(self.options), vars(self.finding)], sort_keys=True)
        place = self.name + self.suffix
        return key_of({"kind": "look", "inputs": inputs, "options": options, "place": place})

    def files(self) -> list[Path]:
        return [p for p in (self.picture, self.look, self.mask) if p is not None]

    def writes(self, folder: Path) -> list[Path]:
        return [folder / (self.name + self.suffix)]

    def run(self, folder: Path, memory: "Memory") -> Record:
        """Writes the picture.

        Raises:
            LookError, ImageError, MaskError, OptionError: a file or option cannot be used.
        """
        import torch

        from photostyle.images.hashing import file_stamp
        from photostyle.images.photograph import photograph
        from photostyle.images.picture import fit_size, image_size, load_image
        from photostyle.images.saving import lost_note, save_image
        from photostyle.jobs.verdicts import compared
        from photostyle.looks.look import Look
        from photostyle.looks.regions import regions_for
        from photostyle.smoothness import SIDE

        began = time.monotonic()
        look = memory.get(("look", *file_stamp(self.look)), lambda: Look.load(self.look))
        photo = photograph(load_image(self.picture))
        found, how = regions_for(look, photo, self.mask, self.finding.wishes)
        made = look.deliver(photo, found, self.options)
        name = self.name + self.suffix
        save_image(folder / name, made.image, made.metadata, wide=made.wide)
        lost = lost_note(folder / name, made.metadata)
        size = fit_size(image_size(photo.image), SIDE)
        masks = torch.ones(1, *size) if found is None else found.content
        return {"picture": name, "seconds": round(time.monotonic() - began, 3), "regions": how,
                "warnings": list(compared(made.image, photo, masks)),
                "size": [made.image.shape[3], made.image.shape[2]],
                "remarks": [*made.notes, *([lost] if lost else [])]}  # fmt: skip


@dataclass(frozen=True)
class FilmJob(LookJob):
    """A film under a look; all else that is in the file stays.

    Attributes:
        keeping: see `looks.passages.Keeping`. codec, quality: as for `films.restyling.restyle`.
        tell: told of frames that are done, where it is in this process: film, done, of how many.
        keeps_parts: KeyboardInterrupt leaves the frames that are done.
    """

    keeps_parts: ClassVar[bool] = True

    keeping: tuple["Consistency", int] = ("shot", 1)
    codec: str = "h264"
    quality: int | None = None
    tell: Callable[[str, int, int], None] | None = field(default=None, compare=False, repr=False)

    @functools.cached_property
    def key(self) -> str:
        facts = [super().key, self.keeping, self.codec, self.quality]
        return key_of({"kind": "film", "facts": facts})

    def run(self, folder: Path, memory: "Memory") -> Record:
        """Writes the film.

        Raises:
            LookError, ImageError, MaskError, OptionError, OutputError: see `graded_film`.
            KeyboardInterrupt: the frames that were done are in the file, if there are any.
        """
        from photostyle.images.hashing import file_stamp
        from photostyle.looks.film import Wanted, graded_film
        from photostyle.looks.look import Look
        from photostyle.looks.passages import Keeping

        began = time.monotonic()
        look = memory.get(("look", *file_stamp(self.look)), lambda: Look.load(self.look))
        consistency, count = self.keeping
        wanted = Wanted(
            look, self.options, Keeping(consistency, count), self.mask, self.finding.wishes
        )
        name = self.name + self.suffix
        tell = self.tell or _silent
        report = graded_film(
            self.picture, folder / name, wanted, codec=self.codec, quality=self.quality,
            tell=lambda what, done, total: tell(f"{self.picture.name}: {what}", done, total),
        )  # fmt: skip
        if report.interrupted:
            some = "frame" if report.frames_written == 1 else "frames"
            tell(f"{report.target} holds the first {report.frames_written} {some}.", 0, 0)
            raise KeyboardInterrupt
        damage = [report.damage] if report.damage else []
        return {"picture": name, "seconds": round(time.monotonic() - began, 3),
                "frames": report.frames_written, "damaged": report.damaged,
                "remarks": [*report.notes, *damage]}  # fmt: skip


def _silent(what: str, done: int, total: int) -> None:
    return


def look_jobs(
    pictures: Sequence[Path],
    masks: Path | None,
    suffixes: Sequence[str],
    film: Mapping[str, Any],
    **common: Any,
) -> list[LookJob]:
    """A job for each picture, each under a name of its own.

    Args:
        masks: of the one picture, or a folder of masks (files, or a folder each) with the
            pictures' names.
        suffixes: of pictures that are written. film: what a `FilmJob` has besides.
        common: `look`, `options` and `finding` of all the jobs.

    Raises:
        OptionError: the pictures are not there. MaskError: a picture has no mask among those given.
    """
    from photostyle.jobs.sweep import free_name

    for path in pictures:
        if not path.exists():
            raise OptionError(f"{path} does not exist; check the name and the folder.")
    taken: set[str] = set()
    jobs: list[LookJob] = []
    for path, mask in zip(pictures, masks_of(pictures, masks), strict=True):
        suffix = path.suffix.lower()
        named: dict[str, Any] = {
            "name": free_name(as_seen(path.stem), taken),
            "picture": path,
            "mask": mask,
        }
        if suffix in VIDEO_SUFFIXES:
            written = written_suffix(suffix, film["codec"])
            jobs.append(FilmJob(**named, suffix=written, **common, **film))
        else:
            kept = path.suffix if suffix in suffixes else ".png"
            jobs.append(LookJob(**named, suffix=kept, **common))
    return jobs


def masks_of(pictures: Sequence[Path], masks: Path | None) -> list[Path | None]:
    """The mask of each picture: the one given for a single one, or those of their names in a
    folder.

    Raises:
        MaskError: there is no such file, or none for one of the pictures.
    """
    if masks is None:
        return [None] * len(pictures)
    if not masks.exists():
        raise MaskError(f"--content-mask {masks} does not exist; check the name and the folder.")
    listed = sorted(masks.iterdir()) if masks.is_dir() else []
    named = {as_seen(path.stem): path for path in listed if not hidden(path.name)}
    stems = [as_seen(path.stem) for path in pictures]
    if len(pictures) == 1:
        return [named.get(stems[0], masks)]
    if not masks.is_dir():
        raise MaskError(
            f"--content-mask {masks} is one file for {len(pictures)} pictures; give a folder of "
            "masks with the pictures' names."
        )
    for stem in stems:
        if stem not in named:
            raise MaskError(f"--content-mask {masks}: it holds no mask called {stem}.")
    return [named[stem] for stem in stems]
