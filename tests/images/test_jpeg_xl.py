"""What JPEG XL says of its colours, against libjxl itself through OpenImageIO."""

from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from photostyle.images.formats.jxlheader import Colours, head_of, with_colours
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import save_image
from photostyle.images.spaces import space_of
from tests.images.spaces import ciede2000, encoded, lab_by_littlecms, patches, standard
from tests.images.test_profiles import rgb_profile, table

OWN = rgb_profile(((0.66, 0.33), (0.25, 0.68), (0.15, 0.06)), table(np.linspace(0, 1, 1024) ** 1.9))
#: What libjxl calls them, from what the head says.
NAMES = {
    "srgb": "sRGB",
    "p3": "DisplayP3",
    "adobergb": "Adobe98",
    "rec2020": "RGB_D65_202_Rel_709",
    "prophoto": "_Rel_g0.5555",
    "own": "_Rel_SRG",
}


def profile_of(word):
    return OWN if word == "own" else standard(word).profile


def by_libjxl(path):
    """Pixels, profile and its name, as libjxl gives them."""
    file = oiio.ImageInput.open(str(path))
    spec = file.spec()
    pixels = file.read_image(0, 0, 0, spec.nchannels, str(spec.format))
    icc = bytes(np.asarray(spec.getattribute("ICCProfile"), np.uint8))
    name = spec.getattribute("ICCProfile:profile_description")
    file.close()
    return pixels, icc, name


def written(path, pixels, icc, **more):
    kind = str(pixels.dtype)
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], kind)
    spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(icc)}]"), np.frombuffer(icc, np.uint8))
    for name, value in more.items():
        spec.attribute(name, value)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec)
    assert out.write_image(pixels)
    assert out.close()


def difference(one, icc, other, its):
    return ciede2000(lab_by_littlecms(one, icc), lab_by_littlecms(np.ascontiguousarray(other), its))


def values_of(photo):
    return (photo.image if photo.wide is None else photo.wide)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("word", NAMES)
def test_wide_spaces_are_written_as_libjxl_reads_them(tmp_path: Path, word, bits) -> None:
    icc, path = profile_of(word), tmp_path / "a.jxl"
    pixels, space = encoded(patches(), np.uint8 if bits == 8 else np.uint16), space_of(icc)
    wide = torch.from_numpy(space.to_srgb(pixels)).permute(2, 0, 1)[None]
    metadata = Metadata(bits, space=None if word == "srgb" else space)
    save_image(path, wide.clamp(0, 1), metadata, wide=wide)
    found, its, name = by_libjxl(path)
    assert found.dtype == pixels.dtype
    assert NAMES[word] in name
    most = 0.5 if bits == 8 else 0.05
    assert difference(pixels, icc, found, its).max() < most
    photo = load_image(path)
    assert not photo.notes
    own = encoded(space.of_srgb(values_of(photo)), np.uint16)
    assert difference(pixels, icc, own, icc).max() < most
    if word == "srgb":
        assert photo.metadata.space is None
    if word in ("p3", "adobergb"):
        assert photo.metadata.space.profile == icc


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_stays_beside_wide_colours(tmp_path: Path, bits) -> None:
    space, alpha = standard("adobergb"), np.linspace(0, 1, 40, dtype=np.float32)[None]
    pixels = encoded(patches(), np.uint8 if bits == 8 else np.uint16)[:24, :40]
    wide = torch.from_numpy(space.to_srgb(pixels)).permute(2, 0, 1)[None]
    metadata = Metadata(bits, space=space, alpha=alpha.repeat(24, axis=0))
    save_image(tmp_path / "a.jxl", wide.clamp(0, 1), metadata, wide=wide)
    found, its, _ = by_libjxl(tmp_path / "a.jxl")
    assert found.shape == (24, 40, 4)
    assert difference(pixels, space.profile, found[..., :3], its).max() < 0.05
    assert np.abs(found[0, :, 3] / np.iinfo(found.dtype).max - alpha[0]).max() < 0.003


