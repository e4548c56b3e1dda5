"""The commands of feed-forward styles, as they are typed: killed trainings, processes, files."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from photostyle.feedforward.style_model import build_network, load_model
from photostyle.feedforward.tiling import stylised
from tests.commands.scene import photostyle

TINY = (
    "train --style style.png --size 32 --batch 2 --steps 12 --width 0.1 --blocks 1 --workers 1 "
    "--encoder builtin --style-layers relu1_1,relu2_1 --content-layers relu2_1 --style-size 48 "
    "--log-every 1 --checkpoint-every 2 --preview-every 0 --device cpu"
)
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fast")
    rng = np.random.default_rng(0)
    for name, size in {"style.png": (60, 48), "content.png": (70, 50)}.items():
        pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / name)
    return path


def process(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "photostyle", *words.split()]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, env=ONE_THREAD
    )


@pytest.fixture(scope="module")
def trained(folder: Path) -> Path:
    """A network, trained without interruption."""
    done = process(folder, f"{TINY} --out whole.safetensors")
    assert done.returncode == 0, done.stderr
    assert "images/s" in done.stderr
    assert done.stdout == "whole.safetensors (12 steps)\n"
    return folder / "whole.safetensors"


def killed(folder: Path, words: str, step: int, how: int) -> subprocess.Popen[str]:
    """Starts a training and sends the signal as soon as it has told of that step."""
    command = [sys.executable, "-m", "photostyle", *words.split()]
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=ONE_THREAD,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"step {step}/"):
            process.send_signal(how)
            break
    return process


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = load_file(one), load_file(other)
    assert first.keys() == second.keys()
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


def test_killed_three_times_ends_the_same(folder: Path, trained: Path) -> None:
    out = folder / "killed.safetensors"
    moments = sorted(np.random.default_rng().choice(np.arange(2, 12), 3, replace=False).tolist())
    resume = ""
    for step in moments:
        begun = killed(folder, f"{TINY} --out {out.name}{resume}", step, signal.SIGKILL)
        begun.communicate()
        assert begun.returncode == -signal.SIGKILL, moments
        assert not out.exists()
        resume = " --resume"
    done = process(folder, f"{TINY} --out {out.name} --resume")
    assert done.returncode == 0, done.stderr
    assert_same_weights(out, trained)


def test_ctrl_c_keeps_the_step(folder: Path, trained: Path) -> None:
    out = folder / "stopped.safetensors"
    begun = killed(folder, f"{TINY} --out {out.name}", 3, signal.SIGINT)
    _, said = begun.communicate()
    assert begun.returncode == 130
    assert re.search(r"stopped\.training\.safetensors keeps step \d+, and --resume goes on", said)
    assert "Traceback" not in said
    assert process(folder, f"{TINY} --out {out.name} --resume").returncode == 0
    assert_same_weights(out, trained)


def test_two_processes_train_as_one(folder: Path, trained: Path) -> None:
    words = f"{TINY} --out two.safetensors".split()
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "photostyle", *words,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, env=ONE_THREAD
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("two.safetensors (12 steps)") == 1
    # Both optimisers turn gradients near 0 into whole steps, so weights may part where pictures
    # do not.
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    one, two = (load_model(path) for path in (trained, folder / "two.safetensors"))
    before = build_network(one.info.config.network)
    alone, together, begun = (stylised(n.eval(), image) for n in (one.network, two.network, before))
    assert (together - alone).abs().mean() < 0.1 * (begun - alone).abs().mean()


def test_apply_and_run_give_the_same_picture(folder: Path, trained: Path) -> None:
    done = photostyle(folder, "apply content.png --model whole.safetensors --out styled")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "styled/content.png\n"
    done = photostyle(
        folder,
        "run --preset fast --model whole.safetensors --content content.png --style style.png "
        "--out run.png --device cpu",
    )
    assert done.returncode == 0, done.stderr
    one, other = (
        np.asarray(Image.open(folder / name)).astype(int)
        for name in ("styled/content.png", "run.png")
    )
    assert one.shape == (50, 70, 3)
    assert np.abs(one - other).max() <= 1
    again = photostyle(folder, "replay run.png --out again.png")
    assert again.returncode == 0, again.stderr
    assert np.array_equal(np.asarray(Image.open(folder / "again.png")), other)


def test_export_beside_the_network(folder: Path, trained: Path) -> None:
    done = photostyle(folder, "export --model whole.safetensors --format torchscript")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("whole.pt (differs by at most")


def test_compare(folder: Path, trained: Path) -> None:
    done = photostyle(
        folder,
        "compare fast content.png --model whole.safetensors --size 48,56,90,99 --iterations 2,4 "
        "--device cpu --sheet sheet.png",
    )
    assert done.returncode == 0, done.stderr
    for size in ("48×34", "56×40", "70×50"):
        assert done.stdout.count(f"| content | {size} |") == 1  # it has 70×50 pixels
    assert "Titan X" in done.stdout
    assert (folder / "sheet.png").is_file()


def test_metadata_of_the_training(trained: Path) -> None:
    found = load_model(trained).info
    assert found.style == "style.png"
    assert found.encoder == "builtin"
    assert found.config.train.steps == 12
