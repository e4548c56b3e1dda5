"""Scene-linear pictures through the command line: what is brighter than white stays so."""

import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image

import photostyle
from photostyle.cli import main
from photostyle.images.icc import SRGB_CURVE
from photostyle.images.scene import Viewing, unseen
from tests.images.pictures import noise

ACES_CG = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    warm = np.linspace(20, 250, 96)[None, :, None] * [1, 0.8, 0.6] + rng.normal(0, 2, (64, 96, 3))
    Image.fromarray(warm.clip(0, 255).astype(np.uint8)).save("s.png")
    return tmp_path


def ramp(top=16.0):
    """Light from nearly nothing up to `top`, with a dull ground and a saturated band."""
    light = np.geomspace(1e-3, top, 96)[None, :, None] * np.ones((64, 1, 3))
    light[32:48] *= [1.0, 0.2, 0.05]
    light[48:] *= 0.1
    return light.astype(np.float32)


def write(path, pixels, kind="float", **attributes):
    names = ("R", "G", "B", "A")[: pixels.shape[2]]
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.channelnames = names
    for name, value in attributes.items():
        if name == "chromaticities":
            spec.attribute(name, oiio.TypeDesc("float[8]"), value)
        else:
            spec.attribute(name.replace("__", ":"), value)
    out = oiio.ImageOutput.create(path)
    assert out.open(path, spec)
    assert out.write_image(np.ascontiguousarray(pixels))
    out.close()


def read(path):
    file = oiio.ImageInput.open(path)
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, "float")
    file.close()
    return pixels, spec


def run(out, more="--strength 0", content="c.exr"):
    words = f"run --content {content} --style s.png --preset color --size 64 --out {out} {more}"
    assert main(words.split()) == 0


@pytest.mark.parametrize("kind", ["float", "half"])
def test_a_ramp_to_sixteen_comes_out_as_it_went_in(kind) -> None:
    write("c.exr", ramp(), kind)
    run("r.exr")
    (before, old), (after, new) = read("c.exr"), read("r.exr")
    assert str(new.format) == str(old.format) == kind
    assert (np.abs(after - before) <= 1e-3 * np.abs(before) + 1e-7).all()
    assert after.max() == pytest.approx(16, rel=1e-3)


def test_styled_highlights_stay_above_one_and_in_order() -> None:
    write("c.exr", ramp())
    run("r.exr", "")
    after, _ = read("r.exr")
    assert np.isfinite(after).all()
    assert after[:32, -8:].mean() > 1.5
    assert after.max() < 64
    light = after[16] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > -1e-3 * light.max()).all()
    assert np.abs(after[16] - ramp()[16]).max() > 0.05  # it was styled


def test_primaries_are_kept() -> None:
    light = ramp()
    light[:8] = [0.9, 0.01, 0.01]  # outside sRGB
    write("c.exr", light, chromaticities=ACES_CG)
    run("r.exr")
    after, spec = read("r.exr")
    assert spec.getattribute("chromaticities") == pytest.approx(ACES_CG)
    assert np.abs(after - light).max() < 1e-3 * 16
    assert (np.abs(after - light) <= 1e-3 * np.abs(light).max(axis=-1, keepdims=True)).all()


def test_the_picture_is_srgbs_own_below_the_shoulder() -> None:
    """So that an EXR of a photograph's light is styled as the photograph is."""
    light = np.linspace(0, 0.45, 96)[None, :, None] * np.ones((64, 1, 3))
    write("c.exr", light.astype(np.float32))
    image = photostyle.load_image("c.exr").image[0, 1, 5].numpy()
    x = light[5, :, 1]
    srgb = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    assert np.abs(image - srgb).max() < 1e-5


def test_values_that_are_no_numbers_do_not_spread(capsys) -> None:
    light = ramp()
    light[10, 10] = np.nan
    light[20, 20, 0] = np.inf
    light[30, 30, 2] = -np.inf
    light[40, 40] = -0.25
    write("c.exr", light)
    run("r.exr")
    assert capsys.readouterr().err.count("has 3 pixels that are not finite") == 1
    after, _ = read("r.exr")
    assert np.allclose(after, light, rtol=1e-3, atol=1e-6, equal_nan=True)
    assert after[40, 40, 1] == pytest.approx(-0.25, rel=1e-3)  # negative light is light
    run("t.exr", "")
    styled, _ = read("t.exr")
    assert np.array_equal(np.isfinite(styled), np.isfinite(light))
    assert styled[20, 20, 0] == np.inf
    assert styled[30, 30, 2] == -np.inf
    write("c.exr", ramp())
    run("n.exr", "")
    beside, _ = read("n.exr")
    away = np.abs(styled - beside)[np.isfinite(light)] / (1e-3 + np.abs(beside))[np.isfinite(light)]
    assert np.quantile(away, 0.99) < 0.05  # the other pixels do not mind
    write("c.exr", light)
    run("r.png")
    with Image.open("r.png") as picture:
        values = np.asarray(picture).astype(int)
    assert np.abs(values[10, 10] - values[10, 11]).max() <= 3  # no black hole
    assert values[20, 20, 0] == 255


