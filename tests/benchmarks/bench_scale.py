"""Time and memory against pixels: `run`, `look apply` and `render` at 1 to 100 megapixels.

    python tests/benchmarks/bench_scale.py [--largest 100] [--size 512]

Each command is a process of its own, from a JPEG to a JPEG; CPU seconds and peak memory are the
operating system's count. The solve has one size throughout, so what grows is decoding, delivering
and encoding: time should be linear, and memory in proportion to the picture's own buffers.
"""

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

MEGAPIXELS = (1, 4, 16, 64, 100)


def photograph(path: Path, pixels: float, seed: int) -> Path:
    """A light sky over textured ground, 3:2, as a JPEG."""
    width = round((pixels * 1.5) ** 0.5)
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 255, (8, 12, 3)).astype(np.uint8)
    picture = Image.fromarray(small).resize((width, width * 2 // 3), Image.Resampling.BICUBIC)
    patch = Image.fromarray(rng.integers(0, 60, (512, 512, 3), np.uint8))
    for top in range(picture.height // 2, picture.height, 512):
        for left in range(0, picture.width, 512):
            picture.paste(patch, (left, top))
    picture.save(path, quality=92)
    return path


def spent(*words: object) -> tuple[float, float]:
    """CPU seconds and peak MiB of one command."""
    command = [sys.executable, "-m", "photostyle", *map(str, words)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{words[0]} failed: {child.stderr.read().decode()}")  # type: ignore[union-attr]
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=float, default=100, help="megapixels")
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), "
          f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}\n")  # fmt: skip
    names = ("run", "look apply", "render")
    print("| megapixels | " + " | ".join(f"{n}: CPU s | peak MiB" for n in names) + " |")
    print("|---" * (1 + 2 * len(names)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        style = photograph(home / "style.jpg", 1e6, 2)
        common = ("--preset", "photoreal-fast", "--size", options.size, "--device", "cpu")
        small, look = photograph(home / "small.jpg", 1e6, 1), home / "kept.look"
        spent("look", "fit", "--content", small, "--style", style, "--out", look, *common)
        for megapixels in (m for m in MEGAPIXELS if m <= options.largest):
            content = photograph(home / "content.jpg", megapixels * 1e6, 1)
            out, again = home / "out.jpg", home / "again.jpg"
            words = ("--content", content, "--style", style, "--out", out, *common)
            figures = [
                spent("run", *words),
                spent("look", "apply", look, content, "--out", home / f"looked-{megapixels}"),
                spent("render", out, "--strength", "0.7", "--out", again),
            ]
            cells = " | ".join(f"{cpu:.1f} | {peak:.0f}" for cpu, peak in figures)
            print(f"| {megapixels} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
