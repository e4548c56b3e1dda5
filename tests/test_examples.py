"""The examples run, and the example pair is what the README says."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.cli import COMMANDS
from photostyle.segmentation.labels import PALETTE, read_labels

ROOT = Path(__file__).resolve().parents[1]


def test_sheet_of_presets(tmp_path: Path) -> None:
    script = [sys.executable, ROOT / "examples/make_sheet.py", "--size", "96"]
    subprocess.run([*script, "--out", tmp_path / "sheet.png"], check=True, cwd=tmp_path)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > sheet.height


@pytest.mark.parametrize("name", ["city", "night"])
def test_example_pair_has_exact_masks(name: str) -> None:
    photograph = ROOT / f"examples/{name}.jpg"
    with Image.open(photograph) as picture, Image.open(ROOT / f"masks/{name}.png") as mask:
        assert picture.size == mask.size
        assert max(picture.size) >= 1024
        colors = {tuple(c) for c in np.asarray(mask.convert("RGB")).reshape(-1, 3).tolist()}
    assert photograph.stat().st_size <= 1_000_000
    assert colors <= set(PALETTE.values())
    assert len(read_labels(ROOT / f"masks/{name}.png").names) >= 4


def option_names(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a parser and of all its commands."""
    names: set[str] = set()
    for action in parser._actions:
        names |= set(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            names |= set().union(*map(option_names, action.choices.values()))
    return names


def test_options_in_the_readme_exist() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in COMMANDS:
        module.register(commands)
    known = option_names(parser)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for option in set(re.findall(r"`(--[a-z0-9-]+)", readme)):
        assert option in known
