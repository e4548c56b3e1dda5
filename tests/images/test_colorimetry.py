"""Colours said elsewhere than in an ICC profile, against the standards' formulas."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from photostyle.images.picture import load_image
from photostyle.images.profiles import srgb_profile
from tests.images.pictures import (
    camera_exif,
    chunk,
    jpeg,
    plain,
    png,
    tiff,
    with_chunks,
)
from tests.images.test_profiles import (
    ADOBE,
    P3,
    SRGB,
    encode,
    expected,
    gamma,
    iccp,
    rgb_profile,
    to_xyz,
)

COLOUR = (39, 200, 60)
REC2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))


def shown(tmp_path: Path, data: bytes):
    """The colour that is read, in levels of 255, and what else was read."""
    (tmp_path / "a").write_bytes(data)
    photo = load_image(tmp_path / "a")
    return photo.image[0, :, 8, 8].numpy() * 255, photo


def power(exponent):
    return lambda value: value**exponent


def target(primaries, linearise, colour=COLOUR):
    return expected(plain(*colour), primaries, linearise)[0, 0] * 255


def rec709(value):
    return np.where(value < 0.081, value / 4.5, ((value + 0.099) / 1.099) ** (1 / 0.45))


def pq(value):
    """In units of the reference white, 203 cd/m² (BT.2100, BT.2408)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    bent = value ** (1 / m2)
    return np.minimum(10000 / 203 * (np.maximum(bent - c1, 0) / (c2 - c3 * bent)) ** (1 / m1), 1)


# EXIF


def webp(exif):
    file = io.BytesIO()
    Image.fromarray(plain(*COLOUR)).save(file, "WEBP", lossless=True, exif=exif.tobytes())
    return file.getvalue()


def with_directories(exif):
    """A TIFF with EXIF's directories."""
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    values = {256: 16, 257: 16, 258: (8, 8, 8), 259: 1, 262: 2, 273: 0, 277: 3, 278: 16, 279: 768}
    for tag, value in {**values, 0x8769: exif.get_ifd(0x8769)}.items():
        tags[tag] = value
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + plain(*COLOUR).tobytes()


FORMATS = {
    "jpeg": lambda exif: jpeg(plain(*COLOUR), exif=exif),
    "png": lambda exif: with_chunks(plain(*COLOUR), chunk(b"eXIf", exif.tobytes()[6:])),
    "webp": webp,
    "tiff": with_directories,
}
ADOBE_SAID = target(ADOBE, power(563 / 256))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("space", "index", "says"),
    [
        (65535, "R03", ADOBE_SAID), (None, "R03", ADOBE_SAID), (2, None, ADOBE_SAID),
        (1, None, COLOUR), (1, "R98", COLOUR), (65535, "R98", COLOUR), (65535, None, COLOUR),
        (None, None, COLOUR),
    ],
)  # fmt: skip
def test_cameras_say_it_in_exif(tmp_path: Path, form, space, index, says) -> None:
    found, photo = shown(tmp_path, FORMATS[form](camera_exif(space, index)))
    assert np.abs(found - says).max() < 0.5
    converted = says is ADOBE_SAID
    assert photo.metadata.icc_profile == (srgb_profile() if converted else None)
    if space is not None:  # what is kept says what the values are
        kept = Image.Exif()
        kept.load(photo.metadata.exif)
        assert kept.get_ifd(0x8769)[0xA001] == 1
        assert kept.get_ifd(0xA005).get(1) == (None if index is None else "R98")


def test_the_value_of_the_standard_itself() -> None:
    assert np.rint(ADOBE_SAID).tolist() == [0, 201, 37]


def test_a_profile_counts_more_than_exif(tmp_path: Path) -> None:
    icc = rgb_profile(P3, gamma(2.2))
    data = jpeg(plain(*COLOUR), exif=camera_exif(65535, "R03"), icc_profile=icc)
    found, _ = shown(tmp_path, data)
    assert np.abs(found - target(P3, power(563 / 256))).max() < 1.5


def test_exif_of_an_uncalibrated_picture_may_give_the_numbers(tmp_path: Path) -> None:
    numbers = {"t318": (0.3127, 0.3290), "t319": tuple(np.ravel(P3))}
    exif = camera_exif(65535, **numbers)
    exif.get_ifd(0x8769)[0xA500] = 1.8
    found, _ = shown(tmp_path, jpeg(plain(*COLOUR), exif=exif))
    assert np.abs(found - target(P3, power(1.8))).max() < 0.6


# PNG


def chrm(primaries):
    numbers = [0.3127, 0.3290, *np.ravel(primaries)]
    return chunk(b"cHRM", struct.pack(">8I", *(round(n * 100000) for n in numbers)))


def gama(value):
    return chunk(b"gAMA", struct.pack(">I", value))


def cicp(primaries, transfer, full=1):
    return chunk(b"cICP", bytes([primaries, transfer, 0, full]))


