"""Encoders against each other: photoreal, artistic, the photorealism weight, speed and size.

    python tests/benchmarks/bench_encoders.py --pairs DPST --art PAINTINGS --out FOLDER
        --judge LEARNED.safetensors --candidates LEARNED.safetensors bank random …
        [--tasks units photoreal artistic speed sweep]

A candidate is a weight file, `builtin` (what the package ships), `bank` (the analytic filter bank),
`random` or `random-average` (He-initialised VGG-19 of 16-32-64-128-128 channels, maximum or average
pooling, `--seed`), or `random-wide` (64-128-256-512-512). The first one is the reference. PAIRS
holds content/, style/, content_mask/ and style_mask/ with ID.png; PAINTINGS any pictures.

units: the style and content units with which a candidate's weights mean what the reference's mean.
The style unit is chosen for the same locally affine share (photostyle/metrics.py) after a pixel
solve against the Laplacian, on `--calibration-ids`; the content unit is the mean ratio of the
distances that candidate and reference see between a content and the reference's own Gatys transfer
of it. All other tasks use them; they are kept in FOLDER/units.json and measured once.
photoreal: the preset. artistic: pixels from the content, Gram and content terms only. Both are
scored by the judge, an encoder that no candidate was made from, relative to the content's own
distance from the style (0 is the style, 1 is the content). Pictures that exist are not made again;
sheets go to FOLDER/*.jpg.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import AVERAGE_POOLING_GAIN, VggEncoder, VggOptions
from photostyle.encoders.weights import load_encoder
from photostyle.images.picture import image_size, load_image, reduced, resize
from photostyle.images.saving import save_image
from photostyle.images.sheets import contact_sheet
from photostyle.metrics import Scores, measure
from photostyle.objective import features
from photostyle.objective.objective import build_objective
from photostyle.pipeline import stylize
from photostyle.result import Result
from photostyle.segmentation.scene import Scene
from photostyle.segmentation.segmenter import load_masks

NARROW, WIDE = (16, 32, 64, 128, 128), (64, 128, 256, 512, 512)
BLOCKS = (2, 2, 4, 4, 1)  # VGG-19 up to conv5_1
SWEEP = (1e2, 1e3, 1e4, 1e5, 1e6, 1e7)
#: Nothing but pixels and one encoder's terms; the two lists of options are Gatys' and the sweep's.
PLAIN: dict[str, Any] = {
    "canvas": "pixels", "postprocess": "none", "swd_weight": 0.0, "drift_weight": 0.0,
    "plain_regions": "full", "strength": "1",
}  # fmt: skip
GATYS = {**PLAIN, "init": "content", "photoreal_weight": 0.0, "iterations": 80}
MATTED = {**PLAIN, "init": "color", "content_weight": 0.0, "iterations": 15}


def random_vgg(widths: Iterable[int], seed: int, pooling: str = "max") -> Encoder:
    """VGG-19 with He-initialised weights and no biases."""
    generator = torch.Generator().manual_seed(seed)
    weights, index, inputs = {}, 0, 3
    for count, outputs in zip(BLOCKS, widths, strict=True):
        for _ in range(count):
            deviation = (2 / (9 * inputs)) ** 0.5
            shape = (outputs, inputs, 3, 3)
            weights[f"features.{index}.weight"] = deviation * torch.randn(
                shape, generator=generator
            )
            weights[f"features.{index}.bias"] = torch.zeros(outputs)
            index, inputs = index + 2, outputs
        index += 1  # the pooling
    options = (
        VggOptions(pooling="average", pooling_gain=AVERAGE_POOLING_GAIN)
        if pooling == "average"
        else None
    )
    return VggEncoder(weights, options, name=f"random, {pooling} pooling")


def candidate(spec: str, seed: int) -> Encoder:
    """The encoder that a candidate's name stands for; see the script's docstring."""
    made: dict[str, Callable[[], Encoder]] = {
        "bank": BankEncoder,
        "random": lambda: random_vgg(NARROW, seed),
        "random-average": lambda: random_vgg(NARROW, seed, "average"),
        "random-wide": lambda: random_vgg(WIDE, seed),
    }
    return made[spec]() if spec in made else load_encoder(spec)[0]


def run(encoder: Encoder, pair: tuple[Path, Path], values: dict[str, Any], **masks: Path) -> Result:
    """A run with that very encoder, whatever its name."""
    config = preset("photoreal").with_options({**values, "output_size": values["size"]})
    with mock.patch.object(features, "load_encoder", return_value=(encoder, encoder.name)):
        return stylize(*pair, config, **masks)


class Judge:
    """Distances that an encoder of its own sees, at one size."""

    def __init__(self, encoder: Encoder, size: int) -> None:
        self.encoder, self.size = encoder, size

    def scene(self, pair: tuple[Path, Path], masks: dict[str, Path]) -> Scene:
        content, style = (self._picture(path) for path in pair)
        both = load_masks(masks.get("content_mask"), masks.get("style_mask"), content, style)
        return Scene(content, style, both.content, both.style)

    def _picture(self, path: Path) -> Tensor:
        image = load_image(path).image
        return reduced(image, self.size)

    def score(self, image: Tensor, scene: Scene) -> Scores:
        masks = scene.content_masks, scene.style_masks
        return measure(image, scene.content, scene.style, *masks)

    @torch.no_grad()
    def distances(self, image: Tensor, scene: Scene) -> tuple[float, float]:
        """(style, content): Gram distance relative to the content's own; feature distance."""
        weights = Config().with_options(
            {"style_weight": 1.0, "content_weight": 1.0, "plain_regions": "full"}
        )
        found = []
        for term in ("style", "content"):
            objective = build_objective(
                scene, self.encoder, weights.encoder, weights.objective, [term], None
            )
            image = resize(image, image_size(scene.content))
            found.append([objective(x)[0].item() for x in (image, scene.content)])
        (style, before), (content, _) = found
        return style / before, content


