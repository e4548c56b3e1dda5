"""Memory and time of one objective call with gradient, with the encoder in tiles and without.

    python tests/benchmarks/bench_tiling.py [--width 64] [--sizes 512 1024 2048] [--tiles 0 512]

The objective is that of the preset `gatys` on a square picture of noise; the encoder a VGG-19 of
that width with generated weights. Each case runs in a process of its own, whose peak resident
memory is taken; memory beyond that of the same process before the call is what is reported.
"""

import argparse
import datetime
import multiprocessing
import os
import platform
import resource
import time

import torch
from bench_objective import vgg19

from photostyle.config.presets import preset
from photostyle.objective.objective import build_objective
from photostyle.segmentation.scene import Scene


def measured(width: int, size: int, tile: int) -> tuple[float, float, float]:
    """(seconds, MiB at the peak beyond those before, total)."""
    encoder = vgg19(width)
    pictures = torch.rand(2, 1, 3, size, size, generator=torch.Generator().manual_seed(1))
    # Targets of a small style, and content taps that no tile has to keep in full twice.
    style = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(2))
    scene = Scene(pictures[0], style, torch.ones(1, size, size), torch.ones(1, 256, 256))
    config = preset("gatys")
    objective = build_objective(
        scene, encoder, config.encoder, config.objective, ("content", "style"), None, tile
    )
    before = resident()
    leaf = pictures[1].clone().requires_grad_(True)
    began = time.perf_counter()
    total = objective(leaf)[0]
    torch.autograd.grad(total, leaf)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, peak - before, total.item()


def resident() -> float:
    """MiB of this process that are in memory now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=64, help="64 is the papers' VGG-19")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--tiles", type=int, nargs="+", default=[0, 512])
    options = parser.parse_args()
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), "
          f"torch {torch.__version__}, width {options.width}")  # fmt: skip
    context = multiprocessing.get_context("spawn")
    for size in options.sizes:
        for tile in options.tiles:
            with context.Pool(1) as pool:
                seconds, memory, total = pool.apply(measured, (options.width, size, tile))
            print(f"{size} px, {f'tiles of {tile}' if tile else 'no tiles'}: {memory:.0f} MiB, "
                  f"{seconds:.1f} s, loss {total:.7g}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
