"""Reading and resizing, through files that Pillow, OpenCV and tifffile write."""

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps, TiffImagePlugin

from photostyle.errors import ImageError, OptionError
from photostyle.images import check_image, fit_size, load_image, resize

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def noise(height=23, width=31, channels=3, bits=8):
    kind = np.uint16 if bits == 16 else np.uint8
    rng = np.random.default_rng(bits + channels)
    return rng.integers(0, 2**bits, (height, width, channels)).astype(kind)


def pixels(photo):
    """The image as H×W×3, at the file's levels."""
    array = photo.image[0].permute(1, 2, 0).numpy() * (2**photo.metadata.bit_depth - 1)
    assert np.abs(array - np.rint(array)).max() < 0.01
    return np.rint(array).astype(int)


def chunk(name, content):
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def png(colour_type, array=None, extra=b"", depth=16, size=None):
    """A PNG by hand: any layout, or a header for a size without its pixels."""
    width, height = size or array.shape[1::-1]
    rows = b"" if array is None else b"".join(b"\0" + r.astype(">u2").tobytes() for r in array)
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", head), extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_header(width, height, bits):
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    values = {256: width, 257: height, 258: (bits,) * 3, 259: 1, 262: 2, 273: 0, 277: 3}
    for tag, value in {**values, 278: height, 279: 12}.items():
        tags[tag] = value
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + bytes(12)


# Reading: every kind of pixel


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_eight_bit_rgb_is_exact(tmp_path: Path, suffix) -> None:
    path, array = tmp_path / f"a{suffix}", noise()
    Image.fromarray(array).save(path, lossless=True)
    photo = load_image(str(path))
    assert np.array_equal(pixels(photo), array)
    assert photo.image.dtype == torch.float32
    assert photo.image.is_contiguous()
    assert photo.path == path
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    meta = photo.metadata
    assert (meta.bit_depth, meta.alpha, meta.exif, meta.icc_profile) == (8, None, None, None)


def test_jpeg_is_what_opencv_decodes(tmp_path: Path) -> None:
    array = cv2.GaussianBlur(noise(64, 64), (9, 9), 3)
    Image.fromarray(array).save(tmp_path / "a.jpg", quality=95)
    second = cv2.imread(str(tmp_path / "a.jpg"))[..., ::-1].astype(int)
    assert np.abs(pixels(load_image(tmp_path / "a.jpg")) - second).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("mode", ["L", "1", "LA", "RGBA", "P"])
