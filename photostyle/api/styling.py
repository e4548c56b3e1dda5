"""`segment`, `stylize`, `render`: one photograph."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack, overload

from photostyle import pipeline
from photostyle.api.regions import Regions
from photostyle.api.running import RenderingOptions, Runs, carried_out, parted, results_folder
from photostyle.config.config import Config, option_files
from photostyle.config.keywords import (
    Base,
    Options,
    RenderOptions,
    SegmentationOptions,
    configured,
    with_keywords,
)
from photostyle.errors import ImageError, OptionError
from photostyle.films.containers import VIDEO_SUFFIXES
from photostyle.images.given import PictureLike, picture_of
from photostyle.images.photograph import photograph, seen_photograph
from photostyle.images.picture import image_size, paths_of
from photostyle.images.shown import Picture
from photostyle.jobs.campaign import Plan
from photostyle.jobs.renders import as_run, delivered, render_jobs, stored
from photostyle.loading import LEAST_SIDE
from photostyle.objective.styles import fitted_image
from photostyle.places import expanded
from photostyle.result import Result
from photostyle.runtime.memory import Memory
from photostyle.runtime.updates import Progress, Watched
from photostyle.runtime.watching import Listener
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.segmenter import (
    CONTENT_MASK,
    STYLE_MASK,
    Wishes,
    drawings_of,
    segment_alone,
    segment_pair,
)

PathLike = str | os.PathLike[str]
#: Keywords of `stylize` that are no options.
OWN = ("config", "content_mask", "style_mask", "start", "progress", "listener", "memory")


def stylize(
    content: PictureLike,
    style: PictureLike | Sequence[PictureLike],
    config: Base | None = None,
    *,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    start: PictureLike | None = None,
    progress: Progress = False,
    listener: Listener | None = None,
    memory: Memory | None = None,
    **options: Unpack[Options],
) -> Result:
    """The content photograph with the style's light, colour and mood.

    Args:
        content, style: pictures: paths, PIL images, NumPy arrays H×W, H×W×3 or H×W×4 (uint8,
            uint16 or float in [0, 1]), or torch tensors 3×H×W; several styles as a list.
        config: a preset's name, such as "photoreal", a Config, or the path of a TOML or JSON file
            of options.
        content_mask, style_mask: regions that pair up: paths of label pictures, arrays H×W of
            integer ids, soft masks K×H×W in [0, 1], or a dict of planes H×W by name. Of several
            styles they belong to the first.
        start: a picture for the solves to begin with in place of `init`'s.
        progress: True for a bar, a notebook's own in a notebook, or a function of an `Update`.
        listener: is told of stages and iterations in place of `progress`.
        memory: keeps what several runs share.
        options: by the names of the command line, with underscores: `size=512`,
            `photoreal_weight=1e4`, `encoder="vgg19"`. They go before the config's.

    Returns:
        The Result; after Ctrl-C in a solve that of its best picture, marked `interrupted`.

    Raises:
        InputError: an input or option cannot be used; the sentence says what would be right.
        SolveError: the objective was not finite.
    """
    chosen = configured(config, options, OWN)
    if (
        isinstance(content, str | os.PathLike)
        and expanded(content).suffix.lower() in VIDEO_SUFFIXES
    ):
        raise ImageError(f"{content} is a film; photostyle.stylize_film is for films.")
    with Watched(progress, listener) as watched:
        return pipeline.stylize(
            content, style, chosen, content_mask=content_mask, style_mask=style_mask,
            listener=watched.listener, start=start, memory=memory,
        )  # fmt: skip


def segment(
    content: PictureLike,
    style: PictureLike | None = None,
    *,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    **options: Unpack[SegmentationOptions],
) -> Regions:
    """The regions of a picture, or of two that pair up, as a run with them would use them.

    Args:
        content, style: pictures in any form; see `stylize`.
        content_mask, style_mask: masks in any form, to be paired and cleaned.
        options: of the segmentation, such as `segmenter="cluster"`.

    Raises:
        InputError: a picture, mask or option that cannot be used.
    """
    config = with_keywords(
        Config(), options, ("style", "content_mask", "style_mask"), ("segmentation",)
    )
    photos = [seen_photograph(picture_of(content, "The content"), "The content")]
    if style is not None:
        photos.append(seen_photograph(picture_of(style, "The style"), "The style"))
    images = [fitted_image(photo.image, config.image.size, LEAST_SIDE) for photo in photos]
    drawn = config.segmentation.segmenter in ("auto", "labels")
    masks = mask_of(content_mask, CONTENT_MASK), mask_of(style_mask, STYLE_MASK)
    drawings = drawings_of((masks if drawn else (None, None))[: len(photos)], photos)
    wishes = Wishes(**vars(config.segmentation))
    weights = [p.weight_at(image_size(x)) for p, x in zip(photos, images, strict=True)]
    if len(photos) == 1:
        paired, made = segment_alone(images[0], drawings[0], wishes, weights[0])
    else:
        both = weights[0], weights[1]
        paired, made = segment_pair(images[0], images[1], drawings, wishes, both)
    read = [mask for mask in masks if isinstance(mask, Path)]
    return Regions(
        paired, made.maps, made.used, tuple(photo.shown for photo in photos),
        notes=tuple(dict.fromkeys(note for photo in photos for note in photo.notes)),
        made_of=(*paths_of(photos), *read, *option_files(config).values()),
    )  # fmt: skip


@overload
def render(
    result: Result | PathLike,
    *,
    content: PictureLike | None = None,
    side_files: PathLike | None = None,
    out: None = None,
    **options: Unpack[RenderOptions],
) -> Picture: ...
@overload
def render(
    result: PathLike,
    *,
    side_files: PathLike | None = None,
    out: PathLike,
    progress: Progress = False,
    **options: Unpack[RenderingOptions],
) -> Runs: ...
def render(
    result: Result | PathLike, *, content: PictureLike | None = None,
    side_files: PathLike | None = None, out: PathLike | None = None, progress: Progress = False,
    **options: Unpack[RenderingOptions],
) -> Picture | Runs:  # fmt: skip
    """A finished result at another strength, size or depth, at once; or all results of a folder.
    A run's own strength is not kept: `strength=0.7` means 0.7, whatever it was before. Its depth
    and colour space are, where nothing else is asked for.

    Args:
        result: a Result, or the path of a saved one, picture or .json; with `out`, of a folder.
        content: its photograph, where it has moved, or was no file when a saved result was made.
        side_files: the folder of the side files, where the result does not name it.
        out: the folder that a folder's results are delivered to; what is there stays.
        progress: told once for each result of a folder.
        options: of rendering, such as `strength=0.7`, `strength={"blue": 0.5}`,
            `output_size=2048`, `protect="skin"`, `bit_depth=16`; with a folder those of `Running`.

    Returns:
        The picture; its notes say where fewer pixels come than were asked for.

    Raises:
        InputError: the result or its content is missing or has changed, or an unfit option.
        OutputError: the folder cannot be written, or is where the results lie.
    """
    side = None if side_files is None else expanded(side_files)
    where, values = parted(options)
    chosen = with_keywords(Config(), values, ("content", "side_files", "out"), ("render",)).render
    if out is not None:
        if isinstance(result, Result):
            raise OptionError("out= is for folders of results; save what comes back without it.")
        folder, target = expanded(result), results_folder(out)
        if not folder.is_dir():
            raise OptionError(f"{folder} is no folder; out= is for folders of results.")
        words = ", ".join(f"{name} {value}" for name, value in values.items()) or "strength 1"
        jobs, notes = render_jobs(folder, chosen, words, side)
        return carried_out(Plan(words, tuple(jobs)), target, where, progress, notes=notes)
    if where:
        raise OptionError(f"{next(iter(where))} is for folders of results, with out=.")
    given = None if content is None else photograph(picture_of(content, "The content"))
    if isinstance(result, Result):
        photo = given or result.content
        if photo is None:
            raise OptionError("This result has no content in it; give it as content=.")
        return delivered(photo, result.grade, as_run(chosen, result.config.render))
    recipe, photo, grade, read = stored(expanded(result), given, side)
    return delivered(photo, grade, as_run(chosen, recipe.config.render), read)
