"""`sweep`, `batch`, `post`: many runs, into a folder."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack, overload

from photostyle.api.files import mask_file, picture_file
from photostyle.api.running import (
    Running,
    RunningOptions,
    Runs,
    carried_out,
    configuring,
    executor_of,
    parted,
)
from photostyle.config.config import hint
from photostyle.config.keywords import Base, plain_value
from photostyle.errors import InputError, JobsError, OptionError
from photostyle.images.formats.table import usual
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.listing import pictures_in
from photostyle.images.photograph import framed, photograph
from photostyle.images.picture import load_image, paths_of
from photostyle.images.saving import FORMATS, check_output
from photostyle.images.shown import Picture
from photostyle.jobs.axes import FILES, Axis, known_names, parse_axis
from photostyle.jobs.batch import Batch
from photostyle.jobs.campaign import Plan
from photostyle.jobs.chains import (
    GUIDED,
    Operation,
    content_of,
    filtered,
    parse_operation,
    post_jobs,
)
from photostyle.jobs.jobs import check_name
from photostyle.jobs.report import results
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import Configure, Sweep, free_name
from photostyle.places import expanded, folded
from photostyle.runtime.updates import Progress
from photostyle.segmentation.arrays import MaskLike

PathLike = str | os.PathLike[str]


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
    folder = expanded(out)
    where, configure, suffix = prepared(options, config, format)
    roles = {
        "content": content, "style": style, "content_mask": content_mask, "style_mask": style_mask,
    }  # fmt: skip
    files = {role: _value(role, given, folder) for role, given in roles.items()}
    axes = _axes(grid, folder)
    found = Sweep(
        axes=axes, files=files, configure=configure, settings=settings or {}, zipped=zip,
        warm_start=warm_start, suffix=suffix,
    )  # fmt: skip
    plan = found.plan()
    _check_files(plan)
    return carried_out(plan, folder, where, progress, _files(config))


def batch(
    entries: PathLike | Iterable[Mapping[str, Any]] | None = None,
    *,
    pairs: PathLike | None = None,
    out: PathLike,
    config: Base | None = None,
    format: str = "png",
    progress: Progress = False,
    **options: Unpack[RunningOptions],
) -> Runs:
    """Many pairs, each with its own options or all with the same.

    Args:
        entries: a jobs file (.yaml, .csv), or a dict for each job: content and style (pictures in
            any form), perhaps content_mask, style_mask, name, preset, and any option.
        pairs: in its place a folder with content/ and style/, and content_mask/ and style_mask/.
        out, config, format, progress, options: as for `sweep`.

    Raises:
        InputError: of a jobs file for all of its mistakes at once; nothing was run.
        OutputError: the folder is in use, or cannot be written.
    """
    if (entries is None) == (pairs is None):
        raise OptionError("batch takes a jobs file or --pairs DIR; give one of them.")
    where, configure, suffix = prepared(options, config, format)
    folder = expanded(out)
    found = Batch(folder, configure, suffix)
    if pairs is not None:
        plan = found.from_pairs(expanded(pairs))
    elif isinstance(entries, str | os.PathLike):
        plan = found.from_file(expanded(entries))
    else:
        numbered = enumerate(entries or (), start=1)
        plan = Plan(folder.name, tuple(_job(n, entry, found) for n, entry in numbered))
    return carried_out(plan, folder, where, progress, _files(config, entries))


@overload
def post(
    pictures: PictureLike,
    operations: str | Sequence[str],
    *,
    content: PictureLike | None = None,
    out: None = None,
) -> Picture: ...
@overload
def post(
    pictures: PictureLike | Sequence[PictureLike],
    operations: str | Sequence[str],
    *,
    content: PictureLike | None = None,
    out: PathLike,
    progress: Progress = False,
    **options: Unpack[Running],
) -> Runs: ...
def post(
    pictures: PictureLike | Sequence[PictureLike], operations: str | Sequence[str], *,
    content: PictureLike | None = None, out: PathLike | None = None, progress: Progress = False,
    **options: Unpack[Running],
) -> Picture | Runs:  # fmt: skip
    """Finished pictures through post-processing operations; bit depth, alpha and metadata stay.

    Args:
        pictures: a picture in any form, or several, or folders of pictures.
        operations: bilateral, guided, joint-bilateral, affine or median, one after the other, with
            parameters if wanted: "bilateral:d=9,sigma_color=0.1".
        content: the photograph that they were made of, or a folder of photographs with their names;
            without it, the one that a picture's manifest names.
        out: folder of the results; without it the one picture itself comes back.
        progress, options: as for `sweep`; those of `Running` alone.

    Raises:
        InputError: a picture or operation that cannot be used.
    """
    words = [operations] if isinstance(operations, str) else list(operations)
    chain = tuple(parse_operation(word) for word in words)
    if out is None:
        return _filtered(listed(pictures), chain, content)
    folder = expanded(out)
    paths = [p for x in listed(pictures) for p in _pictures(picture_file(x, folder, "The picture"))]
    given = None if content is None else picture_file(content, folder, "The content")
    jobs = post_jobs(paths, chain, given, tuple(FORMATS))
    plan = Plan(" → ".join(map(str, chain)), tuple(jobs))
    return carried_out(plan, folder, options, progress)


def prepared(
    options: Mapping[str, Any], config: Base | None, form: str
) -> tuple[dict[str, Any], Configure, str]:
    """Where the runs take place, their configurations and their suffix; what is unfit shows before
    anything is written.

    Raises:
        OptionError: an unfit option.
    """
    where, values = parted(options)
    executor_of(where)
    if f".{form}" not in FORMATS:
        raise OptionError(f"--format is {form!r}; choose from {', '.join(usual())}.")
    return where, configuring(config, values), f".{form}"


def _files(*given: object) -> list[Path]:
    """Those of arguments that are paths; a configuration's name is none."""
    config, *others = given
    paths = [config] if isinstance(config, os.PathLike) else []
    return [expanded(x) for x in (*paths, *others) if isinstance(x, str | os.PathLike)]


