"""`photostyle look apply` and `photostyle run` on films, through the command line."""

import json
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

import photostyle
from photostyle.cli import main
from photostyle.color.terms import COUNT
from photostyle.images.saving import save_image
from photostyle.looks import film as films
from photostyle.looks.look import Look
from tests.films.clips import clip, facts, frames_of, packets
from tests.films.test_reading import damaged
from tests.looks.scenes import by_definition, picture


def turned(seed: int = 0) -> torch.Tensor:
    """A map that changes red and blue about, not near the identity."""
    found = torch.zeros(COUNT, 3)
    found[1:4] = 0.8 * torch.eye(3).roll(seed + 1, 0)
    found[0] = 0.1
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Look(turned()).save("t.look")
    save_image("style.png", picture(1))
    return tmp_path


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


def cut_film(path: Path, frames: int = 8, shots: int = 2) -> Path:
    """Shots of other colours and structure, each a pan that grows lighter."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "bgr0"
        for n in range(shots * frames):
            image = picture(11 if n < frames else 12, (64, 96 + 2 * frames))[0]
            drift = 0.8 + 0.02 * (n % frames)
            at = n % frames
            pixels = (image.permute(1, 2, 0).numpy()[:, at : at + 96] * drift * 255).round()
            if n >= frames:
                pixels = pixels[:, :, ::-1] * 0.5
            shown = np.ascontiguousarray(pixels.astype(np.uint8))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        file.mux(stream.encode(None))
    return path


RUN = "run --content a.mkv --style style.png --out b.mkv --codec ffv1 --preset color --size 96"


def fitted_map(own: np.ndarray, made: np.ndarray) -> np.ndarray:
    """10×3: the quadratic map of colours that one frame says that it is under."""
    rgb = own.reshape(-1, 3) / 255
    r, g, b = rgb.T
    terms = [np.ones_like(r), r, g, b, r * r, r * g, r * b, g * g, g * b, b * b]
    terms += [((np.arange(64) + 0.5) / 64 - 0.5).repeat(96)]
    inside = ((made > 2) & (made < 253)).all(axis=2).ravel()
    found = np.linalg.lstsq(np.stack(terms, 1)[inside], made.reshape(-1, 3)[inside] / 255)[0]
    return np.asarray(found)


def looks_apart(own: list[np.ndarray], made: list[np.ndarray], one: int, other: int) -> float:
    """How far two frames' looks are apart on the colours of both, in levels of 255."""
    found = 0.0
    for n in (one, other):
        rgb = own[n].reshape(-1, 3) / 255
        r, g, b = rgb.T
        terms = [np.ones_like(r), r, g, b, r * r, r * g, r * b, g * g, g * b, b * b, 0 * r]
        a, c = (np.stack(terms, 1) @ fitted_map(own[k], made[k]) for k in (one, other))
        found += 127.5 * float(np.abs(a - c).mean())
    return found


def test_each_side_of_a_cut_has_its_look(folder: Path) -> None:
    own = frames_of(cut_film(folder / "a.mkv"))
    assert photostyle_(RUN) == 0
    shot = frames_of(folder / "b.mkv")
    assert len(shot) == 16
    assert looks_apart(own, shot, 0, 7) < 1.5
    assert looks_apart(own, shot, 7, 8) > 5
    assert looks_apart(own, shot, 8, 15) < 1.5
    assert photostyle_(f"{RUN} --consistency whole") == 0
    whole = frames_of(folder / "b.mkv")
    assert looks_apart(own, whole, 0, 7) < 1.5
    assert looks_apart(own, whole, 7, 8) < 0.5 * looks_apart(own, shot, 7, 8)
    assert photostyle_(f"{RUN} --consistency frame") == 0
    each = frames_of(folder / "b.mkv")
    assert looks_apart(own, each, 0, 7) > 3  # every frame is brought to the style's own mean


def test_key_frames_are_blended(folder: Path) -> None:
    own = frames_of(cut_film(folder / "a.mkv", 12, shots=1))
    assert photostyle_(f"{RUN} --key-frames 3") == 0
    made = frames_of(folder / "b.mkv")
    steps = [looks_apart(own, made, n, n + 1) for n in range(11)]
    assert looks_apart(own, made, 1, 10) > 1.5
    assert max(steps) < 0.5 * looks_apart(own, made, 1, 10)
    assert looks_apart(own, made, 0, 1) < 0.3  # before the first key frame nothing changes


def test_one_content_is_styled_as_in_python(folder: Path) -> None:
    clip(folder / "a.mp4", 3)
    report = photostyle.stylize_film(
        "a.mp4", picture(1), "color", out="x.mov", size=96, codec="prores", strength=0.5
    )
    assert (report.frames_written, report.target) == (3, Path("x.mov"))
    assert facts(folder / "x.mov")["codec"] == "prores"
    told: list[photostyle.Update] = []
    runs = photostyle.apply_look(Look(turned()), "a.mp4", out="o", progress=told.append)
    assert runs.pictures == [Path("o/a.mp4")]
    assert any((u.stage, u.done, u.total) == ("a.mp4: frames", 3, 3) for u in told)
    with pytest.raises(photostyle.PhotostyleError, match="stylize_film is for films"):
        photostyle.stylize("a.mp4", picture(1))


