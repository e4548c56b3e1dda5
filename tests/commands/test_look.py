"""`photostyle look` through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.cli import main
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import save_image
from photostyle.looks.look import Look
from tests.looks.scenes import by_definition, gentle, picture
from tests.looks.test_look import SAYS, damaged

FIT = "look fit --style style.png --preset color --size 96 --device cpu"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("style", 1), ("a", 2), ("b", 3)):
        place = tmp_path if name == "style" else tmp_path / "shoot"
        save_image(place / f"{name}.png", picture(seed))
    for name in ("mask", "other"):
        pixels = np.zeros((72, 96, 3), np.uint8)
        pixels[:36], pixels[36:] = (0, 0, 255), (0, 255, 0) if name == "mask" else (255, 0, 0)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(pixels).save(tmp_path / "masks" / "a.png")
    return tmp_path


def photostyle(words: str) -> int:
    return main(words.split())


def refused(words: str, capsys: pytest.CaptureFixture[str], says: str) -> None:
    capsys.readouterr()
    before = sorted(Path().rglob("*"))
    assert photostyle(words) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.err.count("photostyle: ") == 1
    assert shown.err.splitlines()[-1].startswith("photostyle: ")
    assert not shown.out
    assert sorted(Path().rglob("*")) == before


def test_fit_apply_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert photostyle(f"{FIT} --content shoot --out night.look") == 0
    assert "night.look (the whole, fitted on 2 photographs)" in capsys.readouterr().out
    look = Look.load("night.look")
    assert [Path(f["path"]).name for f in look.about.facts["contents"]] == ["a.png", "b.png"]
    assert photostyle("look apply night.look shoot style.png --out out") == 0
    assert "3 jobs: 3 done now, 0 done before" in capsys.readouterr().out
    for name in ("report.html", "sheet.png", "scores.csv", "plan.json"):
        assert (Path("out") / name).is_file()
    expected = look.apply(Path("shoot/a.png")).image
    assert (load_image("out/a.png").image - expected).abs().max() <= 0.5001 / 255
    stamp = Path("out/a.png").stat().st_mtime_ns
    Path("out/b.png").unlink()
    assert photostyle("look apply night.look shoot style.png --out out") == 0
    assert "3 jobs: 1 done now, 2 done before" in capsys.readouterr().out
    assert Path("out/a.png").stat().st_mtime_ns == stamp
    assert photostyle("look apply night.look shoot style.png --out out --strength 0.5") == 0
    assert "3 jobs: 3 done now, 0 done before" in capsys.readouterr().out
    for name in ("one.png", "one.mp4"):
        refused(f"look apply night.look style.png --out {name}", capsys, "the name of a folder")
    assert photostyle("look show night.look") == 0
    with Image.open("night.show.png") as page:
        assert page.width > 1000


def test_depth_size_alpha_and_metadata_stay() -> None:
    Look(gentle()).save("g.look")
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    alpha = np.linspace(0, 1, 40 * 30, dtype=np.float32).reshape(30, 40)
    deep = (picture(4, (30, 40)) * 65535).round() / 65535
    save_image("deep.png", deep, Metadata(16, alpha, exif.tobytes()))
    save_image("deep.tif", deep, Metadata(16, None, exif.tobytes()))
    save_image("flat.jpg", deep, Metadata(8, None, exif.tobytes()))
    assert photostyle("look apply g.look deep.png deep.tif flat.jpg --out out") == 0
    for name in ("deep.png", "deep-2.tif", "flat.jpg"):
        found, own = load_image(f"out/{name}"), load_image(name.replace("-2", ""))
        assert found.image.shape == own.image.shape
        assert found.metadata.bit_depth == own.metadata.bit_depth
        assert (found.metadata.alpha is None) == (own.metadata.alpha is None)
        with Image.open(f"out/{name}") as picture_file:
            assert picture_file.getexif()[0x013B] == "Somebody"
    made = load_image("out/deep.png").image[0].permute(1, 2, 0).numpy()
    expected = by_definition(gentle(), deep).clip(0, 1)
    seen = alpha >= 1 / 128  # what is not seen is filled from around it
    assert np.abs(made - expected)[seen].max() < 1.5 / 65535  # 8 bits would be 128 times as far off


def test_regions_are_given_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    fit = f"{FIT} --content shoot/a.png --content-mask mask.png --style-mask mask.png"
    assert photostyle(f"{fit} --out r.look") == 0
    assert "2 regions and the whole" in capsys.readouterr().out
    given = "look apply r.look shoot/a.png --content-mask"
    assert photostyle(f"{given} mask.png --out with") == 0
    assert photostyle("look apply r.look shoot/a.png --out without") == 0
    assert photostyle(f"{given} mask.png --strength 1,blue=0 --out part") == 0
    own, whole, regional, part = (
        load_image(f"{place}/a.png").image for place in ("shoot", "without", "with", "part")
    )
    assert (whole - regional).abs().mean() > 2 / 255
    assert (part - own)[:, :, :28].abs().quantile(0.9) < 3 / 255
    assert (part - regional)[:, :, 44:].abs().quantile(0.9) < 3 / 255
    records = [json.loads(p.read_text()) for p in Path("with/jobs").glob("*.json")]
    assert [r["regions"] for r in records] == ["blue, green by labels"]
    assert photostyle(f"{given} masks --out folder") == 0  # the file of its name
    refused("look apply r.look shoot --content-mask masks --out x", capsys, "no mask called b")
    refused("look apply r.look shoot --content-mask mask.png --out x", capsys, "one file for 2")
    Image.new("RGB", (96, 72), (255, 255, 0)).save("yellow.png")
    assert photostyle(f"{given} yellow.png --out y") == 1
    assert "yellow.png has the regions yellow, none of which" in capsys.readouterr().err


def test_several_processes_do_the_same() -> None:
    Look(gentle()).save("g.look")
    assert photostyle("look apply g.look shoot --out one") == 0
    assert photostyle("look apply g.look shoot --out two --jobs 2") == 0
    for name in ("a.png", "b.png"):
        assert (Path("one") / name).read_bytes() == (Path("two") / name).read_bytes()


def test_from_pair(capsys: pytest.CaptureFixture[str]) -> None:
    look = Look(gentle())
    save_image("after.png", look.apply(Path("shoot/a.png")).image)
    assert photostyle("look from-pair shoot/a.png after.png --out p.look") == 0
    assert "The look is ΔE 0." in capsys.readouterr().out
    learnt, other = Look.load("p.look"), picture(9)
    assert (learnt.apply(other).image - look.apply(other).image).abs().mean() < 1 / 255
    refused("look from-pair shoot/a.png shoot/b.png --out q.look", capsys, "do not align")
    pair = "look from-pair shoot/a.png after.png --content-mask"
    assert photostyle(f"{pair} mask.png --out m.look") == 0
    assert set(Look.load("m.look").regions) == {"blue", "green"}


@pytest.mark.parametrize("how", SAYS)
def test_bad_looks(how: str, capsys: pytest.CaptureFixture[str]) -> None:
    damaged(Path("bad.look"), how)
    refused("look apply bad.look shoot --out out", capsys, SAYS[how])
    refused("look show bad.look", capsys, SAYS[how])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("apply none.look shoot --out out", "none.look does not exist"),
        ("apply g.look none.png --out out", "none.png does not exist"),
        ("apply g.look masks/.. --out out --strength 2", "no number from 0 to 1"),
        ("apply g.look shoot --out out --strength blue=0.5", "no region 'blue'"),
        ("apply g.look shoot --out out --protect sofa", "no 'sofa'"),
        ("apply g.look shoot --out out --content-mask none.png", "none.png does not exist"),
        ("apply g.look shoot --out shoot", "is one of the inputs"),
        ("apply g.look shoot --out out --jobs 0", "at least 1"),
        ("show g.look --out g.txt", "should end in one of"),
        ("show g.look --content none.png", "does not exist"),
        ("from-pair shoot/a.png none.png --out p.look", "does not exist"),
        ("from-pair shoot/a.png style.png --out p.png", "should end in .look"),
        ("fit --style style.png --content shoot --out night.png", "should end in .look"),
        ("fit --style style.png --content none --out n.look", "does not exist"),
        ("fit --style style.png --content shoot --style-mask mask.png --out n.look",
         "--content-mask is missing"),
        ("fit --style style.png --content shoot/a.png --content-mask mask.png --out n.look",
         "--style-mask is missing"),
        ("fit --style style.png --content shoot --sise 3 --out n.look", "did you mean --size"),
        ("fix --style style.png", "invalid choice: 'fix'"),
    ],
)  # fmt: skip
def test_bad_input(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Look(gentle()).save("g.look")
    refused(f"look {words}", capsys, says)


def test_a_damaged_picture_fails_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Look(gentle()).save("g.look")
    Path("shoot/c.png").write_bytes(Path("shoot/a.png").read_bytes()[:300])
    assert photostyle("look apply g.look shoot --out out") == 1
    shown = capsys.readouterr()
    assert "3 jobs: 2 done now, 0 done before, 1 failed" in shown.out
    assert "c.png" in shown.err
    assert not Path("out/c.png").exists()
    assert torch.is_tensor(load_image("out/b.png").image)


def test_export_measures_on_the_fitted_photographs(capsys: pytest.CaptureFixture[str]) -> None:
    assert photostyle(f"{FIT} --content shoot --out night.look") == 0
    capsys.readouterr()
    assert photostyle("look export night.look") == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == "night.cube"
    assert "the table: mean" in shown
    assert "  a.png: mean" in shown
    assert Path("night.cube.honesty.txt").read_text(encoding="utf-8").strip() in shown
    assert Path("night.cube.honesty.png").is_file()
    assert photostyle("look from-lut night.cube --out table.look") == 0
    full, table = (Look.load(f"{name}.look").colour_map() for name in ("night", "table"))
    colors = picture(5)[0].flatten(1)
    assert (full(colors) - table(colors)).abs().mean() < 1 / 255
    assert photostyle("look apply table.look shoot --out out --luminance 0.5") == 0
    assert photostyle("look show table.look") == 0
    save_image("shoot/a.png", picture(7))  # no longer the one of the fit
    capsys.readouterr()
    assert photostyle("look export night.look --format hald --size 16") == 0
    assert "  a.png" not in capsys.readouterr().out
    Path("shoot/b.png").unlink()
    assert photostyle("look export night.look --format xmp --size 16") == 0
    assert "Nothing to measure on" in capsys.readouterr().err
    assert photostyle("look export night.look --content shoot/a.png --out o/n.cube") == 0
    assert Path("o/n.cube.honesty.txt").is_file()


def test_export_by_region(capsys: pytest.CaptureFixture[str]) -> None:
    fit = f"{FIT} --content shoot/a.png --content-mask mask.png --style-mask mask.png"
    assert photostyle(f"{fit} --out r.look") == 0
    capsys.readouterr()
    assert photostyle("look export r.look --by-region --content-mask mask.png") == 0
    shown = capsys.readouterr().out
    assert "a table for each region: mean" in shown
    for name in ("r.cube", "r.blue.cube", "r.green.cube", "r.cube.a.blue.png"):
        assert Path(name).is_file()
        assert name in shown
    refused("look export r.look --by-region --content-mask none.png", capsys, "does not exist")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("export none.look", "none.look does not exist"),
        ("export g.look --by-region", "g.look has no regions"),
        ("export g.look --format mp4", "choose from cube, hald, xmp"),
        ("export g.look --size 1", "size 1"),
        ("export g.look --size 300", "size 300"),
        ("export g.look --input srbg", "invalid choice: 'srbg'"),
        ("export g.look --format hald --input linear", "holds no curves"),
        ("export g.look --format cube --out g.png", "should end in .cube"),
        ("export g.look --out g.txt", "no suffix of a look-up table"),
        ("export g.look --content none.png", "none.png does not exist"),
        ("from-lut none.cube --out n.look", "none.cube does not exist"),
        ("from-lut style.png --out n.look", "style.png"),
        ("from-lut short.cube --out n.look", "short.cube"),
        ("from-lut good.cube --out n.cube", "should end in .look"),
    ],
)
def test_bad_tables(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Look(gentle()).save("g.look")
    Path("short.cube").write_text("LUT_3D_SIZE 2\n0 0 0\n1 1 1\n")
    refused(f"look {words}", capsys, says)