def test_pillow_modes(tmp_path: Path, mode, suffix) -> None:
    channels = 4 if mode in ("LA", "RGBA") else 3
    image = Image.fromarray(noise(channels=channels)).convert(mode)
    image.save(tmp_path / f"a{suffix}")
    photo = load_image(tmp_path / f"a{suffix}")
    assert np.array_equal(pixels(photo), np.asarray(image.convert("RGB")))
    if channels == 4:
        alpha = np.asarray(image.getchannel("A"))
        assert np.array_equal(np.rint(photo.metadata.alpha * 255), alpha)
        assert photo.metadata.alpha.dtype == np.float32
    else:
        assert photo.metadata.alpha is None


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_transparent_colour(tmp_path: Path, mode) -> None:
    image = Image.fromarray(noise() // 64 * 64).convert(mode)
    key = image.getpixel((4, 5))
    image.save(tmp_path / "a.png", transparency=key)
    photo = load_image(tmp_path / "a.png")
    here = np.array([[image.getpixel((x, y)) == key for x in range(31)] for y in range(23)])
    assert np.array_equal(photo.metadata.alpha, np.where(here, 0, 1))
    assert np.array_equal(pixels(photo), np.asarray(image.convert("RGB")))


def test_colour_under_transparency_is_kept(tmp_path: Path) -> None:
    array = noise(channels=4)
    array[..., 3] = 0
    Image.fromarray(array).save(tmp_path / "a.png")
    assert np.array_equal(pixels(load_image(tmp_path / "a.png")), array[..., :3])


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_without_a_profile(tmp_path: Path, suffix) -> None:
    ink = (200, 100, 30, 20)  # Pillow writes JPEG inks inverted, as Adobe's programs do
    Image.new("CMYK", (16, 16), ink).save(tmp_path / f"a{suffix}", quality=100)
    target = [255 - min(255, part + 20) for part in ink[:3]]
    assert np.abs(pixels(load_image(tmp_path / f"a{suffix}"))[8, 8] - target).max() <= 20


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_sixteen_bit_png_is_exact(tmp_path: Path, colour_type, channels) -> None:
    array = noise(channels=channels, bits=16)
    (tmp_path / "a.png").write_bytes(png(colour_type, array))
    photo = load_image(tmp_path / "a.png")
    colours = 3 if channels > 2 else 1
    assert np.array_equal(pixels(photo), np.broadcast_to(array[..., :colours], (23, 31, 3)))
    assert photo.metadata.bit_depth == 16
    if channels in (2, 4):
        assert np.array_equal(np.rint(photo.metadata.alpha * 65535), array[..., -1])
    else:
        assert photo.metadata.alpha is None


@pytest.mark.parametrize("colour_type", [0, 2])
def test_sixteen_bit_png_with_a_transparent_colour(tmp_path: Path, colour_type) -> None:
    array = noise(channels=1 + colour_type, bits=16)
    key = chunk(b"tRNS", array[3, 4].astype(">u2").tobytes())
    (tmp_path / "a.png").write_bytes(png(colour_type, array, key))
    photo = load_image(tmp_path / "a.png")
    assert photo.metadata.alpha[3, 4] == 0
    assert photo.metadata.alpha.sum() == 23 * 31 - 1
    assert np.array_equal(pixels(photo), np.broadcast_to(array, (23, 31, 3)))


LAYOUTS = {
    "rgb": {"photometric": "rgb"},
    "big-endian": {"photometric": "rgb", "byteorder": ">"},
    "planar": {"photometric": "rgb", "planarconfig": "separate"},
    "tiled": {"photometric": "rgb", "tile": (16, 16)},
    "deflated": {"photometric": "rgb", "compression": "deflate", "predictor": True},
    "strips": {"photometric": "rgb", "compression": "deflate", "rowsperstrip": 5},
    "bigtiff": {"photometric": "rgb", "bigtiff": True},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_sixteen_bit_tiff_layouts_are_exact(tmp_path: Path, name) -> None:
    array, options = noise(bits=16), {**LAYOUTS[name]}
    order, big = options.pop("byteorder", "<"), options.pop("bigtiff", False)
    stored = array.transpose(2, 0, 1) if name == "planar" else array
    tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order, bigtiff=big).write(stored, **options)
    photo = load_image(tmp_path / "a.tif")
    assert np.array_equal(pixels(photo), array)
    assert photo.metadata.bit_depth == 16


@pytest.mark.parametrize("code", [5, 32773], ids=["lzw", "packbits"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit_tiff_compressions_are_exact(tmp_path: Path, channels, code) -> None:
    array = noise(channels=channels, bits=16)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    options = [cv2.IMWRITE_TIFF_COMPRESSION, code]
    assert cv2.imwrite(str(tmp_path / "a.tif"), array[..., order], options)
    colour = array[..., : min(channels, 3)]
    photo = load_image(tmp_path / "a.tif")
    assert np.array_equal(pixels(photo), np.broadcast_to(colour, (23, 31, 3)))


def test_sixteen_bit_tiff_alpha(tmp_path: Path) -> None:
    array = noise(channels=4, bits=16)
    array[..., 3] |= 0x8000
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "straight.tif", array, **options)
    share = array[..., 3:] / 65535
    array[..., :3] = np.rint(array[..., :3] * share)
    tifffile.imwrite(
        tmp_path / "multiplied.tif", array, **options | {"extrasamples": ["assocalpha"]}
    )
    tifffile.imwrite(tmp_path / "other.tif", array, **options | {"extrasamples": ["unspecified"]})
    straight, multiplied = (load_image(tmp_path / f"{n}.tif") for n in ("straight", "multiplied"))
    assert np.array_equal(np.rint(straight.metadata.alpha * 65535), array[..., 3])
    assert np.array_equal(straight.metadata.alpha, multiplied.metadata.alpha)
    assert (straight.image - multiplied.image).abs().max() < 1.6 / 65535
    assert load_image(tmp_path / "other.tif").metadata.alpha is None


def test_sixteen_bit_grey_tiff_and_its_inverse(tmp_path: Path) -> None:
    array = noise(channels=1, bits=16)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack")
    tifffile.imwrite(tmp_path / "b.tif", 65535 - array, photometric="miniswhite")
    for name in ("a.tif", "b.tif"):
        assert np.array_equal(pixels(load_image(tmp_path / name))[..., 1], array)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_first_frame_of_several(tmp_path: Path, suffix) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    assert pixels(load_image(tmp_path / f"a{suffix}"))[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_one_pixel(tmp_path: Path, suffix, bits) -> None:
    array = noise(1, 1, bits=bits)
    cv2.imwrite(str(tmp_path / f"a{suffix}"), array[..., ::-1])
    assert np.array_equal(pixels(load_image(tmp_path / f"a{suffix}")), array)


# Orientation and EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_orientation_is_applied_and_reset(tmp_path: Path, suffix, orientation) -> None:
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    array = np.kron(corners, np.ones((16, 24, 1), np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    Image.fromarray(array).save(tmp_path / f"a{suffix}", exif=exif, subsampling=0, lossless=True)
    turned = Image.fromarray(array)
    turned.getexif()[0x0112] = orientation
    target = np.asarray(ImageOps.exif_transpose(turned)).astype(int)
    photo = load_image(tmp_path / f"a{suffix}")
    assert pixels(photo).shape == target.shape
    assert np.abs(pixels(photo) - target)[8:-8:4, 8:-8:4].max() < 12
    kept = Image.Exif()
    kept.load(photo.metadata.exif)
    assert (kept[0x0112], kept[0x010F]) == (1, "Maker")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["tif", "lzw", "png"])
def test_orientation_of_sixteen_bits(tmp_path: Path, kind, orientation) -> None:
    array = noise(bits=16)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{'png' if kind == 'png' else 'tif'}"
    if kind == "png":
        path.write_bytes(png(2, array, chunk(b"eXIf", exif.tobytes()[6:])))
    elif kind == "tif":
        tifffile.imwrite(path, array, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    else:
        array = array[..., :1]
        grey = Image.fromarray(array[..., 0])
        grey.save(path, compression="tiff_lzw", tiffinfo={274: orientation})
    turned = Image.fromarray((array[..., 0] >> 8).astype(np.uint8))
    turned.getexif()[0x0112] = orientation
    target = np.asarray(ImageOps.exif_transpose(turned))
    assert np.array_equal(pixels(load_image(path))[..., 0] >> 8, target)


def test_alpha_is_turned_with_the_colour(tmp_path: Path) -> None:
    array = noise(channels=4)
    array[..., 3] = array[..., 0]
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(array).save(tmp_path / "a.png", exif=exif)
    photo = load_image(tmp_path / "a.png")
    assert np.array_equal(photo.metadata.alpha, photo.image[0, 0].numpy())


def test_exif_keeps_the_photograph_and_drops_the_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8298] = "© José".encode("latin-1")
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA002: 31, 0xA001: 65535})
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(noise()).save(tmp_path / "a.tif", exif=exif)
    kept = Image.Exif()
    kept.load(load_image(tmp_path / "a.tif").metadata.exif)
    assert set(kept) == {0x8298, 0x0112, 0x8769, 0x8825}
    assert kept[0x8298] == "© José"
    assert kept.get_ifd(0x8769) == {0x9003: "2020:01:02 03:04:05", 0xA001: 1}
    assert kept.get_ifd(0x8825) == {1: "N"}


def test_broken_exif_is_no_obstacle(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\xff\xff")
    assert load_image(tmp_path / "a.png").metadata.exif is None


# Errors


def damaged(name):
    def write(path):
        data = io.BytesIO()
        Image.fromarray(noise(64, 64)).save(data, name)
        path.write_bytes(data.getvalue()[: len(data.getvalue()) // 2])

    return write


def bomb(data):
    return lambda path: path.write_bytes(data)


REFUSED = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (Path.mkdir, "is a folder"),
    "pipe": (os.mkfifo, "a pipe"),
    "text": (lambda path: path.write_text("hello"), "is not a picture"),
    "empty": (Path.touch, "zero bytes"),
    "half a JPEG": (damaged("JPEG"), "damaged"),
    "half a PNG": (damaged("PNG"), "damaged"),
    "half a TIFF": (damaged("TIFF"), "damaged"),
    "large PNG": (bomb(png(2, depth=8, size=(12001, 10000))), "120 megapixels"),
    "large 16-bit PNG": (bomb(png(2, size=(12001, 10000))), "120 megapixels"),
    "huge PNG": (bomb(png(2, depth=8, size=(60000, 60000))), "120 megapixels"),
    "large TIFF": (bomb(tiff_header(12001, 10000, 8)), "120 megapixels"),
    "large 16-bit TIFF": (bomb(tiff_header(12001, 10000, 16)), "120 megapixels"),
    "not too large PNG": (bomb(png(2, depth=8, size=(12000, 10000))), "damaged"),
    "float TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.float32)), "floating-point"),
    "half-float TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.float16)), "floating"),
    "signed TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.int16)), "signed"),
    "32-bit TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.uint32)), "32-bit"),
    "drawing": (lambda p: Image.new("RGB", (4, 4)).save(p, "EPS"), "drawing"),
    "raw": (lambda p: tifffile.imwrite(p, noise(), subfiletype=1), "raw file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_sentence_with_the_file(tmp_path: Path, name) -> None:
    write, text = REFUSED[name]
    path = tmp_path / "picture.png"
    write(path)
    with pytest.raises(ImageError, match=text) as caught:
        load_image(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith(".")
    assert "\n" not in message


def test_no_permission(tmp_path: Path, monkeypatch) -> None:
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root is refused nothing
    with pytest.raises(ImageError, match=r"a\.png cannot be read: Permission denied"):
        load_image(tmp_path / "a.png")


def files_to_cut():
    eight, deep = Image.fromarray(noise(40, 50)), noise(40, 50, bits=16)
    for suffix, options in {"JPEG": {}, "PNG": {}, "WEBP": {}, "TIFF": {}}.items():
        file = io.BytesIO()
        eight.save(file, suffix, **options)
        yield suffix, file.getvalue()
    for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg"):
        file = io.BytesIO()
        eight.save(file, "TIFF", compression=name)
        yield f"TIFF {name}", file.getvalue()
    yield "PNG 16", cv2.imencode(".png", deep)[1].tobytes()
    yield "TIFF 16 LZW", cv2.imencode(".tif", deep)[1].tobytes()
    for name in ("rgb", "strips", "deflated", "tiled"):
        file = io.BytesIO()
        tifffile.imwrite(file, deep, **LAYOUTS[name])
        yield f"TIFF 16 {name}", file.getvalue()


@pytest.mark.parametrize(("name", "data"), [pytest.param(*f, id=f[0]) for f in files_to_cut()])
def test_never_half_a_picture(tmp_path: Path, name, data) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    whole = load_image(path).image
    ends = {*range(1, len(data), len(data) // 17), *range(len(data) - 20, len(data))}
    refused = 0
    for end in sorted(ends):
        path.write_bytes(data[:end])
        try:
            part = load_image(path).image
        except ImageError:
            refused += 1
        else:
            assert torch.equal(part, whole), end
    assert refused >= 17


# The contract, sizes and resampling


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((1, 3, 4, 4), np.float32), "ndarray"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.float64), "float64"),
        (torch.zeros(3, 4, 4), "shape"),
        (torch.zeros(1, 1, 4, 4), "shape"),
        (torch.zeros(1, 3, 0, 4), "shape"),
        (torch.full((1, 3, 4, 4), -1e-6), r"\[0, 1\]"),
        (torch.full((1, 3, 4, 4), 1.001), r"\[0, 1\]"),
        (torch.tensor([0.5, float("nan"), 0.2]).view(1, 3, 1, 1), "nan"),
        (torch.tensor([0.5, float("inf"), 0.2]).view(1, 3, 1, 1), "inf"),
    ],
)
def test_check_image(image, text) -> None:
    with pytest.raises(ImageError, match=text) as caught:
        check_image(image, "The content")
    assert str(caught.value).startswith("The content")


def test_check_image_takes_the_bounds() -> None:
    check_image(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1).requires_grad_(), "x")


@given(st.tuples(st.integers(1, 20000), st.integers(1, 20000)), st.integers(1, 20000))
def test_fit_size(size, long_side) -> None:
    height, width = fit_size(size, long_side)
    assert max(height, width) == min(long_side, max(size))
    assert 1 <= height <= size[0]
    assert 1 <= width <= size[1]
    scale = min(1.0, long_side / max(size))
    assert abs(height - size[0] * scale) <= 0.5 or height == 1
    assert abs(width - size[1] * scale) <= 0.5 or width == 1


def test_fit_size_refuses_nothing_to_fit() -> None:
    with pytest.raises(OptionError, match="at least 1 pixel, not 0"):
        fit_size((4, 4), 0)


def area_matrix(before, after):
    """Rows of the share that every source pixel has in each target pixel."""
    edges = np.arange(after + 1)[:, None] * before / after
    covered = np.clip(edges - np.arange(before), 0, 1)
    return np.diff(covered, axis=0) * after / before


@given(SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_resize(before, after, seed) -> None:
    image = torch.from_numpy(np.random.default_rng(seed).random((1, 3, *before), np.float32))
    result = resize(image, after)
    assert result.shape == (1, 3, *after)
    assert result.dtype == torch.float32
    assert result.min() >= 0
    assert result.max() <= 1
    if after[0] <= before[0] and after[1] <= before[1]:
        rows, columns = area_matrix(before[0], after[0]), area_matrix(before[1], after[1])
        assert np.abs(rows @ image[0].numpy() @ columns.T - result[0].numpy()).max() < 1e-5
        assert (result.mean((2, 3)) - image.mean((2, 3))).abs().max() < 1e-5


@given(SIZES, SIZES, st.floats(0, 1, width=32))
def test_resize_keeps_a_plain_colour(before, after, value) -> None:
    assert (resize(torch.full((1, 3, *before), value), after) - value).abs().max() < 1e-5


def test_resize_enlarges_like_torch_and_clamps() -> None:
    image = torch.rand(1, 3, 9, 13, generator=torch.Generator().manual_seed(1)).round()
    second = torch.nn.functional.interpolate(image, (30, 41), mode="bicubic", align_corners=False)
    assert second.max() > 1.01
    assert (resize(image, (30, 41)) - second.clamp(0, 1)).abs().max() < 1e-4


def test_resize_takes_one_channel_and_leaves_its_input_alone() -> None:
    alpha = torch.rand(1, 1, 8, 8, requires_grad=True)
    assert resize(alpha, (4, 4)).shape == (1, 1, 4, 4)
    same = resize(alpha, (8, 8))
    assert torch.equal(same, alpha)
    assert not resize(alpha, (4, 4)).requires_grad


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_resize_stays_on_its_device() -> None:
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(resize(image.cuda(), (5, 12)).cpu(), resize(image, (5, 12)))
