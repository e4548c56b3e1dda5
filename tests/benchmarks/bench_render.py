"""Full-resolution rendering from a 700 px grade: time and memory by size.

    python tests/benchmarks/bench_render.py [--megapixels 6 12 24 48]

Every size runs in a process of its own. Memory is the peak beyond the two image buffers (content
and result). The downsampled rendering is compared with the picture at the working size. Linux only,
as it reads the peak from /proc.
"""

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from photostyle.images.picture import resize
from photostyle.matting.maps import fit_local_affine

WORKING = (467, 700)


def photograph(height: int, width: int) -> Tensor:
    """Soft shapes under fine grain."""
    generator = torch.Generator().manual_seed(0)
    shapes = resize(torch.rand(1, 3, 24, 36, generator=generator), (height, width))
    grain = torch.rand(1, 1, height, width, generator=generator)
    return shapes.mul_(0.9).add_(grain.mul_(0.1))


def kilobytes(name: str) -> int:
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def one(megapixels: float) -> None:
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    content = photograph(height, round(height * 1.5))
    small = resize(content, WORKING)
    light = torch.linspace(1.3, 0.5, WORKING[1]) * torch.tensor([1.0, 0.9, 0.7]).view(1, 3, 1, 1)
    styled = (small * light).clamp(0, 1)
    maps = fit_local_affine(styled, small, radius=7, epsilon=1e-4)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    before = kilobytes("VmRSS")
    began = time.perf_counter()
    result = maps.apply(content)
    seconds = time.perf_counter() - began
    extra = (kilobytes("VmHWM") - before) / 1024 - result.numel() * 4 / 2**20
    error = (resize(result, WORKING) - maps.apply(small)).square().mean()
    psnr = -10 * torch.log10(error).item()
    print(f"| {content.shape[2] * content.shape[3] / 1e6:.1f} | {seconds:.2f} | "
          f"{seconds / megapixels:.3f} | {extra:.0f} | {psnr:.1f} |", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[6, 12, 24, 48])
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
          f"{torch.__version__}, {torch.get_num_threads()} threads")  # fmt: skip
    print("| MP | seconds | seconds/MP | MB beyond the images | PSNR of the reduced result, dB |")
    print("|---|---|---|---|---|", flush=True)
    for megapixels in options.megapixels:
        subprocess.run([sys.executable, __file__, "--one", str(megapixels)], check=True)


if __name__ == "__main__":
    main()
