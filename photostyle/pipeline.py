"""The stages in order: load, segment, start, Laplacian, targets, optimise, post-process, render.

`stylize` is the whole product in one function; every method is a configuration of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from photostyle.config import Config
from photostyle.delivery import Grade, deliver, fitting_metadata, region_strengths, size_note
from photostyle.device import free_memory, resolve_device
from photostyle.encoders.base import Encoder
from photostyle.features import (
    check_taps,
    chosen_tile,
    configured_encoder,
    uses_encoder,
    with_activations,
)
from photostyle.finishing import finished
from photostyle.images import Photo, image_size
from photostyle.loading import (
    fitted_start,
    fitted_style,
    input_files,
    loaded,
    one_style,
    segmented,
)
from photostyle.memory import Memory
from photostyle.metrics import measure, style_note
from photostyle.objective import Scene
from photostyle.preserve import prepared, recombined
from photostyle.presets import preset
from photostyle.result import Result
from photostyle.segmentation.pairing import describe
from photostyle.solving import check_network, optimise
from photostyle.start import start_image
from photostyle.styles import check_styles
from photostyle.watching import Listener, Log, Silent

#: Long side of the pictures on which activations are measured, at most.
MEASURED_SIDE = 512


def stylize(
    content: str | Path | Photo,
    style: str | Path | Photo | Sequence[str | Path | Photo],
    config: Config | str | None = None,
    *,
    content_mask: str | Path | None = None,
    style_mask: str | Path | None = None,
    listener: Listener | None = None,
    start: str | Path | None = None,
    memory: Memory | None = None,
) -> Result:
    """The content photograph with the style's light, colour and mood.

    Args:
        content, style: files, or pictures that are already loaded; several styles as a list.
        config: of all stages, or a preset's name; the `photoreal` preset without it.
        content_mask, style_mask: label pictures whose equal colours pair up, or other masks (see
            segmentation/formats.py); both or neither. Of several styles the mask is the first
            one's; the others serve every region as a whole.
        listener: is told of stages and iterations.
        start: a picture for the solves to begin with in place of `init`'s, such as the result of
            a run that differs little.
        memory: given to several runs, keeps what they share: pictures, masks, starts, Laplacians,
            the encoder and its targets. The pixels stay the same.

    Returns:
        The Result. Ctrl-C (KeyboardInterrupt) during the optimisation ends it there and gives the
        best picture so far, marked `interrupted`.

    Raises:
        InputError: an input, option or device that cannot be used; one sentence each.
        SolveError: the objective is not finite at the starting picture.
    """
    config = preset(config) if isinstance(config, str) else config or Config()
    log = Log(listener or Silent(), memory or Memory(limit=0))
    device = resolve_device(config.optimize.device)
    with log.stage("load"):
        styles = [style] if isinstance(style, str | Path | Photo) else style
        check_styles(len(styles), config)
        check_network(config)
        pair = loaded(content, log.memory), loaded(styles[0], log.memory)
        more = [loaded(photo, log.memory) for photo in styles[1:]]
        encoder = _encoder(config, device, log)
    with log.stage("segment"):
        config = one_style(config, len(styles), content_mask)
        scene, masks, made = segmented(*pair, config, content_mask, style_mask, log.memory)
        config = config.with_options({"segmenter": made.used})  # what a replay repeats
        names = tuple(region.name for region in masks.regions)
        region_strengths(config.render.strength, names)  # a wrong name shows before the long work
        log.note("segment", *masks.warnings)
        log.tell("segment", f"regions by {made.used}", *describe(masks))
        others = tuple(fitted_style(photo, scene.content, config) for photo in more)
        scene = replace(scene, more=others).to(device)
    seen = prepared(scene, config.image.preserve_color)
    used, normalized_sha256 = _activated(encoder, seen, config, log)
    with log.stage("start"):
        init, seed = config.optimize.init, config.optimize.seed
        key = ("start", log.memory.name(seen), init, seed)
        colors = log.memory.get(key, lambda: start_image(seen, init, seed))
        first = colors if start is None else fitted_start(Path(start), scene, log.memory)
        config = _tiled(config, used, seen, log)
    image = optimise(first, seen, used, config, log)
    with log.stage("post-process"):
        image = recombined(image, scene.content, config.image.preserve_color)
        image, maps = finished(image, colors, scene, config)
    with log.stage("render"):
        grade = Grade(maps, masks.content, names)
        rendered = deliver(pair[0], grade, config.render, image)
        if note := size_note(pair[0], grade, config.render):
            log.note("render", note)
    with log.stage("measure"):
        scores = measure(rendered, *(x.cpu() for x in scene.pair))
        if note := style_note(scene.style):
            log.note("measure", note)
    return Result(
        image=rendered,
        grade=grade,
        scores=scores,
        masks=masks,
        history=tuple(log.history),
        config=config,
        inputs=input_files(*pair, more, content_mask, style_mask, start),
        encoder=encoder.name if encoder else "none",
        encoder_sha256=encoder.fingerprint if encoder else "",
        normalized_sha256=normalized_sha256,
        device=str(device),
        notes=tuple(log.notes),
        seconds=log.seconds,
        interrupted=log.interrupted,
        metadata=fitting_metadata(pair[0], rendered),
        segmenter_sha256=made.fingerprint,
    )


def _encoder(config: Config, device: torch.device, log: Log) -> Encoder | None:
    """The encoder, when a solve has a use for it."""
    if not uses_encoder(config):
        return None

    def load() -> tuple[Encoder, Sequence[str]]:
        encoder, notes = configured_encoder(config.encoder, device)
        encoder.memory = Memory(log.memory.limit)
        return encoder, notes

    encoder, notes = log.memory.get(("encoder", config.encoder, device), load)
    log.note("load", *notes)
    for solve in config.optimize.chosen:  # a wrong name shows before the long work
        check_taps(encoder, config.encoder, config.objective, solve.terms)
    return encoder


def _activated(
    encoder: Encoder | None, scene: Scene, config: Config, log: Log
) -> tuple[Encoder | None, str]:
    """The encoder in use, and its fingerprint where it is not the one that was loaded."""
    if encoder is None or config.encoder.activations == "trained":
        return encoder, ""
    with log.stage("normalise"):
        small = scene.scaled(min(1.0, MEASURED_SIDE / max(image_size(scene.content))))
        images = (small.content, small.style, *small.more)
        key = ("normalise", encoder.fingerprint, config.encoder, log.memory.name(images))
        return log.memory.get(key, lambda: with_activations(encoder, config.encoder, images))


def _tiled(config: Config, encoder: Encoder | None, scene: Scene, log: Log) -> Config:
    """The configuration with the side of the encoder's tiles, chosen here if it was left open, so
    that the manifest repeats this run whatever memory is free then."""
    if encoder is None or config.encoder.tile_size is not None:
        return config
    size, free = image_size(scene.content), free_memory(scene.content.device)
    side = chosen_tile(encoder, config.encoder, config.objective, size, free)
    if side:
        log.note("start", f"The encoder's maps of the whole picture do not fit into the free "
                 f"memory; it works in tiles of {side} pixels, with the same result.")  # fmt: skip
    return config.with_options({"tile_size": side})
