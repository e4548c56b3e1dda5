"""A user's file against the package, under mypy in strict mode."""

import ast
import subprocess
import sys
from pathlib import Path

import photostyle

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "photostyle"

RIGHT = """
from pathlib import Path
from typing import assert_type

import numpy as np
import torch
from PIL import Image

import photostyle


def told(update: photostyle.Update) -> None:
    print(update.stage, update.done, update.total, update.step)


picture = Image.open("a.jpg")
array = np.zeros((60, 80, 3), np.uint8)
ids = np.zeros((60, 80), np.int64)
result = photostyle.stylize(
    picture, [Path("b.jpg"), array, torch.rand(3, 60, 80)], "photoreal", size=512,
    photoreal_weight=1e4, encoder="vgg19", content_mask=ids, style_mask={"sky": ids > 0},
    progress=told, output_size=None, init="noise", strength={"blue": 0.5},
)
assert_type(result, photostyle.Result)
assert_type(result.to_pil(), Image.Image)
assert_type(photostyle.stylize("a", "b", photostyle.preset("color")).scores, photostyle.Scores)
assert_type(photostyle.render(result, strength=0.5), photostyle.Picture)
assert_type(photostyle.post(array, "median"), photostyle.Picture)
assert_type(photostyle.post([array], ["median"], out="o", jobs=2), photostyle.Runs)
assert_type(photostyle.apply(picture, "n.safetensors"), photostyle.Picture)
assert_type(photostyle.apply(["a"], "n.safetensors", out="o"), photostyle.Applied)
assert_type(photostyle.segment("a.jpg", segmenter="cluster"), photostyle.Regions)
runs = photostyle.sweep("a", array, {"size": [200, 400]}, out=Path("o"), jobs=2, size=3)
assert_type(runs.pictures, list[Path])
look = photostyle.fit_look("b.jpg", [picture, array], content_masks=[ids, ids], style_mask=ids)
assert_type(look.apply(array, {"sky": ids > 0}, strength=0.5), photostyle.Picture)
assert_type(photostyle.learn_look(picture, array, ids).look, photostyle.Look)
photostyle.sweep("a", "b", "size=64,80", out="o")
photostyle.batch([{"content": array, "style": "b.jpg"}], out="o", progress=True)
photostyle.train(array, "photos", out="n.safetensors", steps=10, optimizer="adam")
assert_type(photostyle.export("n.safetensors", format="onnx").difference, float | None)
assert_type(photostyle.compare(array, "a", "b"), dict[str, photostyle.Scores])
"""
WRONG = {
    'photostyle.stylize("a", "b", sise=3)': "Unexpected keyword argument",
    'photostyle.stylize("a", "b", size="big")': "incompatible type",
    'photostyle.stylize("a", "b", init="colour")': "incompatible type",
    'photostyle.render("a", size=3)': "No overload variant of",
    'photostyle.stylize(3, "b")': "incompatible type",
    "photostyle.nothing": "has no attribute",
}


def checked(folder: Path, source: str) -> str:
    """What mypy says of a file that imports the package; `make lint` has filled its cache."""
    (folder / "user.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", str(folder / "user.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if "user.py:" in line]
    return "\n".join(line.partition("user.py")[2] for line in said)


def test_a_users_file(tmp_path: Path) -> None:
    wrong = "".join(f"{line}\n" for line in WRONG)
    said = checked(tmp_path, RIGHT + wrong).splitlines()
    first = len(RIGHT.splitlines()) + 1
    by_line = {int(line.split(":")[1]): line for line in said if ": error:" in line}
    assert set(by_line) == set(range(first, first + len(WRONG))), "\n".join(said)
    for number, says in enumerate(WRONG.values(), start=first):
        assert says in by_line[number]


def test_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_names_for_checkers_are_those_that_are_loaded() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == photostyle._HOME_OF
    assert sorted(imported) == sorted(photostyle.__all__)
