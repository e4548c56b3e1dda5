"""What commands write is never an input, and never a file of the user's that nobody named."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from photostyle.cli import main
from photostyle.feedforward.style_model import build_network, save_model
from photostyle.result import load_recipe
from tests.feedforward.test_style_model import info

QUICK = "--preset color --segmenter none --device cpu"
PAIR = "--content scene.jpg --style style.png"
BOX = {"name": "polygon", "all_points_x": [0, 72, 72, 0], "all_points_y": [0, 0, 30, 30]}


def via(name: str) -> str:
    """A file of polygons: one box over a picture's upper part."""
    region = {"shape_attributes": BOX, "region_attributes": {"kind": "sky"}}
    return json.dumps({name: {"filename": name, "regions": [region]}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs with polygons, a label picture, a configuration and a network."""
    rng = np.random.default_rng(0)
    for name in ("scene.jpg", "style.png"):
        pixels = rng.integers(0, 256, (60, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
        (tmp_path / Path(name).with_suffix(".json")).write_text(via(name))
    (tmp_path / "mine.json").write_text(
        '{"preset": "color", "segmentation": {"segmenter": "none"}}'
    )
    save_model(tmp_path / "net.safetensors", build_network(info().config.network), info())
    shutil.copy(tmp_path / "net.safetensors", tmp_path / "net.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


MASKS = "--content-mask scene.json --style-mask style.json"
COLOR = "--preset color --device cpu"
REFUSED = {
    "polygons of the content": (f"run {PAIR} {MASKS} {COLOR} --out scene.png", "scene.json"),
    "polygons of the style": (f"run {PAIR} {MASKS} {COLOR} --out sub/../style.tif", "style.json"),
    "configuration": (f"run {PAIR} --config mine.json --out mine.png", "mine.json is one of"),
    "link to the content": (f"run {PAIR} {QUICK} --out link.jpg", "link.jpg is one of the inputs"),
    "hard link": (f"run {PAIR} {QUICK} --out hard.jpg", "hard.jpg is one of the inputs"),
    "side file through a link": (f"run {PAIR} --config mine.json --out alias.png", "alias.json is"),
    "somebody's notes": (f"run {PAIR} {QUICK} --out notes.png", "notes.json is there already"),
    "somebody's tensors": (f"run {PAIR} {QUICK} --out other.png", "other.grade.safetensors is"),
    "sheet over a configuration's picture": (
        f"run {PAIR} {QUICK} --out new.png --sheet scene.jpg",
        "scene.jpg is one of the inputs",
    ),
    "result in the folder of masks": (
        f"run {PAIR} --content-mask masks --style-mask masks {COLOR} --out masks/new.png",
        "masks/new.png would lie in masks",
    ),
    "network in use": (
        f"run {PAIR} --preset fast --model named.png --device cpu --out named.png",
        "named.png is one of the inputs",
    ),
    "segment over painted labels": (
        "segment scene.jpg --segmenter none --out regions",
        "regions/content-labels.png is there already",
    ),
    "segment over somebody's text": (
        "segment scene.jpg --segmenter none --out texts",
        "texts/regions.txt is there already",
    ),
    "segment over its own input": (
        "segment regions/preview.png --segmenter none --out regions",
        "regions/preview.png is one of the inputs",
    ),
    "sweep over somebody's table": (
        f"sweep {PAIR} {QUICK} --grid strength=0,1 --out tables",
        "tables/scores.csv is there already",
    ),
    "sweep over its style": (
        f"sweep --content scene.jpg --style out/sheet.png {QUICK} --grid strength=0,1 --out out",
        "out/sheet.png is one of the inputs",
    ),
    "sweep over its configuration": (
        f"sweep {PAIR} --config plan.json --grid strength=0,1 --out .",
        "plan.json is one of the inputs",
    ),
    "batch over somebody's picture": (
        f"batch jobs.csv {QUICK} --out pictures",
        "pictures/harbour.png is there already",
    ),
    "batch over another job's content": (f"batch chain.csv {QUICK} --out .", "one of the inputs"),
    "batch of two with one file": (
        f"batch twins.csv {QUICK} --format jpg --out out",
        "are one file",
    ),
    "batch that is called as the sheet": (f"batch sheet.csv {QUICK} --out out", "'Sheet' is what"),
    "post over somebody's picture": (
        "post median scene.jpg --out harbour",
        "harbour/scene.jpg is there already",
    ),
    "training over its style": (
        "train --style style.preview.png --out style.safetensors --steps 1",
        "style.preview.png is one of the inputs",
    ),
    "training over somebody's table": (
        "train --style style.png --out table.safetensors --steps 1",
        "table.losses.csv is there already",
    ),
    "export over its network": (
        "export --model net.pt --format torchscript",
        "net.pt is one of the inputs",
    ),
    "export over somebody's file": (
        "export --model net.safetensors --format onnx",
        "net.onnx is there already",
    ),
    "results over another source": (
        "apply style.png sub/scene.jpg --model net.safetensors --out .",
        "give another folder",
    ),
    "results over somebody's picture": (
        "apply style.png scene.jpg --model net.safetensors --out harbour",
        "harbour/scene.jpg is there already",
    ),
    "comparison over the network": (
        "compare fast scene.jpg --style style.png --model named.png --sheet named.png",
        "named.png is one of the inputs",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    for name in ("sub", "masks", "regions", "texts", "tables", "out", "pictures", "harbour"):
        (folder / name).mkdir()
    for name in ("sub/scene.jpg", "pictures/harbour.png", "harbour/scene.jpg"):
        shutil.copy("style.png", name)
    for name in ("regions/content-labels.png", "regions/preview.png", "out/sheet.png",
                 "style.preview.png", "a.png"):  # fmt: skip
        shutil.copy("style.png", name)
    Image.new("L", (72, 60), 255).save("masks/sky.png")
    for name in ("texts/regions.txt", "tables/scores.csv", "table.losses.csv", "net.onnx"):
        Path(name).write_text("mine")
    for name in ("notes.json", "notes.txt"):
        Path(name).write_text('{"inputs": "milk"}')
    shutil.copy("mine.json", "plan.json")
    shutil.copy("net.safetensors", "named.png")
    save_file({"x": torch.zeros(1)}, "other.grade.safetensors")
    Path("link.jpg").symlink_to("scene.jpg")
    Path("alias.json").symlink_to("mine.json")
    os.link("scene.jpg", "hard.jpg")
    head = "name,content,style\n"
    Path("jobs.csv").write_text(f"{head}harbour,scene.jpg,style.png\n")
    Path("chain.csv").write_text(f"{head}a,scene.jpg,style.png\nb,a.png,style.png\n")
    Path("twins.csv").write_text(f"{head}a,scene.jpg,style.png\na.heat,scene.jpg,style.png\n")
    Path("sheet.csv").write_text(f"{head}Sheet,scene.jpg,style.png\n")
    before = files(folder)
    words, says = REFUSED[case]
    assert main(words.split()) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.out == ""
    assert "…" not in shown.err  # no stage began
    assert files(folder) == before


def test_a_result_may_replace_its_own(folder: Path) -> None:
    for strength in ("1", "0.5"):
        assert main(f"run {PAIR} {QUICK} --strength {strength} --out out/x.png".split()) == 0
    assert sorted(p.name for p in (folder / "out").iterdir()) == [
        "x.grade.safetensors", "x.json", "x.png"
    ]  # fmt: skip
    assert load_recipe(Path("out/x.json")).config.render.strength == "0.5"
    (folder / "out/x.grade.safetensors").write_bytes(b"cut off")  # ours, as its manifest is
    assert main(f"run {PAIR} {QUICK} --out out/x.png".split()) == 0


@pytest.mark.parametrize("order", [("png", "jpg", "tif"), ("jpg", "webp", "png")])
def test_results_that_differ_in_their_suffix_share_nothing(
    folder: Path, order: tuple[str, ...]
) -> None:
    strengths = dict(zip(order, ("0.25", "0.5", "1"), strict=True))
    for suffix, strength in strengths.items():
        assert main(f"run {PAIR} {QUICK} --strength {strength} --out x.{suffix}".split()) == 0
    for suffix, strength in reversed(strengths.items()):  # again, in another order
        assert load_recipe(Path(f"x.{suffix}")).config.render.strength == strength
        assert main(f"run {PAIR} {QUICK} --strength {strength} --out x.{suffix}".split()) == 0
    for suffix, strength in strengths.items():
        assert load_recipe(Path(f"x.{suffix}")).config.render.strength == strength
        assert main(f"render x.{suffix} --out again-{suffix}.png".split()) == 0
        assert main(f"replay x.{suffix} --out replayed.png".split()) == 0
    sides = [path for path in folder.glob("x.*") if path.suffix in (".json", ".safetensors")]
    assert len(sides) == 6


def test_results_of_apply_may_be_replaced_by_their_like(folder: Path) -> None:
    frames = cv2.VideoWriter("film.avi", cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (48, 32))
    for level in (50, 90):
        frames.write(np.full((32, 48, 3), level, np.uint8))
    frames.release()
    shutil.copy("film.avi", "clip.mts")
    for suffix in ("tif", "webp"):
        with Image.open("style.png") as picture:
            picture.save(f"more.{suffix}")
    sources = "scene.jpg style.png more.tif more.webp film.avi clip.mts"
    words = f"apply {sources} --model net.safetensors --out styled --device cpu".split()
    assert main(words) == 0
    assert main(words) == 0
    assert len(list((folder / "styled").iterdir())) == 6
    for name in ("film.avi", "clip.mts"):
        film = cv2.VideoCapture(f"styled/{name}")
        assert [film.read()[0] for _ in range(3)] == [True, True, False]
    shutil.copy("film.avi", "styled/film.avi")
    assert main(words) == 2


def test_renamed_results_keep_what_lies_beside_them(folder: Path) -> None:
    assert main(f"run {PAIR} {QUICK} --strength 0.5 --out x.jpg".split()) == 0
    for ending in (".jpg", ".json", ".grade.safetensors"):
        Path(f"x{ending}").rename(f"y{ending}")
    assert load_recipe(Path("y.jpg")).config.render.strength == "0.5"
    assert main(["render", "y.jpg", "--out", "z.png"]) == 0


def test_results_of_before_are_told_apart(folder: Path) -> None:
    """Their manifests do not say which picture they are of."""
    assert main(f"run {PAIR} {QUICK} --strength 0.5 --out x.jpg".split()) == 0
    manifest = json.loads(Path("x.json").read_text())
    assert manifest.pop("picture") == "x.jpg"
    Path("x.json").write_text(json.dumps(manifest))
    before = files(folder)
    assert main(f"run {PAIR} {QUICK} --out x.png".split()) == 0
    assert {path: files(folder)[path] for path in before} == before
    assert load_recipe(Path("x.jpg")).config.render.strength == "0.5"
    assert load_recipe(Path("x.png.json")).config.render.strength == "1"
    assert main(["render", "x.jpg", "--out", "z.png"]) == 0


def test_one_folder_takes_two_formats(folder: Path) -> None:
    grid = f"sweep {PAIR} {QUICK} --grid strength=0,1 --out out"
    assert main(grid.split()) == 0
    before = files(folder / "out")
    assert main([*grid.split(), "--format", "jpg"]) == 0
    cells = {p: d for p, d in before.items() if p.name.startswith("strength")}
    assert len(cells) == 10
    after = files(folder / "out")
    assert {path: after[path] for path in cells} == cells
    assert main(["render", "out/strength=0.jpg", "--out", "again.png"]) == 0


def test_what_was_segmented_may_be_segmented_again(folder: Path) -> None:
    words = ["segment", "scene.jpg", "--segmenter", "none", "--out", "regions"]
    assert main(words) == 0
    assert main(words) == 0
    with Image.open("regions/content-labels.png") as picture:
        text, painted = picture.info, np.asarray(picture).copy()
        palette = picture.getpalette()
    painted[:30] = 1
    edited = Image.fromarray(painted)
    edited.putpalette(palette)
    edited.info = text
    edited.save("regions/content-labels.png", pnginfo=None)
    assert main(words) == 2  # it is the user's now


def test_pairs_named_as_the_folders_own_files(folder: Path) -> None:
    for role, name in (("content", "sheet.jpg"), ("content", "plan.jpg"), ("style", "any.png")):
        (folder / role).mkdir(exist_ok=True)
        shutil.copy("scene.jpg", folder / role / name)
    assert main(f"batch --pairs . {QUICK} --out out".split()) == 0
    assert main(["report", "out"]) == 0
    found = {path.stem for path in (folder / "out").glob("*.png")}
    assert found == {"sheet", "sheet-result", "plan-result"}


def test_home_is_understood_in_every_spelling(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    words = f"run --content=~/scene.jpg --style ~/style.png {QUICK} --out=~/out/x.png"
    assert main([*words.split(), "--sheet=~/sheet.png", "--config=~/mine.json"][:-1]) == 0
    assert (folder / "out/x.json").exists()
    assert (folder / "sheet.png").exists()
    grid = ["--grid", "style=~/style.png,~/scene.jpg"]
    assert main(["sweep", "--content=~/scene.jpg", *grid, *QUICK.split(), "--out=~/s"]) == 0
    fast = ["--preset", "fast", "--model=~/net.safetensors", "--device", "cpu"]
    assert main(["run", *PAIR.split(), *fast, "--out=~/fast.png"]) == 0
    assert not (folder / "~").exists()
