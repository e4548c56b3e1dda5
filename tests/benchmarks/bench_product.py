"""The Laplacian's product: whole slices, slices in blocks (what a CPU does), CSR, and compiled.

    python tests/benchmarks/bench_product.py [--size 512] [--compile]

CPU time, and the largest error of float32 against scipy's float64 product: on noise, and on a
photograph's affine change of colour, where L v is next to nothing beside the sums it comes of.
"""

import argparse
import datetime
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.matting.laplacian import AHEAD, matting_laplacian
from photostyle.matting.product import _BLOCK, LaplacianOperator, _in_slices
from tests.benchmarks.bench_matting import textured


def gathered(rows: Tensor, ahead: Tensor, width: int) -> Tensor:
    """Every pixel's sum over its 24 neighbours, as a compiler can make one pass of it."""
    pixels, reach = rows.shape[1], 2 * width + 2
    padded, entries = F.pad(rows, (reach, reach)), F.pad(ahead, (reach, reach))
    here, product = rows, torch.zeros_like(rows)
    for own, (dy, dx) in zip(entries, AHEAD, strict=True):
        ahead_by, behind = reach + dy * width + dx, reach - dy * width - dx
        product = product + own[reach : reach + pixels] * (
            padded[:, ahead_by : ahead_by + pixels] - here
        )
        product = product + own[behind : behind + pixels] * (
            padded[:, behind : behind + pixels] - here
        )
    return product


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compile", action="store_true", help="takes a minute, needs a C++ one")
    options = parser.parse_args()
    size = options.size * 2 // 3, options.size
    image = textured(*size)
    matrix, ahead = matting_laplacian(image), LaplacianOperator.of(image).ahead
    parts = (matrix.indptr, matrix.indices, matrix.data)
    csr = torch.sparse_csr_tensor(*map(torch.from_numpy, parts), matrix.shape).float()
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "whole slices": lambda v: _in_slices(v, ahead, size[1], v.shape[1]),
        f"slices in blocks of {_BLOCK}": lambda v: _in_slices(v, ahead, size[1], _BLOCK),
        "CSR": lambda v: (csr @ v.T.contiguous()).T,
        "gathered": lambda v: gathered(v, ahead, size[1]),
    }
    if options.compile:
        compiled = torch.compile(gathered, dynamic=False)
        ways["gathered, compiled"] = lambda v: compiled(v, ahead, size[1])
    noise = torch.rand(3, size[0] * size[1], generator=torch.Generator().manual_seed(0))
    vectors = noise, image.reshape(3, -1).flip(0) * 0.7 + 0.1
    print(f"{datetime.date.today()}, {size[1]}×{size[0]}, {torch.get_num_threads()} threads")
    print("| way | first call s | ms of CPU time | error on noise | on a change of colour |")
    print("|---|---|---|---|---|")
    for name, way in ways.items():
        began = time.perf_counter()
        way(noise)
        first, errors, taken = time.perf_counter() - began, [], []
        for vector in vectors:
            exact = torch.from_numpy((matrix @ vector.double().numpy().T).T)
            largest = exact.abs().max() if vector is noise else 1.0
            errors.append(f"{((way(vector) - exact).abs().max() / largest).item():.1e}")
        for _ in range(options.rounds):
            began = time.process_time()
            way(noise)
            taken.append(time.process_time() - began)
        print(f"| {name} | {first:.2f} | {1e3 * statistics.median(taken):.2f} | "
              + " | ".join(errors) + " |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