def test_light_that_covers_nothing_comes_out_as_it_was() -> None:
    """Glows have colours without alpha; they are not lost."""
    light = np.concatenate([ramp(4.0), np.ones((64, 96, 1), np.float32)], axis=2)
    light[:20, :, 3] = 0
    light[5:10] = 0
    write("c.exr", light)
    for more in ("--strength 0", ""):
        run("r.exr", more)
        after, _ = read("r.exr")
        assert np.array_equal(after[:20], light[:20])
    assert np.abs(after[30:] - light[30:]).max() > 0.05


def test_whole_numbers_of_32_bits_are_no_light(capsys) -> None:
    write("c.exr", (ramp() * 1000).astype(np.uint32), "uint")
    assert main(["info", "c.exr"]) == 2
    assert "whole numbers of 32 bits" in capsys.readouterr().err


def test_colours_are_as_deep_as_they_are_whatever_lies_beside_them() -> None:
    spec = oiio.ImageSpec(96, 64, 4, "float")
    spec.channelnames = ("R", "G", "B", "Z")
    spec.channelformats = ("half", "half", "half", "float")
    out = oiio.ImageOutput.create("c.exr")
    assert out.open("c.exr", spec)
    pixels = np.concatenate([ramp(), np.full((64, 96, 1), 1e5, np.float32)], axis=2)
    assert out.write_image(np.ascontiguousarray(pixels))
    out.close()
    run("r.exr")
    after, spec = read("r.exr")
    assert str(spec.format) == "half"
    assert np.allclose(after, ramp(), rtol=2e-3)


def test_a_picture_of_nothing_but_nan_is_one_sentence(capsys) -> None:
    write("c.exr", np.full((64, 96, 3), np.nan, np.float32))
    words = "run --content c.exr --style s.png --preset color --out r.exr"
    assert main(words.split()) == 2
    assert "holds no numbers but NaN" in capsys.readouterr().err
    assert not Path("r.exr").exists()


def test_alpha_is_multiplied_in_as_it_was() -> None:
    alpha = np.linspace(0, 1, 64, dtype=np.float32)[:, None, None] * np.ones((1, 96, 1), np.float32)
    light = ramp(4.0) * alpha
    write("c.exr", np.concatenate([light, alpha], axis=2))
    run("r.exr")
    after, spec = read("r.exr")
    assert tuple(spec.channelnames) == ("R", "G", "B", "A")
    assert np.abs(after[..., 3:] - alpha).max() < 1e-4
    assert np.abs(after[..., :3] - light).max() < 2e-3 * 4


def test_layers_are_found_by_their_names() -> None:
    pixels = np.concatenate([np.full((64, 96, 1), 7.0, np.float32), ramp()], axis=2)
    spec = oiio.ImageSpec(96, 64, 4, "float")
    spec.channelnames = ("Z", "beauty.B", "beauty.G", "beauty.R")
    out = oiio.ImageOutput.create("c.exr")
    out.open("c.exr", spec)
    out.write_image(pixels)
    out.close()
    wide = photostyle.load_image("c.exr")
    red = (wide.image if wide.wide is None else wide.wide)[0, 0, 40, 60]
    blue = (wide.image if wide.wide is None else wide.wide)[0, 2, 40, 60]
    assert red < blue  # the file's channels are the other way round


def test_a_scene_becomes_a_picture_and_a_picture_a_scene() -> None:
    write("c.exr", ramp())
    run("r.png")
    with Image.open("r.png") as picture:
        assert np.asarray(picture)[16, -1].min() >= 254  # sixteen times white is white
    Image.fromarray(noise(64, 96)).save("c.png")
    run("r.exr", content="c.png")
    after, spec = read("r.exr")
    x = noise(64, 96) / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    assert str(spec.format) == "half"
    assert np.abs(after - light).max() < 1e-3


def test_log_dpx_goes_round_and_is_light() -> None:
    codes = np.linspace(95, 1000, 96)[None, :, None] * np.ones((64, 1, 3)) / 1023
    pixels = np.rint(codes * 65535).astype(np.uint16)
    write("c.dpx", pixels, "uint16", oiio__ColorSpace="KodakLog", oiio__BitsPerSample=10)
    run("r.dpx", content="c.dpx")
    (before, _), (after, spec) = read("c.dpx"), read("r.dpx")
    assert spec.getattribute("oiio:ColorSpace") == "KodakLog"
    assert np.abs(after - before).max() <= 1.01 / 1023
    run("r.exr", content="c.dpx")
    light, _ = read("r.exr")
    black = 10 ** ((95 - 685) / 300)
    truth = (10 ** ((1023 * before - 685) / 300) - black) / (1 - black)
    assert np.allclose(light, truth, rtol=2e-3, atol=1e-4)
    assert light.max() > 8


