"""Stages 1 and 2, load and segment: from the files of a run to a scene at the working size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.errors import ImageError
from photostyle.finish.delivery import protected, region_strengths
from photostyle.images.hashing import content_sha256, file_stamp
from photostyle.images.photograph import Photograph, photograph, unframed
from photostyle.images.picture import Photo, image_size, load_image, resize, same_proportions
from photostyle.objective.styles import check_styles, fitted_image, resized_style
from photostyle.optimize.solving import check_solves
from photostyle.optimize.start import Start, start_of
from photostyle.result import InputFile, Inputs
from photostyle.runtime.memory import Memory
from photostyle.runtime.watching import Log
from photostyle.segmentation.masks import Masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.scene import Scene
from photostyle.segmentation.segmenter import Segmented, Wishes, drawings_of, segment_pair

#: Shortest side of a picture that can be worked on: what the deepest layer of an encoder needs for
#: a map of a few positions.
LEAST_SIDE = 48

Picture = str | Path | Photo


@dataclass(frozen=True)
class Sources:
    """What went into a run, decoded: the content, one style or several, and paths of the rest.

    Attributes:
        masks: of the content and of the first style.
        start: what the solves begin with in place of `init`'s picture.
    """

    content: Photograph
    styles: tuple[Photograph, ...]
    masks: tuple[Path | None, Path | None]
    start: Path | None

    def files(self) -> Inputs:
        """The files with their hashes."""

        def named(path: Path | None) -> InputFile | None:
            return None if path is None else InputFile(path, content_sha256(path))

        content, style, *more = (
            InputFile(photo.path, photo.sha256) for photo in (self.content, *self.styles)
        )
        mine, its, start = map(named, (*self.masks, self.start))
        return Inputs(content, style, mine, its, tuple(more), start)


def load(
    content: Picture,
    style: Picture | Sequence[Picture],
    masks: tuple[str | Path | None, str | Path | None],
    start: str | Path | None,
    config: Config,
    memory: Memory,
) -> Sources:
    """Stage 1: the pictures of a run, after everything that can be checked without them.

    Raises:
        OptionError, ModelError, ImageError: options that do not fit, or a picture that cannot be
            used.
    """
    styles = [style] if isinstance(style, str | Path | Photo) else style
    check_styles(len(styles), config)
    check_solves(config)
    photos = [loaded(photo, memory) for photo in (content, *styles)]
    mine, its, begin = (None if path is None else Path(path) for path in (*masks, start))
    return Sources(photos[0], tuple(photos[1:]), (mine, its), begin)


def loaded(photo: str | Path | Photo, memory: Memory) -> Photograph:
    """The picture of a file, decoded once for all runs that share the memory.

    Raises:
        ImageError: it cannot be read, has fewer than `LEAST_SIDE` pixels on a side, or nothing in
            it can be seen.
    """
    photo = photograph(photo) if isinstance(photo, Photo) else decoded(Path(photo), memory)
    if photo.unseen:
        raise ImageError(f"{photo.path} is wholly transparent: there is nothing in it to see.")
    height, width = photo.image.shape[2:]
    if min(height, width) < LEAST_SIDE:
        raise ImageError(
            f"{photo.path} is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are "
            "needed."
        )
    return photo


def decoded(path: Path, memory: Memory) -> Photograph:
    """The picture of a file, of any size.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        key = ("photo", file_stamp(path))
    except OSError:  # load_image has the sentence for it
        return photograph(load_image(path))
    return memory.get(key, lambda: photograph(load_image(path)))


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
        log.note("segment", *(n for one in (sources.content, *sources.styles) for n in one.notes))
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
        ImageError: the given one cannot be read, or has other proportions than the content.
    """
    with log.stage("start"):
        init, seed = config.optimize.init, config.optimize.seed
        found = config.segmentation.unguided
        key = ("start", log.memory.name(scene), init, seed, found)
        colors = log.memory.get(key, lambda: start_of(scene, init, seed, found))
        begin = sources.start
        if begin is None:
            return colors, colors.picture
        return colors, _fitted_start(begin, sources.content, scene, log.memory)


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

    files = [content_sha256(path) if path and path.exists() else path for path in sources.masks]
    used = config.before("matting")
    return memory.get(("segment", content.sha256, style.sha256, *files, *used), segment)


def _fitted_start(path: Path, content: Photograph, scene: Scene, memory: Memory) -> Tensor:
    """The picture at the working size.

    Raises:
        ImageError: it has other proportions than the content.
    """
    image, size = loaded(path, memory).image, image_size(scene.content)
    if not same_proportions(image_size(image), size):
        raise ImageError(f"{path} has other proportions than the content; no run can start there.")
    return unframed(resize(image, size), content).to(scene.content.device)


def _fitted(photo: Photograph, long_side: int) -> Tensor:
    """The picture at the working size."""
    return fitted_image(photo.image, long_side, LEAST_SIDE)


def _fitted_style(photo: Photograph, content: Tensor, config: Config) -> Tensor:
    """A style picture beside the content at the working size."""
    scale = config.image.style_scale
    if scale is None:
        return _fitted(photo, config.image.size)
    return resized_style(photo.image, content, scale, LEAST_SIDE)
