"""Files of 0.1.0 as it was with all modules in one folder: they replay, render and resume."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from photostyle.cli import main
from photostyle.images.picture import load_image
from photostyle.result import load_recipe

MADE = Path(__file__).parent / "made_before"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(MADE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def levels(path: Path) -> np.ndarray:
    return load_image(path).image.mul(255).round().numpy()


@pytest.mark.parametrize("name", ["color", "painted"])
def test_replays(made: Path, name: str) -> None:
    load_recipe(made / f"{name}.png").verify()
    assert main(["replay", f"{name}.json", "--out", "again.png"]) == 0
    # Other processors round otherwise; on the one that made them the pixels are the same.
    assert np.abs(levels(made / "again.png") - levels(made / f"{name}.png")).max() <= 2


def test_renders(made: Path) -> None:
    assert main(["render", "color.png", "--strength", "0.5", "--out", "again.png"]) == 0
    assert np.abs(levels(made / "again.png") - levels(made / "half.png")).max() <= 1


#: What its photoreal-fast did.
SOLVES = """
preset = "photoreal-fast"
[objective]
drift_weight = 2.7
[[optimize.solves]]
canvas = "affine-grid"
terms = ["swd", "drift", "gamut"]
steps = 25
scale = 0.5
"""


def test_resumes(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (made / "before.toml").write_text(SOLVES)
    words = (
        "sweep --content city.png --style night.png --grid swd_weight=1,100 --config before.toml "
        "--postprocess guided --guided-radius 7 --set shadow_recovery=0.7 --size 72 "
        "--iterations 2 --device cpu --set segmenter=none --out sweep"
    )
    assert main(words.split()) == 0
    assert "2 jobs: 0 done now, 2 done before" in capsys.readouterr().out
