"""Time to a given quality: the presets against Deep Photo Style Transfer's own recipe.

    python tests/benchmarks/bench_quality.py --content C… --style S… --content-mask M…
        --style-mask N… --reference PUBLISHED… [--size 256] [--encoder FILE]
        [--presets photoreal photoreal-fast]

The goal is the reference picture's own score in structure and in colour distance, both at once
(photostyle/metrics.py). Every method is watched in the same way: the picture that it starts from
and its previews, each through the same locally affine projection, are scored until one has both.
"First reached" counts all that went before: loading, the encoder, masks, the start, Laplacians.
The presets then go on to their end ("whole run"); `dpst` is stopped where it reaches the goal, or
when it has taken `--patience` times as long as the first preset's whole run. Time spent on scoring
does not count. Several files to each option are several pairs, in the same order; the last lines
give the median ratios over them.
"""

import argparse
import datetime
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.config.stages import PostprocessConfig
from photostyle.finish.postprocess import guided
from photostyle.finish.shadows import lost_contrast
from photostyle.images.picture import fit_size, image_size, load_image, resize
from photostyle.metrics import Scores, measure
from photostyle.optimize.start import start_image
from photostyle.pipeline import stylize
from photostyle.runtime.steps import Step
from photostyle.segmentation.scene import Scene
from photostyle.segmentation.segmenter import load_masks

FILES = ("content", "style", "content_mask", "style_mask", "reference")
EVERY = {"dpst": 20}  # iterations between two looks; else 1


@dataclass(frozen=True)
class Pair:
    """One pair's files."""

    content: Path
    style: Path
    content_mask: Path
    style_mask: Path
    reference: Path


class Goal:
    """The reference's scores, and whether another picture has them."""

    def __init__(self, pair: Pair, size: int) -> None:
        pictures = [load_image(path).image for path in (pair.content, pair.style)]
        content, style = (resize(x, fit_size((x.shape[2], x.shape[3]), size)) for x in pictures)
        masks = load_masks(pair.content_mask, pair.style_mask, content, style)
        self.scene = Scene(content, style, masks.content, masks.style)
        self.wanted = self.score(resize(load_image(pair.reference).image, image_size(content)))

    def score(self, image: Tensor) -> Scores:
        return measure(image, *self.scene.pair)

    def reached(self, found: Scores) -> bool:
        return found.structure >= self.wanted.structure and found.colour <= self.wanted.colour


class Watch:
    """A Listener that scores previews until one reaches the goal.

    Attributes:
        first: seconds, objective calls and scores when the goal was first reached, or None.
        best: scores of the picture nearest in colour so far, or of the one that reached the goal.
        whole: seconds of the run when it has ended.
    """

    def __init__(self, goal: Goal, config: Config, limit: float | None) -> None:
        """`limit`: the run ends at the goal, or after so many seconds; None: it goes on."""
        self.goal, self.limit, self.every = goal, limit, EVERY.get(config.preset, 1)
        self.start = start_image(goal.scene, config.optimize.init, config.optimize.seed)
        # The method's own projection; where it has none, the default's.
        own = config.postprocess.postprocess == "guided"
        self.finish = config.postprocess if own else PostprocessConfig(shadow_recovery=0.0)
        self.first: tuple[float, int, Scores] | None = None
        self.best: Scores | None = None
        self.calls, self.before, self.scoring, self.whole = 0, 0, 0.0, 0.0
        self.began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began - self.scoring

    def stage(self, name: str, note: str) -> None:
        if name == "optimise" and not note:
            if self.calls == 0:
                self.look(self.start)
            self.before = self.calls

    def step(self, solve: int, solves: int, step: Step) -> None:
        self.calls = self.before + step.calls
        if self.first is None and step.iteration % self.every == 0:
            self.look(step.preview())
        if self.limit is not None and (self.first is not None or self.seconds > self.limit):
            raise KeyboardInterrupt  # ends the optimisation; the pipeline keeps its picture

    def look(self, picture: Tensor) -> None:
        seconds, at = self.seconds, time.perf_counter()
        found = self.goal.score(self.finished(picture))
        reached = self.goal.reached(found)
        if reached or self.best is None or found.colour < self.best.colour:
            self.best = found
        if reached:
            self.first = seconds, self.calls, found
        self.scoring += time.perf_counter() - at

    def finished(self, picture: Tensor) -> Tensor:
        """A preview, of any size, through the projection, at the content's size."""
        small = resize(self.goal.scene.content, image_size(picture))
        radius, epsilon = self.finish.guided_radius, self.finish.guided_epsilon
        maps = guided(picture, small, radius, epsilon)
        if self.finish.shadow_recovery > 0:
            before = guided(resize(self.start, image_size(picture)), small, radius, epsilon)
            pictures = maps.apply(small), before.apply(small)
            maps = maps.mixed(before, lost_contrast(*pictures, self.finish.shadow_recovery))
        return maps.apply(self.goal.scene.content)


