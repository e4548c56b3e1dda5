"""Wide colour spaces through the command line: what goes in comes out, in its own space or another.

The colours are judged by LittleCMS, from the profile that lies in the file.
"""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from photostyle.cli import main
from photostyle.config.presets import preset
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.loading import load
from photostyle.runtime.memory import Memory
from tests.images.pictures import camera_exif, jpeg, png, tiff, with_chunks
from tests.images.spaces import (
    ciede2000,
    encoded,
    lab_by_littlecms,
    oklab_by_littlecms,
    patches,
    profile_name,
    standard,
)
from tests.images.test_profiles import P3, gamma, lut16, profile, rgb_profile

NAMES = {
    "srgb": "sRGB",
    "p3": "Display P3",
    "adobergb": "Adobe RGB (1998)",
    "rec2020": "Rec. 2020",
    "prophoto": "ProPhoto RGB",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("s.tif").write_bytes(tiff(encoded(patches()[::-1], np.uint8), photometric="rgb"))
    return tmp_path


def run(content, out, more="--strength 0"):
    words = f"run --content {content} --style s.tif --preset color --size 64 --out {out} {more}"
    assert main(words.split()) == 0
    return Path(out).read_bytes()


def stored(path):
    """Pixels and profile of a picture file, by tifffile, imagecodecs and Pillow."""
    if path.endswith(".tif"):
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            icc = page.tags[34675].value if 34675 in page.tags else None
            return page.asarray(), icc
    with Image.open(path) as picture:
        icc = picture.info.get("icc_profile")
        if path.endswith(".png"):
            return imagecodecs.png_decode(Path(path).read_bytes()), icc
        return np.asarray(picture), icc


def written(path, pixels, icc):
    if path.endswith(".tif"):
        Path(path).write_bytes(tiff(pixels, photometric="rgb", iccprofile=icc))
    else:
        data = imagecodecs.png_encode(pixels)
        place = Image.new("RGB", (1, 1))
        place.save(made := io.BytesIO(), "PNG", icc_profile=icc)
        chunk = made.getvalue()[33:]
        size = int.from_bytes(chunk[:4], "big") + 12
        Path(path).write_bytes(data[:33] + chunk[:size] + data[33:])


def difference(one, other):
    return ciede2000(lab_by_littlecms(*one), lab_by_littlecms(*other))


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("word", NAMES)
def test_every_space_goes_through_files(word, bits, suffix) -> None:
    pixels, icc = encoded(patches(), np.uint8 if bits == 8 else np.uint16), standard(word).profile
    written(f"c{suffix}", pixels, icc)
    photo = load_image(f"c{suffix}")
    save_image(f"r{suffix}", photo.image, photo.metadata, wide=photo.wide)
    found, kept = stored(f"r{suffix}")
    assert found.dtype == pixels.dtype
    assert kept == icc
    assert difference((pixels, icc), (found, kept)).max() < (0.3 if bits == 8 else 0.01)


@pytest.mark.parametrize(
    ("word", "bits", "suffix"),
    [
        ("srgb", 16, ".png"),
        ("p3", 8, ".tif"),
        ("p3", 16, ".png"),
        ("adobergb", 8, ".png"),
        ("rec2020", 16, ".tif"),
        ("prophoto", 16, ".tif"),
    ],
)
def test_every_space_goes_through_a_run(word, bits, suffix) -> None:
    icc = standard(word).profile
    pixels = encoded(patches(), np.uint8 if bits == 8 else np.uint16)
    written(f"c{suffix}", pixels, icc)
    data = run(f"c{suffix}", f"r{suffix}")
    found, kept = stored(f"r{suffix}")
    assert found.dtype == pixels.dtype
    assert kept == icc
    assert profile_name(data) == NAMES[word]
    assert difference((pixels, icc), (found, kept)).max() < (1.0 if bits == 8 else 0.3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("word", ["p3", "prophoto"])
def test_every_space_becomes_every_other(word, bits) -> None:
    icc = standard(word).profile
    pixels = encoded(patches(), np.uint8 if bits == 8 else np.uint16)
    written("c.tif", pixels, icc)
    run("c.tif", "r.tif")
    for out in NAMES:
        assert main(f"render r.tif --strength 0 --output-space {out} --out n.tif".split()) == 0
        check_converted(pixels, icc, out)


def check_converted(pixels, icc, out) -> None:
    """What is inside the other space is as LittleCMS has it, all else of its hue and lightness."""
    found, kept = stored("n.tif")
    bits = 8 * pixels.itemsize
    space = standard(out)
    assert NAMES[out] in profile_name(Path("n.tif").read_bytes())
    light = imagecodecs.cms_transform(
        pixels, icc, imagecodecs.cms_profile("xyz"), colorspace="rgb", outcolorspace="xyz",
        outdtype="float32", intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
    ) @ np.linalg.inv(space.matrix).T  # fmt: skip
    inside = ((light > -1e-4) & (light < 1.0001)).all(axis=-1)
    away = difference((pixels, icc), (found, kept))
    assert inside.mean() > 0.2
    assert away[inside].max() < (1.0 if bits == 8 else 0.3)
    if bits == 16 and (~inside).any():
        found, kept = stored("n.tif")
        own, other = (oklab_by_littlecms(*x)[~inside] for x in ((pixels, icc), (found, kept)))
        assert np.abs(own[:, 0].clip(0, 1) - other[:, 0]).max() < 0.01
        turn = np.arctan2(own[:, 2], own[:, 1]) - np.arctan2(other[:, 2], other[:, 1])
        turn = np.degrees(np.abs((turn + np.pi) % (2 * np.pi) - np.pi))
        coloured = np.hypot(*other[:, 1:].T) > 0.02
        assert turn[coloured].max() < 1.0


def test_saturated_patches_are_outside_srgb_to_begin_with() -> None:
    for word in ("p3", "prophoto"):
        written("c.tif", encoded(patches(), np.uint16), standard(word).profile)
        photo = load_image("c.tif")
        assert photo.wide is not None
        assert photo.wide.min() < -0.1
        assert (photo.image >= 0).all()
        assert (photo.image <= 1).all()


def test_a_photographs_own_profile_is_kept_and_its_numbers_are_its_own() -> None:
    icc = rgb_profile(((0.66, 0.33), (0.25, 0.68), (0.15, 0.06)), gamma(1.9))
    pixels = encoded(patches(), np.uint16)
    written("c.tif", pixels, icc)
    run("c.tif", "r.tif")
    found, kept = stored("r.tif")
    assert kept == icc
    assert difference((pixels, icc), (found, kept)).max() < 0.3


def test_colours_of_table_profiles_come_out_in_the_smallest_space_that_holds_them() -> None:
    from tests.images.test_profiles import ADOBE, adapted, to_xyz

    corners = np.array(list(np.ndindex(2, 2, 2)))
    nodes = corners @ adapted(to_xyz(ADOBE)).T * 32768
    icc = profile(b"RGB ", {b"A2B0": lut16(3, nodes, np.linspace(0, 1, 1024) ** 2.2)})
    pixels = encoded(patches(), np.uint16)
    written("c.tif", pixels, icc)
    run("c.tif", "r.tif")
    found, kept = stored("r.tif")
    assert kept == standard("adobergb").profile
    assert np.quantile(difference((pixels, icc), (found, kept)), 0.99) < 1.0


def test_adobe_rgb_that_only_exif_tells_stays_adobe_rgb() -> None:
    pixels = encoded(0.7 * patches() + 0.1, np.uint8)
    Path("c.jpg").write_bytes(jpeg(pixels, exif=camera_exif(0xFFFF, "R03")))
    run("c.jpg", "r.jpg")
    found, kept = stored("r.jpg")
    assert kept == standard("adobergb").profile
    assert np.abs(found.astype(int) - pixels).mean() < 1.5
    with Image.open("r.jpg") as picture:
        tags = picture.getexif()
        assert tags.get_ifd(0x8769)[0xA001] == 0xFFFF
        assert tags.get_ifd(0xA005)[1] == "R03"
    run("c.jpg", "s.jpg", "--strength 0 --output-space srgb")
    with Image.open("s.jpg") as picture:
        tags = picture.getexif()
        assert tags.get_ifd(0x8769)[0xA001] == 1
        assert tags.get_ifd(0xA005)[1] == "R98"


def test_pictures_without_a_word_on_their_colours_stay_without() -> None:
    Path("c.png").write_bytes(with_chunks(encoded(patches(), np.uint8)))
    data = run("c.png", "r.png")
    assert profile_name(data) is None
    assert np.array_equal(np.asarray(Image.open("r.png")), encoded(patches(), np.uint8))
    run("c.png", "n.png", "--strength 0 --output-space srgb")
    assert "sRGB" in profile_name(Path("n.png").read_bytes())


def test_a_style_in_a_wide_space_counts_by_its_colours() -> None:
    """P3 and sRGB files of the same colours are the same style."""
    pixels = 0.5 * patches()[::-1] + 0.2
    written("c.tif", encoded(patches(), np.uint8), standard("srgb").profile)
    space = standard("p3")
    written("s.tif", encoded(pixels, np.uint16), standard("srgb").profile)
    run("c.tif", "a.tif", "")
    written("s.tif", encoded(space.of_srgb(pixels), np.uint16), space.profile)
    run("c.tif", "b.tif", "")
    assert np.abs(stored("a.tif")[0].astype(int) - stored("b.tif")[0]).max() <= 1


def test_styles_beyond_srgb_count_by_their_own_hue() -> None:
    """The solve gets the colours that keep hue and lightness, not the nearest, which turn."""
    icc = standard("prophoto").profile
    pixels = encoded(patches(), np.uint16)
    written("s.tif", pixels, icc)
    Path("c.png").write_bytes(png(2, encoded(patches(), np.uint16)))
    sources = load("c.png", "s.tif", (None, None), None, preset("color"), Memory(limit=0))
    values = sources.styles[0].image[0].permute(1, 2, 0).numpy()
    own = oklab_by_littlecms(pixels, icc)
    seen = oklab_by_littlecms(encoded(values, np.uint16), standard("srgb").profile)
    coloured = np.hypot(*np.moveaxis(seen[..., 1:], -1, 0)) > 0.03
    turn = np.arctan2(own[..., 2], own[..., 1]) - np.arctan2(seen[..., 2], seen[..., 1])
    turn = np.degrees(np.abs((turn + np.pi) % (2 * np.pi) - np.pi))
    assert turn[coloured].max() < 1.5
    assert np.abs(own[..., 0].clip(0, 1) - seen[..., 0]).max() < 0.02
    nearest = load_image("s.tif").image[0].permute(1, 2, 0).numpy()
    assert np.abs(nearest - values).max() > 0.1


def test_a_result_in_p3_is_smooth_at_srgbs_edge_and_reaches_beyond() -> None:
    """A ramp that leaves sRGB: no flat end as from clipping, no jump as from polynomials."""
    grey = np.linspace(0, 1, 256)[None, :, None]
    ramp = np.broadcast_to(grey * [1, 0, 0] + (1 - grey) * 0.6, (64, 256, 3))
    icc = standard("p3").profile
    written("c.tif", encoded(ramp, np.uint16), icc)
    style = (0.85 * ramp[:, ::-1] + [0.1, 0.05, 0.02]).clip(0, 1)
    written("s.tif", encoded(style, np.uint16), icc)
    run("c.tif", "r.tif", "")
    found, kept = stored("r.tif")
    lab = lab_by_littlecms(found, kept)[32]
    steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    assert steps.max() < 4 * np.median(steps)
    assert steps[-20:].min() > 0.2 * np.median(steps)
    assert load_image("r.tif").wide is not None


def test_filters_keep_wide_colours() -> None:
    icc = standard("p3").profile
    pixels = encoded(patches(), np.uint16)
    written("c.tif", pixels, icc)
    assert main(["post", "median", "c.tif", "--out", "out"]) == 0
    found, kept = stored("out/c.tif")
    assert kept == icc
    inside = np.zeros((64, 64), bool).reshape(8, 8, 8, 8)
    inside[:, 3:-3, :, 3:-3] = True
    assert difference((pixels, icc), (found, kept))[inside.reshape(64, 64)].max() < 0.3
    assert not np.array_equal(found, pixels)


def test_render_writes_another_space_at_once() -> None:
    written("c.tif", encoded(patches(), np.uint16), standard("p3").profile)
    run("c.tif", "r.tif")
    assert (
        main(["render", "r.tif", "--strength", "0", "--output-space", "prophoto", "--out", "n.tif"])
        == 0
    )
    assert stored("n.tif")[1] == standard("prophoto").profile
    assert main(["render", "r.tif", "--strength", "0", "--out", "o.tif"]) == 0
    assert np.array_equal(stored("o.tif")[0], stored("r.tif")[0])


def test_lightness_colour_and_protection_keep_wide_colours() -> None:
    icc = standard("p3").profile
    pixels = encoded(patches(), np.uint16)
    written("c.tif", pixels, icc)
    run("c.tif", "r.tif", "--luminance 0 --color 0")
    assert difference((pixels, icc), stored("r.tif")).max() < 0.3
    run("c.tif", "r.tif", "--protect neutrals --preset photoreal-fast")
    assert stored("r.tif")[1] == icc


def test_frames_and_transparent_parts_of_wide_pictures(capsys) -> None:
    icc = standard("p3").profile
    pixels = encoded(patches(), np.uint16)
    framed = np.full((96, 96, 3), (65535, 0, 0), np.uint16)
    framed[16:-16, 16:-16] = encoded(np.random.default_rng(1).random((64, 64, 3)), np.uint16)
    written("c.tif", framed, icc)
    run("c.tif", "r.tif", "--strength 0.5")
    assert "frame" in capsys.readouterr().err
    found, _ = stored("r.tif")
    assert np.abs(found[:14].astype(int) - framed[:14]).max() <= 2
    alpha = np.full((64, 64, 1), 65535, np.uint16)
    alpha[:20] = 0
    with_alpha = np.concatenate([pixels, alpha], axis=2)
    Path("c.tif").write_bytes(
        tiff(with_alpha, photometric="rgb", extrasamples=["unassalpha"], iccprofile=icc)
    )
    run("c.tif", "r.tif")
    found, kept = stored("r.tif")
    assert kept == icc
    assert np.array_equal(found[..., 3:], alpha)
    assert difference((pixels[20:], icc), (found[20:, :, :3], icc)).max() < 0.3


def test_an_unknown_space_is_one_sentence(capsys) -> None:
    Path("c.png").write_bytes(png(2, encoded(patches(), np.uint16)))
    words = "run --content c.png --style s.tif --output-space cmyk --out r.png"
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert "choose from srgb, p3, adobergb, rec2020, prophoto" in said
    assert not Path("r.png").exists()


def test_a_profile_that_lies_is_told_and_not_written(capsys) -> None:
    icc = rgb_profile(P3, gamma(2.2))[:150] + bytes(300)
    Path("c.tif").write_bytes(tiff(encoded(patches(), np.uint8), photometric="rgb", iccprofile=icc))
    run("c.tif", "r.tif")
    assert "colour profile is damaged" in capsys.readouterr().err
    found, kept = stored("r.tif")
    assert kept is None
    assert np.array_equal(found, encoded(patches(), np.uint8))
