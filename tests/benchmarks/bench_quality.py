"""Time to a given quality: the presets against Deep Photo Style Transfer's own recipe.

    python tests/benchmarks/bench_quality.py --content C --style S --content-mask M --style-mask N
        --reference PUBLISHED [--size 256] [--encoder FILE] [--presets photoreal photoreal-fast]

The goal is the reference picture's own score in structure and in colour distance, both at once
(photostyle/metrics.py). The presets run to their end. `dpst` is watched every few iterations, its
pictures through the same locally affine projection, and stopped when it reaches the goal or has
taken `--patience` times as long as the first preset. Time spent on scoring does not count.
"""

import argparse
import datetime
import os
import platform
import time
from pathlib import Path

import torch
from torch import Tensor

from photostyle.images import fit_size, load_image, resize
from photostyle.metrics import Scores, measure
from photostyle.optimize import Step
from photostyle.pipeline import stylize
from photostyle.postprocess import guided
from photostyle.presets import preset
from photostyle.segmentation.labels import load_masks

EVERY = 20  # iterations between two looks at dpst


class Goal:
    """The reference's scores, and whether another picture has them."""

    def __init__(self, options: argparse.Namespace) -> None:
        pictures = [load_image(path).image for path in (options.content, options.style)]
        self.content, self.style = (
            resize(x, fit_size((x.shape[2], x.shape[3]), options.size)) for x in pictures
        )
        self.masks = load_masks(options.content_mask, options.style_mask, self.content, self.style)
        size = (self.content.shape[2], self.content.shape[3])
        self.wanted = self.score(resize(load_image(options.reference).image, size))

    def score(self, image: Tensor) -> Scores:
        return measure(image, self.content, self.style, self.masks.content, self.masks.style)

    def reached(self, found: Scores) -> bool:
        return found.structure >= self.wanted.structure and found.colour <= self.wanted.colour


class Watch:
    """A Listener that looks at every few pictures and stops the run."""

    def __init__(self, goal: Goal, limit: float) -> None:
        self.goal, self.limit = goal, limit
        self.began, self.scoring = time.perf_counter(), 0.0
        self.calls, self.before, self.found = 0, 0, False
        self.best: Scores | None = None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began - self.scoring

    def stage(self, name: str, note: str) -> None:
        if name == "optimise":
            self.before = self.calls

    def step(self, solve: int, solves: int, step: Step) -> None:
        self.calls = self.before + step.calls
        if step.iteration % EVERY == 0:
            self.look(step.preview())
        if self.found or self.seconds > self.limit:
            raise KeyboardInterrupt  # ends the optimisation; the pipeline keeps its picture

    def look(self, picture: Tensor) -> None:
        at = time.perf_counter()
        content = self.goal.content
        found = self.goal.score(guided(picture, content, 5, 1e-4).apply(content))
        self.found = self.goal.reached(found)
        if self.found or self.best is None or found.colour < self.best.colour:
            self.best = found
        self.scoring += time.perf_counter() - at


def row(name: str, seconds: float, calls: int, scores: Scores, reached: bool) -> None:
    print(f"| {name} | {seconds:.1f} | {calls} | {scores.structure:.3f} | {scores.colour:.2f} | "
          f"{'yes' if reached else 'no'} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("content", "style", "content-mask", "style-mask", "reference"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--presets", nargs="+", default=["photoreal", "photoreal-fast"])
    parser.add_argument("--patience", type=float, default=25.0)
    options = parser.parse_args()
    goal = Goal(options)
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
          f"{torch.__version__}, {torch.get_num_threads()} threads, {options.size} px, "
          f"{options.encoder}")  # fmt: skip
    print("| | seconds | objective calls | structure | colour distance | reached |")
    print("|---|---|---|---|---|---|")
    row("reference", 0, 0, goal.wanted, True)
    values = {"size": options.size, "output_size": options.size, "encoder": options.encoder}
    masks = {"content_mask": options.content_mask, "style_mask": options.style_mask}
    times = []
    for name in options.presets:
        began = time.perf_counter()
        config = preset(name).with_options(values)
        result = stylize(options.content, options.style, config, **masks)
        times.append(time.perf_counter() - began)
        calls = sum(steps[-1].calls for steps in result.history if steps)
        scores = goal.score(result.image)
        row(name, times[-1], calls, scores, goal.reached(scores))
    watch = Watch(goal, options.patience * times[0])
    config = preset("dpst").with_options({**values, "scaling": "target", "postprocess": "none"})
    stylize(options.content, options.style, config, listener=watch, **masks)
    assert watch.best is not None
    row("dpst", watch.seconds, watch.calls, watch.best, watch.found)
    print(f"dpst took {watch.seconds / times[0]:.1f} times as long as {options.presets[0]}"
          f"{'' if watch.found else ' and had not reached it'}.")  # fmt: skip


if __name__ == "__main__":
    main()
