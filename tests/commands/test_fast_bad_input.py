"""Bad input to the commands of feed-forward styles: one sentence, exit code 2, nothing left."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from photostyle.cli import main
from photostyle.feedforward import applying
from photostyle.feedforward.style_model import build_network, save_model
from tests.feedforward.test_style_model import CONFIG, info, rewritten
from tests.films.clips import clip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    for name, size in {"style.png": (60, 48), "tiny/a.png": (40, 31), "good.png": (50, 40)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(
            tmp_path / name
        )
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("no picture")
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (50, 2)).save(tmp_path / "line.png")
    save_model(tmp_path / "net.safetensors", build_network(CONFIG.network), info())
    save_model(tmp_path / "newer.safetensors", build_network(CONFIG.network), info())
    rewritten(tmp_path / "newer.safetensors", lambda t, m: m.update(version="9"))
    save_file(load_file(tmp_path / "net.safetensors"), tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "net.safetensors").read_bytes()[:200])
    (tmp_path / "none.avi").write_bytes(b"RIFF")
    clip(tmp_path / "clip.mp4", 2)
    Image.new("RGB", (50, 40)).save(tmp_path / "still.mp4", "PNG")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TRAIN = "train --encoder builtin --size 32 --steps 2 --batch 2 --out new.safetensors"
CASES = {
    "no style": (f"{TRAIN}", "--style"),
    "style that is no picture": (f"{TRAIN} --style text.png", "text.png"),
    "data that is not there": (f"{TRAIN} --style style.png --data nowhere", "nowhere is no folder"),
    "empty data": (f"{TRAIN} --style style.png --data empty", "empty holds no picture"),
    "unreadable data": (
        f"{TRAIN} --style style.png --data broken",
        "but 1 that cannot be read, such as broken/a.png; give other pictures",
    ),
    "smaller than the crop": (
        f"{TRAIN} --style style.png --data tiny",
        "but 1 smaller than 32×32 pixels; lower --size",
    ),
    "scenes out of range": (f"{TRAIN} --style style.png --scenes 2", "--scenes"),
    "unknown norm": (f"{TRAIN} --style style.png --norm layer", "instance, batch"),
    "unknown layer": (f"{TRAIN} --style style.png --style-layers relu9_9", "relu9_9"),
    "resume of nothing": (
        f"{TRAIN} --style style.png --resume",
        "new.training.safetensors does not exist",
    ),
    "output below a file": (
        "train --encoder builtin --steps 2 --style style.png --out text.png/a.safetensors",
        "text.png is a file and no folder",
    ),
    "sheet over a content": (
        "compare fast style.png good.png --model net.safetensors --style good.png --sheet good.png",
        "good.png",
    ),
    "pickled output": ("train --style style.png --out new.pth", "should end in .safetensors"),
    "model that is not there": ("apply good.png --model no.safetensors --out o", "does not exist"),
    "model of another kind": (
        "apply good.png --model other.safetensors --out o",
        "is a file of another program",
    ),
    "results into a file": (
        "apply good.png --model net.safetensors --out text.png",
        "--out text.png is a file; give a folder",
    ),
    "style of a line": (
        f"{TRAIN} --style line.png",
        "--style line.png is 50×2 pixels when it is learned",
    ),
    "a finished network": (
        f"{TRAIN.replace('new', 'net')} --style style.png --resume",
        "net.safetensors is there already, and its training is finished",
    ),
    "exported network": (
        "apply good.png --model style.png --out o",
        "style.png is a picture (PNG), where a photostyle style network is needed",
    ),
    "newer model": ("apply good.png --model newer.safetensors --out o", "has version 9"),
    "damaged model": ("apply good.png --model cut.safetensors --out o", "is damaged"),
    "picture for a model": ("apply good.png --model style.png --out o", "is a picture (PNG)"),
    "input that is not there": ("apply no.png --model net.safetensors --out o", "no.png"),
    "input that is no picture": ("apply text.png --model net.safetensors --out o", "text.png"),
    "empty input": ("apply empty --model net.safetensors --out o", "holds no picture and no video"),
    "video without frames": (
        "apply none.avi --model net.safetensors --out o",
        "no frame can be read",
    ),
    "still picture as a video": (
        "apply still.mp4 --model net.safetensors --out o",
        "is a picture (png) and no video",
    ),
    "unknown codec": (
        "apply still.mp4 --model net.safetensors --out o --codec vp9",
        "--codec vp9 is unknown; give one of h264, h265, prores, ffv1",
    ),
    "quality out of range": (
        "apply clip.mp4 --model net.safetensors --out o --quality 99",
        "--quality is 99; it must be 0",
    ),
    "results over sources": ("apply good.png --model net.safetensors --out .", "another folder"),
    "batch of 0": ("apply good.png --model net.safetensors --out o --batch 0", "--batch is 0"),
    "unknown format": ("export --model net.safetensors --format tflite", "tflite"),
    "wrong suffix": (
        "export --model net.safetensors --format onnx --out net.pt",
        "should end in .onnx",
    ),
    "another style": (
        "compare fast good.png --model net.safetensors --style style.png",
        "is not the style of net.safetensors",
    ),
    "iterations that are words": (
        "compare fast good.png --model net.safetensors --iterations many",
        "--iterations is 'many'",
    ),
    "the name of before": (
        "compare-fast good.png --model net.safetensors",
        "compare-fast is now `photostyle compare fast`, with the same options",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(
    folder: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words, says = CASES[case]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(words.split()) == 2
    said = capsys.readouterr()
    last = said.err.strip().splitlines()[-1]
    assert said.err.count(last.removeprefix("photostyle: ")) == 1
    assert last.startswith("photostyle: ")
    assert last.endswith((".", ")"))
    assert says in last
    assert said.out == ""
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_fast_without_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (64, 64), (9, 90, 200)).save("big.png")
    words = "run --preset fast --content big.png --style big.png --device cpu --segmenter none"
    assert main(words.split()) == 2
    assert "give --model FILE" in capsys.readouterr().err
    assert main([*words.split(), "--model", "other.safetensors", "--out", "o.png"]) == 2
    said = capsys.readouterr().err
    assert "photostyle: other.safetensors is a file of another program" in said
    assert "segment" not in said  # before any work


def test_others_go_on_when_one_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "apply good.png text.png --model net.safetensors --out o"
    assert main(words.split()) == 2
    said = capsys.readouterr()
    assert "1 of 2 files could not be styled" in said.err
    assert [path.name for path in (folder / "o").iterdir()] == ["good.png"]


def test_interrupted_apply_says_what_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = applying.save_image

    def interrupted(path: Path, *rest) -> None:
        if path.name == "style.png":
            raise KeyboardInterrupt
        write(path, *rest)

    monkeypatch.setattr(applying, "save_image", interrupted)
    words = "apply good.png style.png --model net.safetensors --out o"
    assert main(words.split()) == 130
    assert "Stopped; 1 of 2 files are done, each whole." in capsys.readouterr().err
    assert [path.name for path in (folder / "o").iterdir()] == ["good.png"]


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), MemoryError(),
     RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")],
    ids=["cuda", "python", "cpu"],
)  # fmt: skip
def test_too_little_memory_is_said(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def full(*_) -> None:
        raise error

    monkeypatch.setattr(applying, "stylised", full)
    assert main(["apply", "good.png", "--model", "net.safetensors", "--out", "o"]) == 1
    assert "There is not enough memory; try a smaller" in capsys.readouterr().err


def test_names_may_be_no_utf8(folder: Path) -> None:
    odd = os.fsdecode(b"\xff.png")
    (folder / "odd").mkdir()
    for name in (odd, f"odd/{odd}"):
        (folder / name).write_bytes((folder / "good.png").read_bytes())
    train = (
        f"{TRAIN} --data odd --width 0.1 --blocks 1 --style-size 48 --workers 0 --device cpu "
        "--style-layers relu1_1,relu2_1 --content-layers relu2_1"
    )
    for words in (
        [*train.split(), "--style", odd],
        ["apply", "odd", "--model", "new.safetensors", "--out", "o"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "photostyle", *words], cwd=folder, capture_output=True
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout == b"o/\xff.png\n"
