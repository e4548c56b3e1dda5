"""The network against the optimisation that it replaces, under the same objective.

The baseline is Johnson et al.'s own (section 4.1): L-BFGS over the pixels from white noise, with
the picture clipped to [0, 1] after each iteration, as the network's always is. Left free, L-BFGS
lowers its objective out of range, and what is delivered is worse than what was counted. Its step is
that of the solves here, with a strong-Wolfe line search, or "plain", the whole step without a
search, as in the code of the time; fewer iterations of the first do the same.
"""

import math
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.training import TERMS, TrainingConfig
from photostyle.encoders.base import Encoder
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import stylised
from photostyle.objective.objective import Objective, build_objective
from photostyle.optimize.canvas import PixelCanvas
from photostyle.optimize.loop import minimise
from photostyle.optimize.start import start_image
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Scene

PAPER_MACHINE = "GeForce GTX Titan X (paper)"
PAPER_COUNTS = (100, 300, 500)
#: Johnson et al. 2016, table 1: side in pixels ↦ seconds of so many iterations of Gatys et al., and
#: of their network.
PAPER: dict[int, tuple[float, float, float, float]] = {
    256: (3.17, 9.52, 15.86, 0.015),
    512: (10.97, 32.91, 54.85, 0.05),
    1024: (42.89, 128.66, 214.44, 0.21),
}
#: Runs of the network of which the median is taken, after one that does not count.
TIMED_RUNS = 5


@dataclass(frozen=True)
class Run:
    """A picture, its objective and the seconds that it took."""

    image: Tensor
    total: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """One content.

    Attributes:
        content: 1×3×H×W.
        network: what the network makes of it.
        gatys: what the optimisation has after so many iterations.
        equal: the first iteration at which the optimisation is as low as the network; None when
            it never is.
    """

    name: str
    content: Tensor
    network: Run
    gatys: Mapping[int, Run]
    equal: int | None


def compare_with_gatys(
    model: StyleModel,
    encoder: Encoder,
    style: Tensor,
    content: Tensor,
    name: str,
    *,
    iterations: Sequence[int],
    seed: int,
    progress: Callable[[int], None],
    search: str = "wolfe",
    weight: Tensor | None = None,
) -> Comparison:
    """The network and the optimisation on one content.

    Args:
        encoder: the one that the network was trained with.
        style: 1×3×h×w, at the size at which it was learned.
        content: 1×3×H×W on the encoder's device.
        iterations: after which the optimisation is looked at.
        progress: is told of every iteration's number.
        search: "wolfe" or "plain".
        weight: h×w of the style, how much each pixel counts.
    """
    scene = _scene(content, style, weight)
    objective = content_objective(scene, encoder, model.info.config)
    network = _network_run(model, objective, content)
    gatys: dict[int, Run] = {}
    equal = None
    start = start_image(scene, "noise", seed)
    for count, found in optimised(start, objective, max(iterations), search):
        progress(count)
        if count in iterations:
            gatys[count] = found
        if equal is None and found.total <= network.total:
            equal = count
    for count in iterations:  # where it converged before
        gatys.setdefault(count, found)
    return Comparison(name, content, network, gatys, equal)


def optimised(
    start: Tensor, objective: Objective, iterations: int, search: str
) -> Iterator[tuple[int, Run]]:
    """The clipped picture after every iteration of projected L-BFGS; its seconds leave out what it
    takes to look at it."""
    # One iteration that does not count: it loads torch's optimiser and takes memory, and the
    # network has such a run as well.
    next(_steps(PixelCanvas(start, start), objective, 1, search))
    canvas = PixelCanvas(start, start)
    (pixels,) = canvas.parameters
    seconds, began = 0.0, time.perf_counter()
    for count in _steps(canvas, objective, iterations, search):
        seconds += time.perf_counter() - began
        with torch.no_grad():
            pixels.clamp_(0.0, 1.0)
            picture = pixels.clone()
            total, _ = objective(picture)
        yield count, Run(picture, total.item(), seconds)
        began = time.perf_counter()


def _steps(
    canvas: PixelCanvas, objective: Objective, iterations: int, search: str
) -> Iterator[int]:
    """Moves the canvas, telling the number of every iteration."""
    if search == "plain":
        return _plain_steps(canvas.parameters[0], objective, iterations)
    steps = minimise(canvas, objective, optimizer="lbfgs", iterations=iterations)
    return (step.iteration for step in steps)


