"""Gatys et al.'s method: time to the same loss against pystiche and a loop of the tutorials' shape.

    python tests/benchmarks/bench_gatys.py [--size 256] [--iterations 200] [--encoder FILE]
        [--width 64] [--rounds 1] [--presets gatys gatys:20 gatys-fine]

All minimise one and the same function from the same noise: that of the preset `gatys`, with the
same weights (normalised, unless they are generated), average pooling, layers and α/β. The rivals
run for so many iterations of `torch.optim.LBFGS` as both ship it (no line search; pystiche one
iteration a step, the tutorials 20). The presets are stopped when they reach the lowest loss of
the rivals; what they take includes targets and coarser sizes. Who begins changes from round to
round.

pystiche (PyPI, 1.0.1) is looked for and left out where it is not; it needs names that torchvision
has since dropped, which are put back for its import and are not used here.
"""

import argparse
import collections
import copy
import datetime
import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from bench_objective import vgg19_weights
from safetensors.torch import save_file
from torch import Tensor, nn

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.encoders.vgg import VggEncoder
from photostyle.images.picture import Photo, fit_size, image_size, load_image, resize
from photostyle.objective.content_term import GATYS_UNIT
from photostyle.objective.features import configured_encoder, with_activations
from photostyle.objective.objective import build_objective
from photostyle.objective.styles import resized_style
from photostyle.optimize.start import start_image
from photostyle.pipeline import stylize
from photostyle.runtime.steps import Step
from photostyle.segmentation.scene import Scene

ROOT = Path(__file__).resolve().parents[2]

Trace = list[tuple[float, float]]  # seconds, loss


class Problem:
    """One function to minimise, in the form that each of the rivals wants."""

    def __init__(self, options: argparse.Namespace, weights: Path) -> None:
        self.photos = load_image(options.content), load_image(options.style)
        self.config = preset("gatys").with_options(
            {"size": options.size, "encoder": str(weights), "device": "cpu", "tile_size": 0,
             "activations": "normalized" if options.encoder else "trained"}
        )  # fmt: skip
        self.scene = scene(*self.photos, self.config)
        found = configured_encoder(self.config.encoder)[0]
        images = (self.scene.content, self.scene.style)
        encoder = with_activations(found, self.config.encoder, images)[0]
        assert isinstance(encoder, VggEncoder)
        self.encoder = encoder
        self.start = start_image(self.scene, "noise", 0)
        self.first = self.objective(self.config)(self.start)[0].item()

    def objective(self, config: Config) -> Callable[[Tensor], tuple[Tensor, dict[str, Tensor]]]:
        return build_objective(
            self.scene, self.encoder, config.encoder, config.objective, ("content", "style"), None
        )

    @property
    def content_weight(self) -> float:
        """Of the mean of squares."""
        return 0.5 * GATYS_UNIT * self.config.objective.content_weight

    def modules(self) -> list[tuple[str, nn.Module]]:
        """The encoder as a plain list of modules."""
        out: list[tuple[str, nn.Module]] = [("input", copy.deepcopy(self.encoder.input))]
        for name in self.encoder.layer_names:
            if name.startswith("conv"):
                module: nn.Module = copy.deepcopy(self.encoder.convs[name])
                module = module.to(memory_format=torch.contiguous_format)
            else:
                module = nn.ReLU() if name.startswith("relu") else nn.AvgPool2d(2)
            out.append((name, module))
            if name == self.config.encoder.style_layers[-1]:
                break
        return out


def scene(content: Photo, style: Photo, config: Config) -> Scene:
    size = fit_size(image_size(content.image), config.image.size)
    small = resize(content.image, size)
    other = resized_style(style.image, small, 1.0, 48)
    return Scene(small, other, torch.ones(1, *size), torch.ones(1, *image_size(other)))


def tutorial(problem: Problem, iterations: int) -> Trace:
    """The usual shape: loss modules between the layers, LBFGS with its defaults."""
    modules = dict(problem.modules())
    taps = problem.config.encoder
    losses: list[nn.Module] = []
    network = nn.Sequential()
    began = time.perf_counter()
    for name, module in modules.items():
        network.add_module(name, module)
        if name in taps.content_layers:
            target = network(problem.scene.content).detach()
            losses.append(ContentLoss(target, problem.content_weight))
            network.add_module(f"{name}_content", losses[-1])
        if name in taps.style_layers:
            target = network(problem.scene.style).detach()
            losses.append(StyleLoss(target, 0.25 / len(taps.style_layers)))
            network.add_module(f"{name}_style", losses[-1])
    image = problem.start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([image])
    trace: Trace = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        network(image)
        total = sum(loss.loss for loss in losses)
        total.backward()
        trace.append((time.perf_counter() - began, total.item()))
        return total

    while len(trace) < iterations:
        optimizer.step(closure)
    return trace[:iterations]


class ContentLoss(nn.Module):
    def __init__(self, target: Tensor, weight: float) -> None:
        super().__init__()
        self.target, self.weight = target, weight

    def forward(self, features: Tensor) -> Tensor:
        self.loss = self.weight * nn.functional.mse_loss(features, self.target)
        return features


class StyleLoss(nn.Module):
    def __init__(self, target: Tensor, weight: float) -> None:
        super().__init__()
        self.target, self.weight = gram(target), weight

    def forward(self, features: Tensor) -> Tensor:
        self.loss = self.weight * nn.functional.mse_loss(gram(features), self.target)
        return features


def gram(features: Tensor) -> Tensor:
    rows = features.flatten(2)[0]
    return rows @ rows.T / rows.shape[1]


