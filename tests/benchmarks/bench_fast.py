"""The feed-forward network against plain eager code of the usual form, in one run.

    python tests/benchmarks/bench_fast.py [--width 1] [--size 256] [--rounds 9] [--onnx]

Inference: the same architecture and weights written as padding, convolution, normalisation and
ReLU modules in torch's default layout, under no_grad. Training: a whole step (encoder with
generated weights, the paper's layers) of a plain float32 loop with that network and Adam, and of
ours as it is used. The contenders take turns, so that a machine that drifts drifts for all.
"""

import argparse
import datetime
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_objective import vgg19

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from photostyle.config.training import TrainingConfig
from photostyle.feedforward.data import CropBatch
from photostyle.feedforward.distributed import Processes
from photostyle.feedforward.export import export, opened
from photostyle.feedforward.network import TransformNetwork
from photostyle.feedforward.style_model import StyleInfo, StyleModel
from photostyle.feedforward.tiling import stylised
from photostyle.feedforward.training import mixed_precision, new_state, style_objective, train
from photostyle.jobs.comparing import hardware
from tests.feedforward.plain_network import PlainNetwork


def measured(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every call in every round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number:
                times[name].append(time.perf_counter() - began)
    return times


def report(title: str, times: dict[str, list[float]], pictures: int) -> None:
    """Medians, and ratios of the first contender's time to the others', round by round."""
    first = next(iter(times))
    print(title)
    for name, values in times.items():
        ratios = [a / b for a, b in zip(times[first], values, strict=True)]
        median = statistics.median(values)
        print(f"  {name}: {median * 1e3:.0f} ms, {pictures / median:.1f} images/s, "
              f"{statistics.median(ratios):.2f} times as fast as {first} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


def inference(options: argparse.Namespace) -> None:
    network = TransformNetwork(width=options.width).eval()
    plain = PlainNetwork(network, "instance", "resize").eval()
    image = torch.rand(1, 3, options.size, options.size)

    @torch.no_grad()
    def eager() -> torch.Tensor:
        return plain(image)

    calls: dict[str, Callable[[], object]] = {
        "plain": eager,
        "ours": lambda: stylised(network, image),
    }
    if options.onnx:
        info = StyleInfo("", "", b"", "", "", TrainingConfig())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.onnx"
            export(StyleModel(network, info), path, "onnx")
            run = opened(path, "onnx")
        calls["ONNX Runtime"] = lambda: run(image)
    print(f"largest difference {(eager() - stylised(network, image)).abs().max():.1e}")
    report(f"inference at {options.size} px", measured(calls, options.rounds), 1)


def training(options: argparse.Namespace) -> None:
    config = TrainingConfig().with_options({"size": options.crop, "precision": options.precision})
    objective = style_objective(torch.rand(1, 3, 256, 256), vgg19(options.encoder_width), config)
    network = TransformNetwork(width=options.width)
    plain = PlainNetwork(network, "instance", "resize")
    images = torch.rand(options.batch, 3, options.crop, options.crop)
    adam = torch.optim.Adam(plain.parameters(), lr=1e-3)

    def plain_step() -> None:
        adam.zero_grad()
        objective(plain(images), images)[0].backward()
        adam.step()

    state = new_state(network, config.train)
    batches = itertools.repeat(CropBatch(images, ()))
    steps = train(state, objective, batches, config.train, Processes(0, 1, torch.device("cpu")))
    calls = {"plain": plain_step, "ours": lambda: next(steps)}
    title = (
        f"training at {options.crop} px, batch {options.batch}, encoder included, ours "
        f"{'mixed' if mixed_precision(config.train, torch.device('cpu')) else 'float32'}"
    )
    report(title, measured(calls, options.rounds), options.batch)
    last = images.contiguous(memory_format=torch.channels_last)
    calls = {
        "plain": lambda: plain(images).sum().backward(),
        "ours": lambda: network(last).sum().backward(),
    }
    report("the network's part of it", measured(calls, options.rounds), options.batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--encoder-width", type=int, default=16, help="64 is the papers' VGG-19")
    parser.add_argument("--precision", default="auto", help="of our training")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--onnx", action="store_true", help="also through ONNX Runtime")
    options = parser.parse_args()
    torch.manual_seed(0)
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, {hardware(torch.device('cpu'))}, "
          f"torch {torch.__version__}, width {options.width:g}")  # fmt: skip
    inference(options)
    training(options)


if __name__ == "__main__":
    main()