SRGB_CHUNK = chunk(b"sRGB", b"\0")
LINEAR = target(SRGB, power(1.0))
PNGS = {
    "linear": ([gama(100000)], LINEAR),
    "1.8 of old Macintoshes": ([gama(55556)], target(SRGB, power(1.8))),
    "the stand-in for sRGB": ([gama(45455)], COLOUR),
    "the same with its primaries": ([gama(45455), chrm(SRGB)], COLOUR),
    "primaries and gamma": ([gama(45455), chrm(ADOBE)], target(ADOBE, power(2.2))),
    "sRGB over gamma": ([SRGB_CHUNK, gama(100000), chrm(ADOBE)], COLOUR),
    "profile over sRGB": ([iccp(rgb_profile(SRGB, gamma(1.0))), SRGB_CHUNK], LINEAR),
    "code points over profile": ([cicp(1, 8), iccp(rgb_profile(P3, gamma(2.2)))], LINEAR),
    "unspecified code points": ([cicp(2, 2), gama(100000)], LINEAR),
    "broken profile": ([chunk(b"iCCP", b"x\0\0broken"), gama(100000)], LINEAR),
    "Display P3": ([cicp(12, 13)], target(P3, lambda v: np.where(
        v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4))),
    "BT.709": ([cicp(1, 1)], target(SRGB, rec709)),
    "BT.2020": ([cicp(9, 14)], target(REC2020, rec709)),
    "narrow range": ([cicp(1, 8, 0)], target(
        SRGB, lambda v: np.clip((v * 255 - 16) / 219, 0, 1))),
    "PQ": ([cicp(1, 16)], target(SRGB, pq)),
    "nonsense": ([gama(0), chunk(b"cHRM", bytes(32))], COLOUR),
    "impossible primaries": ([chrm(((0.3, 0.3),) * 3)], COLOUR),
}  # fmt: skip


@pytest.mark.parametrize("name", PNGS)
def test_png_says_it_in_chunks(tmp_path: Path, name) -> None:
    chunks, says = PNGS[name]
    found, _ = shown(tmp_path, with_chunks(plain(*COLOUR), *chunks))
    assert np.abs(found - says).max() < 0.1


def test_grey_and_sixteen_bits(tmp_path: Path) -> None:
    found, _ = shown(tmp_path, with_chunks(plain(100)[..., 0], gama(100000)))
    assert np.abs(found - encode(100 / 255) * 255).max() < 0.05
    deep = plain(*(c * 257 + 3 for c in COLOUR), kind=np.uint16)
    exact = expected(deep, SRGB, power(1.0))[0, 0] * 255
    found, photo = shown(tmp_path, png(2, deep, gama(100000)))
    assert np.abs(found - exact).max() < 0.01
    assert photo.metadata.bit_depth == 16


# TIFF and others


def rationals(*values):
    return tuple(part for value in values for part in (round(value * 1e6), 1000000))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_tiff_says_it_in_tags(tmp_path: Path, kind) -> None:
    colour = plain(*(c * (257 if kind is np.uint16 else 1) for c in COLOUR), kind=kind)
    white = (318, 5, 2, rationals(0.3127, 0.3290), True)
    primaries = (319, 5, 6, rationals(*np.ravel(ADOBE)), True)
    found, photo = shown(tmp_path, tiff(colour, photometric="rgb", extratags=[white, primaries]))
    assert np.abs(found - target(ADOBE, power(2.2))).max() < 0.2  # TIFF's curve, where none is told
    assert photo.metadata.icc_profile == srgb_profile()
    curve = np.rint(np.linspace(0, 1, 256) ** 1.8 * 65535).astype(int)
    told = (301, 3, 768, tuple(np.tile(curve, 3).tolist()), True)
    data = tiff(colour, photometric="rgb", extratags=[told, white, primaries])
    assert np.abs(shown(tmp_path, data)[0] - target(ADOBE, power(1.8))).max() < 0.2


def test_code_points_of_avif(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(plain(*COLOUR)).save(file, "AVIF", quality=100, subsampling="4:4:4")
    data = file.getvalue()
    stored, _ = shown(tmp_path, data)
    at = data.index(b"colrnclx") + 8
    data = data[:at] + struct.pack(">HH", 12, 8) + data[at + 4 :]
    found, _ = shown(tmp_path, data)
    assert np.abs(found - target(P3, power(1.0), np.rint(stored).astype(int))).max() < 0.1


def bitmap(kind, ends=(0,) * 9, exponent=0.0):
    pixels = plain(*COLOUR[::-1]).tobytes()
    head = struct.pack("<IiiHHIIiiII", 124, 16, 16, 1, 24, 0, len(pixels), 0, 0, 0, 0) + bytes(16)
    head += kind + struct.pack("<9i", *(round(n * 2**30) for n in ends))
    head += struct.pack("<3I", *[round(exponent * 65536)] * 3) + bytes(16)
    return b"BM" + struct.pack("<IHHI", 138 + len(pixels), 0, 0, 138) + head + pixels


def test_calibrated_bitmap(tmp_path: Path) -> None:
    found, _ = shown(tmp_path, bitmap(bytes(4), to_xyz(ADOBE).T.ravel(), 1.8))
    assert np.abs(found - target(ADOBE, power(1.8))).max() < 0.1
    assert shown(tmp_path, bitmap(b"BGRs"))[0].round().tolist() == list(COLOUR)
