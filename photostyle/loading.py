"""Stages 1 and 2, load and segment: from the files of a run to a scene at the working size."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from photostyle.config import Config
from photostyle.errors import ImageError
from photostyle.files import content_sha256, file_stamp
from photostyle.images import Photo, image_size, load_image, resize, same_proportions
from photostyle.memory import Memory
from photostyle.objective import Scene
from photostyle.result import InputFile, Inputs
from photostyle.segmentation.masks import Masks
from photostyle.segmentation.segmenter import Segmented, Wishes, drawings_of, segment_pair
from photostyle.styles import fitted_image, resized_style

#: Shortest side of a picture that can be worked on: what the deepest layer of an encoder needs for
#: a map of a few positions.
LEAST_SIDE = 48


def loaded(photo: str | Path | Photo, memory: Memory) -> Photo:
    """The picture of a file, decoded once for all runs that share the memory.

    Raises:
        ImageError: it cannot be read, or has fewer than `LEAST_SIDE` pixels on a side.
    """
    photo = photo if isinstance(photo, Photo) else decoded(Path(photo), memory)
    height, width = photo.image.shape[2:]
    if min(height, width) < LEAST_SIDE:
        raise ImageError(
            f"{photo.path} is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are "
            "needed."
        )
    return photo


def decoded(path: Path, memory: Memory) -> Photo:
    """The picture of a file as `load_image` gives it, of any size.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        key = ("photo", file_stamp(path))
    except OSError:  # load_image has the sentence for it
        return load_image(path)
    return memory.get(key, lambda: load_image(path))


def one_style(config: Config, styles: int, content_mask: str | Path | None) -> Config:
    """Of several styles no regions are looked for: each region could have them from one only."""
    if styles > 1 and config.segmentation.segmenter == "auto" and content_mask is None:
        return config.with_options({"segmenter": "none"})
    return config


def segmented(
    content: Photo,
    style: Photo,
    config: Config,
    content_mask: str | Path | None,
    style_mask: str | Path | None,
    memory: Memory,
) -> tuple[Scene, Masks, Segmented]:
    """Both pictures at the working size with their paired masks, and what made the masks.

    Raises:
        MaskError, WeightsError, OptionError: see `segment_pair`.
    """
    paths = [None if path is None else Path(path) for path in (content_mask, style_mask)]

    def segment() -> tuple[Scene, Masks, Segmented]:
        fitted = _fitted(content, config.image.size)
        pair = fitted, fitted_style(style, fitted, config)
        drawings = drawings_of(paths, (content, style))
        masks, made = segment_pair(*pair, drawings, Wishes(**vars(config.segmentation)))
        return Scene(pair[0], pair[1], masks.content, masks.style), masks, made

    files = [content_sha256(path) if path and path.exists() else path for path in paths]
    used = config.before("matting")
    return memory.get(("segment", content.sha256, style.sha256, *files, *used), segment)


def fitted_start(path: Path, scene: Scene, memory: Memory) -> Tensor:
    """The picture at the working size.

    Raises:
        ImageError: it has other proportions than the content.
    """
    image, size = loaded(path, memory).image, image_size(scene.content)
    if not same_proportions(image_size(image), size):
        raise ImageError(f"{path} has other proportions than the content; no run can start there.")
    return resize(image, size).to(scene.content.device)


def _fitted(photo: Photo, long_side: int) -> Tensor:
    """The picture at the working size."""
    return fitted_image(photo.image, long_side, LEAST_SIDE)


def fitted_style(photo: Photo, content: Tensor, config: Config) -> Tensor:
    """A style picture beside the content at the working size."""
    scale = config.image.style_scale
    if scale is None:
        return _fitted(photo, config.image.size)
    return resized_style(photo.image, content, scale, LEAST_SIDE)


def input_files(
    content: Photo,
    style: Photo,
    more: Sequence[Photo],
    content_mask: str | Path | None,
    style_mask: str | Path | None,
    start: str | Path | None,
) -> Inputs:
    """The files of a run with their hashes."""

    def named(path: str | Path | None) -> InputFile | None:
        return None if path is None else InputFile(Path(path), content_sha256(Path(path)))

    return Inputs(
        InputFile(content.path, content.sha256),
        InputFile(style.path, style.sha256),
        named(content_mask),
        named(style_mask),
        tuple(InputFile(photo.path, photo.sha256) for photo in more),
        named(start),
    )
