"""Masks through the real command line: feathered ones, and pairs that do not fit."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from photostyle.cli import main
from photostyle.images.picture import load_image

SIZE = 96, 64
WORDS = ("run --preset color --content content.png --style style.png --size 96 "
         "--content-mask {} --style-mask {} --out r.png")  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Content: left dark, right light; style: left warm, right cold."""
    rng = np.random.default_rng(0)
    for name, colours in (("content", ((60, 70, 80), (180, 170, 160))),
                          ("style", ((220, 140, 60), (60, 110, 190)))):  # fmt: skip
        pixels = np.repeat(np.array(colours), 48, axis=0)[None].repeat(64, axis=0)
        pixels = pixels + rng.normal(0, 12, pixels.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    hard = np.zeros((640, 960), np.uint8)
    hard[:, 480:] = 255
    for feather in (0, 5, 20, 40):
        soft = Image.fromarray(hard).filter(ImageFilter.GaussianBlur(feather))
        soft.save(tmp_path / f"feather{feather}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("feather", [0, 5, 20, 40])
def test_feathered_mattes_pair(folder: Path, feather: int) -> None:
    file = f"feather{feather}.png"
    assert main(WORDS.format(file, file).split()) == 0
    image = load_image(folder / "r.png").image[0]
    left, right = image[:, :, :36].mean((1, 2)), image[:, :, 60:].mean((1, 2))
    assert left[0] > left[2] + 0.3  # warm from the style's left
    assert right[2] > right[0] + 0.2
    regions = json.loads((folder / "r.json").read_text())["regions"]
    assert [region["name"] for region in regions] == ["black", "white"]
    for region in regions:
        assert region["content_share"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("command", ["run", "segment", "compare"])
def test_masks_without_a_common_label_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    blue = np.zeros((64, 96, 3), np.uint8)
    blue[:, :48], blue[:, 48:] = (0, 0, 255), (255, 0, 0)
    Image.fromarray(blue).save(folder / "blue.png")
    words = {
        "run": WORDS.format("feather0.png", "blue.png"),
        "segment": "segment content.png --style style.png --content-mask feather0.png "
        "--style-mask blue.png --out regions",
        "compare": "compare content.png --content content.png --style style.png "
        "--content-mask feather0.png --style-mask blue.png",
    }[command]
    assert main(words.split()) == 2
    says = capsys.readouterr().err
    assert "feather0.png (black 50.0%, white 50.0%) and blue.png (blue 50.0%, red 50.0%)" in says
    assert "no label in common" in says
    assert "--correspond black=blue" in says
    assert not (folder / "r.png").exists()
    assert not (folder / "regions").exists()


def test_the_way_out_that_is_told(folder: Path) -> None:
    blue = np.zeros((64, 96, 3), np.uint8)
    blue[:, :48], blue[:, 48:] = (0, 0, 255), (255, 0, 0)
    Image.fromarray(blue).save(folder / "blue.png")
    words = WORDS.format("feather0.png", "blue.png") + " --correspond black=blue,white=red"
    assert main(words.split()) == 0


def test_a_common_label_that_is_too_small(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (np.zeros((640, 960, 3), np.uint8) for _ in range(2))
    one[:], other[:] = (0, 0, 255), (255, 0, 0)
    other[:20, :20] = 0, 0, 255
    for name, pixels in (("one", one), ("other", other)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    assert main(WORDS.format("one.png", "other.png").split()) == 2
    assert "no label in common large enough to be paired" in capsys.readouterr().err
