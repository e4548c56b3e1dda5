"""Colour management, against analytic matrices and against LittleCMS."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from photostyle.images.picture import load_image
from photostyle.images.profiles import srgb_profile, to_srgb, usable

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def clipped(samples, icc):
    """sRGB values as a display shows them, and the profile to keep."""
    values, kept, _ = to_srgb(samples, icc)
    return values.clip(0, 1), kept


def to_xyz(primaries):
    """Linear RGB to XYZ under D65, from chromaticities."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    return columns * np.linalg.solve(columns, D65)


def adapted(matrix):
    """From D65 to the D50 of ICC profiles, by Bradford."""
    gains = (BRADFORD @ D50) / (BRADFORD @ D65)
    return np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD @ matrix


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def gamma(value):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def table(values):
    levels = np.round(np.asarray(values) * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(levels)) + levels.tobytes()


def parametric(kind, *values):
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + fixed(*values)


def profile(space, tags, connection=b"XYZ "):
    head = struct.pack(">4xII", 0, 0x04000000) + b"mntr" + space + connection
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(*D50)
    head += bytes(128 - len(head))
    place, index, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        index += struct.pack(">4sII", name, place + len(body), len(content))
        body += content
    whole = head + struct.pack(">I", len(tags)) + index + body
    return struct.pack(">I", len(whole)) + whole[4:]