def masked(folder: Path) -> None:
    """A film of a yellow ball that moves before blue, and masks of its first frame."""
    y, x = np.mgrid[:96, :128]
    with av.open("ball.mkv", "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "bgr0"
        for n in range(12):
            rng = np.random.default_rng(n)
            pixels = np.full((96, 128, 3), (60, 90, 160)) + 8 * np.sin(x / 5)[..., None]
            ball = np.hypot(y - 48, x - 40 - 3 * n) < 22
            pixels[ball] = (200, 180, 70)
            pixels += rng.normal(0, 2, pixels.shape)
            shown = pixels.clip(0, 255).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        file.mux(stream.encode(None))
    mask = np.zeros((96, 128, 3), np.uint8)
    mask[...] = (0, 0, 255)
    mask[np.hypot(y - 48, x - 40) < 22] = (0, 255, 0)
    Image.fromarray(mask).save("mask.png")


def test_given_regions_are_followed(folder: Path) -> None:
    masked(folder)
    own = frames_of(folder / "ball.mkv")
    still, red = torch.zeros(COUNT, 3), torch.zeros(COUNT, 3)
    still[1:4] = torch.eye(3)
    red[1:4], red[0, 0] = 0.5 * torch.eye(3), 0.4
    Look(still, {"blue": still, "green": red}).save("r.look")
    words = "look apply r.look ball.mkv --content-mask mask.png --out out --codec ffv1"
    assert photostyle_(words) == 0
    y, x = np.mgrid[:96, :128]
    for n, (a, b) in enumerate(zip(own, frames_of(folder / "out/ball.mkv"), strict=True)):
        away = np.hypot(y - 48, x - 40 - 3 * n)
        change = np.abs(a - b.astype(float)).mean(axis=2)
        assert change[away < 19].mean() > 30
        assert change[away > 26].mean() < 1.5
    record = [json.loads(p.read_text()) for p in Path("out/jobs").glob("*.json")]
    assert record[0]["frames"] == 12
    assert photostyle_(f"{words} --consistency frame") == 1


def test_masks_of_the_first_frame_guide_the_fit(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masked(folder)
    style = np.zeros((96, 128, 3), np.uint8)
    style[...] = (20, 110, 60)
    style[30:60, 30:70] = (240, 40, 40)
    rng = np.random.default_rng(1)
    style = (style + rng.normal(0, 6, style.shape)).clip(0, 255).astype(np.uint8)
    Image.fromarray(style).save("style.png")
    mask = np.zeros((96, 128, 3), np.uint8)
    mask[...] = (0, 0, 255)
    mask[30:60, 30:70] = (0, 255, 0)
    Image.fromarray(mask).save("smask.png")
    words = "run --content ball.mkv --style style.png --preset color --size 128 --codec ffv1"
    words += " --content-mask mask.png --style-mask smask.png --out b.mkv"
    assert photostyle_(words) == 0
    y, x = np.mgrid[:96, :128]
    for n, frame in enumerate(frames_of(folder / "b.mkv")):
        away = np.hypot(y - 48, x - 40 - 3 * n)
        ball, ground = frame[away < 18].mean(axis=0), frame[away > 28].mean(axis=0)
        assert np.abs(ball - (240, 40, 40)).max() < 25
        assert np.abs(ground - (20, 110, 60)).max() < 25


def test_ctrl_c_keeps_a_playable_film(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = clip(folder / "a.mp4", 40, sound="aac")
    clip(folder / "b.mp4", 3)
    seen, own = [], films.pixels_of

    def interrupted(image: torch.Tensor, kind: object) -> np.ndarray:
        seen.append(1)
        if len(seen) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return own(image, kind)

    monkeypatch.setattr(films, "pixels_of", interrupted)
    assert put("a.mp4 b.mp4") == 130
    written = facts(folder / "out/a.mp4")["times"]
    assert 7 <= len(written) <= 9
    assert written == facts(source)["times"][: len(written)]
    said = capsys.readouterr().err
    assert f"out/a.mp4 holds the first {len(written)} frames." in said
    assert "the same command goes on from here" in said
    monkeypatch.setattr(films, "pixels_of", own)
    assert put("a.mp4 b.mp4") == 0
    assert facts(folder / "out/a.mp4")["times"] == facts(source)["times"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_sigterm_ends_a_run_with_a_playable_film(folder: Path) -> None:
    source = clip(folder / "a.mp4", 600, sound="aac")
    command = [sys.executable, "-m", "photostyle", *RUN.split()[:-6], "--preset", "color"]
    command[command.index("a.mkv")], command[command.index("b.mkv")] = "a.mp4", "b.mp4"
    command += ["--size", "96"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        assert process.stderr
        os.set_blocking(process.stderr.fileno(), False)
        said = b""
        while b"frames:" not in said and time.monotonic() < deadline and process.poll() is None:
            said += process.stderr.read() or b""
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        os.set_blocking(process.stderr.fileno(), True)
        said += process.stderr.read()
        assert process.wait(60) == 130, said.decode()
    written = facts(folder / "b.mp4")["times"]
    assert 1 <= len(written) < 600
    assert written == facts(source)["times"][: len(written)]
    assert f"holds the first {len(written)} frame" in said.decode()
    assert not list(folder.glob(".photostyle*"))
