"""One full objective call against the bare encoder's forward and backward pass, in one run.

    python tests/benchmarks/bench_objective.py [--size 512] [--rounds 9] [--pages usual]

Full: content, masked Gram over five layers with three regions, and photorealism. Bare: the same
encoder to the same deepest layer, channels-last, sum of the last map as the loss. The two take
turns, so that a machine that drifts drifts for both; CPU time, so that others on it count for
little. The encoder is a VGG-19 with generated weights; its time does not depend on their values.
"""

import argparse
import datetime
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from photostyle.config.config import Config
from photostyle.encoders.base import Encoder
from photostyle.encoders.weights import load_encoder
from photostyle.matting.product import LaplacianOperator
from photostyle.objective.objective import build_objective
from photostyle.runtime.pages import kept_pages
from photostyle.segmentation.scene import Scene

#: VGG-19 to conv5_1: channels of each convolution in units of the width, -1 for a pooling.
LAYOUT = (1, 1, -1, 2, 2, -1, 4, 4, 4, 4, -1, 8, 8, 8, 8, -1, 8)


def vgg19_weights(width: int) -> dict[str, torch.Tensor]:
    """VGG-19 of that width (64 is the papers'), He-initialised from a fixed seed."""
    torch.manual_seed(0)
    weights, index, channels = {}, 0, 3
    for step in LAYOUT:
        if step < 0:
            index += 1
            continue
        convolution = torch.nn.Conv2d(channels, step * width, 3)
        torch.nn.init.kaiming_normal_(convolution.weight)
        weights[f"features.{index}.weight"] = convolution.weight.detach()
        weights[f"features.{index}.bias"] = convolution.bias.detach()
        index, channels = index + 2, step * width
    return weights


def vgg19(width: int) -> Encoder:
    """An encoder with `vgg19_weights`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vgg19.safetensors"
        save_file(vgg19_weights(width), path)
        return load_encoder(str(path))[0]


def scene(size: int) -> Scene:
    """A textured picture 3:2 with three regions, split by slanted soft borders."""
    height, width = size * 2 // 3, size
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(2, 1, 3, height, width, generator=generator)
    ramp = torch.linspace(0, 3, height)[:, None] + torch.linspace(0, 0.5, width)[None]
    raw = torch.stack([(1.2 - (ramp - k - 0.75).abs() * 1.5).clamp(0, 1) for k in range(3)]) + 1e-9
    raw = torch.where(raw > 0.01, raw, 0.0)
    masks = raw / raw.sum(0)
    return Scene(pictures[0], pictures[1], masks, masks.flip(2))


def seconds(call: Callable[[Tensor], Tensor], image: Tensor) -> float:
    leaf = image.clone(memory_format=torch.channels_last).requires_grad_(True)
    began = time.process_time()
    torch.autograd.grad(call(leaf), leaf)
    return time.process_time() - began


def timed(
    calls: dict[str, Callable[[Tensor], Tensor]], image: Tensor, rounds: int
) -> dict[str, list[float]]:
    """CPU seconds of every round of each, after one that does not count."""
    for call in calls.values():
        seconds(call, image)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds(call, image))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--width", type=int, default=64, help="64 is the papers' VGG-19")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--encoder", help="a checkpoint, or builtin, in place of the generated VGG")
    parser.add_argument("--pages", choices=("kept", "usual"), default="kept", help="as in a run")
    options = parser.parse_args()

    pair = scene(options.size)
    encoder = load_encoder(options.encoder)[0] if options.encoder else vgg19(options.width)
    config = Config()
    size = (pair.content.shape[2], pair.content.shape[3])
    laplacian = LaplacianOperator.of(pair.content)
    terms = ("content", "style", "photoreal")
    full = build_objective(pair, encoder, config.encoder, config.objective, terms, laplacian)
    deepest = config.encoder.style_layers[-1]
    image = pair.content * 0.9
    calls: dict[str, Callable[[Tensor], Tensor]] = {
        "full": lambda x: full(x)[0],
        "bare": lambda x: encoder(x, [deepest])[deepest].sum(),
    }
    with kept_pages() if options.pages == "kept" else nullcontext():
        times = timed(calls, image, options.rounds)
    ratios = [f / b for f, b in zip(times["full"], times["bare"], strict=True)]
    print(f"{datetime.date.today()}, {os.cpu_count()} cores ({platform.machine()}), torch "
          f"{torch.__version__}, {torch.get_num_threads()} threads, {size[1]}×{size[0]}, "
          f"{encoder.name}")  # fmt: skip
    for name, values in times.items():
        print(f"{name}: median {statistics.median(values) * 1e3:.0f} ms of CPU time")
    print(f"full / bare: median {statistics.median(ratios):.3f} "
          f"({min(ratios):.3f} to {max(ratios):.3f}) over {len(ratios)} pairs")  # fmt: skip


if __name__ == "__main__":
    main()
