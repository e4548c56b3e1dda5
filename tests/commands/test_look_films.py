"""`photostyle look apply` and `photostyle run` on films, through the command line."""

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.cli import main
from photostyle.images.saving import save_image
from photostyle.looks.look import Look
from tests.films.clips import clip, facts, frames_of, packets
from tests.films.test_reading import damaged
from tests.looks.scenes import by_definition, picture, turned


@pytest.fixture(autouse=True)
def folder(look_folder: Path) -> Path:
    return look_folder


def photostyle_(words: str) -> int:
    return main(words.split())


def put(words: str) -> int:
    return photostyle_(f"look apply t.look {words} --out out --quality 0")


def refused(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().rglob("*"))
    assert photostyle_(words) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("photostyle: ") == 1
    assert sorted(Path().rglob("*")) == before


def off(made: np.ndarray, own: np.ndarray, coefficients: torch.Tensor) -> float:
    """Levels of 255 that a film's frame is off the look of its source's, in the mean."""
    image = torch.from_numpy(own.transpose(2, 0, 1).astype(np.float32))[None] / 255
    wanted = by_definition(coefficients, image).clip(0, 1) * 255
    return float(np.abs(made - wanted).mean())


def test_a_phone_clip_keeps_all_that_it_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [0, 40, 80, 200, 240, 300, 420, 460, 500, 700]
    source = clip(
        folder / "phone.mov", 10, times=times, unit=Fraction(1, 600), sound="aac", degrees=-90,
        aspect=Fraction(4, 3), tags=(1, 1, 1, 1), form="yuv420p10le",
        metadata={"title": "At the lake"}, size=(96, 128), options={"qp": "0"},
    )  # fmt: skip
    save_image("a.png", picture(2))
    assert photostyle_("look apply t.look phone.mov a.png --out out") == 0
    assert "2 jobs: 2 done now" in capsys.readouterr().out
    made = folder / "out/phone.mov"
    # How long the last frame is shown is the encoder's guess where times are uneven.
    assert {**facts(made), "end": 0} == {**facts(source), "end": 0}
    assert facts(made)["form"] == "yuv420p10le"
    assert packets(made, "audio") == packets(source, "audio")
    for own, new in zip(frames_of(source)[::4], frames_of(made)[::4], strict=True):
        assert off(new, own, turned()) < 5  # chroma of half the size
        assert off(own, own, turned()) > 30
    for name in ("report.html", "sheet.png", "scores.csv"):
        assert Path("out", name).is_file()
    assert Image.open("out/sheet.png").convert("L").getextrema()[0] < 128  # the film is on it


@pytest.mark.parametrize("size", [(47, 63), (8, 10)])
def test_odd_sizes_and_single_frames(folder: Path, size: tuple[int, int]) -> None:
    source = clip(folder / "a.mp4", 1, size=size, form="yuv444p", options={"qp": "0"})
    assert put("a.mp4") == 0
    assert facts(folder / "out/a.mp4") == facts(source)
    assert off(frames_of(folder / "out/a.mp4")[0], frames_of(source)[0], turned()) < 2


def test_what_is_done_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shoot").mkdir()
    clip(folder / "shoot/a.mp4", 3)
    save_image("shoot/a.png", picture(2))
    assert put("shoot") == 0
    assert {"a.mp4", "a-2.png"} <= {p.name for p in Path("out").iterdir()}
    stamp = Path("out/a.mp4").stat().st_mtime_ns
    Path("out/a-2.png").unlink()
    assert put("shoot") == 0
    assert "2 jobs: 1 done now, 1 done before" in capsys.readouterr().out
    assert Path("out/a.mp4").stat().st_mtime_ns == stamp
    assert put("shoot --codec ffv1") == 2  # which has no quality
    assert photostyle_("look apply t.look shoot --out out --codec ffv1") == 0
    assert "2 jobs: 1 done now, 1 done before" in capsys.readouterr().out
    assert facts(folder / "out/a.mkv")["codec"] == "ffv1"
    assert put("out") == 2  # its own results


@pytest.mark.parametrize("consistency", ["shot", "whole", "frame"])
def test_strength_and_what_stays(folder: Path, consistency: str) -> None:
    source = clip(folder / "a.mkv", 6, codec="ffv1", form="bgr0", size=(64, 96))
    Look(turned()).save("t.look")

    def made(words: str) -> list[np.ndarray]:
        out = f"look apply t.look a.mkv --out out --codec ffv1 --consistency {consistency} {words}"
        assert photostyle_(out) == 0
        return frames_of(folder / "out/a.mkv")

    own, full = frames_of(source), made("")
    for a, b in zip(own, full, strict=True):
        assert off(b, a, turned()) < 0.51
    for a, b, half in zip(own, full, made("--strength 0.5"), strict=True):
        assert np.abs(half - (a.astype(float) + b) / 2).max() <= 1.01
    assert all((a == b).all() for a, b in zip(own, made("--strength 0"), strict=True))
    luma = np.array([0.299, 0.587, 0.114])
    for a, b in zip(own, made("--luminance 0"), strict=True):
        assert np.abs((a - b.astype(float)) @ luma).mean() < 1
        assert np.abs(a - b.astype(float)).mean() > 10
    whole = made("--protect neutrals")
    assert any((a != b).any() for a, b in zip(full, whole, strict=True))


