"""Folders of photographs with one style, rendered again, with their side files somewhere else."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import photostyle
from photostyle.cli import main
from photostyle.images.picture import load_image

QUICK = "--preset color --segmenter none --size 64 --device cpu"


def gradient(height: int, width: int) -> np.ndarray:
    """H×W×3 float in [0, 1], different at every pixel."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows / height, columns / width, (rows + columns) / (height + width)], axis=2)


@pytest.fixture
def photos(folder: Path) -> Path:
    """The folder's own pictures, and a folder as people have them."""
    place = folder / "Mein Urlaub"
    (place / "Tag 2").mkdir(parents=True)
    tags = Image.Exif()
    tags[271] = "Camera"
    bytes8 = np.uint8(gradient(60, 80) * 255)
    Image.fromarray(bytes8).save(place / "Größe 1.JPG", exif=tags, dpi=(240, 240))
    tifffile.imwrite(place / "deep.TIFF", np.uint16(gradient(56, 70) * 65535), photometric="rgb",
                     resolution=(300, 300), resolutionunit=2)  # fmt: skip
    Image.fromarray(bytes8[::-1].copy()).save(place / "Tag 2" / "küche.png", dpi=(144, 144))
    (place / "notes.txt").write_text("no picture")
    (place / "._deep.TIFF").write_bytes(b"\0\5\x16\7")
    return place


def files(place: Path) -> set[str]:
    return {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}


def bits(path: Path) -> int:
    """Of a PNG's or TIFF's channels, by the file itself."""
    if path.suffix == ".png":
        return struct.unpack(">B", path.read_bytes()[24:25])[0]
    return 8 * tifffile.imread(path).itemsize


def test_each_at_its_own_size_depth_and_resolution(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "broken.jpg").write_bytes((photos / "Größe 1.JPG").read_bytes()[:400])
    command = ["batch", "Mein Urlaub", "--style", "s.png", *QUICK.split(), "--out", "out"]
    assert main(command) == 1
    told = capsys.readouterr()
    assert "4 jobs: 3 done now, 0 done before, 1 failed" in told.out
    assert "failed: broken: Mein Urlaub/broken.jpg is damaged" in told.err
    out = Path("out")
    wanted = {"Größe 1": ((60, 80), 8, 240), "deep": ((56, 70), 16, 300),
              "Tag 2/küche": ((60, 80), 8, 144)}  # fmt: skip
    for name, (size, depth, dpi) in wanted.items():
        picture = out / f"{name}.png"
        with Image.open(picture) as read:
            assert read.size == size[::-1]
            assert read.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)
        assert bits(picture) == depth
    with Image.open(out / "Größe 1.png") as read:
        assert read.getexif()[271] == "Camera"
    rows = json.loads((out / "scores.json").read_text())
    assert [row["state"] for row in rows].count("failed") == 1
    (out / "deep.png").unlink()
    assert main(command) == 1
    assert "4 jobs: 1 done now, 2 done before, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "depths", "says"),
    [
        ("--format tif --bit-depth 16", {"Größe 1.tif": 16, "deep.tif": 16}, ""),
        ("--format png --bit-depth 8", {"Größe 1.png": 8, "deep.png": 8}, ""),
        ("--format keep --bit-depth keep", {"deep.tiff": 16}, ""),
        ("--format jpg", {}, "deep.jpg: JPEG has 8 bits a channel, not 16; .png and .tif have."),
    ],
)
def test_bits_and_formats(
    photos: Path, capsys: pytest.CaptureFixture[str], words: str, depths: dict[str, int], says: str
) -> None:
    given = [str(photos / "*.JPG"), str(photos / "deep.TIFF")]
    command = ["batch", *given, "--style", "s.png", *QUICK.split(), *words.split(), "--out", "out"]
    assert main(command) == 0
    assert {name: bits(Path("out") / name) for name in depths} == depths
    err = capsys.readouterr().err
    assert (says in err) if says else ("bits a channel" not in err)
    if "keep" in words:
        assert {"Größe 1.jpg", "deep.tiff"} <= files(Path("out"))