def _plain_steps(pixels: Tensor, objective: Objective, iterations: int) -> Iterator[int]:
    """torch's own L-BFGS with its own first step and no line search."""
    method = torch.optim.LBFGS([pixels], max_iter=1, tolerance_grad=0.0, tolerance_change=0.0)

    def closure() -> Tensor:
        method.zero_grad()
        total, _ = objective(pixels)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    for count in range(1, iterations + 1):
        method.step(closure)  # type: ignore[no-untyped-call]
        yield count


def content_objective(scene: Scene, encoder: Encoder, config: TrainingConfig) -> Objective:
    """What the training minimises, for one content."""
    return build_objective(scene, encoder, config.encoder, config.objective, TERMS, None)


def _scene(content: Tensor, style: Tensor, weight: Tensor | None) -> Scene:
    one, other = (x.new_ones(1, *x.shape[2:]) for x in (content, style))
    return Scene(content, style, one, counted(other, weight), weights=(None, weight))


@torch.no_grad()
def _network_run(model: StyleModel, objective: Objective, content: Tensor) -> Run:
    image, seconds = timed(lambda: stylised(model.network, content), content.device)
    total, _ = objective(image.clone())
    return Run(image, total.item(), seconds)


def timed(call: Callable[[], Tensor], device: torch.device) -> tuple[Tensor, float]:
    """The call's result, and the median seconds of several calls."""
    times = []
    for _ in range(TIMED_RUNS + 1):
        began = time.perf_counter()
        result = call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return result, statistics.median(times[1:])


def hardware(device: torch.device) -> str:
    """The machine in a few words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def table(comparisons: Sequence[Comparison]) -> list[str]:
    """The figures of every content and their medians, as lines of a Markdown table."""
    counts = sorted(comparisons[0].gatys)
    heads = [f"Gatys {count}" for count in counts]
    lines = [
        "| content | size | network | " + " | ".join(heads) + " | equals | speed-up |",
        "|---" * (5 + len(counts)) + "|",
    ]
    for one in comparisons:
        runs = [one.network, *(one.gatys[count] for count in counts)]
        cells = [f"{run.total:.4g} in {_seconds(run.seconds)}" for run in runs]
        size = f"{one.content.shape[3]}×{one.content.shape[2]}"
        equal = f"{_reached(one.equal or math.inf, counts[-1])} iterations"
        ups = ", ".join(f"{one.gatys[c].seconds / one.network.seconds:.0f}×" for c in counts)
        lines.append(f"| {one.name} | {size} | {' | '.join(cells)} | {equal} | {ups} |")
    reached = [one.equal or math.inf for one in comparisons]
    median, least = (_reached(f(reached), counts[-1]) for f in (statistics.median, min))
    lines.append(f"median: the network equals {median} iterations; the least is {least}")
    return lines


def times(comparisons: Sequence[Comparison], machine: str) -> list[str]:
    """Seconds on `machine`, medians of the contents of a size, beside Johnson et al.'s table 1; as
    lines of a Markdown table."""
    rows = [
        (f"{side}²", PAPER_MACHINE, dict(zip(PAPER_COUNTS, gatys, strict=True)), network)
        for side, (*gatys, network) in PAPER.items()
    ]
    for side in sorted({_long_side(one) for one in comparisons}):
        group = [one for one in comparisons if _long_side(one) == side]
        taken = {
            count: statistics.median(one.gatys[count].seconds for one in group)
            for count in group[0].gatys
        }
        network = statistics.median(one.network.seconds for one in group)
        rows.append((str(side), machine, taken, network))
    counts = sorted({count for _, _, gatys, _ in rows for count in gatys})
    heads = " | ".join(f"Gatys {count}" for count in counts)
    lines = [
        "Seconds beside those of Johnson et al. 2016, table 1 (squares; here the long side):",
        f"| side | on | {heads} | network | speed-up |",
        "|---" * (4 + len(counts)) + "|",
    ]
    for place, where, gatys, network in rows:
        cells = " | ".join(_seconds(gatys[count]) if count in gatys else "" for count in counts)
        ups = ", ".join(f"{gatys[count] / network:.0f}×" for count in counts if count in gatys)
        lines.append(f"| {place} | {where} | {cells} | {_seconds(network)} | {ups} |")
    return lines


def _reached(count: float, most: int) -> str:
    """Iterations in words; what was not reached is infinite."""
    return f"{count:.0f}" if math.isfinite(count) else f"more than {most}"


def _long_side(one: Comparison) -> int:
    return max(one.content.shape[2:])


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 0.1 else f"{value * 1e3:.3g} ms"