def rgb_profile(primaries, curve):
    matrix = adapted(to_xyz(primaries))
    columns = {
        name: b"XYZ " + bytes(4) + fixed(*matrix[:, c])
        for c, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    }
    white = {b"wtpt": b"XYZ " + bytes(4) + fixed(*D50)}
    return profile(b"RGB ", {**white, **columns, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def encode(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def decode(value):
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def expected(colour, primaries, linearise):
    """sRGB values by the colorimetry alone: no profile, no D50."""
    light = linearise(colour / np.iinfo(colour.dtype).max)
    light = light @ (np.linalg.inv(to_xyz(SRGB)) @ to_xyz(primaries)).T
    return encode(np.clip(light, 0, 1))


CURVES = {
    "gamma": (gamma(563 / 256), lambda v: v ** (563 / 256)),
    "linear": (b"curv" + bytes(8), lambda v: v),
    "table": (table(np.linspace(0, 1, 4096) ** 1.8), lambda v: v**1.8),
    "para0": (parametric(0, 2.2), lambda v: v**2.2),
    "para1": (
        parametric(1, 2.0, 1.25, -0.25),
        lambda v: np.where(v >= 0.2, np.maximum(1.25 * v - 0.25, 0) ** 2, 0),
    ),
    "para2": (
        parametric(2, 2.0, 1.0, -0.5, 0.25),
        lambda v: np.where(v >= 0.5, (v - 0.5) ** 2, 0) + 0.25,
    ),
    "para3": (parametric(3, *SRGB_CURVE), decode),
    "para4": (
        parametric(4, 2.0, 0.9, 0.0, 0.5, 0.25, 0.1, 0.0),
        lambda v: np.where(v >= 0.25, (0.9 * v) ** 2 + 0.1, 0.5 * v),
    ),
}


@pytest.fixture
def colours():
    rng = np.random.default_rng(7)
    return rng.integers(0, 65536, (30, 300, 3)).astype(np.uint16)  # higher than one band


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("primaries", [ADOBE, P3], ids=["adobe", "p3"])
def test_matrix_profiles_follow_the_analytic_matrices(colours, primaries, name) -> None:
    curve, linearise = CURVES[name]
    colour = np.swapaxes(colours, 0, 1)
    values, kept = clipped(colour, rgb_profile(primaries, curve))
    target = expected(colour, primaries, linearise)
    # In light, where the profiles' 16 binary places, times an inverse of norm 5, show evenly.
    assert np.abs(decode(values) - decode(target)).max() < 1e-4
    assert kept == srgb_profile()
    assert values.dtype == np.float32


@pytest.mark.parametrize("name", ["gamma", "table", "para3"])
def test_matrix_profiles_agree_with_littlecms(colours, name) -> None:
    eight = (colours >> 8).astype(np.uint8)
    icc = rgb_profile(P3, CURVES[name][0])
    second = ImageCms.profileToProfile(
        Image.fromarray(eight),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    error = np.abs(clipped(eight, icc)[0] * 255 - np.asarray(second))
    assert np.quantile(error, 0.99) < 1.0
    assert error.max() < 2.0


def test_sixteen_bits_stay_sixteen() -> None:
    ramp = np.repeat(np.arange(30000, 30512, dtype=np.uint16)[None, :, None], 3, axis=2)
    values, _ = clipped(ramp, rgb_profile(ADOBE, gamma(2.2)))
    assert len(np.unique(values[0, :, 1])) == 512


@pytest.mark.parametrize("curve", ["para3", "table"])
def test_srgb_by_any_name_leaves_the_values_alone(colours, curve) -> None:
    trc = parametric(3, *SRGB_CURVE) if curve == "para3" else table(decode(np.linspace(0, 1, 1024)))
    icc = rgb_profile(SRGB, trc)
    values, kept = clipped(colours, icc)
    assert np.array_equal(np.rint(values * 65535), colours)
    assert kept == icc


def test_gamma_22_is_not_taken_for_srgb(colours) -> None:
    values, _ = clipped(colours, rgb_profile(SRGB, gamma(2.2)))
    assert np.abs(values - colours / 65535).max() > 0.01


def test_grey_profile() -> None:
    grey = np.arange(256, dtype=np.uint8)[:, None, None]
    values, kept = clipped(grey, profile(b"GRAY", {b"kTRC": gamma(1.8)}))
    assert np.abs(values[:, 0, 0] - encode((np.arange(256) / 255) ** (461 / 256))).max() < 1e-5
    assert kept == srgb_profile()


def lut16(inputs, nodes, curve=(0.0, 1.0)):
    """A `mft2` tag: one curve for every input, two nodes a side, straight output tables."""
    curve = np.round(np.asarray(curve) * 65535).astype(">u2")
    head = b"mft2" + bytes(4) + bytes([inputs, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    head += struct.pack(">HH", len(curve), 2)
    straight = struct.pack(">6H", 0, 65535, 0, 65535, 0, 65535)
    return head + curve.tobytes() * inputs + np.round(nodes).astype(">u2").tobytes() + straight


def test_table_profile_goes_through_littlecms() -> None:
    corners = np.array(list(np.ndindex(2, 2, 2)))
    nodes = corners @ adapted(to_xyz(ADOBE)).T * 32768
    icc = profile(b"RGB ", {b"A2B0": lut16(3, nodes, np.linspace(0, 1, 1024) ** 2.2)})
    rng = np.random.default_rng(3)
    colour = rng.integers(70, 220, (20, 20, 1)) + rng.integers(-20, 21, (20, 20, 3))
    colour = colour.astype(np.uint8)  # dull enough to lie inside sRGB
    target = expected(colour, ADOBE, lambda v: v**2.2)
    assert np.abs(clipped(colour, icc)[0] - target).max() < 3 / 255
    deep, _ = clipped(colour.astype(np.uint16) * 257, icc)
    assert np.abs(deep - target).max() < 3 / 255


@pytest.mark.parametrize(
    "broken",
    [b"x", bytes(200), srgb_profile()[:200], profile(b"RGB ", {b"rXYZ": b"XYZ "}), b"\xff" * 400],
)
def test_broken_profile_counts_as_srgb(tmp_path: Path, colours, broken) -> None:
    assert not usable(broken, 3)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", iccprofile=broken)
    photo = load_image(tmp_path / "a.tif")
    values = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(values - colours / 65535).max() < 1e-6
    assert photo.metadata.icc_profile is None
    assert "colour profile is damaged" in " ".join(photo.notes)


def test_srgb_profile_is_the_same_in_every_run_and_loads() -> None:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert opened.profile.xcolor_space.strip() == "RGB"
    assert srgb_profile()[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_eight_bit_files_are_converted(tmp_path: Path, suffix) -> None:
    icc = rgb_profile(P3, parametric(3, *SRGB_CURVE))
    colour = np.full((16, 16, 3), (200, 90, 60), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / f"a{suffix}", icc_profile=icc, quality=100)
    photo = load_image(tmp_path / f"a{suffix}")
    target = expected(colour, P3, decode)[0, 0]
    assert np.abs(photo.image[0, :, 8, 8].numpy() - target).max() < 3 / 255
    assert photo.metadata.icc_profile == srgb_profile()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_files_are_converted(tmp_path: Path, colours, suffix) -> None:
    icc, path = rgb_profile(ADOBE, gamma(2.19921875)), tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, colours, photometric="rgb", iccprofile=icc)
    else:
        data = cv2.imencode(".png", colours[..., ::-1])[1].tobytes()
        path.write_bytes(data[:33] + iccp(icc) + data[33:])
    photo = load_image(path)
    target = expected(colours, ADOBE, CURVES["gamma"][1])
    values = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(decode(values) - decode(target)).max() < 1e-4
    assert photo.metadata.icc_profile == srgb_profile()
    assert photo.metadata.bit_depth == 16


def iccp(icc):
    """The PNG chunk, taken from a file that Pillow wrote."""
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG", icc_profile=icc)
    data = file.getvalue()
    start = data.index(b"iCCP") - 4
    return data[start : start + 12 + struct.unpack(">I", data[start : start + 4])[0]]


def test_cmyk_with_a_profile(tmp_path: Path) -> None:
    ink = np.array(list(np.ndindex(2, 2, 2, 2)))
    light = 100 * (1 - ink[:, 3]) * (1 - ink[:, 0] / 2)  # cyan prints as a mid grey here
    nodes = np.stack([light * 652.8, *[np.full(16, 32768.0)] * 2], axis=1)  # L*, a*, b*
    icc = profile(b"CMYK", {b"A2B0": lut16(4, nodes)}, connection=b"Lab ")
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.jpg", icc_profile=icc, quality=100)
    photo = load_image(tmp_path / "a.jpg")
    grey = encode(((50 + 16) / 116) ** 3)
    assert np.abs(photo.image.numpy() - grey).max() < 2 / 255
    assert photo.metadata.icc_profile == srgb_profile()


@pytest.mark.parametrize("connection", [b"XYZ ", b"Lab "])
@pytest.mark.parametrize("exponent", [0.6, 1.0, 2.2])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_profiles_agree_with_littlecms(tmp_path: Path, connection, exponent, bits) -> None:
    icc = profile(b"GRAY", {b"kTRC": gamma(exponent)}, connection=connection)
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None], 4, axis=0)
    stored = grey if bits == 8 else grey.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", iccprofile=icc)
    second = ImageCms.profileToProfile(
        Image.fromarray(grey),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    photo = load_image(tmp_path / "a.tif")
    found = photo.image[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(found - np.asarray(second))[:, 40:].max() < 1.0  # its 8 bits are coarse below
    light = (np.arange(256) / 255) ** (round(exponent * 256) / 256)
    if connection == b"Lab ":
        bent = (100 * light + 16) / 116
        light = np.where(bent > 6 / 29, bent**3, 3 * (6 / 29) ** 2 * (bent - 4 / 29))
    assert np.abs(found[0, :, 1] - encode(light) * 255).max() < 0.01
    assert (photo.image[0, 0] == photo.image[0, 2]).all()
    assert photo.metadata.icc_profile == srgb_profile()
    if connection == b"Lab " and exponent == 0.6:
        assert round(float(found[0, 128, 1])) == np.asarray(second)[0, 128, 1] == 161


@pytest.mark.parametrize("space", [b"CMYK", b"GRAY", b"Lab "])
def test_profiles_of_other_pictures_are_passed_over(tmp_path: Path, space) -> None:
    nodes = np.full((16, 3), 32768.0)
    tags = {b"A2B0": lut16(4, nodes)} if space == b"CMYK" else {b"kTRC": gamma(1.8)}
    icc = profile(space, tags, connection=b"Lab " if space == b"CMYK" else b"XYZ ")
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8, 3), 99, np.uint8), iccprofile=icc,
                     photometric="rgb")  # fmt: skip
    photo = load_image(tmp_path / "a.tif")
    assert (photo.image * 255 - 99).abs().max() < 1e-4
    assert photo.metadata.icc_profile is None
    assert "made for other pictures" in " ".join(photo.notes)


def test_cmyk_of_sixteen_bits_keeps_them(tmp_path: Path) -> None:
    ink = np.array(list(np.ndindex(2, 2, 2, 2)))
    light = 100 * (1 - ink[:, 3])
    nodes = np.stack([light * 652.8, *[np.full(16, 32768.0)] * 2], axis=1)
    icc = profile(b"CMYK", {b"A2B0": lut16(4, nodes)}, connection=b"Lab ")
    black = np.arange(20000, 20256, dtype=np.uint16)[None].repeat(4, axis=0)
    stored = np.stack([*[np.zeros_like(black)] * 3, black], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="separated", iccprofile=icc)
    photo = load_image(tmp_path / "a.tif")
    lightness = 100 * (1 - black[0] / 65535)
    target = encode(((lightness + 16) / 116) ** 3)
    assert np.abs(photo.image[0, 1, 0].numpy() - target).max() < 1e-4
    assert len(np.unique(photo.image[0, 1, 0].numpy())) >= 255
    assert photo.metadata.bit_depth == 16
