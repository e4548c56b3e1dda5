"""`apply_look`: a look over many photographs, into a folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from photostyle.api.files import mask_file, picture_files
from photostyle.api.running import RenderingOptions, Runs, carried_out, parted
from photostyle.config.config import Config
from photostyle.config.keywords import with_keywords
from photostyle.errors import OptionError
from photostyle.images.given import PictureLike, listed
from photostyle.images.saving import FORMATS
from photostyle.jobs.campaign import Plan
from photostyle.jobs.looking import Finding, look_jobs
from photostyle.looks.look import SUFFIX, Look
from photostyle.places import expanded
from photostyle.runtime.updates import Progress
from photostyle.segmentation.arrays import MaskLike

#: Keywords of `apply_look` that are no options.
OWN = ("out", "content_mask", "segmenter", "progress")


def apply_look(
    look: Look | str | os.PathLike[str],
    pictures: PictureLike | Sequence[PictureLike],
    *,
    out: str | os.PathLike[str],
    content_mask: MaskLike | None = None,
    segmenter: Literal["auto", "semantic", "none"] = "auto",
    segmenter_model: str | None = None,
    segmenter_groups: str | os.PathLike[str] | None = None,
    palette: str | os.PathLike[str] | None = None,
    progress: Progress = False,
    **options: Unpack[RenderingOptions],
) -> Runs:
    """Photographs under a look, each at its own size and depth, into a folder.

    Args:
        look: a Look, or its file.
        pictures: in any form, or folders of them.
        out: folder of the results. Run again, only what is missing or changed is done.
        content_mask: masks of the one picture, or a folder of masks with the pictures' names.
        segmenter: how regions are found where the look has some: "auto" takes the masks given,
            else the kind of network that the look was fitted with where it is on this machine,
            else the look of the whole; "semantic" a network in any case; "none" the whole's.
        segmenter_model, segmenter_groups, palette: as for `segment`.
        progress: see `stylize`; told once for each picture.
        options: of rendering, such as `strength=0.7`; and those of `Running`.

    Raises:
        InputError: a look, picture, mask or option that cannot be used.
        OutputError: the folder is in use, or cannot be written.
    """
    if segmenter not in ("auto", "semantic", "none"):
        raise OptionError(f"--segmenter is {segmenter!r}; choose from auto, semantic, none.")
    folder = expanded(out)
    where, values = parted(options)
    chosen = with_keywords(Config(), values, OWN, ("render",)).render
    file = _look_file(look, folder)
    Look.load(file).check(chosen)
    paths = picture_files(listed(pictures), folder, "The picture")
    mask = mask_file(content_mask, folder, "The mask")
    groups, colours = (None if x is None else str(expanded(x)) for x in (segmenter_groups, palette))
    finding = Finding(segmenter, segmenter_model, groups, colours)
    jobs = look_jobs(paths, mask, tuple(FORMATS), look=file, options=chosen, finding=finding)
    return carried_out(
        Plan(file.stem, tuple(jobs)), folder, where, progress, _read(groups, colours)
    )


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
