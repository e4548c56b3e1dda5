"""`segment`, `stylize`, `render`: one photograph."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from photostyle import pipeline
from photostyle.api.regions import Regions
from photostyle.beside import beside, grade_path
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
from photostyle.finish.delivery import Grade, deliver, deliver_wide, fitting_metadata, size_note
from photostyle.images.given import PictureLike, picture_of
from photostyle.images.photograph import Photograph, framed, photograph
from photostyle.images.picture import image_size, paths_of, same_proportions
from photostyle.images.shown import Picture
from photostyle.loading import LEAST_SIDE
from photostyle.objective.styles import fitted_image
from photostyle.places import expanded
from photostyle.result import Result, load_recipe
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
    photos = [photograph(picture_of(content, "The content"))]
    if style is not None:
        photos.append(photograph(picture_of(style, "The style")))
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


def render(
    result: Result | str | os.PathLike[str],
    *,
    content: PictureLike | None = None,
    **options: Unpack[RenderOptions],
) -> Picture:
    """A finished result at another strength or size, at once. The run's own strength is not kept:
    `strength=0.7` means 0.7, whatever it was before.

    Args:
        result: a Result, or the path of a saved one, picture or .json.
        content: its photograph, where it has moved, or was no file when a saved result was made.
        options: of rendering, such as `strength=0.7`, `strength={"blue": 0.5}`,
            `output_size=2048`, `protect="skin"`.

    Returns:
        The picture; its notes say where fewer pixels come than were asked for.

    Raises:
        InputError: the result or its content is missing or has changed, or an unfit option.
    """
    chosen = with_keywords(Config(), options, ("content",), ("render",)).render
    given = None if content is None else photograph(picture_of(content, "The content"))
    photo, grade = _of_memory(result, given) if isinstance(result, Result) else (
        _of_file(expanded(result), given)
    )  # fmt: skip
    if not same_proportions(image_size(photo.image), grade.masks.shape[1:]):
        raise ImageError(
            f"{photo.path or 'The content'} has other proportions than the result; it is not its "
            "content."
        )
    image = framed(deliver(photo, grade, chosen), photo)
    note = size_note(photo, grade, chosen)
    notes = (*photo.notes, *([note] if note else []))
    read = paths_of([photo])
    if not isinstance(result, Result):
        read = (*read, expanded(result), *beside(expanded(result)))
    metadata = fitting_metadata(photo, image, chosen)
    return Picture(image, metadata, notes, read, deliver_wide(photo, grade, chosen))


def _of_memory(result: Result, content: Photograph | None) -> tuple[Photograph, Grade]:
    photo = content or result.content
    if photo is None:
        raise OptionError("This result has no content in it; give it as content=.")
    return photo, result.grade


def _of_file(path: Path, content: Photograph | None) -> tuple[Photograph, Grade]:
    recipe = load_recipe(path)
    if content is None:
        recipe.verify(encoder=False)
        content = photograph(picture_of(recipe.inputs.content.file("content"), "The content"))
    return content, Grade.load(grade_path(path))
