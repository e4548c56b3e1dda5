"""What tests of the command line share."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.scene import MASKED, fill, photostyle


@pytest.fixture
def look_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a look that changes colours about, and a style."""
    from photostyle.images.saving import save_image
    from photostyle.looks.look import Look
    from tests.looks.scenes import picture, turned

    monkeypatch.chdir(tmp_path)
    Look(turned()).save("t.look")
    save_image("style.png", picture(1))
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a content and a style of noise."""
    rng = np.random.default_rng(0)
    for name in ("c.png", "s.png"):
        pixels = rng.integers(0, 256, (60, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fill(tmp_path_factory.mktemp("finished"))
    done = photostyle(folder, f"{MASKED} --heatmap heat.png --stain-map stains.png")
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture
def finished(run_once: Path, tmp_path: Path) -> Path:
    """A folder with a finished run, to do with as one likes."""
    return Path(shutil.copytree(run_once, tmp_path, dirs_exist_ok=True))
