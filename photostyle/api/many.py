"""`sweep` and `post`: many runs, into a folder."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from photostyle.api.files import mask_file, picture_file, picture_files
from photostyle.api.running import (
    Running,
    RunningOptions,
    Runs,
    carried_out,
    label_of,
    prepared,
    read_files,
    results_folder,
)
from photostyle.config.config import Config, hint
from photostyle.config.keywords import Base, plain_value, with_keywords
from photostyle.errors import OptionError
from photostyle.finish.delivery import with_depth
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.photograph import beside, framed, photograph, seen_photograph
from photostyle.images.picture import load_image, paths_of
from photostyle.images.saving import FORMATS
from photostyle.images.shown import Picture
from photostyle.jobs.axes import FILES, Axis, known_names, parse_axis
from photostyle.jobs.campaign import Plan
from photostyle.jobs.chains import (
    GUIDED,
    Operation,
    content_of,
    filtered,
    parse_operation,
    post_jobs,
)
from photostyle.jobs.sweep import Sweep
from photostyle.places import expanded
from photostyle.runtime.updates import Progress
from photostyle.segmentation.arrays import MaskLike

PathLike = str | os.PathLike[str]
#: Bits of each channel.
Depth = Literal[8, 16, "8", "16", "keep"]


def sweep(
    content: PictureLike | None,
    style: PictureLike | None,
    grid: Mapping[str, str | Sequence[Any]] | Sequence[str],
    *,
    out: PathLike,
    config: Base | None = None,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    settings: Mapping[str, Any] | None = None,
    zip: bool = False,
    warm_start: bool = False,
    format: str = "png",
    progress: Progress = False,
    **options: Unpack[RunningOptions],
) -> Runs:
    """One pair under every combination of some values, side by side.

    Args:
        content, style: pictures in any form (see `stylize`); None where an axis varies them.
        grid: what varies: an option, "preset", or a role such as "content_mask", with a list of
            values or the command line's words, as in {"style_weight": [100, 1000], "size":
            "200..400:lin3"}; or a list of such words, "size=200,400".
        out: folder of the results. Run again, only what is missing or changed is done.
        config, options: of all cells, as for `stylize`; and those of `Running`.
        settings: values of every cell, by name, that may be a preset or a file, too.
        zip: walk the axes together instead of crossing them.
        warm_start: begin each cell of a row with the result of the one before it.
        format: png, jpg, tif or webp.
        progress: see `stylize`; told once for each job.

    Raises:
        InputError: a picture, axis or option that cannot be used; nothing was run.
        OutputError: the folder is in use, or cannot be written.
    """
    where, folder, configure, suffix = prepared(options, out, config, format)
    roles = {
        "content": content, "style": style, "content_mask": content_mask, "style_mask": style_mask,
    }  # fmt: skip
    axes = _axes(grid, folder)  # before anything is written
    files = {role: _value(role, given, folder) for role, given in roles.items()}
    found = Sweep(
        axes=axes, files=files, configure=configure, settings=settings or {}, zipped=zip,
        warm_start=warm_start, suffix=suffix,
    )  # fmt: skip
    plan = found.plan()
    _check_files(plan)
    return carried_out(plan, folder, where, progress, read_files(config))


@overload
def post(
    pictures: PictureLike,
    operations: str | Sequence[str],
    *,
    content: PictureLike | None = None,
    bit_depth: Depth | None = None,
    out: None = None,
) -> Picture: ...
@overload
def post(
    pictures: PictureLike | Sequence[PictureLike],
    operations: str | Sequence[str],
    *,
    content: PictureLike | None = None,
    bit_depth: Depth | None = None,
    out: PathLike,
    progress: Progress = False,
    **options: Unpack[Running],
) -> Runs: ...
def post(
    pictures: PictureLike | Sequence[PictureLike], operations: str | Sequence[str], *,
    content: PictureLike | None = None, bit_depth: Depth | None = None,
    out: PathLike | None = None, progress: Progress = False, **options: Unpack[Running],
) -> Picture | Runs:  # fmt: skip
    """Finished pictures through post-processing operations; bit depth, alpha and metadata stay.

    Args:
        pictures: a picture in any form, or several, or folders of pictures.
        operations: bilateral, guided, joint-bilateral, affine or median, one after the other, with
            parameters if wanted: "bilateral:d=9,sigma_color=0.1".
        content: the photograph that they were made of, or a folder of photographs with their names;
            without it, the one that a picture's manifest names.
        bit_depth: bits of each channel, 8, 16 or "keep"; without it, the pictures' own.
        out: folder of the results; without it the one picture itself comes back.
        progress, options: as for `sweep`; those of `Running` alone.

    Raises:
        InputError: a picture or operation that cannot be used.
    """
    words = [operations] if isinstance(operations, str) else list(operations)
    chain = tuple(parse_operation(word) for word in words)
    depth = with_keywords(Config(), {"bit_depth": bit_depth}).render.bit_depth
    if out is None:
        filtered = _filtered(listed(pictures), chain, content)
        return replace(filtered, metadata=with_depth(filtered.metadata, depth))
    folder = results_folder(out)
    paths = picture_files(listed(pictures), folder, "The picture")
    given = None if content is None else picture_file(content, folder, "The content")
    jobs = post_jobs(paths, chain, given, tuple(FORMATS), depth)
    plan = Plan(" → ".join(map(str, chain)), tuple(jobs))
    return carried_out(plan, folder, options, progress)


def _axes(grid: Mapping[str, str | Sequence[Any]] | Sequence[str], folder: Path) -> list[Axis]:
    if not grid:
        raise OptionError(
            "--grid is missing: a sweep varies something, such as style_weight=100,1000."
        )
    if isinstance(grid, str):
        grid = [grid]
    if not isinstance(grid, Mapping):
        return [parse_axis(words) for words in grid]
    return [_axis(name, values, folder) for name, values in grid.items()]


def _axis(name: str, given: str | Sequence[Any], folder: Path) -> Axis:
    if isinstance(given, str):
        return parse_axis(f"{name}={given}")
    if name not in (known := known_names()):
        raise OptionError(f"--grid: there is nothing called {name}{hint(name, known)}")
    if not isinstance(given, Iterable):
        raise OptionError(f"--grid {name}: give a list of values, such as [{label_of(given)}].")
    values: list[Any] = [_value(name, value, folder) for value in given]
    if len(set(values)) < len(values):
        raise OptionError(f"--grid {name}: two of the values are the same.")
    return Axis(name, tuple(values), tuple(label_of(value) for value in values))


def _value(name: str, given: Any, folder: Path) -> Any:
    if given is None or name == "preset":
        return given
    if name in ("content_mask", "style_mask"):
        return mask_file(given, folder, f"The {name}")
    if name in FILES:
        return picture_file(given, folder, f"The {name}")
    value = plain_value(name, given)
    return tuple(value) if isinstance(value, list) else value


def _check_files(plan: Plan) -> None:
    """A file that no cell could read shows before the first one runs."""
    for path in dict.fromkeys(path for job in plan.jobs for path in job.files()[:2]):
        load_image(path)
    for job in plan.jobs:
        assert job.key  # reads masks and weights


def _filtered(
    pictures: Sequence[PictureLike], chain: tuple[Operation, ...], content: PictureLike | None
) -> Picture:
    """One picture, in memory."""
    if len(pictures) != 1:
        raise OptionError(f"{len(pictures)} pictures are given; several need a folder, out=.")
    given = pictures[0]
    photo = seen_photograph(picture_of(given, "The picture"), "The picture")
    if content is None and any(operation.name in GUIDED for operation in chain):
        if not isinstance(given, str | os.PathLike):
            raise OptionError(f"{chain[0].name} looks at the content; give it as content=.")
        content = content_of(expanded(given), None)
    guide = None if content is None else photograph(picture_of(content, "The content"))
    read = [photo, *([guide] if guide else [])]
    notes = tuple(note for x in read for note in x.notes)
    made = filtered(photo.image, guide, chain)
    return Picture(framed(made, photo), photo.metadata, notes, paths_of(read), beside(made, photo))