def test_bars_stay_black(folder: Path) -> None:
    with av.open("a.mkv", "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "bgr0"
        for n in range(6):
            pixels = np.zeros((96, 128, 3), np.uint8)
            pixels[14:82] = (picture(n, (68, 128))[0].permute(1, 2, 0).numpy() * 255).round()
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        file.mux(stream.encode(None))
    lifted = turned()
    lifted[0] = 0.2
    Look(lifted).save("t.look")
    for words in ("", "--consistency frame", "--protect sky"):
        assert photostyle_(f"look apply t.look a.mkv --out out --codec ffv1 {words}") == 0
        for frame in frames_of(folder / "out/a.mkv"):
            assert frame[:14].max() == frame[82:].max() == 0
            assert frame[14:82].min() > 40


def test_damage_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip(folder / "shoot/whole.mp4", 12)
    damaged(clip(folder / "shoot/cut.mp4", 20, codec="mpeg4"), 0.4, 0.55)
    assert put("shoot") == 1
    said = capsys.readouterr()
    read = len(facts(folder / "out/cut.mp4")["times"])
    assert 10 <= read < 20
    assert f"cut.mp4 is damaged: {read} of 20 frames could be read" in said.err
    assert "2 jobs: 2 done now, 0 done before, 0 failed" in said.out
    assert "Traceback" not in said.err
    assert put("shoot") == 1
    assert "0 done now, 2 done before" in capsys.readouterr().out


def test_no_films(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("none.mp4").write_bytes(b"nothing")
    with av.open("sound.mp4", "w") as file:
        voice = file.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        file.mux([*voice.encode(frame), *voice.encode(None)])
    assert put("none.mp4 sound.mp4") == 1
    said = capsys.readouterr().err
    assert "none.mp4 is no video" in said
    assert "sound.mp4 has sound, perhaps, but no pictures" in said
    assert not list(Path("out").glob("*.mp4"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("look apply t.look a.mp4 --out out --consistency shots", "--consistency is 'shots'"),
        ("look apply t.look a.mp4 --out out --key-frames 0", "--key-frames is 0"),
        ("look apply t.look a.mp4 --out out --consistency frame --key-frames 2", "every frame"),
        ("look apply t.look a.mp4 --out out --codec divx", "--codec divx is unknown"),
        ("look apply t.look a.mp4 --out out --quality 60", "--quality is 60"),
        ("run --content b.mp4 --style style.png --out b2.mp4", "b.mp4 does not exist"),
        ("run --content a.mp4 --style style.png --out a.png", "a.png should end in one of .mp4"),
        ("run --content a.mp4 --style style.png --out a.mp4", "is one of the inputs"),
        ("run --content a.mp4 --style style.png --out b.mp4 --codec ffv1", "ffv1 does not go into"),
        ("run --content a.mp4 --style style.png --sheet s.png", "--sheet: films have none"),
        ("run --content a.mp4 --style style.png --side-files none", "films have none"),
        ("run --content a.mp4 --style style.png --bit-depth 16", "keeps its depth"),
        ("run --content a.mp4 --style style.png style.png", "2 styles are given"),
        ("run --content a.mp4 --style style.png --output-size 64", "keeps its size"),
        ("run --content a.mp4 --style style.png --preset gatys", "flicker"),
        ("run --content a.mp4 --style style.png --content-mask style.png", "--style-mask is miss"),
        ("run --content a.mp4 --style style.png --consistency none", "choose from shot, whole"),
    ],
)  # fmt: skip
def test_bad_input(folder: Path, words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    clip(folder / "a.mp4", 2)
    refused(words, says, capsys)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_keeps_the_film_of_another_process(folder: Path) -> None:
    source = clip(folder / "a.mp4", 900, size=(96, 128))
    words = "look apply t.look a.mp4 --out out --jobs 2 --quality 0"
    command = [sys.executable, "-m", "photostyle", *words.split()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 240
        begun = False  # more than a film's head is written
        while not begun and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
            begun = any(x.stat().st_size > 10_000 for x in folder.glob("out/.photostyle-*.mp4"))
        assert begun
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
    written = facts(folder / "out/a.mp4")["times"]
    assert 1 <= len(written) < 900
    assert written == facts(source)["times"][: len(written)]
    assert not list(folder.glob("out/.photostyle-*"))


def test_a_variable_rate_in_matroska_is_no_damage(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [*(40 * n for n in range(9)), 8000]
    clip(folder / "screen.mkv", 10, times=times, unit=Fraction(1, 1000), sound="aac")
    assert put("screen.mkv") == 0
    assert "damaged" not in capsys.readouterr().err
    assert len(frames_of(folder / "out/screen.mkv")) == 10