def test_the_values_of_16_bits_are_the_runs(photos: Path) -> None:
    """Rounded to 8 bits they'd have steps of 257."""
    words = ["--style", "s.png", *QUICK.split(), "--strength", "0", "--bit-depth", "16"]
    assert main(["batch", str(photos / "deep.TIFF"), *words, "--out", "out"]) == 0
    given, found = tifffile.imread(photos / "deep.TIFF"), load_image(Path("out/deep.png")).image
    assert (np.rint(found[0].permute(1, 2, 0).numpy() * 65535) == given).all()


def test_what_lies_in_the_folder_besides(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The style, a text by name, results of before, and the results themselves."""
    (photos / "s.png").write_bytes(Path("s.png").read_bytes())
    words = ["--style", str(photos / "s.png"), *QUICK.split()]
    given = [str(photos), str(photos / "notes.txt")]
    assert main(["batch", *given, *words, "--out", str(photos / "out")]) == 0
    told = capsys.readouterr()
    assert "3 jobs: 3 done now" in told.out
    assert "Mein Urlaub/s.png is the style and is left out." in told.err
    assert "notes.txt is no picture and is left out." in told.err
    assert main(["batch", *given, *words, "--out", "elsewhere"]) == 0
    assert "3 jobs: 3 done now" in capsys.readouterr().out
    assert main(["batch", str(photos), *words, "--out", str(photos)]) == 2
    assert "is where the photographs lie" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("c.png --out out", "c.png: --style is missing: photographs need one"),
        ("--style s.png c.png --out out", "There are no photographs; give them, or their folder"),
        ("jobs.csv --style s.png --out out", "--style and jobs.csv: give one of them"),
        ("--pairs . --style s.png --out out", "--style and --pairs: give one of them"),
        ("nope --style s.png --out out", "nope does not exist; give photographs, folders"),
        ("*.cr2 --style s.png --out out", "*.cr2: nothing matches"),
        ("c.png --style nope.png --out out", "nope.png does not exist"),
        ("c.png --style s.png --style-mask s.png --out out", "masks come in pairs"),
        ("c.png s.png --style c.png --content-mask s.png --style-mask s.png --out out",
         "one mask fits one photograph, and there are 2"),
        ("c.png --style s.png --bit-depth 12 --out out", "--bit-depth is '12'; choose from 8, 16"),
        ("--out out", "photographs with --style, or a jobs file, or --pairs DIR"),
    ],
)  # fmt: skip
def test_refusals(folder: Path, capsys: pytest.CaptureFixture[str], words: str, says: str) -> None:
    before = files(folder)
    assert main(["batch", *words.split()]) == 2
    assert says in capsys.readouterr().err
    assert files(folder) == before


def test_masks_with_the_photographs_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.zeros((60, 72, 3), np.uint8)
    mask[:30, :, 2] = 255
    mask[30:, :, 1] = 255
    Path("masks").mkdir()
    for name in ("masks/c.png", "style-mask.png"):
        Image.fromarray(mask).save(name)
    Image.fromarray(mask[::-1].copy()).save("other.png")
    words = "--style s.png --content-mask masks --style-mask style-mask.png --preset color"
    given = ["c.png", "other.png"]
    assert main(["batch", *given, *words.split(), "--device", "cpu", "--out", "out"]) == 0
    assert "other.png has no mask in masks; its regions are looked for." in capsys.readouterr().err
    kept = [json.loads(Path(f"out/{name}.json").read_text()) for name in ("c", "other")]
    assert [region["name"] for region in kept[0]["regions"]] == ["blue", "green"]
    assert "content_mask" in kept[0]["inputs"]
    assert "content_mask" not in kept[1]["inputs"]


def test_side_files_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--style", "s.png", *QUICK.split()]
    assert main(["batch", "c.png", *words, "--side-files", "side", "--out", "out"]) == 0
    assert files(Path("side")) == {"c.json", "c.grade.safetensors", "c.heat.jpg", "c.stains.jpg"}
    assert {p for p in files(Path("out")) if p.startswith("c.")} == {"c.png"}
    assert (
        json.loads(Path("out/report.html").read_text().split('id="data">')[1].split("</")[0])[
            "rows"
        ][0]["stains"]
        == "../side/c.stains.jpg"
    )
    assert main(["render", "out/c.png", "--strength", "0", "--out", "again.png"]) == 0
    assert (load_image("again.png").image == load_image("c.png").image).all()
    assert main(["batch", "c.png", *words, "--side-files", "none", "--out", "bare"]) == 0
    assert {p for p in files(Path("bare")) if p.startswith("c.")} == {"c.png"}
    capsys.readouterr()
    assert main(["render", "bare/c.png", "--strength", "0", "--out", "no.png"]) == 2
    assert "colour maps are missing" in capsys.readouterr().err


def test_side_files_of_a_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--content", "c.png", "--style", "s.png", *QUICK.split()]
    for name in ("a/x.png", "b/x.png"):
        assert main([*words, "--side-files", "side", "--out", name]) == 0
    assert files(Path("side")) == {
        "x.json", "x.grade.safetensors", "x.png.json", "x.png.grade.safetensors",
    }  # fmt: skip
    owners = [
        json.loads(Path(f"side/{n}").read_text())["picture"] for n in ("x.json", "x.png.json")
    ]
    assert owners == ["../a/x.png", "../b/x.png"]
    capsys.readouterr()
    assert main([*words, "--side-files", "side", "--out", "c/x.png"]) == 2
    assert "side/x.png.json belongs to" in capsys.readouterr().err
    assert not Path("c").exists()


def test_render_of_a_folder(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--style", "s.png", *QUICK.split(), "--format", "keep", "--side-files", "side"]
    assert main(["batch", str(photos), *words, "--out", "out"]) == 0
    there = [p for place in ("out", "side") for p in Path(place).rglob("*") if p.is_file()]
    before = {p: hashlib.sha256(p.read_bytes()).digest() for p in there}
    command = ["render", "out", "--strength", "0.5", "--out", "soft"]
    assert main(command) == 0
    assert all(hashlib.sha256(p.read_bytes()).digest() == was for p, was in before.items())
    assert {"Größe 1.jpg", "deep.tiff", "Tag 2/küche.png"} <= files(Path("soft"))
    # One of them by the way for one picture.
    assert main(["render", "out/deep.tiff", "--strength", "0.5", "--out", "one.tif"]) == 0
    assert (tifffile.imread("one.tif") == tifffile.imread("soft/deep.tiff")).all()
    capsys.readouterr()
    assert main(command) == 0
    assert "3 jobs: 0 done now, 3 done before" in capsys.readouterr().out
    assert main([*command[:-1], "out"]) == 2
    assert "is one of the inputs" in capsys.readouterr().err


def test_a_folder_without_results(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", ".", "--out", "soft"]) == 2
    assert "no result in this folder" in capsys.readouterr().err
    assert not Path("soft").exists()


def test_from_python(folder: Path) -> None:
    content = np.uint16(gradient(60, 70) * 65535)
    style = Image.open("s.png")
    runs = photostyle.batch(
        [content, Image.open("c.png")], style, out="out", config="color", segmenter="none",
        size=64, device="cpu", bit_depth=16,
    )  # fmt: skip
    assert [path.name for path in runs.pictures] == ["photograph-1.png", "photograph-2.png"]
    assert [bits(path) for path in runs.pictures] == [16, 16]
    soft = photostyle.render("out", out="soft", strength=0, bit_depth=8)
    assert [bits(path) for path in soft.pictures] == [8, 8]
    again = photostyle.render("out", out="again", strength=0.5)
    assert [bits(path) for path in again.pictures] == [16, 16]
    one = photostyle.render("out/photograph-2.png", bit_depth="keep")
    assert one.metadata.bit_depth == 8
    with pytest.raises(photostyle.PhotostyleError, match="give its name as config="):
        photostyle.batch("c.png", style, out="other", preset="color")
    with pytest.raises(photostyle.PhotostyleError, match="style is missing"):
        photostyle.batch("c.png", out="other")
    photo = Image.open("c.png")
    photo.info["dpi"] = (200, 200)
    result = photostyle.stylize(photo, style, "color", segmenter="none", size=64)
    assert result.to_pil().info["dpi"] == pytest.approx((200, 200), abs=0.02)


def test_post_in_another_depth(photos: Path) -> None:
    words = ["post", "median", str(photos / "deep.TIFF"), str(photos / "Größe 1.JPG")]
    for depth, wanted in (("8", 8), ("keep", 16)):
        assert main([*words, "--bit-depth", depth, "--out", f"out{depth}"]) == 0
        assert bits(Path(f"out{depth}/deep.TIFF")) == wanted
