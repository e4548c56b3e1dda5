"""The examples run, and the example pair is what the README says."""

import argparse
import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
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


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("pictures_in_memory", "out.png"),
        ("watch_progress", "out.png"),
        ("find_weights", "out/report.html"),
        ("many_photographs", "out/soft/report.html"),
        ("train_and_apply --steps 2", "out/city.jpg"),
    ],
)
def test_scripts(tmp_path: Path, name: str, left: str) -> None:
    script, *words = name.split()
    command = [sys.executable, ROOT / f"examples/{script}.py", *words, "--size", "80"]
    out = tmp_path / left.partition("/")[0]
    subprocess.run([*command, "--out", out], check=True, cwd=tmp_path, capture_output=True)
    assert (tmp_path / left).stat().st_size > 1000


def test_notebook(tmp_path: Path) -> None:
    """Executed at a small size: every cell runs, and what should show itself does."""
    notebook = nbformat.read(ROOT / "examples/city_at_night.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "SIZE = 400" in first.source
    first.source = first.source.replace("SIZE = 400", "SIZE = 64")
    where = {"metadata": {"path": ROOT / "examples"}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    shown = [
        output.data["image/png"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == 7
    bars = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(bars) == 1  # the notebook's own
    for data in shown:
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            assert 60 < picture.width <= 1400
            assert np.asarray(picture.convert("L")).std() > 3
    assert not (ROOT / "examples/out").exists()


def test_all_examples_are_listed_and_executed() -> None:
    readme = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")}
    runnable = {name for name in scripts if "__main__" in (ROOT / "examples" / name).read_text()}
    listed = set(re.findall(r"\((\w+\.(?:py|ipynb))\)", readme))
    assert listed == runnable | {"city_at_night.ipynb"}


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
