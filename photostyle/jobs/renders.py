"""Finished results delivered again, at another strength, size or depth, one or a folder of them."""

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from photostyle.beside import beside, grade_path
from photostyle.brief import Brief
from photostyle.config.rendering import RenderConfig
from photostyle.errors import ImageError, InputError, OptionError
from photostyle.finish.delivery import Grade, deliver, deliver_wide, fitting_metadata, size_note
from photostyle.images.listing import files_below
from photostyle.images.photograph import Photograph, framed, photograph
from photostyle.images.picture import image_size, load_image, paths_of, same_proportions
from photostyle.images.saving import FORMATS, lost_note, save_image
from photostyle.images.shown import Picture
from photostyle.jobs.jobs import Record, key_of, sha256_of
from photostyle.jobs.report import done, results
from photostyle.jobs.sweep import free_name
from photostyle.jobs.verdicts import compared, is_painting
from photostyle.loading import viewing_of
from photostyle.places import as_seen
from photostyle.result import Recipe, load_recipe
from photostyle.runtime.memory import Memory


def delivered(
    photo: Photograph, grade: Grade, chosen: RenderConfig, read: Sequence[Path] = ()
) -> Picture:
    """A grade on its content.

    Args:
        read: files that went in besides the content.

    Raises:
        ImageError: the content has other proportions than the grade's.
    """
    if not same_proportions(image_size(photo.image), grade.masks.shape[1:]):
        raise ImageError(
            f"{photo.path or 'The content'} has other proportions than the result; it is not its "
            "content."
        )
    image = framed(deliver(photo, grade, chosen), photo)
    note = size_note(photo, grade, chosen)
    notes = (*photo.notes, *([note] if note else []))
    metadata, wide = fitting_metadata(photo, image, chosen), deliver_wide(photo, grade, chosen)
    return Picture(image, metadata, notes, (*paths_of([photo]), *read), wide)


def as_run(chosen: RenderConfig, run: RenderConfig) -> RenderConfig:
    """What is asked for, with the run's depth and colour space where nothing is said of them."""
    return replace(
        chosen,
        bit_depth=chosen.bit_depth or run.bit_depth,
        output_space=chosen.output_space or run.output_space,
    )


def stored(
    path: Path, content: Photograph | None, side: Path | None = None
) -> tuple[Recipe, Photograph, Grade, tuple[Path, ...]]:
    """What a saved result was made of, its grade, and the files that were read.

    Raises:
        InputError: the result or its content is missing or has changed.
    """
    recipe = load_recipe(path, side)
    if content is None:
        recipe.verify(encoder=False)
        content = photograph(
            load_image(recipe.inputs.content.file("content"), viewing_of(recipe.config))
        )
    files = beside(path, recipe.side_files)
    return recipe, content, Grade.load(grade_path(path, recipe.side_files)), (path, *files)


@dataclass(frozen=True)
class RenderJob(Brief):
    """A saved result delivered again.

    Attributes:
        name, labels: see `jobs.Job`.
        result: the picture. side: the folder of its side files, where these have one.
        chosen: how it is delivered.
    """

    name: str
    result: Path
    chosen: RenderConfig
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ".png"
    side: Path | None = None

    @functools.cached_property
    def _recipe(self) -> Recipe:
        return load_recipe(self.result, self.side)

    @functools.cached_property
    def key(self) -> str:
        return key_of({
            "kind": "render",
            "options": {name: value for name, value in vars(self.chosen).items() if value},
            "inputs": [sha256_of(path) if path.is_file() else None for path in self.files()],
            "place": self.name + self.suffix,
        })  # fmt: skip

    def files(self) -> list[Path]:
        inputs = (file.path for _, file in self._recipe.inputs.named())
        grade = grade_path(self.result, self._recipe.side_files)
        return [*(path for path in inputs if path is not None), self.result, grade]

    def writes(self, folder: Path) -> list[Path]:
        return [folder / (self.name + self.suffix)]

    def run(self, folder: Path, memory: Memory) -> Record:
        """Writes the picture.

        Raises:
            InputError: the result or its content is missing or has changed.
        """
        began = time.monotonic()
        recipe, photo, grade, read = stored(self.result, None, self.side)
        picture = delivered(photo, grade, as_run(self.chosen, recipe.config.render), read)
        place = folder / (self.name + self.suffix)
        save_image(place, picture.image, picture.metadata, wide=picture.wide)
        lost = lost_note(place, picture.metadata)
        warnings = () if is_painting(recipe.config) else compared(
            picture.image, photo, grade.masks, _styles(recipe)
        )  # fmt: skip
        return {
            "picture": self.name + self.suffix, "seconds": round(time.monotonic() - began, 3),
            "size": [picture.image.shape[3], picture.image.shape[2]],
            "warnings": list(warnings), "remarks": [*picture.notes, *([lost] if lost else [])],
        }  # fmt: skip


def _styles(recipe: Recipe) -> list[Tensor]:
    """Those that are still there."""
    paths = (file.path for file in recipe.inputs.styles)
    return [load_image(path).image for path in paths if path is not None and path.is_file()]


def render_jobs(
    folder: Path, chosen: RenderConfig, words: str, side: Path | None = None
) -> tuple[list[RenderJob], list[str]]:
    """A job for each result in a folder and below it.

    Args:
        words: what was asked for, as it stands under the pictures.

    Returns: the jobs, and sentences on what is left out.

    Raises:
        OptionError: there is none.
    """
    taken: set[str] = set()
    jobs = []
    found = _results(folder, side)
    known = [(path, its) for path, its in found if _is_result(path, its)]
    for path, its in known:
        name = as_seen(path.relative_to(folder).with_suffix("").as_posix())
        free = free_name(name, taken)
        labels = (("photograph", free), ("render", words))
        jobs.append(RenderJob(free, path, chosen, labels, path.suffix, its))
    if not jobs:
        raise OptionError(
            f"{folder}: there is no result in this folder with its manifest and colour maps; give "
            "the --out of a batch, or --side-files where these lie."
        )
    left = len(found) - len(known)
    pictures = "1 picture has" if left == 1 else f"{left} pictures have"
    notes = (
        [f"{pictures} no colour maps that are found; nothing is rendered of them."] if left else []
    )
    return jobs, notes if results(folder) is not None else []


def _results(folder: Path, side: Path | None) -> list[tuple[Path, Path | None]]:
    """Pictures that may be results, with the folders of their side files."""
    if results(folder) is None:
        return [(path, side) for path in files_below(folder, FORMATS)]
    found = []
    for record in done(folder):
        named = record.get("side_files")
        its = folder / named if side is None and isinstance(named, str) else side
        found.append((folder / record["picture"], its))
    return found


def _is_result(path: Path, side: Path | None) -> bool:
    try:
        recipe = load_recipe(path, side)
    except InputError:
        return False
    return grade_path(path, recipe.side_files).is_file() and recipe.inputs.content.path is not None
