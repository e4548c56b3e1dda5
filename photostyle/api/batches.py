"""`batch`: many pairs, or photographs of a folder, into another folder."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack, cast, overload

from photostyle.api.files import mask_file, picture_file
from photostyle.api.running import (
    RunningOptions,
    Runs,
    carried_out,
    label_of,
    prepared,
    read_files,
)
from photostyle.beside import SideFiles
from photostyle.config.config import Config
from photostyle.config.keywords import Base, plain_value
from photostyle.errors import InputError, JobsError, OptionError, unpaired
from photostyle.images.given import PictureLike, listed
from photostyle.images.picture import load_image
from photostyle.images.saving import FORMATS, check_output
from photostyle.jobs.axes import FILES
from photostyle.jobs.batch import Batch
from photostyle.jobs.campaign import Plan
from photostyle.jobs.jobs import check_name
from photostyle.jobs.photographs import Album, album
from photostyle.jobs.stylejob import StyleJob
from photostyle.jobs.sweep import free_name
from photostyle.objective.styles import check_styles
from photostyle.places import expanded, folded
from photostyle.runtime.updates import Progress
from photostyle.segmentation.arrays import MaskLike

PathLike = str | os.PathLike[str]
#: Ends of jobs files.
JOBS_FILES = (".yaml", ".yml", ".csv")
ROLES = ("content's", "style's")


@overload
def batch(
    entries: PathLike | Iterable[Mapping[str, Any]] | None = None,
    *,
    pairs: PathLike | None = None,
    out: PathLike,
    config: Base | None = None,
    format: str = "png",
    side_files: PathLike | None = None,
    progress: Progress = False,
    **options: Unpack[RunningOptions],
) -> Runs: ...
@overload
def batch(
    entries: PictureLike | Sequence[PictureLike],
    style: PictureLike | Sequence[PictureLike],
    *,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    out: PathLike,
    config: Base | None = None,
    format: str = "png",
    side_files: PathLike | None = None,
    progress: Progress = False,
    **options: Unpack[RunningOptions],
) -> Runs: ...
def batch(
    entries: PictureLike | Sequence[PictureLike] | Iterable[Mapping[str, Any]] | None = None,
    style: PictureLike | Sequence[PictureLike] | None = None, *, pairs: PathLike | None = None,
    content_mask: MaskLike | None = None, style_mask: MaskLike | None = None, out: PathLike,
    config: Base | None = None, format: str = "png", side_files: PathLike | None = None,
    progress: Progress = False, **options: Unpack[RunningOptions],
) -> Runs:  # fmt: skip
    """Many photographs after one style, or many pairs, each with its own options.

    Every photograph is delivered at its own size and depth, with its metadata.

    Args:
        entries: with `style`: photographs in any form, folders of them, searched to the bottom, and
            globs. Without it: a jobs file (.yaml, .csv), or a dict for each job: content and style
            (pictures in any form), perhaps content_mask, style_mask, name, preset, and any option.
        style: what the photographs take after, in any form; several are blended.
        pairs: in place of entries a folder with content/ and style/, and content_mask/ and
            style_mask/.
        content_mask: of the one photograph, in any form; of several a folder of masks with their
            names. style_mask: of the (first) style.
        format: png, jpg, tif, webp, or keep: each photograph's own where it can be written.
        side_files: a folder for manifests, colour maps and heat maps, or "none" for none of them.
        out, config, progress, options: as for `sweep`.

    Raises:
        InputError: of a jobs file for all of its mistakes at once; nothing was run.
        OutputError: the folder is in use, or cannot be written.
    """
    form = "png" if format == "keep" else format
    where, folder, configure, suffix = prepared(options, out, config, form)
    side = SideFiles.of(side_files)
    if side.folder is not None and where.get("executor") == "ray":
        raise OptionError("--side-files with a folder belongs to --executor local; give none.")
    notes: Sequence[str] = ()
    if style is not None:
        if pairs is not None:
            raise OptionError("--style and --pairs: give one of them; pairs have their own styles.")
        found = _album(
            entries, style, (content_mask, style_mask), folder, base := configure(None, {})
        )
        plan, notes = found.plan(base, suffix), (*found.notes, *found.without_masks())
    elif content_mask is not None or style_mask is not None:
        raise OptionError("--style is missing: the masks belong to photographs and their style.")
    else:
        plan = _pairs(entries, pairs, Batch(folder, configure, suffix))
    plan = _delivered(plan, side, keep=format == "keep")
    return carried_out(plan, folder, where, progress, read_files(config, *_given(entries)), notes)


def _pairs(entries: Any, pairs: PathLike | None, found: Batch) -> Plan:
    """The jobs of a file, of dicts or of a folder of pairs."""
    if (entries is None) == (pairs is None):
        raise OptionError(
            "batch takes photographs with --style, or a jobs file, or --pairs DIR; give one."
        )
    if pairs is not None:
        return found.from_pairs(expanded(pairs))
    if isinstance(entries, list | tuple) and len(entries) == 1 and _is_path(entries[0]):
        entries = entries[0]
    if _is_path(entries):
        path = expanded(entries)
        if path.suffix.lower() not in JOBS_FILES:
            raise OptionError(
                f"{path}: --style is missing: photographs need one; a jobs file ends in .yaml or "
                ".csv."
            )
        return found.from_file(path)
    several = entries if isinstance(entries, Iterable) else [entries]
    numbered = list(enumerate(several, start=1))
    if not all(isinstance(entry, Mapping) for _, entry in numbered):
        raise OptionError("--style is missing: photographs need one.")
    return Plan(found.out.name, tuple(_job(n, entry, found) for n, entry in numbered))


def _album(
    entries: Any,
    style: PictureLike | Sequence[PictureLike],
    masks: tuple[MaskLike | None, MaskLike | None],
    out: Path,
    config: Config,
) -> Album:
    """The photographs and what they take after; a style that is no picture shows before a run."""
    if isinstance(entries, Mapping) or any(isinstance(x, Mapping) for x in _given(entries)):
        raise OptionError("style is for photographs; jobs that are dicts name their own.")
    given = _given(entries)
    if not given:
        raise OptionError("There are no photographs; give them, or their folder, before --style.")
    if len(given) == 1 and _is_path(given[0]) and expanded(given[0]).suffix in JOBS_FILES:
        raise OptionError(
            f"--style and {given[0]}: give one of them; a jobs file names its own styles."
        )
    styles = [picture_file(x, out, "The style") for x in listed(style)]
    check_styles(len(styles), config)
    for path in styles:
        load_image(path)
    files = [picture_file(x, out, "A photograph") for x in given]
    named = [] if any(map(_is_path, given)) else [f"photograph-{n + 1}" for n in range(len(given))]
    found = album(files, styles, out, named)
    mine, its = (mask_file(x, out, f"The {n} mask") for x, n in zip(masks, ROLES, strict=True))
    return dataclasses.replace(found, content_mask=mine, style_mask=its)


def _delivered(plan: Plan, side: SideFiles, *, keep: bool) -> Plan:
    """The plan with its results' side files where they are wanted, and in their contents' own
    formats."""
    jobs = [dataclasses.replace(cast(StyleJob, j), side_files=side.to_word()) for j in plan.jobs]
    if keep:
        jobs = [dataclasses.replace(job, suffix=own_suffix(job.content)) for job in jobs]
    return dataclasses.replace(plan, jobs=tuple(jobs))


def own_suffix(path: Path) -> str:
    """A picture's suffix, where that can be written; else .png."""
    suffix = path.suffix.lower()
    return suffix if suffix in FORMATS else ".png"


def _given(entries: Any) -> list[Any]:
    if entries is None or isinstance(entries, Mapping):
        return []
    if isinstance(entries, list | tuple):
        return list(entries)
    return listed(entries)


def _is_path(given: Any) -> bool:
    return isinstance(given, str | os.PathLike)


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
        raise JobsError(f"Job {number}: {error.as_typed}") from None
    labels = tuple((option, label_of(value)) for option, value in values.items())
    return StyleJob(name=name, config=config, labels=(("job", name), *labels),
                    suffix=found.suffix, named=True, **files)  # type: ignore[arg-type]  # fmt: skip


def _job_files(given: Mapping[str, Any], folder: Path) -> dict[str, Path | None]:
    for role in ("content", "style"):
        if given[role] is None:
            raise JobsError(f"this job has no {role}.")
    if fault := unpaired(given["content_mask"], given["style_mask"]):
        raise JobsError(fault)
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
