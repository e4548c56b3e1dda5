"""Seconds from the command to the first iteration, and what importing costs, each in a new process.

    python tests/benchmarks/bench_startup.py [--size 256] [--rounds 5]

CPU seconds, so that others on the machine count for little. "torch" is importing it and nothing
else; "first iteration" is all that a run does from its first line of code to the first Step, torch
left out.
"""

import argparse
import datetime
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

#: Prints CPU seconds of importing torch, of importing the rest, and until the first iteration.
RUN = """
import sys, time
begun = time.process_time()
import torch
after_torch = time.process_time()
import photostyle.pipeline, photostyle.commands.run, photostyle.runtime.progress
imported = time.process_time()
class First(BaseException):
    pass
from photostyle.runtime.watching import Silent
class Watcher(Silent):
    def step(self, *words):
        raise First
from photostyle import stylize
try:
    stylize(*sys.argv[1:3], size=int(sys.argv[3]), encoder="builtin", device="cpu",
            listener=Watcher())
except First:
    pass
first = time.process_time()
print(after_torch - begun, imported - after_torch, first - imported)
"""
#: Modules whose import is timed by itself, after torch.
MODULES = ("numpy", "scipy.sparse", "scipy.ndimage", "cv2", "PIL.Image", "imagecodecs", "tifffile",
           "av", "segmentation_models_pytorch")  # fmt: skip
IMPORT = """
import importlib, sys, time, torch
begun = time.process_time()
importlib.import_module(sys.argv[1])
print(time.process_time() - begun)
"""


def child(code: str, *words: str) -> list[float]:
    made = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True)
    return [float(word) for word in made.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for seed in range(2):
            levels = np.random.default_rng(seed).integers(0, 255, (20, 30, 3), np.uint8)
            paths.append(str(Path(folder) / f"{seed}.png"))
            Image.fromarray(levels).resize((480, 320), Image.Resampling.BICUBIC).save(paths[-1])
        rows = [child(RUN, *paths, str(options.size)) for _ in range(options.rounds)]
    torch, rest, work = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, "
          f"{options.size} px, median of {options.rounds}, CPU seconds")  # fmt: skip
    print(f"torch {torch:.2f}, photostyle's imports {rest:.2f}, first iteration {work:.2f}; "
          f"beyond torch {rest + work:.2f}")  # fmt: skip
    for name in MODULES:
        print(f"import {name}: {statistics.median(child(IMPORT, name)[0] for _ in range(3)):.3f}")


if __name__ == "__main__":
    main()