def row(name: str, seconds: float | None, calls: int, scores: Scores, reached: bool) -> None:
    took = "" if seconds is None else f"{seconds:.1f}"
    print(f"| {name} | {took} | {calls or ''} | {scores.structure:.3f} | {scores.colour:.2f} | "
          f"{'yes' if reached else 'no'} |", flush=True)  # fmt: skip


def run(name: str, pair: Pair, goal: Goal, values: dict[str, object], limit: float | None) -> Watch:
    """One method, watched; prints its rows."""
    config = preset(name).with_options(values)
    watch = Watch(goal, config, limit)
    masks = {"content_mask": pair.content_mask, "style_mask": pair.style_mask}
    result = stylize(pair.content, pair.style, config, listener=watch, **masks)
    watch.whole = watch.seconds
    assert watch.best is not None
    if watch.first is not None:
        row(f"{name}, first reached", *watch.first, True)
    elif limit is not None:
        row(f"{name}, stopped", watch.whole, watch.calls, watch.best, False)
    if limit is None:
        scores = goal.score(result.image)
        row(f"{name}, whole run", watch.whole, watch.calls, scores, goal.reached(scores))
    return watch


def compare(pair: Pair, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """By preset: dpst's time over its own to the goal (nan: not reached), over its whole run's."""
    goal = Goal(pair, options.size)
    print(
        f"\n{pair.content}\n\n| | seconds | objective calls | structure | colour distance | both |"
    )
    print("|---|---|---|---|---|---|")
    row("reference", None, 0, goal.wanted, True)
    values = {"size": options.size, "output_size": options.size, "encoder": options.encoder}
    found = {name: run(name, pair, goal, values, None) for name in options.presets}
    paper = {**values, "scaling": "target", "postprocess": "none"}
    limit = options.patience * found[options.presets[0]].whole
    dpst = run("dpst", pair, goal, paper, limit)
    taken = dpst.first[0] if dpst.first else dpst.whole
    ratios = {}
    for name, watch in found.items():
        first = watch.first[0] if watch.first else float("nan")
        ratios[name] = taken / first, taken / watch.whole
        print(f"dpst took {ratios[name][0]:.1f} times as long as {name} to reach it, "
              f"{ratios[name][1]:.1f} times as long as all of its run"
              f"{'' if dpst.first else ', and had not reached it'}.", flush=True)  # fmt: skip
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in FILES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, nargs="+", required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--presets", nargs="+", default=["photoreal", "photoreal-fast"])
    parser.add_argument("--patience", type=float, default=25.0)
    options = parser.parse_args()
    pairs = [Pair(*files) for files in zip(*(getattr(options, f) for f in FILES), strict=True)]
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
          f"{torch.__version__}, {torch.get_num_threads()} threads, {options.size} px, "
          f"{options.encoder}")  # fmt: skip
    ratios = [compare(pair, options) for pair in pairs]
    print(f"\nMedian over {len(pairs)} pairs, dpst's time to the reference's quality over")
    for name in options.presets:
        first, whole = (statistics.median(r[name][i] for r in ratios) for i in range(2))
        print(f"- {name}: {first:.1f} (first reached), {whole:.1f} (whole run)")


if __name__ == "__main__":
    main()
