"""`photostyle look` and `compare leak` write over nothing that was read, and over no file of the
user's that was not named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.cli import main
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.looks.look import Look
from tests.looks.scenes import gentle, picture

#: Regions whose names differ in what no file's name can hold, or in what some disks fold.
NAMES = ("sky, upper", "sky; upper", "SKY, upper")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pixels = np.zeros((72, 96, 3), np.uint8)
    for n, colour in enumerate(((0, 0, 255), (0, 255, 0))):
        pixels[36 * n : 36 * n + 36] = colour
    for name, seed in (("a", 2), ("b", 3)):
        save_image(tmp_path / f"{name}.png", picture(seed))
    for name in ("mask.png", "mask.look", "other.look"):
        Image.fromarray(pixels).save(tmp_path / name, format="PNG")
    Look(gentle(), {"blue": gentle(1), "green": gentle(2)}).save("g.look")
    return tmp_path


def contents() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


FIT = "look fit --preset color --size 96 --device cpu --content a.png --style b.png"
EXPORT = "look export g.look --size 4 --content a.png --content-mask mask.png"
LEAK = "compare leak a.png --style b.png --presets color --rounds 1 --size 64"


@pytest.mark.parametrize(
    "words",
    [
        f"{FIT} --content-mask mask.look --style-mask other.look --out mask.look",
        f"{FIT} --content-mask mask.look --style-mask other.look --out other.look",
        "look from-pair a.png a.png --content-mask mask.look --out mask.look",
        f"{EXPORT} --format hald --out mask.png",
        f"{EXPORT} --format hald --out a.png",
        "look show g.look --content a.png --out a.png",
        f"{LEAK} --csv b.png",
    ],
)
def test_nothing_that_is_read_is_replaced(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    assert main(words.split()) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert contents() == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("look show g.look", "g.show.png"),
        ("look export g.look --size 4", "g.cube"),
        ("look export g.look --size 4 --format hald", "g.png"),
        ("look export g.look --size 4 --format xmp", "g.xmp"),
        (EXPORT, "g.cube.honesty.txt"),
        (EXPORT, "g.cube.honesty.png"),
        (f"{EXPORT} --out g.cube", "g.cube.honesty.txt"),
        (f"{EXPORT} --by-region", "g.blue.cube"),
        (f"{EXPORT} --by-region", "g.cube.a.blue.png"),
    ],
)
def test_what_nobody_named_is_not_replaced(
    words: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 0
    made = contents()
    assert main(words.split()) == 0  # our own are replaced
    assert contents().keys() == made.keys()
    for path in made.keys() - {Path(p) for p in ("a.png", "b.png", "mask.png", "g.look")}:
        if path.suffix != ".look":
            path.unlink()
    Path(name).write_bytes(Path("b.png").read_bytes())
    before = contents()
    capsys.readouterr()
    assert main(words.split()) == 2
    assert f"{name} is there already and was not written by photostyle" in capsys.readouterr().err
    assert contents() == before


def test_named_tables_replace_what_is_there() -> None:
    for name in ("n.cube", "n.png"):
        Path(name).write_bytes(Path("b.png").read_bytes())
        assert main(f"look export g.look --size 4 --out {name}".split()) == 0
        assert main(["look", "from-lut", name, "--out", "n.look"]) == 0


def test_files_of_regions_and_photographs_are_told_apart(folder: Path) -> None:
    for name in ("a.png", "A.tif"):
        save_image(folder / "more" / name, picture(9))
    Path("masks").mkdir()
    shutil.copy("mask.png", "masks/a.png")
    shutil.copy("mask.png", "masks/A.png")
    regions = {name: gentle(n) for n, name in enumerate(NAMES)}
    Look(gentle(), {**regions, "blue": gentle(7)}).save("r.look")
    words = "look export r.look --size 4 --by-region --content a.png more --content-mask masks"
    assert main(words.split()) == 0
    tables = sorted(path.name for path in folder.glob("r.*.cube"))
    assert tables == [
        "r.SKY-upper-3.cube", "r.blue.cube", "r.sky-upper-2.cube", "r.sky-upper.cube",
    ]  # fmt: skip
    masks = [path.name.casefold() for path in folder.glob("r.cube.*.blue*.png")]
    assert len(set(masks)) == 3


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "avif", "jxl"])
def test_sheets_in_every_format(suffix: str) -> None:
    assert main(["look", "show", "g.look", "--out", "plain.png"]) == 0
    assert main(["look", "show", "g.look", "--out", f"page.{suffix}"]) == 0
    plain, page = (load_image(name).image for name in ("plain.png", f"page.{suffix}"))
    assert plain.shape == page.shape
    assert (plain - page).abs().mean() < 2 / 255


def test_a_sheet_of_no_format_is_refused_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(f"{LEAK} --sheet sheet.txt".split()) == 2
    shown = capsys.readouterr()
    assert "sheet.txt should end in one of" in shown.err
    assert "round" not in shown.err


@pytest.mark.parametrize(
    "words",
    [
        "look fit --preset color --size 64 --content a.gif b.png --style b.png --out o.look",
        "look fit --preset color --size 64 --content a.png --style a.gif --out o.look",
        "look from-pair a.gif a.gif --out o.look",
        "look show g.look --content a.gif --out o.png",
        "look export g.look --content a.gif --size 4 --by-region --content-mask mask.png",
    ],
)
def test_one_frame_of_several_is_told_once(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.new("RGB", (96, 72), (n, 90, 200)) for n in (20, 120)]
    for frame in frames:
        frame.paste((230, 180, 40), (10, 40, 80, 70))
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    assert main(words.split()) == 0
    told = capsys.readouterr().err.count("a.gif holds several frames or pages")
    assert told == (2 if "from-pair" in words else 1)
