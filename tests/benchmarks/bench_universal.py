"""Any style in one pass: seconds a picture beside the other methods, and memory of a training step.

    python tests/benchmarks/bench_universal.py [--sizes 256 512] [--megapixels 1 12]
        [--encoder FILE] [--artflow FILE] [--wct FILE] [--gatys 100]

Whole runs of the presets on the example pair, at one thread, files once read; time does not depend
on what a network has learned, so those that are not given have weights of no training. `gatys`
runs so many iterations and is told for the paper's 500.
"""

import argparse
import platform
import tempfile
import time
from pathlib import Path

import torch

from photostyle.config.presets import preset
from photostyle.config.training import TRAININGS, TrainingConfig
from photostyle.encoders.vgg import VggEncoder
from photostyle.encoders.weights import load_encoder
from photostyle.feedforward.style_model import StyleInfo, build_network, save_model
from photostyle.images.picture import load_image, resize
from photostyle.pipeline import stylize
from photostyle.universal.files import build_decoders, build_flow, save_universal
from photostyle.universal.flow import FlowNetwork

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def facts(config: TrainingConfig) -> StyleInfo:
    return StyleInfo("", "", b"", "", "", config)


def networks(options: argparse.Namespace, folder: Path) -> dict[str, Path]:
    """Files of networks by preset."""
    found = {"fast": folder / "fast.safetensors"}
    save_model(found["fast"], build_network(TrainingConfig().network), facts(TrainingConfig()))
    found["artflow"] = options.artflow or folder / "artflow.safetensors"
    if options.artflow is None:
        config = TRAININGS["artflow"].with_options({"flow_width": options.width})
        save_universal(found["artflow"], build_flow(config), facts(config))
    encoder, _ = load_encoder(options.encoder)
    if options.wct is not None:
        found["wct"] = options.wct
    elif isinstance(encoder, VggEncoder):
        found["wct"] = folder / "wct.safetensors"
        config = TRAININGS["decoder"]
        save_universal(found["wct"], build_decoders(config, encoder), facts(config))
    return found


def seconds(name: str, size: tuple[int, int], values: dict[str, object]) -> float:
    """Of one run, without reading files; the best of two."""
    content, style = (load_image(EXAMPLES / f"{x}.jpg").image for x in ("city", "night"))
    content = resize(content, size)[0].contiguous()
    best = float("inf")
    for _ in range(1 if name == "gatys" else 2):
        began = time.perf_counter()
        stylize(content, style[0], preset(name).with_options(values))
        best = min(best, time.perf_counter() - began)
    return best


def times(options: argparse.Namespace, files: dict[str, Path]) -> None:
    print("| seconds | " + " | ".join(f"{size} px" for size in options.sizes) + " |")
    print("|---" * (1 + len(options.sizes)) + "|")
    for name in ("wavelet", "color", "photoreal-fast", "artflow", "wct", "fast", "gatys"):
        if name not in files and name in ("artflow", "wct", "fast"):
            continue
        cells = []
        for size in options.sizes:
            values: dict[str, object] = {"size": size, "segmenter": "none"}
            if name in files:
                values["model"] = str(files[name])
            if name == "gatys":
                values |= {"iterations": options.gatys, "encoder": options.encoder}
            taken = seconds(name, (size * 2 // 3, size), values)
            told = taken * 500 / options.gatys if name == "gatys" else taken
            cells.append(f"{told:.2f}" if told < 100 else f"{told:.0f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def large(options: argparse.Namespace) -> None:
    for megapixels in options.megapixels:
        side = round((megapixels * 1e6 / 1.5) ** 0.5)
        taken = seconds("wavelet", (side, round(1.5 * side)), {"segmenter": "none"})
        print(f"wavelet, delivered at {megapixels:g} MP: {taken:.1f} s", flush=True)


def memory(options: argparse.Namespace) -> None:
    """What a training step keeps for its gradient, counted tensor by tensor."""
    config = TRAININGS["artflow"].with_options({"flow_width": options.width})
    for recompute in ("on", "off"):
        chosen = config.with_options({"recompute": recompute})
        kept = kept_bytes(build_flow(chosen), torch.rand(2, 6, 128, 128))
        print(f"2×8 flows of width {options.width}, 128 px, batch 2, --recompute {recompute}: "
              f"{kept / 2**20:.0f} MiB of activations kept", flush=True)  # fmt: skip


def kept_bytes(flow: FlowNetwork, pairs: torch.Tensor) -> int:
    sizes: dict[int, int] = {}
    held = []  # so that no address is used twice
    weights = {w.data_ptr() for w in flow.parameters()}

    def pack(x: torch.Tensor) -> torch.Tensor:
        if x.data_ptr() not in weights:
            sizes[x.data_ptr()] = x.numel() * x.element_size()
            held.append(x)
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        flow(pairs).sum()
    return sum(sizes.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--megapixels", type=float, nargs="*", default=[1, 12])
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--artflow", type=Path)
    parser.add_argument("--wct", type=Path)
    parser.add_argument("--width", type=int, default=256, help="of the couplings")
    parser.add_argument("--gatys", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.machine()}, torch {torch.__version__}, 1 thread, {options.encoder}")
    memory(options)
    with tempfile.TemporaryDirectory() as folder:
        times(options, networks(options, Path(folder)))
    large(options)


if __name__ == "__main__":
    main()