def test_render_gives_the_scene_again() -> None:
    write("c.exr", ramp())
    run("r.exr", "")
    assert main(["render", "r.exr", "--strength", "0", "--out", "n.exr"]) == 0
    assert np.allclose(read("n.exr")[0], ramp(), rtol=1e-3, atol=1e-6)


def test_broken_files_and_missing_extras_are_one_sentence(capsys, monkeypatch) -> None:
    write("c.exr", ramp())
    data = Path("c.exr").read_bytes()
    Path("c.exr").write_bytes(data[:200])
    words = "run --content c.exr --style s.png --preset color --out r.exr"
    assert main(words.split()) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "c.exr is damaged or incomplete" in said
    Path("c.exr").write_bytes(data)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "OpenImageIO" else sys
    )
    assert main(words.split()) == 2
    assert 'pip install "photostyle[vfx]"' in capsys.readouterr().err
    assert not Path("r.exr").exists()


def test_a_space_of_a_configuration_there_and_back(capsys) -> None:
    """Checked against OpenColorIO's own way from ACEScg to linear Rec.709."""
    import PyOpenColorIO as ocio

    light = ramp()
    write("c.exr", light)
    image = photostyle.load_image("c.exr", Viewing("ACEScg"))
    config = ocio.Config.CreateFromFile("ocio://default")
    truth = light.copy()
    config.getProcessor("ACEScg", "Linear Rec.709 (sRGB)").getDefaultCPUProcessor().applyRGB(truth)
    found = SRGB_CURVE.light(unseen(image.wide[0].permute(1, 2, 0).numpy()))
    assert np.abs(found - truth).max() < 2e-3 * np.abs(truth).max()
    run("r.exr", "--strength 0 --input-space ACEScg")
    after, _ = read("r.exr")
    assert (np.abs(after - light) <= 1e-3 * light.max(axis=-1, keepdims=True) + 1e-6).all()
    assert main(["render", "r.exr", "--strength", "0", "--out", "n.exr"]) == 0
    assert np.allclose(read("n.exr")[0], after, rtol=1e-3, atol=1e-5)
    run("t.exr", "--input-space ACEScg")
    assert read("t.exr")[0].max() > 1


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("--input-space Nowhere", "has no such space; there are "),
        ("--view sRGB", "has no such display and view; there are "),
        ("--input-space ACEScg --ocio s.png", "--ocio s.png: it is no configuration"),
    ],
)
def test_configurations_that_cannot_be_used_are_one_sentence(more, says, capsys) -> None:
    write("c.exr", ramp())
    words = f"run --content c.exr --style s.png --preset color --out r.exr {more}"
    assert main(words.split()) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert says in said[-1]
    assert not Path("r.exr").exists()


def test_primaries_that_make_no_sense(capsys) -> None:
    write("c.exr", ramp(), chromaticities=(0.3, 0.3) * 4)
    words = "run --content c.exr --style s.png --preset color --out r.exr"
    assert main(words.split()) == 2
    assert "its primaries make no sense" in capsys.readouterr().err


VIEW = "sRGB - Display/ACES 2.0 - SDR 100 nits (Rec.709)"


def test_the_solve_sees_a_display_view_and_the_scene_comes_back() -> None:
    import PyOpenColorIO as ocio

    light = ramp()
    write("c.exr", light)
    photo = photostyle.load_image("c.exr", Viewing(view=VIEW))
    config = ocio.Config.CreateFromFile("ocio://default")
    look = ocio.DisplayViewTransform("Linear Rec.709 (sRGB)", *VIEW.split("/"))
    truth = light.copy()
    config.getProcessor(look).getDefaultCPUProcessor().applyRGB(truth)
    found = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(found - truth.clip(0, 1))[:32].max() < 2e-3
    words = ["run", "--content", "c.exr", "--style", "s.png", "--preset", "color", "--size", "64"]
    assert main([*words, "--view", VIEW, "--strength", "0", "--out", "r.exr"]) == 0
    after, _ = read("r.exr")
    near = np.abs(after - light) <= 2e-3 * light.max(axis=-1, keepdims=True) + 1e-5
    assert near[:32].all()
    assert near[48:].all()
    assert near[32:48].mean() > 0.8  # the view bends the most saturated lights for good
    assert main([*words, "--view", VIEW, "--out", "t.exr"]) == 0
    styled, _ = read("t.exr")
    assert np.isfinite(styled).all()
    assert styled.max() > 1
