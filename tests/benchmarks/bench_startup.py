"""Seconds from the command to the first iteration, and what importing costs, each in a new process.

    python tests/benchmarks/bench_startup.py [--size 256] [--rounds 5]

CPU seconds, so that others on the machine count for little, and the wall clock's beside them.
"torch" is importing it and nothing else; "first iteration" is all that a run does from its first
line of code to the first Step, torch left out. A first round, in which Python compiles and keeps
all modules, as an installation does, does not count.
"""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

#: Prints seconds of importing torch, of importing the rest, and until the first iteration: of the
#: processor, then of the wall clock.
RUN = """
import os, sys, time
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the command does
def now():
    return time.process_time(), time.perf_counter()
begun = now()
import torch
after_torch = now()
import photostyle.pipeline, photostyle.commands.run, photostyle.runtime.progress
imported = now()
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
times = [begun, after_torch, imported, now()]
for kind in zip(*times):
    print(*(after - before for before, after in zip(kind, kind[1:])))
"""
#: Modules whose import is timed by itself, after torch.
MODULES = (
    "numpy", "cv2", "PIL.Image", "imagecodecs", "tifffile", "scipy.sparse",
    "scipy.sparse,scipy.sparse.csgraph,scipy.cluster.hierarchy,scipy.ndimage", "av",
    "segmentation_models_pytorch",
)  # fmt: skip
IMPORT = """
import importlib, sys, time, torch
begun = time.process_time()
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print(time.process_time() - begun)
"""


def child(kept: str, code: str, *words: str) -> list[float]:
    own = {**os.environ, "PYTHONPYCACHEPREFIX": kept}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", code, *words]
    made = subprocess.run(command, capture_output=True, check=True, env=own)
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
        kept = str(Path(folder) / "compiled")
        rows = [child(kept, RUN, *paths, str(options.size)) for _ in range(options.rounds + 1)][1:]
        print(f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, "
              f"{options.size} px, median of {options.rounds}, "
              f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}")  # fmt: skip
        medians = [statistics.median(column) for column in zip(*rows, strict=True)]
        for clock, (torch, rest, work) in (("CPU", medians[:3]), ("wall", medians[3:])):
            print(f"{clock} s: torch {torch:.2f}, photostyle's imports {rest:.2f}, first iteration "
                  f"{work:.2f}; beyond torch {rest + work:.2f}")  # fmt: skip
        for name in MODULES:
            times = [child(kept, IMPORT, name)[0] for _ in range(4)][1:]
            print(f"import {name}: {statistics.median(times):.3f}")


if __name__ == "__main__":
    main()
