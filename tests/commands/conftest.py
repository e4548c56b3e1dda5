"""What tests of the command line share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a content and a style of noise."""
    rng = np.random.default_rng(0)
    for name in ("c.png", "s.png"):
        pixels = rng.integers(0, 256, (60, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path
