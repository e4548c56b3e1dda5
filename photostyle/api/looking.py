"""`apply_look`: a look over many photographs and films, into a folder."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack

from photostyle.api.files import mask_file, picture_files
from photostyle.api.running import RenderingOptions, Runs, carried_out, parted, results_folder
from photostyle.config.config import Config
from photostyle.config.keywords import with_keywords
from photostyle.errors import OptionError
from photostyle.films.containers import VIDEO_SUFFIXES
from photostyle.films.encoding import check_quality
from photostyle.images.given import PictureLike, listed
from photostyle.images.listing import PICTURES
from photostyle.images.saving import FORMATS
from photostyle.jobs.campaign import Plan
from photostyle.jobs.looking import Finding, look_jobs
from photostyle.looks.look import SUFFIX, Look
from photostyle.looks.passages import Keeping
from photostyle.places import expanded
from photostyle.runtime.updates import Progress, Update, Watched
from photostyle.segmentation.arrays import MaskLike

#: Keywords of `apply_look` that are no options.
OWN = ("out", "content_mask", "segmenter", "consistency", "key_frames", "codec", "quality",
       "progress")  # fmt: skip


def apply_look(
    look: Look | str | os.PathLike[str], pictures: PictureLike | Sequence[PictureLike], *,
    out: str | os.PathLike[str], content_mask: MaskLike | None = None,
    segmenter: Literal["auto", "semantic", "none"] = "auto", segmenter_model: str | None = None,
    segmenter_groups: str | os.PathLike[str] | None = None,
    palette: str | os.PathLike[str] | None = None,
    consistency: Literal["shot", "whole", "frame"] = "shot", key_frames: int = 1,
    codec: str = "h264", quality: int | None = None, progress: Progress = False,
    **options: Unpack[RenderingOptions],
) -> Runs:  # fmt: skip
    """Photographs and films under a look, each at its own size and depth, into a folder.

    Args:
        look: a Look, or its file.
        pictures: in any form, or films, or folders of them.
        out: folder of the results. Run again, only what is missing or changed is done.
        content_mask: masks of the one picture, or a folder of masks with the pictures' names; of a
            film, those of its first frame, which are followed over the first shot.
        segmenter: how regions are found where the look has some: "auto" takes the masks given,
            else the kind of network that the look was fitted with where it is on this machine,
            else the look of the whole; "semantic" a network in any case; "none" the whole's.
        segmenter_model, segmenter_groups, palette: as for `segment`.
        consistency, key_frames: of films, over what noise is measured once, and on how many frames
            of a shot a network finds regions; see `stylize_film`.
        codec, quality: of films, as for `apply`.
        progress: see `stylize`; told once for each picture, and of the frames of films.
        options: of rendering, such as `strength=0.7`; and those of `Running`.

    Raises:
        InputError: a look, picture, mask or option that cannot be used.
        OutputError: the folder is in use, or cannot be written.
    """
    finding = _finding(segmenter, segmenter_model, segmenter_groups, palette)
    folder = results_folder(out)
    where, values = parted(options)
    chosen = with_keywords(Config(), values, OWN, ("render",)).render
    file = _look_file(look, folder)
    Look.load(file).check(chosen)
    paths = picture_files(listed(pictures), folder, "The picture", (*PICTURES, *VIDEO_SUFFIXES))
    mask = mask_file(content_mask, folder, "The mask")
    check_quality(codec, quality)
    Keeping(consistency, key_frames)  # what is unfit shows before the first picture
    film: dict[str, Any] = {"keeping": (consistency, key_frames), "codec": codec}
    with Watched(progress) as watched:
        film |= {"quality": quality, "tell": _telling(watched) if _here(where) else None}
        jobs = look_jobs(
            paths, mask, tuple(FORMATS), film, look=file, options=chosen, finding=finding
        )
        plan, read = Plan(file.stem, tuple(jobs)), _read(finding.groups, finding.palette)
        return carried_out(plan, folder, where, watched.teller.tell, read)


def _finding(segmenter: str, *files: str | os.PathLike[str] | None) -> Finding:
    """How regions are found, with the network, the table of groups and the palette."""
    if segmenter not in ("auto", "semantic", "none"):
        raise OptionError(f"--segmenter is {segmenter!r}; choose from auto, semantic, none.")
    model, groups, palette = (None if one is None else str(expanded(one)) for one in files)
    return Finding(segmenter, model, groups, palette)


def _here(where: Mapping[str, Any]) -> bool:
    """Whether jobs run in this process."""
    return bool(where.get("jobs", 1) == 1 and where.get("executor", "local") == "local")


def _telling(watched: Watched) -> Callable[[str, int, int], None]:
    """Told of frames, or of something for the user."""

    def tell(what: str, done: int, total: int) -> None:
        said = ("jobs", what) if not done else (what, "")
        watched.teller.tell(Update(*said, done, total))

    return tell


def _look_file(look: Look | str | os.PathLike[str], folder: Path) -> Path:
    """The look's path; one that is no file is written below the folder."""
    if not isinstance(look, Look):
        return expanded(look)
    path = folder / "inputs" / f"{look.sha256[:16]}{SUFFIX}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        look.save(path)
    return path


def _read(*words: str | None) -> list[Path]:
    return [path for word in words if word and (path := Path(word)).exists()]
