"""Photographs with gain maps: the HDR rendition goes through, and follows the style."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from photostyle.cli import main
from photostyle.images.picture import load_image
from tests.images.pictures import jpeg, png


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("c.jpg").write_bytes(ultra_hdr())
    rng = np.random.default_rng(2)
    dark = np.linspace(0, 200, 96)[None, :, None] * [0.7, 0.8, 1] + rng.normal(0, 2, (64, 96, 3))
    Image.fromarray(dark.clip(0, 255).astype(np.uint8)).save("s.png")
    return tmp_path


def ultra_hdr(gamut=imagecodecs.ULTRAHDR.CG.BT_709, patch=None):
    """A ramp up to four times white, with a dull ground, and a patch in it."""
    light = np.linspace(0, 2, 96)[None, :, None] ** 2 * [1.0, 0.8, 0.6] * np.ones((64, 1, 1))
    light[40:] *= 0.2
    if patch is not None:
        light[50:62, 4:44] = patch
    rgba = np.concatenate([light, np.ones((64, 96, 1))], axis=2).astype(np.float16)
    return imagecodecs.ultrahdr_encode(
        rgba, 98, gamut=gamut, transfer=imagecodecs.ULTRAHDR.CT.LINEAR
    )


def rendition(path):
    return imagecodecs.ultrahdr_decode(Path(path).read_bytes())[..., :3].astype(float)


def run(out, more=""):
    words = f"run --content c.jpg --style s.png --preset color --size 64 --out {out} {more}"
    assert main(words.split()) == 0


@pytest.mark.parametrize("gamut", ["BT_709", "DISPLAY_P3"])
def test_the_hdr_rendition_goes_round(gamut) -> None:
    Path("c.jpg").write_bytes(ultra_hdr(imagecodecs.ULTRAHDR.CG[gamut]))
    run("r.jpg", "--strength 0")
    before, after = rendition("c.jpg"), rendition("r.jpg")
    assert before.max() > 3.5
    assert np.abs(after - before).max() < 0.01 * before.max()
    with Image.open("c.jpg") as old, Image.open("r.jpg") as new:
        assert old.size == new.size
        base = np.asarray(old).astype(int) - np.asarray(new)
    assert np.abs(base).mean() < 1.5


def test_a_base_in_p3_keeps_its_colours() -> None:
    """Lamps and flowers outside sRGB, in the base and in the HDR rendition."""
    data = ultra_hdr(imagecodecs.ULTRAHDR.CG.DISPLAY_P3, patch=[1.0, 0.02, 0.02])
    Path("c.jpg").write_bytes(data)
    photo = load_image("c.jpg")
    assert photo.metadata.space.name.startswith("Display P3")
    assert photo.wide.shape == (2, 3, 64, 96)
    assert photo.wide[1].min() < -0.1
    for more, apart in (("--strength 0", 4), ("", None)):
        run("r.jpg", more)
        with Image.open("c.jpg") as old, Image.open("r.jpg") as new:
            before, after = (np.asarray(x).astype(int)[52:60, 8:40] for x in (old, new))
            assert b"Display P3" in new.info["icc_profile"].replace(b"\0", b"")
        if apart:
            assert np.abs(before - after).mean() < apart
        again = load_image("r.jpg")
        assert again.wide is not None
        assert len(again.wide) == 2
        light = rendition("r.jpg")
        assert np.abs(light - rendition("c.jpg")).max() < 0.01 * light.max() or not apart
    run("r.png", "--strength 0")
    assert len(load_image("r.png").wide) == 1


def test_the_map_is_made_anew_for_the_styled_base() -> None:
    run("r.jpg")
    before, after = rendition("c.jpg"), rendition("r.jpg")
    with Image.open("c.jpg") as old, Image.open("r.jpg") as new:
        gains = [
            r.max(axis=2) / np.maximum((np.asarray(b) / 255.0) ** 2.2, 1e-3).max(axis=2)
            for r, b in ((before, old), (after, new))
        ]
    lamp = np.s_[:32, -8:]
    assert gains[0][lamp].mean() > 2
    assert 1 < after[lamp].mean() < 0.8 * before[lamp].mean()  # no old glow on a dark picture
    assert np.abs(gains[1] / gains[0] - 1)[lamp].mean() > 0.1
    rising = after[16].mean(axis=1)
    assert (np.diff(rising) > -0.02 * rising.max()).all()


def test_a_format_without_gain_maps_is_told_of_once(capsys) -> None:
    run("r.png", "--strength 0")
    said = capsys.readouterr().err
    assert said.count("brighter version for HDR displays") == 1
    with Image.open("c.jpg") as base, Image.open("r.png") as picture:
        assert np.abs(np.asarray(base).astype(int) - np.asarray(picture)).max() <= 1


def test_a_map_of_another_kind_is_left_out_with_a_note(capsys) -> None:
    packet = b'<x xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/"/>'
    base = np.full((64, 96, 3), 90, np.uint8)
    Path("c.jpg").write_bytes(jpeg(base, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)))
    run("r.jpg", "--strength 0")
    said = capsys.readouterr().err
    assert said.count("has a gain map for HDR displays") == 1
    assert b"21496" not in Path("r.jpg").read_bytes()


def test_a_damaged_map_leaves_the_base(capsys) -> None:
    data = ultra_hdr()
    Path("c.jpg").write_bytes(data[: data.rindex(b"\xff\xd8\xff") + 40])
    run("r.jpg", "--strength 0")
    assert "gain map" in capsys.readouterr().err
    assert b"21496" not in Path("r.jpg").read_bytes()


def test_plain_pictures_get_no_map() -> None:
    Path("c.jpg").write_bytes(jpeg(np.full((64, 96, 3), 90, np.uint8)))
    run("r.jpg", "--strength 0")
    assert b"21496" not in Path("r.jpg").read_bytes()
    Path("c.jpg").write_bytes(png(2, np.full((64, 96, 3), 9000, np.uint16)))
    assert load_image("c.jpg").wide is None


def test_filters_leave_what_is_above_white_where_it_was() -> None:
    assert main(["post", "median", "c.jpg", "--out", "out"]) == 0
    before, after = rendition("c.jpg"), rendition("out/c.jpg")
    flat = np.s_[4:36, 4:-4]  # the ramp, on which the filter does next to nothing
    assert np.abs(after - before)[flat].max() < 0.02 * before.max()
    assert after.max() > 3.5