def _axes(grid: Mapping[str, str | Sequence[Any]] | Sequence[str], folder: Path) -> list[Axis]:
    if not grid:
        raise OptionError(
            "--grid is missing: a sweep varies something, such as style_weight=100,1000."
        )
    if not isinstance(grid, Mapping):
        return [parse_axis(words) for words in grid]
    return [_axis(name, values, folder) for name, values in grid.items()]


def _axis(name: str, given: str | Sequence[Any], folder: Path) -> Axis:
    if isinstance(given, str):
        return parse_axis(f"{name}={given}")
    if name not in (known := known_names()):
        raise OptionError(f"--grid: there is nothing called {name}{hint(name, known)}")
    values: list[Any] = [_value(name, value, folder) for value in given]
    if len(set(values)) < len(values):
        raise OptionError(f"--grid {name}: two of the values are the same.")
    return Axis(name, tuple(values), tuple(_label(value) for value in values))


def _value(name: str, given: Any, folder: Path) -> Any:
    if given is None or name == "preset":
        return given
    if name in ("content_mask", "style_mask"):
        return mask_file(given, folder, f"The {name}")
    if name in FILES:
        return picture_file(given, folder, f"The {name}")
    value = plain_value(name, given)
    return tuple(value) if isinstance(value, list) else value


def _label(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(_label(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def _check_files(plan: Plan) -> None:
    """A file that no cell could read shows before the first one runs."""
    for path in dict.fromkeys(path for job in plan.jobs for path in job.files()[:2]):
        load_image(path)
    for job in plan.jobs:
        assert job.key  # reads masks and weights


def _job(number: int, entry: Mapping[str, Any], found: Batch) -> StyleJob:
    """A job of a batch from its dict."""
    try:
        given = dict(entry)
        roles = {role: given.pop(role, None) for role in FILES}
        wanted, preset = given.pop("name", None), given.pop("preset", None)
        values = {option: plain_value(option, value) for option, value in given.items()}
        config = found.configure(preset, values)
        files = _job_files(roles, found.out)
        name = _job_name(wanted, files, found.taken)
        check_output(found.out / f"{name}{found.suffix}", [p for p in files.values() if p])
    except InputError as error:
        raise JobsError(f"Job {number}: {error}") from None
    labels = tuple((option, _label(value)) for option, value in values.items())
    return StyleJob(name=name, config=config, labels=(("job", name), *labels),
                    suffix=found.suffix, named=True, **files)  # type: ignore[arg-type]  # fmt: skip


def _job_files(given: Mapping[str, Any], folder: Path) -> dict[str, Path | None]:
    for role in ("content", "style"):
        if given[role] is None:
            raise JobsError(f"this job has no {role}.")
    if (given["content_mask"] is None) != (given["style_mask"] is None):
        raise JobsError("masks come in pairs: content_mask and style_mask.")
    return {
        role: (mask_file if role.endswith("mask") else picture_file)(value, folder, f"the {role}")
        for role, value in given.items()
    }


def _job_name(given: str | None, files: Mapping[str, Path | None], taken: set[str]) -> str:
    if given is None:
        stems = (path.stem for path in (files["content"], files["style"]) if path)
        return free_name("-".join(stems).lstrip("."), taken)
    fault = check_name(given)
    if folded(given) in taken:
        fault = f"the name {given!r} is there twice"
    if fault:
        raise JobsError(f"{fault}.")
    return free_name(given, taken)


def _filtered(
    pictures: Sequence[PictureLike], chain: tuple[Operation, ...], content: PictureLike | None
) -> Picture:
    """One picture, in memory."""
    if len(pictures) != 1:
        raise OptionError(f"{len(pictures)} pictures are given; several need a folder, out=.")
    given = pictures[0]
    photo = photograph(picture_of(given, "The picture"))
    if content is None and any(operation.name in GUIDED for operation in chain):
        if not isinstance(given, str | os.PathLike):
            raise OptionError(f"{chain[0].name} looks at the content; give it as content=.")
        content = content_of(expanded(given), None)
    guide = None if content is None else photograph(picture_of(content, "The content"))
    read = [photo, *([guide] if guide else [])]
    notes = tuple(note for x in read for note in x.notes)
    image = framed(filtered(photo.image, guide, chain), photo)
    return Picture(image, photo.metadata, notes, paths_of(read))


def _pictures(given: Path) -> list[Path]:
    """A picture, or those of a folder."""
    if not given.is_dir():
        return [given]
    found = results(given)
    if found is None:
        found = pictures_in(given)
    if not found:
        raise OptionError(f"{given}: there is no picture in this folder.")
    return found
