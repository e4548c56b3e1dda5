"""The stages in order: load, segment, start, Laplacian, targets, optimise, post-process, render.

`stylize` is the whole product in one function; every method is a configuration of it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from photostyle.canvas import build_canvas
from photostyle.config import Config
from photostyle.delivery import Grade, deliver, fitting_metadata, region_strengths, size_note
from photostyle.device import free_memory, resolve_device
from photostyle.encoders.base import Encoder
from photostyle.errors import ImageError
from photostyle.features import check_taps, chosen_tile, configured_encoder, with_activations
from photostyle.feedforward.network import TransformNetwork
from photostyle.feedforward.style_model import load_model
from photostyle.finishing import finished
from photostyle.images import Photo, image_size, load_image, resize
from photostyle.matting import LaplacianOperator, matting_laplacian
from photostyle.memory import Memory, digest, file_stamp
from photostyle.metrics import PROPORTION_TOLERANCE, measure, style_note
from photostyle.objective import Scene, build_objective, needs_encoder, needs_laplacian
from photostyle.optimize import Step, minimise
from photostyle.preserve import prepared, recombined
from photostyle.presets import preset
from photostyle.result import InputFile, Inputs, Result, content_sha256
from photostyle.segmentation.formats import Drawing
from photostyle.segmentation.masks import Masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.segmenter import Segmented, Wishes, segment_pair
from photostyle.stages import Solve
from photostyle.start import start_image
from photostyle.styles import check_styles, fitted_image, resized_style

#: Shortest side of a picture that can be worked on, and of the coarsest solve: what the deepest
#: layer of an encoder needs for a map of a few positions.
LEAST_SIDE, LEAST_SOLVE_SIDE = 48, 64
#: Long side of the pictures on which activations are measured, at most.
MEASURED_SIDE = 512


class Listener(Protocol):
    """Watches a run. Both calls return at once; what they raise stops the run."""

    def stage(self, name: str, note: str) -> None:
        """A stage begins, or has something to say."""

    def step(self, solve: int, solves: int, step: Step) -> None:
        """An iteration of solve number `solve` (from 1) is done."""


class Silent:
    """Nobody watches."""

    def stage(self, name: str, note: str) -> None:
        return

    def step(self, solve: int, solves: int, step: Step) -> None:
        return


@dataclass
class _Log:
    """What a run notes about itself for the Result, and what it shares with others."""

    listener: Listener
    memory: Memory
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    history: list[tuple[Step, ...]] = field(default_factory=list)
    interrupted: bool = False

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.listener.stage(name, "")
        began = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def note(self, stage: str, *sentences: str) -> None:
        self.notes.extend(sentences)
        self.tell(stage, *sentences)

    def tell(self, stage: str, *lines: str) -> None:
        """What the Result has in another form."""
        for line in lines:
            self.listener.stage(stage, line)


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
    log = _Log(listener or Silent(), memory or Memory(limit=0))
    device = resolve_device(config.optimize.device)
    with log.stage("load"):
        styles = [style] if isinstance(style, str | Path | Photo) else style
        check_styles(len(styles), config)
        pair = _loaded(content, log.memory), _loaded(styles[0], log.memory)
        more = [_loaded(photo, log.memory) for photo in styles[1:]]
        encoder = _encoder(config, device, log)
    with log.stage("segment"):
        config = _one_style(config, len(styles), content_mask)
        scene, masks, made = _segment(*pair, config, content_mask, style_mask, log.memory)
        config = config.with_options({"segmenter": made.used})  # what a replay repeats
        names = tuple(region.name for region in masks.regions)
        region_strengths(config.render.strength, names)  # a wrong name shows before the long work
        log.note("segment", *masks.warnings)
        log.tell("segment", f"regions by {made.used}", *describe(masks))
        others = tuple(_fitted_style(photo, scene.content, config) for photo in more)
        scene = replace(scene, more=others).to(device)
    seen = prepared(scene, config.image.preserve_color)
    used, normalized_sha256 = _activated(encoder, seen, config, log)
    with log.stage("start"):
        init, seed = config.optimize.init, config.optimize.seed
        key = ("start", digest(seen), init, seed)
        colors = log.memory.get(key, lambda: start_image(seen, init, seed))
        first = colors if start is None else _fitted_start(Path(start), scene, log.memory)
        config = _tiled(config, used, seen, log)
    image = _optimise(first, seen, used, config, log)
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
        inputs=_inputs(*pair, more, content_mask, style_mask, start),
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


def _encoder(config: Config, device: torch.device, log: _Log) -> Encoder | None:
    """The encoder, when a solve has a use for it."""
    if not any(needs_encoder(config.objective, s.terms) for s in config.optimize.chosen):
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
    encoder: Encoder | None, scene: Scene, config: Config, log: _Log
) -> tuple[Encoder | None, str]:
    """The encoder in use, and its fingerprint where it is not the one that was loaded."""
    if encoder is None or config.encoder.activations == "trained":
        return encoder, ""
    with log.stage("normalise"):
        small = scene.scaled(min(1.0, MEASURED_SIDE / max(image_size(scene.content))))
        images = (small.content, small.style, *small.more)
        key = ("normalise", encoder.fingerprint, config.encoder, digest(images))
        return log.memory.get(key, lambda: with_activations(encoder, config.encoder, images))


def _loaded(photo: str | Path | Photo, memory: Memory) -> Photo:
    photo = photo if isinstance(photo, Photo) else _decoded(Path(photo), memory)
    height, width = photo.image.shape[2:]
    if min(height, width) < LEAST_SIDE:
        raise ImageError(
            f"{photo.path} is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are "
            "needed."
        )
    return photo


def _decoded(path: Path, memory: Memory) -> Photo:
    try:
        key = ("photo", file_stamp(path))
    except OSError:  # load_image has the sentence for it
        return load_image(path)
    return memory.get(key, lambda: load_image(path))


def _one_style(config: Config, styles: int, content_mask: str | Path | None) -> Config:
    """Of several styles no regions are looked for: each region could have them from one only."""
    if styles > 1 and config.segmentation.segmenter == "auto" and content_mask is None:
        return config.with_options({"segmenter": "none"})
    return config


def _segment(
    content: Photo,
    style: Photo,
    config: Config,
    content_mask: str | Path | None,
    style_mask: str | Path | None,
    memory: Memory,
) -> tuple[Scene, Masks, Segmented]:
    paths = [None if path is None else Path(path) for path in (content_mask, style_mask)]

    def segment() -> tuple[Scene, Masks, Segmented]:
        fitted = _fitted(content, config.image.size)
        pair = fitted, _fitted_style(style, fitted, config)
        drawings = [
            None if path is None else Drawing(path, image_size(photo.image), photo.path)
            for photo, path in zip((content, style), paths, strict=True)
        ]
        masks, made = segment_pair(*pair, drawings, Wishes(**vars(config.segmentation)))
        return Scene(pair[0], pair[1], masks.content, masks.style), masks, made

    files = [content_sha256(path) if path and path.exists() else path for path in paths]
    used = config.before("matting")
    return memory.get(("segment", content.sha256, style.sha256, *files, *used), segment)


def _fitted_start(path: Path, scene: Scene, memory: Memory) -> Tensor:
    """The picture at the working size.

    Raises:
        ImageError: it has other proportions than the content.
    """
    image, (height, width) = _loaded(path, memory).image, image_size(scene.content)
    if abs(image.shape[3] / image.shape[2] / (width / height) - 1) > PROPORTION_TOLERANCE:
        raise ImageError(f"{path} has other proportions than the content; no run can start there.")
    return resize(image, (height, width)).to(scene.content.device)


def _fitted(photo: Photo, long_side: int) -> Tensor:
    """The picture at the working size."""
    return fitted_image(photo.image, long_side, LEAST_SIDE)


def _fitted_style(photo: Photo, content: Tensor, config: Config) -> Tensor:
    """A style picture beside the content at the working size."""
    scale = config.image.style_scale
    if scale is None:
        return _fitted(photo, config.image.size)
    return resized_style(photo.image, content, scale, LEAST_SIDE)


def _tiled(config: Config, encoder: Encoder | None, scene: Scene, log: _Log) -> Config:
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


def _optimise(
    image: Tensor, scene: Scene, encoder: Encoder | None, config: Config, log: _Log
) -> Tensor:
    solves = config.optimize.chosen
    for number, solve in enumerate(solves, start=1):
        try:
            image = _solve(image, scene, encoder, config, log, (number, len(solves), solve))
        except KeyboardInterrupt:  # between optimisations: the picture so far is the last one's
            log.interrupted = True
        if log.interrupted:
            break
    return image


def _solve(
    image: Tensor,
    scene: Scene,
    encoder: Encoder | None,
    config: Config,
    log: _Log,
    which: tuple[int, int, Solve],
) -> Tensor:
    """One entry of the list of solves: from the picture so far to a better one of its size."""
    number, count, solve = which
    small = scene.scaled(_scale(scene, solve))
    laplacian = None
    if needs_laplacian(config.objective, solve.terms):
        with log.stage("Laplacian"):
            laplacian = _laplacian(small.content, config, log.memory)
    with log.stage("targets"):
        objective = build_objective(
            small, encoder, config.encoder, config.objective, solve.terms, laplacian,
            config.encoder.tile_size or 0,
        )  # fmt: skip
    start = resize(image, image_size(small.content))
    canvas = build_canvas(
        solve.canvas, start, small.content, config.objective.photoreal_weight,
        config.render.deliver, _network(solve, config, small.content.device, log),
    )  # fmt: skip
    steps: list[Step] = []
    with log.stage("optimise"):
        loop = minimise(
            canvas,
            objective,
            optimizer=solve.optimizer,
            iterations=solve.steps,
            learning_rate=solve.learning_rate,
        )
        try:
            for step in loop:
                steps.append(step)
                log.listener.step(number, count, step)
        except KeyboardInterrupt:
            log.interrupted = True
        finally:
            loop.close()
    log.history.append(tuple(steps))
    if steps and steps[-1].stopped == "not finite":
        log.note("optimise", f"Solve {number} met a loss that is not finite at iteration "
                 f"{steps[-1].iteration} and went back to its best picture.")  # fmt: skip
    return canvas.render(image, scene.content)


def _network(
    solve: Solve, config: Config, device: torch.device, log: _Log
) -> TransformNetwork | None:
    """The network of a solve that moves one."""
    if solve.canvas != "network" or config.network.model is None:
        return None
    model = load_model(Path(config.network.model), device)
    log.note("optimise", f"network: {config.network.model}, trained on {model.info.style}")
    return model.network


def _scale(scene: Scene, solve: Solve) -> float:
    short: int = min(*scene.content.shape[2:], *scene.style.shape[2:])
    return max(solve.scale, min(1.0, LEAST_SOLVE_SIDE / short))


def _laplacian(content: Tensor, config: Config, memory: Memory) -> LaplacianOperator:
    epsilon = config.matting.matting_epsilon

    def build() -> LaplacianOperator:
        matrix = matting_laplacian(content.cpu(), epsilon)
        size = image_size(content)
        return LaplacianOperator.from_csr(matrix, size, content.device, torch.float32)

    return memory.get(("Laplacian", digest(content), epsilon), build)


def _inputs(
    content: Photo,
    style: Photo,
    more: Sequence[Photo],
    content_mask: str | Path | None,
    style_mask: str | Path | None,
    start: str | Path | None,
) -> Inputs:
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
