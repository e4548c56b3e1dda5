"""Known looks: how near presets come to a look that is known, on any photographs.

    python tests/benchmarks/bench_looks.py --images DIR… [--cut halves|crops] [--look film|jitter]
        [--seed 1] [--size 512] [--limit N] [--csv FILE] [--out FOLDER]
        [--runs color color1=color,segmenter=none fast=photoreal-fast,size=400]

Two parts of each photograph, its halves or two crops that overlap in places: one graded is the
style, the other as it is the content, and the same grade of the other is the truth that a transfer
should find. `film` grades as a laboratory would: exposure, cast, crosstalk, a curve for each
channel, split toning, saturation. `jitter` changes brightness, contrast and saturation by 10 to
40 % and hue by 7 to 18°. `--size` is the long side of a photograph before it is cut; equal seeds
give equal looks for equal files.

A run is NAME=PRESET[,OPTION=VALUE…], or a preset alone; the lists of an option take + for the
comma. All go through `photostyle.stylize` in this process with one memory. Beside them stand the
content left alone (`identity`) and one Monge-Kantorovich map of RGB for the whole picture (`mkl`).
PSNR, SSIM of luma and mean ΔE (CIE76) are against the truth, means over the pictures; "worse"
counts pictures that are further from it in ΔE than the content left alone. Gain and stain are
those of photostyle/smoothness.py over the picture as one region, means again. `--csv` has every
picture, `--out` takes the pictures themselves.
"""

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.color.transfer import monge_kantorovich
from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.errors import OptionError
from photostyle.images.picture import (
    Metadata,
    Photo,
    image_size,
    load_image,
    reduced,
    resize,
)
from photostyle.images.saving import save_image
from photostyle.jobs.axes import parse_setting
from photostyle.pipeline import stylize
from photostyle.runtime.memory import Memory, digest
from photostyle.smoothness import gains

Array = NDArray[np.float64]
Look = Callable[[Array], Array]

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}
LUMA = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709
CROP = 0.6  # of either side
KNOTS = np.linspace(0, 1, 6)


@dataclass(frozen=True)
class Task:
    """A content, the style that it is to take after, and the truth: 1×3×H×W in [0, 1]."""

    name: str
    content: Tensor
    style: Tensor
    truth: Tensor


@dataclass(frozen=True)
class Row:
    """One method on one picture."""

    method: str
    picture: str
    psnr: float
    ssim: float
    delta_e: float
    worse: bool
    gain: float
    stain: float
    seconds: float


def film(rng: np.random.Generator) -> Look:
    """A random look such as film and its printing give; takes and gives N×3 in [0, 1]."""
    exposure = 2.0 ** rng.uniform(-1.0, 0.7) * rng.uniform(0.8, 1.2, 3)
    crosstalk = np.eye(3) + rng.normal(0, 0.08, (3, 3))
    crosstalk /= crosstalk.sum(axis=1, keepdims=True)
    curves = np.maximum.accumulate((KNOTS + rng.normal(0, 0.06, (3, 6))).clip(0, 1), axis=1)
    saturation = rng.uniform(0.4, 1.5)
    shadows, lights = rng.normal(0, 0.05, (2, 3))

    def look(pixels: Array) -> Array:
        light = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
        light = np.maximum(light * exposure @ crosstalk.T, 0)
        light = light * 1.2 / (1 + 0.2 * light)  # a shoulder
        coded = np.where(
            light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
        ).clip(0, 1)
        channels = zip(coded.T, curves, strict=True)
        coded = np.stack([np.interp(x, KNOTS, curve) for x, curve in channels], axis=1)
        luma = (coded @ LUMA)[:, None]
        toned = luma + saturation * (coded - luma)
        return np.asarray(toned + shadows * (1 - luma) ** 2 + lights * luma**2).clip(0, 1)

    return look


