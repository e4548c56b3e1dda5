"""Stages 1 and 2, load and segment: from the files of a run to a scene at the working size."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.errors import ImageError
from photostyle.finish.delivery import protected, region_strengths
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.hashing import content_sha256, file_stamp
from photostyle.images.ocio import check_words
from photostyle.images.photograph import (
    Photograph,
    in_gamut,
    photograph,
    seen_photograph,
    unframed,
)
from photostyle.images.picture import Photo, image_size, load_image, resize, same_proportions
from photostyle.images.scene import PLAIN, Viewing
from photostyle.inputs import InputFile, Inputs
from photostyle.objective.styles import check_styles, fitted_image, resized_style
from photostyle.optimize.solving import check_solves
from photostyle.optimize.start import Start, start_of
from photostyle.places import expanded
from photostyle.runtime.memory import Memory
from photostyle.runtime.watching import Log
from photostyle.segmentation.arrays import MaskLike, fingerprint, mask_of
from photostyle.segmentation.masks import LabelMap, Masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.scene import Scene
from photostyle.segmentation.segmenter import (
    CONTENT_MASK,
    STYLE_MASK,
    Segmented,
    Wishes,
    drawings_of,
    segment_pair,
)
from photostyle.universal.starting import check_latents, latents_key, latents_start

#: Shortest side of a picture that can be worked on: what the deepest layer of an encoder needs for
#: a map of a few positions.
LEAST_SIDE = 48


@dataclass(frozen=True)
class Sources:
    """What went into a run, decoded: the content, one style or several, and the rest.

    Attributes:
        masks: of the content and of the first style: files to be read, or labels.
        start: what the solves begin with in place of `init`'s picture.
    """

    content: Photograph
    styles: tuple[Photograph, ...]
    masks: tuple[Path | LabelMap | None, Path | LabelMap | None]
    start: Photograph | None

    @property
    def notes(self) -> list[str]:
        """Sentences for the user on what of the pictures was not used, each once."""
        photos = (self.content, *self.styles)
        return list(dict.fromkeys(note for photo in photos for note in photo.notes))

    def files(self) -> Inputs:
        """The files with their hashes."""

        content, style, *more = map(_picture_file, (self.content, *self.styles))
        start = None if self.start is None else _picture_file(self.start)
        mine, its = map(_mask_file, self.masks)
        return Inputs(content, style, mine, its, tuple(more), start)


def _picture_file(photo: Photo) -> InputFile:
    return InputFile(photo.path, photo.sha256, photo.given)


def _mask_file(mask: Path | LabelMap | None) -> InputFile | None:
    if isinstance(mask, LabelMap):
        return InputFile(None, fingerprint(mask), mask.source)
    return None if mask is None else InputFile(mask, content_sha256(mask))


def load(
    content: PictureLike,
    style: PictureLike | Sequence[PictureLike],
    masks: tuple[MaskLike | None, MaskLike | None],
    start: PictureLike | None,
    config: Config,
    memory: Memory,
) -> Sources:
    """Stage 1: the pictures of a run, after everything that can be checked without them.

    Raises:
        OptionError, ModelError, ImageError, MaskError: options that do not fit, or a picture or
            mask that cannot be used.
    """
    styles = listed(style)
    check_styles(len(styles), config)
    check_solves(config)
    check_latents(config)
    drawn = mask_of(masks[0], CONTENT_MASK), mask_of(masks[1], STYLE_MASK)
    viewing = viewing_of(config)
    photo = loaded(content, memory, "The content", viewing)
    others = [
        in_gamut(loaded(x, memory, "The style" if len(styles) == 1 else f"Style {n}", viewing))
        for n, x in enumerate(styles, start=1)
    ]
    begin = None if start is None else loaded(start, memory, "The start", viewing)
    return Sources(photo, tuple(others), drawn, begin)


def viewing_of(config: Config) -> Viewing:
    """What is known of scenes' light.

    Raises:
        OptionError: there is no such configuration, or no such space or view in it.
    """
    image = config.image
    check_words(image.input_space, image.view, image.ocio)
    return Viewing(image.input_space, image.ocio, image.view)


def loaded(given: PictureLike, memory: Memory, name: str, viewing: Viewing = PLAIN) -> Photograph:
    """The picture that was given, a file decoded once for all runs that share the memory.

    Args:
        name: what messages call it where it is no file.
        viewing: what is known of a scene's light besides what its file says.

    Raises:
        ImageError: it cannot be read or used, has fewer than `LEAST_SIDE` pixels on a side, or
            nothing in it can be seen.
    """
    if isinstance(given, str | os.PathLike):
        photo = seen_photograph(decoded(expanded(given), memory, viewing), name)
    else:
        photo = seen_photograph(picture_of(given, name), name)
    height, width = photo.image.shape[2:]
    if min(height, width) < LEAST_SIDE:
        raise ImageError(
            f"{photo.path or name} is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} "
            "are needed."
        )
    return photo


def decoded(path: Path, memory: Memory, viewing: Viewing = PLAIN) -> Photograph:
    """The picture of a file, of any size, its scene's light as is known.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        key = ("photo", file_stamp(path), viewing)
    except (OSError, ValueError):  # load_image has the sentence for it
        return photograph(load_image(path, viewing))
    return memory.get(key, lambda: photograph(load_image(path, viewing)))


