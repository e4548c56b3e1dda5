"""A shoot: do photographs that show the same thing come out alike, each styled for itself?

    python tests/benchmarks/bench_shoot.py --images DIR|FILE… --style FILE… [--limit N]
        [--runs color fast=photoreal-fast] [--frames 12] [--drift 0.2] [--seed 1] [--size 512]
        [--csv FILE] [--out FOLDER]

Of each photograph, `--size` pixels long, twelve frames of 60 % of its sides are cut along a bow, so
that any two of them share a place. `--drift` is the standard deviation in stops of what exposure
does from frame to frame; white balance does a quarter of it. Every frame is styled by itself with
the one style (one for all photographs, or one for each) and no masks. A run is named as in
bench_looks.py; beside them stand the frames left alone (`identity`) and one Monge-Kantorovich map
of RGB for each frame (`mkl`).

Apart is what two results differ by (ΔE, CIE76) in a place that both show, less what their contents
differ by there: mean and 95th percentile over all pixels of all pairs, and the mean of the worst
pair; below 0 the drift was evened out. Spread is the root of the summed variances of the frames'
mean Lab, of whole pictures and of the middle that all of them show. A frame stands out by the mean
of its pairs. Whether scores name it is said by Spearman's ρ with stain, with structure (turned
round) and with the number of warnings, and by the place, 1 for the worst, that the frame which
stands out most has by each; – where a score is the same for all. mkl and `identity` are scored as
one region. `--csv` has every frame; `--out` takes a sheet of each shoot by each method.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from bench_looks import CROP, SUFFIXES, mkl, named_runs, photo, write_csv
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.config.config import Config
from photostyle.images.picture import image_size, load_image, reduced, resize
from photostyle.images.sheets import Cell, grid_sheet, thumbnail
from photostyle.metrics import Scores, measure
from photostyle.pipeline import stylize
from photostyle.runtime.memory import Memory

Array = NDArray[np.float64]

THUMBNAIL = 200  # pixels high
GAMMA = 2.2  # of the drift: under a plain power a gain of light is a gain of its code


@dataclass(frozen=True)
class Frame:
    """A part of a photograph: 1×3×h×w in [0, 1], and where its upper left corner was."""

    name: str
    content: Tensor
    top: int
    left: int


@dataclass(frozen=True)
class Made:
    """What became of a frame, its scores, and how much the run had to say."""

    image: Tensor
    scores: Scores
    warnings: int
    seconds: float


@dataclass(frozen=True)
class Row:
    """One method on one frame; `apart` is the mean over its pairs."""

    method: str
    shoot: str
    frame: int
    apart: float
    stain: float
    structure: float
    warnings: int
    lightness: float
    a: float
    b: float
    seconds: float


Method = Callable[[Frame, Tensor], Made]


def frames(image: Tensor, name: str, options: argparse.Namespace) -> list[Frame]:
    """From left to right, down and up again."""
    rng = np.random.default_rng(options.seed)
    height, width = image_size(image)
    h, w = round(CROP * height), round(CROP * width)
    found = []
    for number, t in enumerate(np.linspace(0, 1, options.frames)):
        left, top = round(t * (width - w)), round((1 - np.cos(2 * np.pi * t)) / 2 * (height - h))
        part = image[..., top : top + h, left : left + w]
        exposure, red, blue = options.drift * rng.normal(0, (1, 0.25, 0.25))
        gains = 2.0 ** (torch.tensor([exposure + red, exposure, exposure + blue]) / GAMMA)
        part = (part * gains.float()[None, :, None, None]).clamp(0, 1)
        found.append(Frame(f"{name}-{number + 1:02}", part.contiguous(), top, left))
    return found


def timed(run: Callable[[Frame, Tensor], Tensor]) -> Method:
    """A plain map of colours, scored as one region."""

    def made(frame: Frame, style: Tensor) -> Made:
        began = time.perf_counter()
        image = run(frame, style)
        seconds = time.perf_counter() - began
        whole = [torch.ones(1, *image_size(x)) for x in (frame.content, style)]
        return Made(image, measure(image, frame.content, style, *whole), 0, seconds)

    return made


def styled(config: Config, memory: Memory) -> Method:
    def made(frame: Frame, style: Tensor) -> Made:
        began = time.perf_counter()
        result = stylize(
            photo(frame.content, f"{frame.name}.png"), photo(style, "style.png"),
            config, memory=memory,
        )  # fmt: skip
        image = resize(result.image.cpu(), image_size(frame.content))
        return Made(image, result.scores, len(result.notes), time.perf_counter() - began)

    return made


def methods(runs: Sequence[tuple[str, Config]]) -> dict[str, Method]:
    memory = Memory()
    plain = {
        "identity": timed(lambda frame, style: frame.content),
        "mkl": timed(lambda frame, style: mkl(frame.content, style)),
    }
    return plain | {name: styled(config, memory) for name, config in runs}


def lab(image: Tensor) -> Array:
    """H×W×3."""
    pixels = rgb_to_lab(image[0].reshape(3, -1).T).double().numpy()
    return np.asarray(pixels).reshape(*image_size(image), 3)


def shared(shoot: Sequence[Frame], pictures: Sequence[Array]) -> list[Array]:
    """The pictures of some frames cut to the place that all of them show."""
    height, width = pictures[0].shape[:2]
    top, left = max(f.top for f in shoot), max(f.left for f in shoot)
    bottom, right = min(f.top for f in shoot) + height, min(f.left for f in shoot) + width
    return [
        picture[top - f.top : bottom - f.top, left - f.left : right - f.left]
        for f, picture in zip(shoot, pictures, strict=True)
    ]


def apart(
    shoot: Sequence[Frame], results: Sequence[Array], contents: Sequence[Array]
) -> dict[tuple[int, int], Array]:
    """ΔE between two results less that between their contents, of every pixel that they share."""
    found = {}
    for pair in combinations(range(len(shoot)), 2):
        own = [shoot[i] for i in pair]
        distances = []
        for pictures in (results, contents):
            one, other = shared(own, [pictures[i] for i in pair])
            distances.append(np.sqrt(np.square(one - other).sum(axis=2)).ravel())
        found[pair] = distances[0] - distances[1]
    return found


def spread(pictures: Sequence[Array]) -> float:
    means = np.array([picture.mean(axis=(0, 1)) for picture in pictures])
    return float(np.sqrt(means.var(axis=0).sum()))


def rows_of(
    method: str, shoot: str, made: Sequence[Made], pairs: dict[tuple[int, int], Array]
) -> list[Row]:
    rows = []
    for number, one in enumerate(made):
        own = [excess.mean() for pair, excess in pairs.items() if number in pair]
        rows.append(
            Row(method, shoot, number + 1, float(np.mean(own)), one.scores.stain,
                one.scores.structure, one.warnings, *lab(one.image).mean(axis=(0, 1)).tolist(),
                one.seconds)
        )  # fmt: skip
    return rows


def named_by(rows: Sequence[Row]) -> list[str]:
    """How far each score names the frame that stands out: "ρ (its place)"."""
    outs = np.array([row.apart for row in rows])
    scores = [[r.stain for r in rows], [-r.structure for r in rows], [r.warnings for r in rows]]
    said = []
    for bad in map(np.array, scores):
        if np.ptp(outs) < 1e-9 or np.ptp(bad) < 1e-9:
            said.append("–")
            continue
        place = rankdata(-bad)[outs.argmax()]
        said.append(f"{spearmanr(outs, bad).statistic:+.2f} ({place:g})")
    return said


def report(
    shoot: Sequence[Frame], made: Sequence[Made], rows: Sequence[Row],
    pairs: dict[tuple[int, int], Array],
) -> None:  # fmt: skip
    """Prints one row of the table."""
    pictures, every = [lab(m.image) for m in made], np.concatenate(list(pairs.values()))
    stain = [row.stain for row in rows]
    most = max(rows, key=lambda row: row.apart)
    told = f"{most.frame} ({most.apart:.1f})" if most.apart else "–"
    print(f"| {rows[0].shoot} | {rows[0].method} | {every.mean():.1f} | "
          f"{np.percentile(every, 95):.1f} | {max(x.mean() for x in pairs.values()):.1f} | "
          f"{spread(pictures):.1f} | {spread(shared(shoot, pictures)):.1f} | "
          f"{np.mean(stain):.2f} | {max(stain):.2f} | {told} | {' | '.join(named_by(rows))} | "
          f"{np.mean([row.seconds for row in rows]):.1f} |", flush=True)  # fmt: skip


def sheet(path: Path, whole: Tensor, style: Tensor, made: Sequence[Made],
          rows: Sequence[Row]) -> None:  # fmt: skip
    cells = [
        Cell(thumbnail(m.image, THUMBNAIL),
             (f"{row.frame}: apart {row.apart:.1f}, stain {row.stain:.2f}",
              f"structure {row.structure:.2f}, warnings {row.warnings}"))
        for m, row in zip(made, rows, strict=True)
    ]  # fmt: skip
    top = [Cell(thumbnail(x, THUMBNAIL), (n,)) for x, n in ((whole, "content"), (style, "style"))]
    path.parent.mkdir(parents=True, exist_ok=True)
    grid_sheet(cells, 4, path, top)


def fitted(path: Path, size: int) -> Tensor:
    image = load_image(path).image
    return reduced(image, size)


def photographs(options: argparse.Namespace) -> list[tuple[Path, Path]]:
    """Every photograph with its style."""
    found = [p for given in options.images
             for p in (sorted(given.iterdir()) if given.is_dir() else [given])]  # fmt: skip
    found = [p for p in found if p.suffix.lower() in SUFFIXES][: options.limit]
    if not found:
        raise SystemExit("There are no pictures in " + ", ".join(map(str, options.images)) + ".")
    styles = options.style * len(found) if len(options.style) == 1 else options.style
    if len(styles) != len(found):
        raise SystemExit(f"--style: {len(styles)} for {len(found)} photographs; give one, or as "
                         "many as there are photographs.")  # fmt: skip
    return list(zip(found, styles, strict=True))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=Path, nargs="+", required=True, metavar="DIR|FILE")
    parser.add_argument("--style", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N photographs")
    parser.add_argument("--runs", nargs="+", default=["color", "photoreal-fast"],
                        metavar="NAME=PRESET,…")  # fmt: skip
    parser.add_argument("--frames", type=int, default=12, help="at least 3")
    parser.add_argument("--drift", type=float, default=0.0, metavar="STOPS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--out", type=Path, help="folder of the sheets")
    options = parser.parse_args()
    options.runs = named_runs(options.runs, parser)
    if options.frames < 3:
        parser.error("--frames: at least 3.")
    return options


def main() -> None:
    options = parsed()
    known = methods(options.runs)
    rows: list[Row] = []
    print("| | | apart | 95 % | worst pair | spread | in the middle | stain | worst | stands out | "
          "by stain | structure | warnings | seconds |\n|" + "---|" * 14)  # fmt: skip
    for number, (path, style_path) in enumerate(photographs(options)):
        whole, style = fitted(path, options.size), fitted(style_path, options.size)
        shoot = frames(whole, path.stem, options)
        contents = [lab(frame.content) for frame in shoot]
        for method, run in known.items():
            made = [run(frame, style) for frame in shoot]
            pairs = apart(shoot, [lab(m.image) for m in made], contents)
            own = rows_of(method, path.stem, made, pairs)
            report(shoot, made, own, pairs)
            rows += own
            if options.out:
                name = f"{number + 1}-{path.stem}-{method}.png"
                sheet(options.out / name, whole, style, made, own)
    if options.csv:
        write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
