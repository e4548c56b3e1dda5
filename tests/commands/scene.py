"""A scene of two regions with its masks and a style, and the command line in this process or in
another."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from photostyle.cli import main

QUICK = "--size 96 --iterations 4 --encoder builtin --device cpu"


def fill(folder: Path) -> Path:
    """A content and a style picture of two regions each, and their label pictures."""
    rng = np.random.default_rng(0)
    for name, (width, height), sky, ground in (
        ("content", (120, 90), (150, 190, 240), (120, 100, 70)),
        ("style", (100, 110), (30, 20, 80), (200, 120, 40)),
    ):
        pixels = np.empty((height, width, 3))
        pixels[: height // 2], pixels[height // 2 :] = sky, ground
        pixels += rng.normal(0, 12, pixels.shape) + 20 * np.sin(np.arange(width) / 9)[:, None]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")
        labels = np.zeros((height, width, 3), np.uint8)
        labels[: height // 2, :, 2], labels[height // 2 :, :, 0] = 255, 255
        Image.fromarray(labels).save(folder / f"{name}-mask.png")
    return folder


def process(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "photostyle", *words.split()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def photostyle(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has torch already."""
    out, err = io.StringIO(), io.StringIO()
    streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
    with contextlib.chdir(folder), streams[0], streams[1]:
        code = main(words.split())
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


MASKED = (
    "run --content content.png --style style.png "
    f"--content-mask content-mask.png --style-mask style-mask.png {QUICK}"
)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)