class Bench:
    """The tasks, over all candidates."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, options.out
        names = [Path(spec).stem if Path(spec).suffix else spec for spec in options.candidates]
        self.specs = dict(zip(names, options.candidates, strict=True))
        self.encoders = {n: candidate(s, options.seed) for n, s in self.specs.items()}
        self.reference = self.encoders[names[0]]
        self.judge = Judge(load_encoder(options.judge)[0], options.size)

    def pair(self, identity: str) -> tuple[tuple[Path, Path], dict[str, Path]]:
        """(content, style) and their masks."""
        files = [
            next((self.options.pairs / kind).glob(f"{identity}.*"))
            for kind in ("content", "style", "content_mask", "style_mask")
        ]
        return (files[0], files[1]), {"content_mask": files[2], "style_mask": files[3]}

    def units(self) -> None:
        """Reads or measures the units, and sets them."""
        path = self.out / "units.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        for name, encoder in self.encoders.items():
            if name not in known:
                known[name] = [1.0, 1.0]
                if encoder is not self.reference:
                    known[name][0] = self._style_ratio(encoder)
                    encoder.style_unit = known[name][0]
                    known[name][1] = self._content_ratio(encoder)
                path.write_text(json.dumps(known))
            encoder.style_unit, encoder.content_unit = known[name]
            print(f"{name}: style unit {encoder.style_unit:.2f}, content unit "
                  f"{encoder.content_unit:.2f}", flush=True)  # fmt: skip

    def _style_ratio(self, encoder: Encoder) -> float:
        """The style unit at which the affine share is the reference's; it grows with the unit."""
        wanted = self._affine_share(self.reference)
        low, high = math.log(0.03), math.log(30.0)
        for _ in range(6):
            middle = (low + high) / 2
            encoder.style_unit = math.exp(middle)
            grew = self._affine_share(encoder) > wanted
            low, high = (low, middle) if grew else (middle, high)
        return round(math.exp((low + high) / 2), 2)

    def _affine_share(self, encoder: Encoder) -> float:
        shares = []
        for identity in self.options.calibration_ids:
            pair, masks = self.pair(identity)
            values = {**MATTED, "size": 192}
            shares.append(run(encoder, pair, values, **masks).scores.structure)
        return statistics.mean(shares)

    def _content_ratio(self, encoder: Encoder) -> float:
        """How far the encoder sees the reference's results from their contents, in the
        reference's own distances."""
        first, second = (self.pair(i)[0][0] for i in self.options.calibration_ids[:2])
        ratios = []
        for pair in ((first, second), (second, first)):
            path = self.out / "units" / f"{pair[0].stem}-{pair[1].stem}.png"
            picture = self.picture(path, self.reference, pair, {**GATYS, "size": 192})
            scene = Judge(self.reference, 192).scene(pair, {})
            near, far = (Judge(e, 192).distances(picture, scene)[1] * e.content_unit
                         for e in (self.reference, encoder))  # fmt: skip
            ratios.append(far / near)
        return round(statistics.mean(ratios), 2)

    def picture(
        self, path: Path, encoder: Encoder, pair: tuple[Path, Path], values: dict[str, Any],
        **masks: Path,
    ) -> Tensor:  # fmt: skip
        """A run's picture, made unless it is there."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            save_image(path, run(encoder, pair, values, **masks).image)
        return load_image(path).image

    def photoreal(self) -> None:
        print("| photoreal | structure | edges | colour | style (judge) |\n|---|---|---|---|---|")
        rows: dict[str, list[tuple[str, Tensor]]] = {i: [] for i in self.options.ids}
        for name, encoder in self.encoders.items():
            found = []
            for identity, row in rows.items():
                pair, masks = self.pair(identity)
                path = self.out / "photoreal" / name / f"{identity}.png"
                image = self.picture(path, encoder, pair, {"size": self.options.size}, **masks)
                scene = self.judge.scene(pair, masks)
                score = self.judge.score(image, scene)
                style = self.judge.distances(image, scene)[0]
                found.append((score.structure, score.edges, score.colour, style))
                row.append((name, image))
            report(name, found)
        for identity, row in rows.items():
            pair, _ = self.pair(identity)
            row[:0] = [(p.parent.name, load_image(p).image) for p in pair]
        contact_sheet(list(rows.values()), self.out / "photoreal.jpg", height=260)

    def artistic(self) -> None:
        print("| artistic | style (judge) | content (judge) |\n|---|---|---|")
        paintings = sorted(p for p in self.options.art.iterdir() if p.suffix in (".png", ".jpg"))
        pairs = [(self.pair(i)[0][0], art) for i in self.options.contents for art in paintings]
        rows = [[(p.stem, load_image(p).image) for p in pair] for pair in pairs]
        for name, encoder in self.encoders.items():
            found = []
            for pair, row in zip(pairs, rows, strict=True):
                path = self.out / "artistic" / name / f"{pair[0].stem}-{pair[1].stem}.png"
                values = {**GATYS, "size": self.options.artistic_size}
                image = self.picture(path, encoder, pair, values)
                found.append(self.judge.distances(image, self.judge.scene(pair, {})))
                row.append((name, image))
            report(name, found)
        for number, content in enumerate(self.options.contents):
            part = rows[number * len(paintings) : (number + 1) * len(paintings)]
            contact_sheet(part, self.out / f"artistic-{content}.jpg", height=260)

    def speed(self) -> None:
        print("| speed | ms per objective call | MB | style unit | content unit |\n"
              "|---|---|---|---|---|")  # fmt: skip
        scene = self.judge.scene(self.pair(self.options.ids[0])[0], {})
        config = Config()
        times: dict[str, list[float]] = {name: [] for name in self.encoders}
        for _ in range(9):  # in turns: a machine that drifts drifts for all
            for name, encoder in self.encoders.items():
                objective = build_objective(
                    scene, encoder, config.encoder, config.objective, ("content", "style"), None
                )
                image = scene.content.clone().requires_grad_()
                began = time.perf_counter()
                objective(image)[0].backward()
                times[name].append(time.perf_counter() - began)
        for name, encoder in self.encoders.items():
            spec = Path(self.specs[name])
            size = spec.stat().st_size / 1e6 if spec.exists() else 0.0
            print(f"| {name} | {1e3 * statistics.median(times[name]):.0f} | {size:.1f} | "
                  f"{encoder.style_unit:g} | {encoder.content_unit:g} |", flush=True)  # fmt: skip

    def sweep(self) -> None:
        print("| sweep: structure / style (judge) | " + " | ".join(f"{w:g}" for w in SWEEP) + " |")
        pair, masks = self.pair(self.options.sweep_id)
        scene = self.judge.scene(pair, masks)
        rows = []
        for name, encoder in self.encoders.items():
            rows.append([])
            cells = []
            for weight in SWEEP:
                path = self.out / "sweep" / name / f"{weight:g}.png"
                values = {**MATTED, "iterations": 40, "photoreal_weight": weight,
                          "size": self.options.artistic_size}  # fmt: skip
                image = self.picture(path, encoder, pair, values, **masks)
                score = self.judge.score(image, scene)
                cells.append(f"{score.structure:.3f} / {self.judge.distances(image, scene)[0]:.3f}")
                rows[-1].append((f"{name} {weight:g}", image))
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        contact_sheet(rows, self.out / "sweep.jpg", height=240)


def report(name: str, found: list[tuple[float, ...]]) -> None:
    """One line of means."""
    means = [statistics.mean(column) for column in zip(*found, strict=True)]
    print(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("pairs", "art", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--judge", required=True)
    parser.add_argument("--candidates", nargs="+", required=True)
    tasks = ["units", "photoreal", "artistic", "speed", "sweep"]
    parser.add_argument("--tasks", nargs="+", default=tasks, choices=tasks)
    parser.add_argument("--ids", nargs="+", default=["7", "16", "29", "40", "57", "60"])
    parser.add_argument("--calibration-ids", nargs="+", default=["3", "21"])
    parser.add_argument("--contents", nargs="+", default=["7", "34", "46"])
    parser.add_argument("--sweep-id", default="60")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--artistic-size", type=int, default=288)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, {options.size} px")  # fmt: skip
    bench = Bench(options)
    bench.units()
    for task in options.tasks:
        if task != "units":
            getattr(bench, task)()


if __name__ == "__main__":
    main()
