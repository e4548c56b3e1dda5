"""Everything there is to know of the product on a GPU, in one go and one table.

    make gpu
    python tests/benchmarks/bench_gpu.py [--device cuda] [--quick]

Checks: every preset gives the CPU's pictures up to what optimising in other roundings may differ;
the objective can be captured as a CUDA graph. Benchmarks: seconds a stage of a whole `photoreal`
run at 700 px and at 4 MP, calls of the objective a second and their ratio to the bare encoder in
both precisions, memory, and `dpst` with all its 2000 iterations. The encoder is a full-width VGG-19
with generated weights, whose time does not depend on their values. `--device cpu --quick` runs the
same at a size of no interest, to see that it runs.
"""

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import PRESETS, preset
from photostyle.encoders.base import Encoder
from photostyle.encoders.weights import load_encoder
from photostyle.errors import DeviceError
from photostyle.matting.product import LaplacianOperator, _in_slices, _one_pass
from photostyle.objective.objective import Objective, build_objective
from photostyle.pipeline import stylize
from photostyle.result import Result
from photostyle.runtime.device import arithmetic, resolve_device
from tests.benchmarks.bench_objective import scene, vgg19_weights

#: Long sides of the pictures: 700 px and, at 3:2, 4 MP.
SIZES = (700, 2449)
#: Mean difference in levels up to which two optimisations in other roundings are one.
LEVELS = 2.0
PRECISIONS = ("float32", "bfloat16")


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def row(name: str, figure: str, remark: str = "") -> None:
    print(f"| {name} | {figure} | {remark} |", flush=True)


def styled(name: str, size: int, device: str, **chosen: object) -> Result:
    pair = scene(size)
    config = preset(name).with_options({"size": size, "device": device, **chosen})
    masks = {"content_mask": pair.content_masks.numpy(), "style_mask": pair.style_masks.numpy()}
    return stylize(pair.content[0], pair.style[0], config, **masks)


def check_presets(device: str, weights: str, size: int) -> None:
    for name in PRESETS:
        if name == "fast":
            continue
        chosen = {"encoder": weights, "iterations": 5, "precision": "float32", "affine_radius": 5}
        found, expected = (styled(name, size, place, **chosen).image for place in (device, "cpu"))
        apart = 255 * (found.cpu() - expected).abs().mean().item()
        row(f"{name} as on the CPU", "yes" if apart < LEVELS else "NO", f"{apart:.3f} levels")


def objective(size: int, device: torch.device, encoder: Encoder, precision: str) -> Objective:
    pair, config = scene(size).to(device), Config()
    laplacian = LaplacianOperator.of(pair.content.cpu(), device=device)
    terms = ("content", "style", "photoreal")
    return build_objective(
        pair, encoder, config.encoder, config.objective, terms, laplacian, 0, precision
    )


def seconds(call: Callable[[Tensor], Tensor], image: Tensor) -> float:
    leaf = image.clone(memory_format=torch.channels_last).requires_grad_(True)
    wait(image.device)
    began = time.perf_counter()
    torch.autograd.grad(call(leaf), leaf)
    wait(image.device)
    return time.perf_counter() - began


def calls(size: int, device: torch.device, encoder: Encoder, rounds: int) -> None:
    deepest = Config().encoder.style_layers[-1]
    for precision in PRECISIONS:
        made = objective(size, device, encoder, precision)

        def full(x: Tensor, made: Objective = made) -> Tensor:
            return made(x)[0]

        def bare(x: Tensor, narrow: bool = precision == "bfloat16") -> Tensor:
            with torch.autocast(device.type, torch.bfloat16, enabled=narrow):
                return encoder(x, [deepest])[deepest].float().sum()

        image = scene(size).content.to(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        with arithmetic(precision):
            seconds(full, image), seconds(bare, image)
            pairs = [(seconds(full, image), seconds(bare, image)) for _ in range(rounds)]
        each = statistics.median(f for f, _ in pairs)
        ratio = statistics.median(f / b for f, b in pairs)
        room = f"{torch.cuda.max_memory_allocated(device) / 2**30:.2f} GiB" if (
            device.type == "cuda") else "memory not measured here"  # fmt: skip
        row(f"objective at {size} px, {precision}", f"{1 / each:.1f} calls/s",
            f"{ratio:.3f} times the bare encoder, {room}")  # fmt: skip


def product(size: int, device: torch.device) -> None:
    """The Laplacian's product as it is done there, against slices."""
    content = scene(size).content
    made = LaplacianOperator.of(content, device=device)
    rows = content.to(device).reshape(3, -1)
    pixels = rows.shape[1]

    def took(call: Callable[[], Tensor]) -> float:
        call()
        wait(device)
        began = time.perf_counter()
        for _ in range(20):
            call()
        wait(device)
        return 1e3 * (time.perf_counter() - began) / 20

    here, slices = lambda: made.times(rows), lambda: _in_slices(rows, made.ahead, size, pixels)
    apart = ((here() - slices()).abs().max() / slices().abs().max()).item()
    way = "one pass" if device.type == "cuda" and _one_pass(device, rows.dtype) else "in slices"
    row(f"Laplacian's product at {size} px, {way}", f"{took(here):.3f} ms",
        f"slices {took(slices):.3f} ms, {apart:.1e} apart")  # fmt: skip


def check_graph(size: int, device: torch.device, encoder: Encoder) -> None:
    """Captures one call of the objective with its gradient, and replays it on another picture."""
    if device.type != "cuda":
        row("captured as a CUDA graph", "-", "no CUDA here")
        return
    made = objective(size, device, encoder, "float32")
    image = scene(size).content.to(device).requires_grad_(True)
    stream = torch.cuda.Stream(device)
    with torch.cuda.stream(stream):
        for _ in range(3):
            torch.autograd.grad(made(image)[0], image)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        (captured,) = torch.autograd.grad(made(image)[0], image)
    with torch.no_grad():
        image.mul_(0.9)
    graph.replay()
    wait(device)
    (expected,) = torch.autograd.grad(made(image)[0], image)
    apart = ((captured - expected).abs().max() / expected.abs().max()).item()
    row("captured as a CUDA graph", "yes" if apart < 1e-3 else "NO", f"{apart:.1e} apart")


def stages(name: str, size: int, device: str, weights: str, **chosen: object) -> None:
    began = time.perf_counter()
    result = styled(name, size, device, encoder=weights, **chosen)
    whole = time.perf_counter() - began
    parts = ", ".join(f"{stage} {took:.2f}" for stage, took in result.seconds.items())
    row(f"{name} at {size} px", f"{whole:.2f} s", parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    options = parser.parse_args()
    try:
        device = resolve_device(options.device)
    except DeviceError as error:
        print(f"Nothing was measured: {error}")
        return
    sizes, check, rounds = ((96,), 96, 1) if options.quick else (SIZES, 256, 20)
    quick = {"iterations": 2} if options.quick else {}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {datetime.date.today()}\n")
    print("| what | figure | of it |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vgg19.safetensors"
        save_file(vgg19_weights(8 if options.quick else 64), path)
        encoder = load_encoder(str(path), device)[0]
        check_presets(options.device, str(path), check)
        check_graph(check, device, encoder)
        for size in sizes:
            product(size, device)
            calls(size, device, encoder, rounds)
            stages("photoreal", size, options.device, str(path), **quick)
        stages("dpst", sizes[0], options.device, str(path), **quick)


if __name__ == "__main__":
    main()
