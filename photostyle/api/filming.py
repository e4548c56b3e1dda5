"""`stylize_film`: a film in the light of a photograph."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Unpack

from photostyle.config.config import Config, option_files
from photostyle.config.keywords import Base, Options, configured
from photostyle.errors import OptionError, unpaired
from photostyle.films.colours import Pixels
from photostyle.films.containers import check_target
from photostyle.films.restyling import FilmReport
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.picture import Photo, paths_of
from photostyle.looks.film import Wanted, graded_film
from photostyle.looks.fitting import fit_look
from photostyle.looks.keyed import Planes
from photostyle.looks.look import Look
from photostyle.looks.passages import Keeping
from photostyle.places import check_place, expanded
from photostyle.runtime.memory import Memory
from photostyle.runtime.updates import Progress, Watched
from photostyle.runtime.watching import Listener
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.segmenter import CONTENT_MASK, Wishes

#: Keywords of `stylize_film` that are no options.
OWN = (
    "config", "out", "content_mask", "style_mask", "consistency", "key_frames", "codec", "quality",
    "progress", "listener",
)  # fmt: skip


def stylize_film(
    film: str | os.PathLike[str], style: PictureLike, config: Base | None = None, *,
    out: str | os.PathLike[str], content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None, consistency: Literal["shot", "whole", "frame"] = "shot",
    key_frames: int = 1, codec: str = "h264", quality: int | None = None,
    progress: Progress = False, listener: Listener | None = None, **options: Unpack[Options],
) -> FilmReport:  # fmt: skip
    """A film with a photograph's light, colour and mood: one look for each shot, as `fit_look`
    finds it over a few of its frames; sound, time stamps and all else that is in the file stay.

    Args:
        film: its path. style, config, listener, options: as for `stylize`.
        out: the result's path, .mp4, .mov, .mkv and others; whole when it appears there.
        content_mask: masks of the film's first frame, which are followed over the first shot.
        style_mask: those of the style.
        consistency: what has a look of its own: each shot, the whole film, or every frame.
        key_frames: looks of each shot, found on as many parts of it and blended between them.
        codec, quality: as for `apply`.
        progress: True for a bar, or a function of an `Update`, told of every frame.

    Returns: how many frames were read and written, and what could not be kept; after Ctrl-C the
        file holds the frames until then.

    Raises:
        InputError: a film, picture, mask or option that cannot be used.
        SolveError: the objective was not finite.
        OutputError: the place cannot be written.
        KeyboardInterrupt: before any frame was done.
    """
    chosen = configured(config, options, OWN)
    if fault := unpaired(content_mask, style_mask):
        raise OptionError(fault)
    mask = mask_of(content_mask, CONTENT_MASK)
    photo = picture_of(_only(style), "The style")
    source, target = expanded(film), expanded(out)
    check_target(target, codec)
    read = [source, *paths_of([photo]), *option_files(chosen).values(), mask, style_mask]
    check_place(target, [path for path in read if isinstance(path, Path)])
    _check_looks(chosen)
    with Watched(progress, listener) as watched:
        make = _maker(photo, style_mask, chosen, watched.listener)
        wanted = Wanted(
            make, chosen.render, Keeping(consistency, key_frames), mask, _wishes(chosen)
        )
        return graded_film(
            source, target, wanted, codec=codec, quality=quality,
            tell=watched.teller.counted,
        )  # fmt: skip


def _maker(
    style: Photo, style_mask: MaskLike | None, config: Config, listener: Listener
) -> Callable[[Sequence[Pixels], Sequence[Planes] | None], Look]:
    """What fits a look to frames and their regions, if there are any."""
    memory = Memory()

    def make(frames: Sequence[Pixels], regions: Sequence[Planes] | None) -> Look:
        masks = None if regions is None else [dict(planes) for planes in regions]
        return fit_look(
            style, [*frames], config, content_masks=masks, memory=memory,
            style_mask=None if masks is None else style_mask, listener=listener,
        )  # fmt: skip

    return make


def _wishes(config: Config) -> Wishes:
    how = config.segmentation
    return Wishes("auto", how.segmenter_model, how.segmenter_groups, palette=how.palette)


def _only(style: PictureLike) -> PictureLike:
    found = listed(style)
    if len(found) != 1:
        raise OptionError(f"{len(found)} styles are given; a film takes one.")
    return found[0]


def _check_looks(config: Config) -> None:
    """Raises OptionError where smooth maps cannot give what is asked for."""
    if config.render.output_size is not None:
        raise OptionError("--output-size: a film keeps its size; leave it out.")
    if config.render.bit_depth is not None:
        raise OptionError("--bit-depth: a film keeps its depth as far as the codec goes; leave it "
                          "out.")  # fmt: skip
    if config.render.deliver == "pixels":
        raise OptionError(
            "--deliver pixels: paintings flicker in films, so they take a preset of smooth maps, "
            "such as photoreal; `photostyle train` and `apply` paint films frame by frame."
        )
