"""Peak memory of the commands on one large photograph.

    python tests/benchmarks/bench_memory.py [--megapixels 24] [--width 1] [apply run batch render]

Every command runs in a process of its own, whose peak the system tells; that of importing torch is
in it, and told first. The network of `apply` is untrained: memory does not depend on weights.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from photostyle.config.training import NetworkConfig, TrainingConfig
from photostyle.feedforward.style_model import StyleInfo, build_network, save_model

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMMANDS = {
    "apply": "apply big.jpg --model net.safetensors --out applied",
    "run": "run --content big.jpg --style night.jpg --out result.jpg",
    "batch": "batch jobs.yaml --out batched --format jpg",
    "render": "render result.jpg --strength 0.7 --out softer.jpg",
}


def prepared(folder: Path, megapixels: float, width: float) -> None:
    """A photograph of that size, a network of that width, and a job."""
    with Image.open(EXAMPLES / "city.jpg") as city:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        city.resize((round(1.5 * height), height)).save(folder / "big.jpg", quality=92)
    (folder / "night.jpg").write_bytes((EXAMPLES / "night.jpg").read_bytes())
    (folder / "jobs.yaml").write_text("- {content: big.jpg, style: night.jpg}\n")
    config = TrainingConfig(network=NetworkConfig(width=width))
    info = StyleInfo("night.jpg", "0" * 64, b"", "builtin", "0" * 64, config)
    save_model(folder / "net.safetensors", build_network(config.network), info)


def measured(words: list[str], folder: Path) -> tuple[float, float]:
    """Peak in GB and seconds of a command, run from a process that waits for nothing else."""
    began = time.perf_counter()
    waiting = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", waiting, sys.executable, *words],
        cwd=folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * unit / 1e9, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", choices=[[], *COMMANDS])
    parser.add_argument("--megapixels", type=float, default=24.0)
    parser.add_argument("--width", type=float, default=1.0)
    options = parser.parse_args()
    chosen = options.commands or list(COMMANDS)
    assert resource  # not on Windows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(folder, options.megapixels, options.width)
        print("| command | peak, GB | seconds |\n|---|---|---|")
        peak, seconds = measured(["-c", "import torch"], folder)
        print(f"| (torch alone) | {peak:.2f} | {seconds:.0f} |", flush=True)
        if "render" in chosen and "run" not in chosen:
            chosen.insert(0, "run")
        for command in chosen:
            peak, seconds = measured(["-m", "photostyle", *COMMANDS[command].split()], folder)
            print(f"| {command} | {peak:.2f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
