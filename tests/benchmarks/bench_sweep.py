"""A sweep of 12 cells against 12 separate runs: what shared work saves.

    python tests/benchmarks/bench_sweep.py [--size 256] [--preset photoreal]

Both on the example pair with its masks, each in processes of its own; the separate runs also pay
for twelve starts of Python and torch, which is told apart. The pictures must be equal.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from photostyle.images.picture import load_image

ROOT = Path(__file__).resolve().parents[2]
PAIR = ["--content", "examples/city.jpg", "--style", "examples/night.jpg",
        "--content-mask", "masks/city.png", "--style-mask", "masks/night.png"]  # fmt: skip
PHOTOREAL, STYLE = ("1e3", "1e4", "1e5", "1e6"), ("100", "1000", "10000")


def timed(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--preset", default="photoreal")
    options = parser.parse_args()
    common = [*PAIR, "--preset", options.preset, "--encoder", "builtin",
              "--size", str(options.size), "--output-size", str(options.size)]  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        grids = ["--grid", f"photoreal_weight={','.join(PHOTOREAL)}",
                 "--grid", f"style_weight={','.join(STYLE)}"]  # fmt: skip
        out = str(folder / "sweep")
        sweep = timed("-m", "photostyle", "sweep", *common, *grids, "--out", out)
        start = timed("-c", "import photostyle.pipeline")
        separate = 0.0
        for p in PHOTOREAL:
            for s in STYLE:
                single = folder / f"{p}-{s}.png"
                weights = ["--photoreal-weight", p, "--style-weight", s]
                words = [*common, *weights, "--out", str(single)]
                separate += timed("-m", "photostyle", "run", *words)
                cell = folder / "sweep" / f"photoreal_weight={p},style_weight={s}.png"
                assert torch.equal(load_image(cell).image, load_image(single).image), cell
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
          f"{torch.__version__}, {options.preset} at {options.size} px, 12 cells")  # fmt: skip
    print("| sweep, s | separate runs, s | of it starting Python and torch, s | ratio | "
          "ratio without the starts |\n|---|---|---|---|---|")  # fmt: skip
    print(f"| {sweep:.1f} | {separate:.1f} | {12 * start:.1f} | {separate / sweep:.2f} | "
          f"{(separate - 12 * start) / (sweep - start):.2f} |")  # fmt: skip


if __name__ == "__main__":
    main()