def jitter(rng: np.random.Generator) -> Look:
    """A random step in brightness, contrast, saturation and hue; takes and gives N×3 in [0, 1]."""
    steps = 1 + rng.choice([-1.0, 1.0], 3) * rng.uniform(0.1, 0.4, 3)
    angle = np.deg2rad(rng.choice([-1.0, 1.0]) * rng.uniform(7, 18))

    def look(pixels: Array) -> Array:
        bright = (pixels * steps[0]).clip(0, 1)
        # About middle grey, not the part's own mean: both parts are to have one look.
        contrasty = ((bright - 0.5) * steps[1] + 0.5).clip(0, 1)
        luma = (contrasty @ LUMA)[:, None]
        return np.asarray(luma + steps[2] * (contrasty - luma) @ turned(angle).T).clip(0, 1)

    return look


def turned(angle: float) -> Array:
    """The rotation of RGB about the grey axis (Rodrigues' formula)."""
    x = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.eye(3) + np.sin(angle) * x + (1 - np.cos(angle)) * x @ x


def graded(image: Tensor, look: Look) -> Tensor:
    pixels = look(image[0].reshape(3, -1).T.double().numpy())
    return torch.from_numpy(pixels.T).float().reshape(image.shape).contiguous()


def parts(image: Tensor, cut: str, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The part that becomes the content, and the one that becomes the style."""
    height, width = image_size(image)
    if cut == "halves":
        return image[..., : width // 2].contiguous(), image[..., -(width // 2) :].contiguous()
    h, w = round(CROP * height), round(CROP * width)
    tops, lefts = rng.integers(0, height - h + 1, 2), rng.integers(0, width - w + 1, 2)
    one, other = (image[..., y : y + h, x : x + w] for y, x in zip(tops, lefts, strict=True))
    return one.contiguous(), other.contiguous()


def tasks(options: argparse.Namespace) -> list[Task]:
    found = [p for folder in options.images for p in sorted(folder.iterdir())]
    found = [p for p in found if p.suffix.lower() in SUFFIXES][: options.limit]
    return [task(path, number, options) for number, path in enumerate(found)]


def task(path: Path, number: int, options: argparse.Namespace) -> Task:
    rng = np.random.default_rng([options.seed, number])
    image = load_image(path).image
    image = reduced(image, options.size)
    one, other = parts(image, options.cut, rng)
    look = {"film": film, "jitter": jitter}[options.look](rng)
    name = f"{path.parent.name}-{path.stem}"
    return Task(name, one, graded(other, look), graded(one, look))


def mkl(content: Tensor, style: Tensor) -> Tensor:
    """Both clouds of RGB as Gaussians, and the map between them."""
    x, y = (image[0].reshape(3, -1).double().numpy() for image in (content, style))
    slope = monge_kantorovich(*(np.cov(cloud) + 1e-6 * np.eye(3) for cloud in (x, y)))
    mapped = slope @ (x - x.mean(axis=1, keepdims=True)) + y.mean(axis=1, keepdims=True)
    return torch.from_numpy(mapped.clip(0, 1)).float().reshape(content.shape)


def run_of(words: str) -> tuple[str, Config]:
    """Name and configuration of NAME=PRESET[,OPTION=VALUE…]."""
    first, *settings = words.split(",")
    name, _, chosen = first.partition("=")
    return name, preset(chosen or name).with_options(dict(map(parse_setting, settings)))


def named_runs(words: Sequence[str], parser: argparse.ArgumentParser) -> list[tuple[str, Config]]:
    """The runs of --runs; ends the program where one cannot be read or two have one name."""
    try:
        runs = [run_of(run) for run in words]
    except OptionError as error:
        parser.error(str(error))
    names = [name for name, _ in runs]
    if len({"identity", "mkl", *names}) < len(names) + 2:
        parser.error("--runs: two runs have one name; write NAME=PRESET.")
    return runs


def photo(image: Tensor, name: str) -> Photo:
    return Photo(image, Metadata(), Path(name), digest(image))


def methods(runs: Sequence[tuple[str, Config]]) -> dict[str, Callable[[Task], Tensor]]:
    memory = Memory()

    def of(config: Config) -> Callable[[Task], Tensor]:
        return lambda t: stylize(
            photo(t.content, f"{t.name}-content.png"), photo(t.style, f"{t.name}-style.png"),
            config, memory=memory,
        ).image  # fmt: skip

    named: dict[str, Callable[[Task], Tensor]] = {
        "identity": lambda t: t.content,
        "mkl": lambda t: mkl(t.content, t.style),
    }
    return named | {name: of(config) for name, config in runs}


def delta_e(one: Tensor, other: Tensor) -> float:
    labs = [rgb_to_lab(x[0].reshape(3, -1).T) for x in (one, other)]
    return float((labs[0] - labs[1]).square().sum(dim=1).sqrt().mean())


def ssim(one: Tensor, other: Tensor) -> float:
    """Wang et al. 2004, equation 13, of luma in 11×11 windows that lie inside the picture."""
    x, y = (image[0].permute(1, 2, 0).double().numpy() @ LUMA for image in (one, other))
    mx, my, xx, yy, xy = (cv2.GaussianBlur(p, (11, 11), 1.5) for p in (x, y, x * x, y * y, x * y))
    top = (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4)
    bottom = (mx * mx + my * my + 1e-4) * (xx - mx * mx + yy - my * my + 9e-4)
    return float((top / bottom)[5:-5, 5:-5].mean())


def score(method: str, t: Task, made: Tensor, seconds: float) -> Row:
    image = resize(made.cpu(), image_size(t.truth))
    error = float((image - t.truth).double().square().mean())
    found = delta_e(image, t.truth)
    gain, stain = gains(image, t.content, torch.ones(1, *image_size(image)))
    return Row(
        method, t.name, -10 * np.log10(max(error, 1e-10)), ssim(image, t.truth), found,
        found > delta_e(t.content, t.truth), gain, stain, seconds,
    )  # fmt: skip


def report(rows: Sequence[Row], names: Sequence[str]) -> None:
    print("\n| | n | PSNR | SSIM | ΔE | worse | gain | stain | seconds |\n|" + "---|" * 9)
    for name in names:
        own = [row for row in rows if row.method == name]
        mean = {f.name: np.mean([getattr(row, f.name) for row in own]) for f in fields(Row)[2:]}
        print(f"| {name} | {len(own)} | {mean['psnr']:.2f} | {mean['ssim']:.3f} | "
              f"{mean['delta_e']:.2f} | {sum(row.worse for row in own)} | {mean['gain']:.2f} | "
              f"{mean['stain']:.2f} | {mean['seconds']:.2f} |", flush=True)  # fmt: skip


def write_csv(path: Path, rows: Sequence[Any]) -> None:
    """Rows of one dataclass, its fields in the first line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(f.name for f in fields(rows[0]))
        writer.writerows(map(astuple, rows))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--cut", choices=("halves", "crops"), default="halves")
    parser.add_argument("--look", choices=("film", "jitter"), default="film")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures")
    parser.add_argument("--runs", nargs="+", default=["color"], metavar="NAME=PRESET,…")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--out", type=Path, help="folder of the pictures")
    options = parser.parse_args()
    options.runs = named_runs(options.runs, parser)
    return options


def main() -> None:
    options = parsed()
    known = methods(options.runs)
    rows = []
    for t in tasks(options):
        for method, run in known.items():
            began = time.perf_counter()
            made = run(t)
            rows.append(score(method, t, made, time.perf_counter() - began))
            if options.out:
                save_image(options.out / method / f"{t.name}.png", made)
        if options.out:
            for role in ("content", "style", "truth"):
                save_image(options.out / role / f"{t.name}.png", getattr(t, role))
    if not rows:
        raise SystemExit("There are no pictures in " + ", ".join(map(str, options.images)) + ".")
    print(f"{len(rows) // len(known)} pictures, {options.cut}, {options.look}, seed "
          f"{options.seed}, {options.size} px, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads")  # fmt: skip
    report(rows, list(known))
    if options.csv:
        write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
