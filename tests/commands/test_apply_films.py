"""`photostyle apply` on films: what they hold stays, what is broken is said, Ctrl-C keeps."""

import os
import signal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.cli import main
from photostyle.feedforward import applying
from photostyle.feedforward.style_model import build_network, save_model
from photostyle.feedforward.tiling import stylised
from tests.feedforward.test_style_model import CONFIG, info
from tests.films.clips import clip, facts, frames_of, packets
from tests.films.test_reading import damaged


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    save_model(tmp_path / "net.safetensors", build_network(CONFIG.network, seed=1), info())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def apply(*arguments: str) -> int:
    return main(["apply", *arguments, "--model", "net.safetensors", "--out", "out"])


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_phone_clip_keeps_all_that_it_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [0, 40, 80, 200, 240, 300, 420, 460, 500, 700]
    source = clip(
        folder / "phone.mov", 10, times=times, unit=Fraction(1, 600), sound="aac", degrees=-90,
        aspect=Fraction(4, 3), tags=(1, 9, 18, 9), form="yuv420p10le",
        metadata={"title": "At the lake"},
    )  # fmt: skip
    assert apply("phone.mov") == 0
    assert capsys.readouterr().out == "out/phone.mov (10 frames)\n"
    assert facts(folder / "out/phone.mov") == facts(source)
    assert packets(folder / "out/phone.mov", "audio") == packets(source, "audio")
    change = frames_of(source)[5].astype(float) - frames_of(folder / "out/phone.mov")[5]
    assert np.abs(change).mean() > 10  # it was styled


@pytest.mark.parametrize("size", [(47, 63), (8, 10)])
def test_any_size_stays(folder: Path, size: tuple[int, int]) -> None:
    clip(folder / "a.mp4", 3, size=size, form="yuv444p")
    assert apply("a.mp4") == 0
    assert facts(folder / "out/a.mp4")["size"] == size


@pytest.mark.parametrize(
    ("codec", "name", "coded"),
    [("h265", "a.mp4", "hevc"), ("prores", "a.mov", "prores"), ("ffv1", "a.mkv", "ffv1")],
)
def test_codecs(folder: Path, codec: str, name: str, coded: str) -> None:
    source = clip(folder / "a.mp4", 4)
    assert apply("a.mp4", "--codec", codec) == 0
    assert names(folder / "out") == [name]
    assert facts(folder / "out" / name)["codec"] == coded
    assert facts(folder / "out" / name)["times"] == facts(source)["times"]


def test_a_film_of_one_frame(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip(folder / "a.mp4", 1)
    assert apply("a.mp4") == 0
    assert capsys.readouterr().out == "out/a.mp4 (1 frame)\n"


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_broken_film_gives_what_can_be_read(
    folder: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    form = ("mjpeg", "yuvj420p") if suffix == ".avi" else ("mpeg4", "yuv420p")
    damaged(clip(folder / f"a{suffix}", 20, codec=form[0], form=form[1]), 0.4, 0.55)
    assert apply(f"a{suffix}") == 1
    said = capsys.readouterr()
    read = len(facts(folder / f"out/a{suffix}")["times"])
    assert 10 <= read < 20
    assert f"out/a{suffix} ({read} frames)" in said.out
    assert f"a{suffix} is damaged: {read} of 20 frames could be read" in said.err
    assert "Traceback" not in said.err


def test_a_film_cut_short_among_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip(folder / "films/whole.mkv", 20)
    cut = clip(folder / "films/cut.mkv", 20, codec="ffv1")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    clip(folder / "films/none.mp4", 20).write_bytes(b"nothing")
    assert apply("films") == 2
    said = capsys.readouterr().err
    assert "none.mp4 is no video" in said
    assert "cut.mkv is damaged: " in said
    assert "of 20 frames could be read" in said
    assert "whole.mkv is" not in said
    assert names(folder / "out") == ["cut.mkv", "whole.mkv"]
    assert len(facts(folder / "out/whole.mkv")["times"]) == 20
    (folder / "films/none.mp4").unlink()
    assert apply("films") == 1


def test_ctrl_c_keeps_a_playable_film(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = clip(folder / "a.mp4", 40, sound="aac")
    clip(folder / "b.mp4", 5)
    seen = []

    def interrupted(model: object, images: torch.Tensor, memory: int | None) -> torch.Tensor:
        seen.append(1)
        if len(seen) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return stylised(model.network, images, memory)  # type: ignore[attr-defined]

    monkeypatch.setattr(applying, "styled", interrupted)
    assert apply("a.mp4", "b.mp4") == 130
    written = facts(folder / "out/a.mp4")["times"]
    assert 7 <= len(written) <= 9
    assert written == facts(source)["times"][: len(written)]
    assert names(folder / "out") == ["a.mp4"]
    said = capsys.readouterr().err
    assert "0 of 2 files are done, each whole." in said
    assert f"out/a.mp4 holds the first {len(written)} frames." in said


def test_ctrl_c_before_anything_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(model: object, images: torch.Tensor, memory: int | None) -> torch.Tensor:
        raise KeyboardInterrupt

    clip(folder / "a.mp4", 5)
    monkeypatch.setattr(applying, "styled", interrupted)
    assert apply("a.mp4") == 130
    assert names(folder / "out") == []
