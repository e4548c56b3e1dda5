"""The command line on good input: results, manifests, replay, interruption, configuration."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle import cli
from photostyle.config.presets import PRESETS
from tests.commands.scene import MASKED, QUICK, fill, photostyle, pixels, process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path)


def test_run_writes_picture_manifest_and_sheet(folder: Path) -> None:
    done = process(folder, f"{MASKED} --out sub/result.png --sheet sub/sheet.png")
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "sub/result.png") as picture:
        assert picture.size == (120, 90)
        embedded = json.loads(picture.text["photostyle"])
    manifest = json.loads((folder / "sub/result.json").read_text())
    assert embedded == manifest
    assert [region["name"] for region in manifest["regions"]] == ["blue", "red"]
    assert manifest["config"]["optimize"]["iterations"] == 4
    assert manifest["inputs"]["style"]["path"] == "style.png"
    assert manifest["encoder"]["name"] == "builtin"
    last = manifest["history"][-1]
    assert last["total"][-1] < last["total"][0]
    parts = sum(values[-1] for values in last["terms"].values())
    assert parts == pytest.approx(last["total"][-1], rel=1e-4)
    with Image.open(folder / "sub/sheet.png") as sheet:
        assert sheet.width > 3 * sheet.height / 2
    assert sorted(p.name for p in (folder / "sub").iterdir()) == [
        "result.grade.safetensors",
        "result.json", "result.png", "sheet.png"
    ]  # fmt: skip
    assert "encoder: builtin" in done.stderr


def test_scores_and_heat_map(finished: Path) -> None:
    scores = json.loads((finished / "result.json").read_text())["scores"]
    assert scores["structure"] > 0.9
    assert 0.3 < scores["style_taken"] <= 1
    assert scores["smoothness"] > 0
    assert 1 <= scores["stain"] < 10
    assert "style taken" in (finished / "said.txt").read_text()
    for name in ("heat.png", "stains.png"):
        assert pixels(finished / name).shape == (90, 120, 3)


def test_result_moves_towards_the_style(finished: Path) -> None:
    result, style = (np.asarray(Image.open(finished / f"{n}.png")) for n in ("result", "style"))
    sky, target = result[:30].mean((0, 1)), style[:50].mean((0, 1))
    content = np.asarray(Image.open(finished / "content.png"))[:40].mean((0, 1))
    assert np.abs(sky - target).max() < 0.25 * np.abs(content - target).max()


def test_replay_gives_the_same_pixels(folder: Path) -> None:
    assert photostyle(folder, f"{MASKED} --init noise --seed 7").returncode == 0
    done = process(folder, "replay result.png --out again.png")
    assert done.returncode == 0, done.stderr
    first, again = (np.asarray(Image.open(folder / f"{n}.png")) for n in ("result", "again"))
    assert (first == again).all()


def test_regions_are_found_and_replayed_without_masks(folder: Path) -> None:
    words = f"run --content content.png --style style.png {QUICK} --iterations 0"
    done = photostyle(folder, f"{words} --preview preview.png")
    assert done.returncode == 0, done.stderr
    assert "segment: regions by cluster" in done.stderr
    manifest = json.loads((folder / "result.json").read_text())
    assert manifest["segmenter"]["name"] == "cluster"
    assert manifest["config"]["segmentation"]["segmenter"] == "cluster"
    assert len(manifest["segmenter"]["table"]) == 1 + len(manifest["regions"]) == 3
    assert pixels(folder / "preview.png").ndim == 3
    assert photostyle(folder, "replay result.png --out again.png").returncode == 0
    assert (pixels(folder / "again.png") == pixels(folder / "result.png")).all()


def test_segment_writes_masks_that_a_run_reads(folder: Path) -> None:
    done = photostyle(folder, "segment content.png --style style.png --out seg --against none")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (folder / "seg").iterdir()) == [
        "content-labels.png", "preview.png", "regions.txt", "style-labels.png",
    ]  # fmt: skip
    text = (folder / "seg/regions.txt").read_text()
    assert "blue" in text
    assert "#0000ff" in text
    masks = "--content-mask seg/content-labels.png --style-mask seg/style-labels.png"
    # Distilled, regions that nobody drew share one map; guided takes both alike.
    words = f"run --content content.png --style style.png {QUICK} --iterations 0"
    words += " --postprocess guided"
    assert photostyle(folder, f"{words} --out found.png").returncode == 0
    assert photostyle(folder, f"{words} {masks} --out read.png").returncode == 0
    first, again = (json.loads((folder / f"{n}.json").read_text()) for n in ("found", "read"))
    assert first["regions"] == again["regions"]
    assert (pixels(folder / "found.png") == pixels(folder / "read.png")).all()


def test_folders_of_masks_replay_until_they_change(folder: Path) -> None:
    for role, (width, height) in (("c", (120, 90)), ("s", (100, 110))):
        (folder / role).mkdir()
        sky = np.zeros((height, width), np.uint8)
        sky[: height // 2] = 255
        Image.fromarray(sky).save(folder / role / "sky.png")
        Image.fromarray(255 - sky).save(folder / role / "land.png")
    words = f"run --content content.png --style style.png {QUICK} --iterations 0"
    done = photostyle(folder, f"{words} --content-mask c --style-mask s --strength sky=0.5")
    assert done.returncode == 0, done.stderr
    assert photostyle(folder, "replay result.png --out again.png").returncode == 0
    assert (pixels(folder / "again.png") == pixels(folder / "result.png")).all()
    Image.fromarray(255 - pixels(folder / "s/sky.png").astype(np.uint8)).save(folder / "s/sky.png")
    done = photostyle(folder, "replay result.png --out again.png")
    assert done.returncode == 2
    assert "the style_mask has changed" in done.stderr


def test_replay_refuses_changed_inputs(finished: Path) -> None:
    with Image.open(finished / "style.png") as style:
        style.rotate(180).save(finished / "style.png")
    done = photostyle(finished, "replay result.png --out again.png")
    assert done.returncode == 2
    assert "style.png: the style has changed" in done.stderr


def test_moved_projects_replay_and_render_from_anywhere(folder: Path, tmp_path: Path) -> None:
    assert photostyle(folder, f"{MASKED} --iterations 0 --out sub/result.png").returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path in [*folder.glob("*.png"), folder / "sub"]:
        path.rename(elsewhere / path.name)
    for words in ("replay elsewhere/sub/result.png --out 1.png",
                  "render elsewhere/sub/result.png --out 2.png --strength 0.5"):  # fmt: skip
        done = photostyle(tmp_path, words)
        assert done.returncode == 0, done.stderr
    assert (pixels(tmp_path / "1.png") == pixels(elsewhere / "sub/result.png")).all()


def test_more_pixels_than_there_are(folder: Path) -> None:
    done = photostyle(folder, f"{MASKED} --iterations 0 --output-size 4000")
    assert done.returncode == 0
    assert "the content has 120 pixels" in done.stderr
    assert pixels(folder / "result.png").shape == (90, 120, 3)


def test_outputs_can_be_read_by_others(run_once: Path) -> None:
    kinds = ("png", "json", "grade.safetensors")
    assert len({(run_once / f"result.{kind}").stat().st_mode for kind in kinds}) == 1


def test_seeds_matter_from_noise(folder: Path) -> None:
    for seed in (1, 2):
        words = f"{MASKED} --init noise --postprocess none --seed {seed} --out {seed}.png"
        assert photostyle(folder, words).returncode == 0
    one, two = (np.asarray(Image.open(folder / f"{n}.png")) for n in (1, 2))
    assert (one != two).any()


@pytest.mark.parametrize("out", ["result.jpg", "result.tif", "result.webp"])
def test_other_formats(folder: Path, out: str) -> None:
    done = photostyle(folder, f"{MASKED} --iterations 1 --out {out}")
    assert done.returncode == 0, done.stderr
    with Image.open(folder / out) as picture:
        assert picture.size == (120, 90)
    assert photostyle(folder, f"replay {out} --out again.png").returncode == 0


ENDLESS = """
[optimize]
init = "noise"
solves = [{optimizer = "adam", learning_rate = 0.5, steps = 10000000, terms = ["style", "swd"]}]
"""


def test_interrupt_keeps_the_best_picture(folder: Path) -> None:
    (folder / "endless.toml").write_text(ENDLESS)  # Adam at this rate never settles
    words = MASKED.replace("--iterations 4", "--config endless.toml")
    command = [sys.executable, "-u", "-m", "photostyle", *words.split()]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stderr=pipe, stdout=pipe) as run:
        assert run.stderr is not None
        os.set_blocking(run.stderr.fileno(), False)
        seen, deadline = b"", time.monotonic() + 120
        while b"total" not in seen and time.monotonic() < deadline:
            seen += run.stderr.read() or b""
            assert run.poll() is None, seen.decode()
        run.send_signal(signal.SIGINT)
        os.set_blocking(run.stderr.fileno(), True)
        out, _ = run.communicate(timeout=120)
    assert run.returncode == 130
    assert b"result.png" in out
    assert b"interrupted" in out
    assert json.loads((folder / "result.json").read_text())["interrupted"] is True
    with Image.open(folder / "result.png") as picture:
        picture.load()


def test_help_is_quick_and_complete(folder: Path) -> None:
    done = process(folder, "run --help")
    assert done.returncode == 0
    for word in ("--photoreal-weight", "--content-mask", "--help-all", "--device", "--out"):
        assert word in done.stdout


def test_config_prints_what_a_run_would_use(folder: Path) -> None:
    done = photostyle(folder, "config --preset dpst --photoreal-weight 5")
    config = tomllib.loads(done.stdout)
    assert config["objective"]["photoreal_weight"] == 5.0
    assert config["optimize"]["init"] == PRESETS["dpst"].optimize.init
    (folder / "mine.toml").write_text(done.stdout)
    again = photostyle(folder, "config --config mine.toml")
    assert again.stdout == done.stdout


NETWORKS = ("fast", "wct", "artflow")  # presets that need one


@pytest.mark.parametrize("preset", [name for name in PRESETS if name not in NETWORKS])
def test_every_preset_runs(folder: Path, preset: str) -> None:
    done = photostyle(folder, f"{MASKED} --preset {preset}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("preset", NETWORKS)
def test_a_preset_without_its_network_says_so_at_once(folder: Path, preset: str) -> None:
    done = photostyle(folder, f"{MASKED} --preset {preset}")
    assert done.returncode == 2
    assert "give --model FILE" in done.stderr
    assert "segment" not in done.stderr


def test_no_masks_and_no_photorealism(folder: Path) -> None:
    words = f"run --content content.png --style style.png {QUICK} --photoreal-weight 0"
    done = photostyle(folder, words)
    assert done.returncode == 0, done.stderr
    assert "Laplacian" not in done.stderr


@pytest.mark.parametrize("masked", [True, False])
def test_a_black_and_white_style_gives_black_and_white(folder: Path, masked: bool) -> None:
    with Image.open(folder / "style.png") as style:
        style.convert("L").save(folder / "style.png")
    words = MASKED if masked else f"run --content content.png --style style.png {QUICK}"
    done = photostyle(folder, f"{words} --preset color --out out.png")
    assert done.returncode == 0, done.stderr
    pixels = np.asarray(Image.open(folder / "out.png").convert("RGB")).astype(int)
    assert np.ptp(pixels, axis=2).max() <= 1
    assert np.ptp(pixels) > 100


def test_threads_that_wait_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert cli.main([]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "active"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    assert cli.main([]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