def segmented(
    sources: Sources, config: Config, device: torch.device, log: Log
) -> tuple[Scene, Masks, Config, str]:
    """Stage 2: all pictures at the working size with their regions.

    Returns:
        The scene, its masks with their names and shares, the configuration that a replay repeats,
        and the fingerprint of the network that found the regions, empty without one.

    Raises:
        MaskError, WeightsError, OptionError: see `segment_pair`.
    """
    with log.stage("segment"):
        config = _one_style(config, sources)
        scene, masks, made = _segmented(sources, config, log.memory)
        config = config.with_options({"segmenter": made.used})
        region_strengths(config.render.strength, masks.names)  # a wrong name shows early
        protected(config.render.protect, masks.names)
        log.note("segment", *masks.warnings)
        log.tell("segment", f"regions by {made.used}", *describe(masks))
        others = sources.styles[1:]
        more = tuple(_fitted_style(photo, scene.content, config) for photo in others)
        weights = tuple(x.weight_at(image_size(y)) for x, y in zip(others, more, strict=True))
        scene = replace(scene, more=more, more_weights=weights).to(device)
    return scene, masks, config, made.fingerprint


def starts(sources: Sources, scene: Scene, config: Config, log: Log) -> tuple[Start, Tensor]:
    """The start that `init` names, and the picture 1×3×H×W that the solves begin with, another one
    where it is given.

    Raises:
        ImageError: the given one has other proportions than the content.
    """
    with log.stage("start"):
        init, seed = config.optimize.init, config.optimize.seed
        found = config.segmentation.unguided
        key = ("start", log.memory.name(scene), init, seed, found)
        if init == "latents":
            colors = log.memory.get((*key, *latents_key(config)),
                                    lambda: Start(latents_start(scene, config, log)))  # fmt: skip
        else:
            colors = log.memory.get(key, lambda: start_of(scene, init, seed, found))
        begin = sources.start
        if begin is None:
            return colors, colors.picture
        return colors, _fitted_start(begin, sources.content, scene)


def _one_style(config: Config, sources: Sources) -> Config:
    """Of several styles no regions are looked for: each region could have them from one only."""
    looked_for = config.segmentation.segmenter == "auto" and sources.masks[0] is None
    if looked_for and len(sources.styles) > 1:
        return config.with_options({"segmenter": "none"})
    return config


def _segmented(sources: Sources, config: Config, memory: Memory) -> tuple[Scene, Masks, Segmented]:
    content, style = sources.content, sources.styles[0]

    def segment() -> tuple[Scene, Masks, Segmented]:
        fitted = _fitted(content, config.image.size)
        pair = fitted, _fitted_style(style, fitted, config)
        drawings = drawings_of(sources.masks, (content, style))
        mine, its = (
            photo.weight_at(image_size(image))
            for photo, image in zip((content, style), pair, strict=True)
        )
        wishes = Wishes(**vars(config.segmentation))
        masks, made = segment_pair(*pair, drawings, wishes, (mine, its))
        return Scene(*pair, masks.content, masks.style, weights=(mine, its)), masks, made

    files = [_mask_name(mask) for mask in sources.masks]
    used = config.before("matting")
    return memory.get(("segment", content.sha256, style.sha256, *files, *used), segment)


def _mask_name(mask: Path | LabelMap | None) -> str | Path | None:
    """What tells one mask from another; of a file that is not there its path."""
    if isinstance(mask, LabelMap):
        return fingerprint(mask)
    return content_sha256(mask) if mask and mask.exists() else mask


def _fitted_start(photo: Photograph, content: Photograph, scene: Scene) -> Tensor:
    """The picture at the working size.

    Raises:
        ImageError: it has other proportions than the content.
    """
    size = image_size(scene.content)
    if not same_proportions(image_size(photo.image), size):
        raise ImageError(
            f"{photo.path or 'The start'} has other proportions than the content; no run can start "
            "there."
        )
    return unframed(resize(photo.image, size), content).to(scene.content.device)


def _fitted(photo: Photograph, long_side: int) -> Tensor:
    """The picture at the working size."""
    return fitted_image(photo.image, long_side, LEAST_SIDE)


def _fitted_style(photo: Photograph, content: Tensor, config: Config) -> Tensor:
    """A style picture beside the content at the working size."""
    scale = config.image.style_scale
    if scale is None:
        return _fitted(photo, config.image.size)
    return resized_style(photo.image, content, scale, LEAST_SIDE)
