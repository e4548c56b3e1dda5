"""Stages 3 to 5 for every entry of the list of solves: Laplacian, targets, optimise."""

from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.solves import Solve
from photostyle.encoders.base import Encoder
from photostyle.errors import OptionError
from photostyle.feedforward.network import TransformNetwork
from photostyle.feedforward.style_model import load_model
from photostyle.images.picture import image_size, resize
from photostyle.matting.product import LaplacianOperator
from photostyle.objective.objective import build_objective, needs_laplacian
from photostyle.optimize.canvas import build_canvas
from photostyle.optimize.loop import minimise
from photostyle.optimize.tiles import smaller_tile
from photostyle.runtime.device import arithmetic, settled_precision
from photostyle.runtime.memory import Memory
from photostyle.runtime.pages import kept_pages
from photostyle.runtime.steps import Step
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene

#: Shortest side of the coarsest solve; see `loading.LEAST_SIDE`.
LEAST_SOLVE_SIDE = 64


def check_solves(config: Config) -> None:
    """Raises OptionError where no solve is on the canvas asked for, and OptionError or ModelError
    where a solve moves a network and none is given, or one that cannot be used."""
    canvas = config.optimize.canvas
    known = ", ".join(dict.fromkeys(solve.canvas for solve in config.optimize.solves))
    if canvas is not None and not config.optimize.chosen:
        has = f"it has {known}" if known else "it has no solves at all"
        raise OptionError(
            f"--canvas {canvas}: --preset {config.preset} has no solve on that canvas; {has}."
        )
    if not any(solve.canvas == "network" for solve in config.optimize.chosen):
        return
    if config.network.model is None:
        raise OptionError(
            f"--preset {config.preset} needs a trained network; give --model FILE, as "
            "`photostyle train` writes it."
        )
    load_model(Path(config.network.model))


def optimise(
    image: Tensor, scene: Scene, encoder: Encoder | None, config: Config, log: Log
) -> Tensor:
    """The picture that the list of solves makes of `image`, 1×3×H×W.

    Ctrl-C (KeyboardInterrupt) ends it with the best picture so far and sets `log.interrupted`.
    """
    solves = config.optimize.chosen
    for number, solve in enumerate(solves, start=1):
        which = number, len(solves), solve
        try:
            image, config = _fitting(image, scene, encoder, config, log, which)
        except KeyboardInterrupt:  # between optimisations: the picture so far is the last one's
            log.interrupted = True
        if log.interrupted:
            break
    return image


def _fitting(
    image: Tensor,
    scene: Scene,
    encoder: Encoder | None,
    config: Config,
    log: Log,
    which: tuple[int, int, Solve],
) -> tuple[Tensor, Config]:
    """`_solve`, in smaller and smaller tiles where the device's memory does not do.

    Returns:
        The picture, and the configuration with the tiles that did.
    """
    precision = settled_precision(config.optimize.precision, scene.content.device)
    while True:
        try:
            with arithmetic(precision), kept_pages():
                return _solve(image, scene, encoder, config, log, which, precision), config
        except torch.OutOfMemoryError:
            side = smaller_tile(config, encoder, image_size(scene.content))
            if not side:
                raise
        # Outside the handler, which would hold on to all that was being worked on.
        log.note("optimise", f"The device's memory did not do for solve {which[0]}; it was done "
                 f"in tiles of {side} pixels, with the same result.")  # fmt: skip
        config = config.with_options({"tile_size": side})
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _solve(
    image: Tensor,
    scene: Scene,
    encoder: Encoder | None,
    config: Config,
    log: Log,
    which: tuple[int, int, Solve],
    precision: str,
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
            config.encoder.tile_size or 0, precision,
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
    solve: Solve, config: Config, device: torch.device, log: Log
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
        return LaplacianOperator.of(content.cpu(), epsilon, content.device)

    return memory.get(("Laplacian", memory.name(content), epsilon), build)