def pystiche_loop(problem: Problem, iterations: int) -> Trace:
    """pystiche's own losses and image_optimization."""
    from pystiche import enc, loss, optim

    encoder = enc.MultiLayerEncoder(problem.modules())
    taps = problem.config.encoder
    began = time.perf_counter()
    (layer,) = taps.content_layers
    content = loss.FeatureReconstructionLoss(
        encoder.extract_encoder(layer), score_weight=problem.content_weight
    )
    style = loss.MultiLayerEncodingLoss(
        encoder,
        taps.style_layers,
        lambda one, weight: loss.GramLoss(one, score_weight=weight),
        score_weight=0.25,
    )
    criterion = loss.PerceptualLoss(content, style)
    criterion.set_content_image(problem.scene.content)
    criterion.set_style_image(problem.scene.style)
    trace: Trace = []

    class Watched(nn.Module):
        def forward(self, image: Tensor) -> object:
            found = criterion(image)
            trace.append((time.perf_counter() - began, float(found)))
            return found

    optim.image_optimization(problem.start.clone(), Watched(), num_steps=iterations, quiet=True)
    return trace


def pystiche_is_here() -> bool:
    import torchvision.models

    for name in ("alexnet", "vgg"):
        module = sys.modules[f"{torchvision.models.__name__}.{name}"]
        if not hasattr(module, "model_urls"):
            module.model_urls = collections.defaultdict(str)
    try:
        import pystiche  # noqa: F401
    except ImportError:
        return False
    return True


class Watch:
    """A Listener that keeps the trace of the last solve and stops at the loss asked for."""

    def __init__(self, goal: float) -> None:
        self.goal = goal
        self.trace: Trace = []
        self.iterations, self.calls = 0, 0
        self.began = 0.0

    def stage(self, name: str, note: str) -> None:
        if name == "targets" and not self.began:
            self.began = time.perf_counter()

    def step(self, solve: int, solves: int, step: Step) -> None:
        self.iterations += 1
        if solve < solves:
            return
        self.calls = step.calls
        self.trace.append((time.perf_counter() - self.began, step.total))
        if step.total <= self.goal:
            raise KeyboardInterrupt


def ours(problem: Problem, words: str, goal: float) -> Watch:
    """A preset by name; with ":30" after it, 30 iterations at each of two coarser sizes first."""
    name, _, coarse = words.partition(":")
    optimize = preset(name).optimize
    if coarse:
        (last,) = optimize.solves
        before = [replace(last, steps=int(coarse), scale=scale) for scale in (0.25, 0.5)]
        optimize = replace(optimize, pyramid=1, solves=(*before, last))
    config = replace(problem.config, optimize=optimize).with_options({"device": "cpu"})
    watch = Watch(goal)
    stylize(*problem.photos, config, listener=watch)
    return watch


def reached(trace: Trace, goal: float) -> float | None:
    return next((seconds for seconds, loss in trace if loss <= goal), None)


def generated(width: int, path: Path) -> Path:
    """VGG-19 of that width, He-initialised from a fixed seed."""
    save_file(vgg19_weights(width), path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--content", type=Path, default=ROOT / "examples/city.jpg")
    parser.add_argument("--style", type=Path, default=ROOT / "examples/night.jpg")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=200, help="of the rivals")
    parser.add_argument("--width", type=int, default=64, help="64 is the papers' VGG-19")
    parser.add_argument("--encoder", type=Path, help="a VGG checkpoint; else generated weights")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--presets", nargs="+", default=["gatys", "gatys:20"])
    options = parser.parse_args()
    rivals = {"tutorial": tutorial}
    if pystiche_is_here():
        rivals["pystiche"] = pystiche_loop
    with tempfile.TemporaryDirectory() as folder:
        weights = options.encoder or generated(options.width, Path(folder) / "vgg.safetensors")
        problem = Problem(options, weights)
        height, width = image_size(problem.start)
        print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
              f"{torch.__version__}, {torch.get_num_threads()} threads, {width}×{height}, "
              f"{problem.encoder.shape}, loss of the noise {problem.first:.4g}")  # fmt: skip
        for number in range(options.rounds):
            compare(problem, rivals, options, number)


def compare(
    problem: Problem, rivals: dict[str, Callable], options: argparse.Namespace, number: int
) -> None:
    best: dict[str, tuple[float, float]] = {}
    for name in sorted(rivals, reverse=number % 2 == 1):
        trace = rivals[name](problem, options.iterations)
        assert abs(trace[0][1] / problem.first - 1) < 1e-3, "not the same function"
        # Without a line search the last loss need not be the lowest.
        best[name] = min(trace, key=lambda point: point[1])
        seconds, loss = best[name]
        print(f"{name}: {len(trace)} iterations, {pace(trace) * 1e3:.0f} ms each, lowest loss "
              f"{loss:.5g} after {seconds:.1f} s, last {trace[-1][1]:.5g}")  # fmt: skip
    for name in options.presets:
        watch = ours(problem, name, min(loss for _, loss in best.values()))
        text = f"{name}: {watch.iterations} iterations, {pace(watch.trace) * 1e3:.0f} ms each at "
        text += f"full size ({watch.calls} calls)"
        for rival, (seconds, loss) in best.items():
            found = reached(watch.trace, loss)
            ratio = "not reached" if found is None else f"{seconds / found:.2f} times as fast"
            text += f"; {rival}'s loss " + (f"after {found:.1f} s, " if found else "") + ratio
        print(text, flush=True)


def pace(trace: Trace) -> float:
    """Median seconds between two iterations; not a number where there are none."""
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(trace)]
    return statistics.median(gaps) if gaps else float("nan")


if __name__ == "__main__":
    main()