@pytest.mark.parametrize("word", ["prophoto", "own"])
def test_a_profile_in_the_file_is_read(tmp_path: Path, word) -> None:
    icc, pixels = profile_of(word), encoded(patches(), np.uint16)
    written(tmp_path / "a.jxl", pixels, icc)
    photo = load_image(tmp_path / "a.jxl")
    assert not photo.notes
    assert photo.metadata.space.profile == icc
    own = encoded(photo.metadata.space.of_srgb(values_of(photo)), np.uint16)
    assert difference(pixels, icc, own, icc).max() < 0.01


def test_without_what_reads_profiles_it_is_named(tmp_path: Path, monkeypatch) -> None:
    written(tmp_path / "a.jxl", encoded(patches(), np.uint16), OWN)
    save_image(tmp_path / "b.jxl", torch.rand(1, 3, 48, 48), Metadata(space=standard("p3")))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (note,) = load_image(tmp_path / "a.jxl").notes
    assert 'pip install "photostyle[vfx]"' in note
    assert "is taken for sRGB" in note
    assert not load_image(tmp_path / "b.jxl").notes  # for all else nothing is needed
    assert load_image(tmp_path / "b.jxl").metadata.space.name == "Display P3"


def test_a_lossy_picture_with_a_profile_is_what_libjxl_makes_of_it(tmp_path: Path) -> None:
    """Light of sRGB, which is not taken for sRGB's own values."""
    pixels = encoded(0.4 * patches() + 0.3, np.uint16)
    written(tmp_path / "a.jxl", pixels, OWN, Compression="jpegxl:100")
    assert not head_of((tmp_path / "a.jxl").read_bytes()).mixed
    written(tmp_path / "a.jxl", pixels, OWN, Compression="jpegxl:99")
    head = head_of((tmp_path / "a.jxl").read_bytes())
    assert head.mixed
    assert head.profile
    values = encoded(load_image(tmp_path / "a.jxl").image[0].permute(1, 2, 0).numpy(), np.uint16)
    away = difference(pixels, OWN, values, standard("srgb").profile)
    assert np.median(away) < 1.0


@pytest.mark.parametrize(
    "colours",
    [
        Colours(),
        Colours((0.68, 0.32, 0.265, 0.69, 0.15, 0.06)),
        Colours((0.7, 0.3, 0.2, 0.7, 0.1, -0.01), (0.34, 0.36), None, 2.6),
        Colours((0.708, 0.292, 0.17, 0.797, 0.131, 0.046), (1 / 3, 1 / 3), 16),
        Colours(transfer=8),
    ],
    ids=["sRGB", "P3", "by numbers", "PQ", "light"],
)
@pytest.mark.parametrize("size", [(8, 8), (23, 31), (64, 48)])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_head_says_what_was_written_into_it(colours, size, channels) -> None:
    pixels = np.random.default_rng(3).integers(0, 255, (*size, channels), np.uint8)
    plain = bytes(imagecodecs.jpegxl_encode(pixels, lossless=True, effort=1))
    data = with_colours(plain, colours)
    assert np.array_equal(imagecodecs.jpegxl_decode(data, 0), pixels)
    head = head_of(data)
    assert (head.height, head.width) == size
    assert head.colours.transfer == colours.transfer
    assert head.colours.primaries == pytest.approx(colours.primaries, abs=1e-6)
    assert head.colours.white == pytest.approx(colours.white, abs=1e-6)
    assert head.colours.gamma == pytest.approx(colours.gamma, rel=1e-5)


def test_files_that_are_lossy_get_no_other_colours() -> None:
    data = bytes(imagecodecs.jpegxl_encode(encoded(patches(), np.uint8), distance=1.0))
    with pytest.raises(ValueError, match="makes no sense"):
        with_colours(data, Colours())
