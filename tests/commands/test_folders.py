"""Folders as they are: with companions and links in them, and names in any bytes."""

import json
import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.cli import main
from photostyle.feedforward.data import picture_files
from photostyle.feedforward.style_model import build_network, save_model
from tests.feedforward.test_style_model import info

QUICK = "--preset color --segmenter none --device cpu"
NFC, NFD, LATIN = "Café", unicodedata.normalize("NFD", "Café"), os.fsdecode(b"Caf\xe9")


def album(place: Path, *names: str) -> Path:
    """Copies of one picture under these names, each with its companion."""
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy("c.png", place / f"{name}.png")
        (place / f"._{name}.png").write_bytes(b"\0\5\x16\7" + b"\0" * 60)
    (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (place / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    return place


def found(place: Path) -> list[str]:
    return sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())


def test_pairs_by_names_as_people_see_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    album(folder / "in" / "content", NFC, "b")
    album(folder / "in" / "style", NFD, "b")
    assert main(f"batch --pairs in {QUICK} --out out".split()) == 0
    assert "2 jobs: 2 done now" in capsys.readouterr().out
    assert (folder / "out" / f"{NFC}.png").exists()


def test_pairs_with_bytes_that_are_no_utf8(folder: Path) -> None:
    album(folder / "in" / "content", LATIN)
    album(folder / "in" / "style", NFD, "other")
    assert main(f"batch --pairs in {QUICK} --out out".split()) == 0
    assert (folder / "out" / f"{NFC}.png").exists()
    assert main(["report", "out"]) == 0
    plan = json.loads((folder / "out/plan.json").read_text(encoding="utf-8"))
    assert plan["jobs"][0]["files"][0] == f"in/content/{LATIN}.png"


def test_names_that_look_alike_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    album(folder / "in" / "content", NFC, LATIN)
    album(folder / "in" / "style", "one")
    assert main(f"batch --pairs in {QUICK} --out out".split()) == 2
    assert "content/ has both" in capsys.readouterr().err


def test_folders_of_masks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upper = np.zeros((60, 72), np.uint8)
    upper[:30] = 255
    for place, name in (("mine", NFC), ("its", NFD)):
        album(folder / place)
        Image.fromarray(upper).save(folder / place / f"{name}.png")
        (folder / place / f"._{name}.png").write_bytes(b"\0\5\x16\7")
    masks = "--content-mask mine --style-mask its"
    words = f"run --content c.png --style s.png {masks} --preset color --device cpu"
    assert main([*words.split(), "--strength", f"1,{NFD}=0.5", "--out", "x.png"]) == 0
    regions = json.loads(Path("x.json").read_text())["regions"]
    assert [(r["name"], r["content_share"]) for r in regions] == [("rest", 0.5), (NFC, 0.5)]
    for name in (".DS_Store", "Thumbs.db"):
        (folder / "mine" / name).unlink()  # they come and go by themselves
    assert main(["replay", "x.png", "--out", "y.png"]) == 0


def test_a_style_is_applied_to_linked_folders_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(folder / "net.safetensors", build_network(info().config.network), info())
    album(folder / "photos", "a")
    album(folder / "photos" / "trip", "b")
    album(folder / "elsewhere", "d", NFD)
    (folder / "photos" / "loop").symlink_to("..")
    (folder / "photos" / "linked").symlink_to(folder / "elsewhere")
    (folder / "photos" / "trip" / "same").symlink_to(folder / "elsewhere")
    out = folder / "styled"
    words = "apply photos --model net.safetensors --out styled --device cpu"
    assert main(words.split()) == 0
    results = found(out)
    assert {"a.png", "trip/b.png"} <= set(results)
    assert "could not be styled" not in capsys.readouterr().err
    # c.png and s.png are reached through the loop, the album elsewhere by one of its two links.
    assert sorted(Path(name).name for name in results) == sorted(
        ["a.png", "b.png", "c.png", "d.png", "s.png", f"{NFD}.png"]
    )
    assert not any("styled/" in name for name in results)


def test_training_data(folder: Path) -> None:
    album(folder / "data", "a", NFD)
    album(folder / "more", "b")
    (folder / "data" / "more").symlink_to(folder / "more")
    (folder / "data" / "circle").symlink_to(".")
    names = [path.name for path in picture_files(folder / "data")]
    assert names == [f"{NFD}.png", "a.png", "b.png"]


def test_finished_pictures_and_their_contents(folder: Path) -> None:
    album(folder / "done", NFD, "b")
    album(folder / "photos", LATIN, "b")
    assert main(["post", "guided", "done", "--content", "photos", "--out", "soft"]) == 0
    assert {f"{NFC}.png", "b.png"} <= set(found(folder / "soft"))
