"""`stylize_film`: a film in the light of a photograph."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from photostyle.config.config import Config, option_files
from photostyle.config.keywords import Base, Options, configured
from photostyle.errors import OptionError
from photostyle.films.colours import Pixels
from photostyle.films.containers import check_target
from photostyle.films.restyling import FilmReport
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.picture import paths_of
from photostyle.looks.film import Wanted, graded_film
from photostyle.looks.fitting import fit_look
from photostyle.looks.keyed import Planes
from photostyle.looks.look import Look
from photostyle.looks.passages import Keeping
from photostyle.places import check_place, expanded
from photostyle.runtime.memory import Memory
from photostyle.runtime.updates import Progress, Update, Watched
from photostyle.runtime.watching import Listener
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.segmenter import CONTENT_MASK, Wishes, unpaired

#: Keywords of `stylize_film` that are no options.
OWN = (
    "config", "out", "content_mask", "style_mask", "consistency", "key_frames", "codec", "quality",
    "progress", "listener",
)  # fmt: skip


def stylize_film(
    film: str | os.PathLike[str],
    style: PictureLike,
    config: Base | None = None,
    *,
    out: str | os.PathLike[str],
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
    consistency: Literal["shot", "whole", "frame"] = "shot",
    key_frames: int = 1,
    codec: str = "h264",
    quality: int | None = None,
    progress: Progress = False,
    listener: Listener | None = None,
    **options: Unpack[Options],
) -> FilmReport:
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
    source, target = expanded(film), expanded(out)
    if (content_mask is None) != (style_mask is None):
        raise OptionError(unpaired(style=style_mask is None))
    mask = mask_of(content_mask, CONTENT_MASK)
    photo = picture_of(_only(style), "The style")
    read = [source, *paths_of([photo]), *option_files(chosen).values()]
    check_target(target, codec)
    check_place(target, [*read, *(m for m in (mask, style_mask) if isinstance(m, Path))])
    _check_looks(chosen)
    with Watched(progress, listener) as watched:
        memory = Memory()

        def make(frames: Sequence[Pixels], regions: Sequence[Planes] | None) -> Look:
            masks = None if regions is None else [dict(planes) for planes in regions]
            return fit_look(
                photo, [*frames], chosen, content_masks=masks, memory=memory,
                style_mask=None if masks is None else style_mask, listener=watched.listener,
            )  # fmt: skip

        how = chosen.segmentation
        wishes = Wishes("auto", how.segmenter_model, how.segmenter_groups, palette=how.palette)
        wanted = Wanted(make, chosen.render, Keeping(consistency, key_frames), mask, wishes)

        def tell(what: str, done: int, total: int) -> None:
            watched.teller.tell(Update(what, "", done, total))

        return graded_film(
            source,
            target,
            wanted,
            codec=codec,
            quality=quality,
            tell=tell,
        )


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
