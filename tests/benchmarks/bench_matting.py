"""Time and memory of the Matting Laplacian's construction, against pymatting's.

    python tests/benchmarks/bench_matting.py [--runs 9]

Both build the same image's Laplacian in turn, in one run, and the table gives the medians. Memory
is how far a fresh process's peak exceeds what it held after the imports, the input and a first
construction on a tiny image; it is read from /proc, so that the script needs Linux. pymatting
compiles its loops once and keeps them on disk; the time of a first call with an empty cache is
printed on its own.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

SIZES = [(467, 700), (816, 1225), (1155, 1732)]
Build = Callable[[Tensor], Callable[[], sparse.csr_matrix]]


def textured(height: int, width: int) -> Tensor:
    """A smooth scene with edges, fine texture and a little noise, 1×3×H×W in [0, 1]."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    waves = torch.stack([torch.sin(9 * x + 4 * y + phase) for phase in (0.0, 1.0, 2.5)])
    texture = 0.1 * torch.sin(0.9 * width * x) * torch.sin(0.7 * height * y)
    edges = 0.2 * torch.sign(torch.sin(23 * x * y))
    noise = 0.02 * torch.randn(3, height, width, generator=torch.Generator().manual_seed(0))
    return (0.5 + 0.2 * waves + texture + edges + noise).clamp(0, 1)[None]


def ours(image: Tensor) -> Callable[[], sparse.csr_matrix]:
    from photostyle.matting.laplacian import matting_laplacian

    return lambda: matting_laplacian(image)


def theirs(image: Tensor) -> Callable[[], sparse.csr_matrix]:
    import pymatting

    colours = np.ascontiguousarray(image[0].permute(1, 2, 0).double().numpy())
    return lambda: pymatting.cf_laplacian(colours, epsilon=1e-7, radius=1).tocsr()


BUILDS: dict[str, Build] = {"photostyle": ours, "pymatting": theirs}


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_seconds(image: Tensor, runs: int) -> dict[str, float]:
    calls = {name: build(image) for name, build in BUILDS.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(runs):
        for name, call in calls.items():
            taken[name].append(seconds(call))
    return {name: statistics.median(times) for name, times in taken.items()}


def resident_bytes(field: str) -> int:
    """VmRSS (now) or VmHWM (the peak) of this process.

    Not ru_maxrss: a new process takes that over from the one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def report_memory(name: str, height: int, width: int) -> None:
    """Print by how many bytes one construction's peak exceeds what this process held before."""
    BUILDS[name](textured(8, 8))()
    call = BUILDS[name](textured(height, width))
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = resident_bytes("VmRSS")
    matrix = call()
    print(resident_bytes("VmHWM") - before, matrix.nnz)


def memory(name: str, size: tuple[int, int]) -> int:
    words = [sys.executable, __file__, "--memory", name, *map(str, size)]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(run.stdout.split()[0])


def first_call_seconds() -> float:
    """pymatting's first call on a tiny image where nothing has been compiled yet."""
    code = (
        "import time, numpy; start = time.perf_counter(); import pymatting; "
        "pymatting.cf_laplacian(numpy.zeros((8, 8, 3))); print(time.perf_counter() - start)"
    )
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "NUMBA_CACHE_DIR": empty}
        words = [sys.executable, "-c", code]
        run = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return float(run.stdout)


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def print_table(runs: int) -> None:
    print(f"{processor()}, {os.cpu_count()} cores, {date.today().isoformat()}, {runs} runs each\n")
    print(
        "| image | photostyle s | pymatting s | time ratio "
        "| photostyle MB | pymatting MB | memory ratio |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in SIZES:
        taken = median_seconds(textured(*size), runs)
        used = {name: memory(name, size) / 1e6 for name in BUILDS}
        print(
            f"| {size[1]}×{size[0]} ({size[0] * size[1] / 1e6:.2f} MP) "
            f"| {taken['photostyle']:.3f} | {taken['pymatting']:.3f} "
            f"| {taken['photostyle'] / taken['pymatting']:.2f} "
            f"| {used['photostyle']:.0f} | {used['pymatting']:.0f} "
            f"| {used['photostyle'] / used['pymatting']:.2f} |",
            flush=True,
        )
    print(f"\npymatting's import and first call, compiling: {first_call_seconds():.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="constructions timed of each kind")
    parser.add_argument("--memory", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        name, height, width = given.memory
        report_memory(name, int(height), int(width))
    else:
        print_table(given.runs)


if __name__ == "__main__":
    main()
