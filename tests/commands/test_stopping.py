"""Asked to stop by SIGTERM or a closed terminal, commands keep what Ctrl-C keeps, and leave no
unfinished file."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from photostyle.feedforward.style_model import build_network, save_model
from photostyle.runtime.stopping import interrupt, minded
from tests.feedforward.test_style_model import info

FRAMES = 3000

PAIR = "--content c.png --style s.png --encoder builtin --device cpu"
ENDLESS = """
[optimize]
init = "noise"
solves = [{optimizer = "adam", learning_rate = 0.5, steps = 10000000, terms = ["style", "swd"]}]
"""
TRAIN = (
    "train --style s.png --size 32 --batch 1 --steps 100000 --width 0.05 --blocks 0 --workers 1 "
    "--encoder builtin --style-layers relu1_1 --content-layers relu1_1 --style-size 48 "
    "--log-every 1 --checkpoint-every 100000 --preview-every 0 --device cpu --out net.safetensors"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("c.png", "s.png"):
        pixels = rng.integers(0, 256, (64, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "endless.toml").write_text(ENDLESS)
    save_model(tmp_path / "model.safetensors", build_network(info().config.network), info())
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 9, (96, 64))
    for n in range(FRAMES):
        film.write(np.full((64, 96, 3), n % 256, np.uint8))
    film.release()
    return tmp_path


def stopped(
    folder: Path, words: str, said: bytes, how: int, group: bool = False
) -> tuple[int, bytes]:
    """Sends the signal, twice as `timeout` does, when the command has said so; its exit code and
    what it said."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "photostyle", *words.split()],
        cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        seen = wait_for(process.stderr.fileno(), lambda text: said in text)
        send: Callable[[int, int], None] = os.killpg if group else os.kill
        send(process.pid, how)
        send(process.pid, how)
        out, rest = process.communicate(timeout=120)
    return process.returncode, out + seen + rest


def wait_for(descriptor: int, there: Callable[[bytes], bool]) -> bytes:
    seen, deadline = b"", time.monotonic() + 120
    while not there(seen):
        assert time.monotonic() < deadline, seen
        more = os.read(descriptor, 4096)
        assert more, seen.decode()
        seen += more
    return seen


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(".photostyle-*"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_keeps_its_best_picture(folder: Path, how: int) -> None:
    words = f"run {PAIR} --size 64 --config endless.toml"
    code, said = stopped(folder, words, b"total", how)
    assert code == 130, said
    assert b"interrupted" in said
    assert json.loads((folder / "result.json").read_text())["interrupted"] is True
    with Image.open(folder / "result.png") as picture:
        picture.load()
    assert not leftovers(folder)


def test_a_training_keeps_a_checkpoint(folder: Path) -> None:
    """Its readers get the signal, too: they leave it to the process that trains."""
    code, said = stopped(folder, TRAIN, b"step 3/", signal.SIGTERM, group=True)
    assert code == 130, said
    assert b"net.training.safetensors keeps step" in said
    assert (folder / "net.training.safetensors").exists()
    assert b"Traceback" not in said
    assert not leftovers(folder)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_keeps_what_is_finished(folder: Path, jobs: int) -> None:
    words = f"sweep {PAIR} --size 64 --preset color --jobs {jobs} --grid seed=1..60:lin60 --out out"
    code, said = stopped(folder, words, b"[2/60]", signal.SIGTERM, group=jobs > 1)
    assert code == 130, said
    assert b"what is finished is kept" in said
    assert b"failed" not in said
    rows = json.loads((folder / "out/scores.json").read_text())
    done = [row for row in rows if row["state"] == "done"]
    assert len(done) >= 2
    assert all((folder / "out" / row["picture"]).exists() for row in done)
    assert not leftovers(folder)


def test_a_video_keeps_what_was_done_and_nothing_unfinished(folder: Path) -> None:
    words = "apply c.png film.avi --model model.safetensors --out styled --device cpu"
    code, said = stopped(folder, words, b"film.avi:   1%", signal.SIGTERM)
    assert code == 130, said
    assert b"1 of 2 files are done" in said
    assert sorted(path.name for path in (folder / "styled").iterdir()) == ["c.png", "film.avi"]
    with av.open(str(folder / "styled/film.avi")) as film:
        assert 0 < sum(1 for _ in film.decode(video=0)) < FRAMES


def test_what_has_no_result_yet_says_so(folder: Path) -> None:
    code, said = stopped(folder, f"run {PAIR}", b"load", signal.SIGTERM)
    assert code == 130, said
    assert b"Traceback" not in said
    assert sorted(path.suffix for path in folder.iterdir()) == [
        ".avi", ".png", ".png", ".safetensors", ".toml"
    ]  # fmt: skip


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with minded(interrupt):
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_request_that_is_repeated_at_once_counts_once() -> None:
    asked = []
    with minded(lambda: asked.append(1)):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert len(asked) == 1
        os.kill(os.getpid(), signal.SIGINT)  # a person means it
        os.kill(os.getpid(), signal.SIGINT)
        assert len(asked) == 3
