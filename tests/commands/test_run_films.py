"""`photostyle run` on films: shots, key frames, regions that are followed, and stopping."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.color.terms import COUNT
from photostyle.looks import film as films
from photostyle.looks.look import Look
from tests.commands.test_look_films import photostyle_, put
from tests.films.clips import clip, facts, frames_of
from tests.looks.scenes import picture, turned


@pytest.fixture(autouse=True)
def folder(look_folder: Path) -> Path:
    return look_folder


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
