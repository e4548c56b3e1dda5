"""Bad input through the real command line: one sentence, exit code 2, nothing left behind."""

import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.commands.scene import photostyle


class Code:
    """Unpickling it would create a file: what a hostile weight file does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def picture(path: Path, size: tuple[int, int] = (96, 64)) -> Path:
    rng = np.random.default_rng(len(path.name))
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good inputs and one of every bad kind."""
    good = picture(tmp_path / "content.png")
    picture(tmp_path / "style.png", (80, 70))
    picture(tmp_path / "tiny.png", (1, 1))
    Image.new("RGB", (96, 64), (0, 0, 255)).save(tmp_path / "mask.png")
    Image.new("RGB", (64, 96), (0, 0, 255)).save(tmp_path / "tall.png")
    Image.new("RGB", (80, 70), (0, 0, 255)).save(tmp_path / "square.png")
    Image.new("RGB", (96, 64), (90, 60, 20)).save(tmp_path / "brown.png")
    (tmp_path / "none").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("this is no picture")
    picture(tmp_path / "whole.jpg", (400, 300))
    (tmp_path / "truncated.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:9000])
    (tmp_path / "bomb.png").write_bytes(bomb())
    (tmp_path / "settings.toml").write_text("[objective]\nstyle_wait = 3\n")
    (tmp_path / "garbled.safetensors").write_bytes(b"\x00" * 40)
    (tmp_path / "empty.pth").touch()
    shapes = {"features.0.weight": torch.zeros(4, 3, 3, 3), "features.0.bias": torch.zeros(5)}
    save_file(shapes, tmp_path / "shapes.safetensors")
    with (tmp_path / "code.pth").open("wb") as file:
        pickle.dump({"features.0.weight": Code(tmp_path / "pwned")}, file)
    assert good.stat().st_size > 1000
    return tmp_path


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 40000×40000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data)
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


BOTH = "--content content.png --style style.png"
CASES = {
    "missing content": ("--content nowhere.png --style style.png", "nowhere.png"),
    "missing style": ("--content content.png --style nowhere.png", "nowhere.png"),
    "folder for a file": ("--content . --style style.png", "folder"),
    "not an image": ("--content text.jpg --style style.png", "text.jpg"),
    "zero bytes": ("--content empty.png --style style.png", "empty.png"),
    "truncated": ("--content truncated.jpg --style style.png", "truncated.jpg"),
    "bomb": ("--content bomb.png --style style.png", "bomb.png"),
    "1×1 content": ("--content tiny.png --style style.png", "tiny.png"),
    "1×1 style": ("--content content.png --style tiny.png", "tiny.png"),
    "no style": ("--content content.png", "--style"),
    "mask alone": (f"{BOTH} --content-mask mask.png", "--style-mask"),
    "missing mask": (f"{BOTH} --content-mask mask.png --style-mask no.png", "no.png"),
    "mask without a label": (f"{BOTH} --content-mask brown.png --style-mask mask.png", "brown.png"),
    "mask that is no picture": (
        f"{BOTH} --content-mask text.jpg --style-mask mask.png",
        "text.jpg",
    ),
    "mask of other proportions": (
        f"{BOTH} --content-mask tall.png --style-mask mask.png",
        "tall.png is 64×96 pixels and the content 96×64",
    ),
    "masks and another segmenter": (
        f"{BOTH} --content-mask mask.png --style-mask mask.png --segmenter cluster",
        "--segmenter cluster",
    ),
    "unknown segmenter": (f"{BOTH} --segmenter magic", "--segmenter"),
    "no segmentation network": (
        f"{BOTH} --segmenter semantic --segmenter-model ./nowhere",
        "--segmenter-model nowhere is no folder",
    ),
    "table of groups that is no table": (
        f"{BOTH} --segmenter semantic --segmenter-groups settings.toml",
        "settings.toml: needs a table [groups]",
    ),
    "correspondence of unknown regions": (
        f"{BOTH} --content-mask mask.png --style-mask square.png --correspond tower=blue",
        "no region 'tower'; it has blue",
    ),
    "bad palette": (f"{BOTH} --content-mask mask.png --style-mask square.png --palette x", "x"),
    "empty folder of masks": (
        f"{BOTH} --content-mask none --style-mask square.png",
        "none holds no masks",
    ),
    "unknown option": (f"{BOTH} --photoreal-wieght 3", "--photoreal-weight"),
    "unknown preset": (f"{BOTH} --preset disco", "photoreal"),
    "unknown device": (f"{BOTH} --device abacus", "--device abacus"),
    "negative weight": (f"{BOTH} --style-weight -3", "--style-weight"),
    "NaN weight": (f"{BOTH} --photoreal-weight nan", "--photoreal-weight"),
    "weight that is a word": (f"{BOTH} --content-weight heavy", "--content-weight"),
    "size 0": (f"{BOTH} --size 0", "--size"),
    "negative iterations": (f"{BOTH} --iterations -1", "--iterations"),
    "unknown init": (f"{BOTH} --init magic", "--init"),
    "unknown layer": (f"{BOTH} --style-layers relu9_9", "relu9_9"),
    "strength above 1": (f"{BOTH} --strength 2", "--strength"),
    "strength of an unknown region": (f"{BOTH} --strength sky=0.5", "'sky'"),
    "protection of an unknown thing": (f"{BOTH} --protect lake", "'lake'"),
    "protection above 1": (f"{BOTH} --protect skin=2", "'skin=2' is nothing to protect"),
    "luminance above 1": (f"{BOTH} --luminance 1.5", "--luminance"),
    "canvas that the preset lacks": (
        f"{BOTH} --canvas pixels",
        "--canvas pixels: --preset photoreal has no solve on that canvas; it has affine-grid.",
    ),
    "canvas of a preset without solves": (
        f"{BOTH} --preset color --canvas pixels",
        "it has no solves at all.",
    ),
    "missing configuration": (f"{BOTH} --config nowhere.toml", "nowhere.toml"),
    "unknown name in configuration": (f"{BOTH} --config settings.toml", "style_weight"),
    "unknown encoder": (f"{BOTH} --encoder vgg99", "vgg99"),
    "encoder without weights": (f"{BOTH} --encoder vgg16", "`photostyle weights fetch vgg16`"),
    "damaged weights": (f"{BOTH} --encoder garbled.safetensors", "garbled.safetensors"),
    "empty weights": (f"{BOTH} --encoder empty.pth", "empty.pth"),
    "wrong-shaped weights": (f"{BOTH} --encoder shapes.safetensors", "shapes.safetensors"),
    "pickle with code": (f"{BOTH} --encoder code.pth", "code.pth"),
    "output over an input": (f"{BOTH} --out content.png", "content.png"),
    "sheet over an input": (f"{BOTH} --sheet style.png", "style.png"),
    "sheet over the result": (f"{BOTH} --out new.png --sheet new.png", "--sheet"),
    "output of unknown kind": (f"{BOTH} --out result.gif", "result.gif"),
    "output below a file": (f"{BOTH} --out content.png/result.png", "content.png"),
    "layer weights too few": (f"{BOTH} --style-layer-weights 1,2", "--style-layer-weights"),
    "several styles for one": (f"{BOTH} style.png", "2 pictures"),
    "blend of another number": (f"{BOTH} --preset gatys --style-blend 1,1", "--style-blend"),
    "two words for one weight": (f"{BOTH} --alpha-beta 1 --content-weight 1", "--alpha-beta"),
    "tiles for patches": (f"{BOTH} --preset mrf --encoder builtin --tile-size 64", "--tile-size"),
}


def assert_refused(done: CompletedProcess[str], says: str) -> None:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert lines[-1].startswith("photostyle: ")
    assert lines[-1].endswith((".", "?", ")"))
    assert says in lines[-1]
    assert done.stdout == ""


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(folder: Path, case: str) -> None:
    words, says = CASES[case]
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = photostyle(folder, f"run {words}" if words else "")
    assert_refused(done, says)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_pictures_without_a_command(folder: Path) -> None:
    done = photostyle(folder, "content.png style.png")
    assert_refused(done, "content.png is a file, where a command is needed, such as")


def test_a_folder_of_photographs_is_for_batch(folder: Path) -> None:
    assert_refused(photostyle(folder, "run --content none --style style.png"), "`photostyle batch`")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA GPU")
def test_absent_gpu(folder: Path) -> None:
    assert_refused(photostyle(folder, f"run {BOTH} --device cuda"), "--device cuda")


def test_read_only_folder(folder: Path) -> None:
    """Root may write anywhere, so the folder is one that nobody can write to."""
    done = photostyle(folder, f"run {BOTH} --out /proc/result.png")
    assert_refused(done, "/proc")


def test_replay_of_an_ordinary_picture(folder: Path) -> None:
    assert_refused(photostyle(folder, "replay content.png"), "content.png")
