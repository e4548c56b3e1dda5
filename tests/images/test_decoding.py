"""Every kind of picture file, as Pillow, OpenCV and tifffile write them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from photostyle.images.picture import load_image
from photostyle.segmentation.labels import open_picture
from tests.images.pictures import LAYOUTS, chunk, noise, pixels, png


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
    target = [(255 - part) * (255 - ink[3]) / 255**2 for part in ink[:3]]
    found = load_image(tmp_path / f"a{suffix}").image[0, :, 8, 8].numpy()
    assert np.abs(found - target).max() < (1e-6 if suffix == ".tif" else 2 / 255)


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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_keeps_the_photograph_and_drops_the_file(tmp_path: Path, suffix) -> None:
    exif = Image.Exif()
    exif[0x8298], exif[0x0103] = "© José".encode("latin-1"), 6
    exif.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0xA001: 65535, 0xA500: 2.2})
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(noise()).save(tmp_path / f"a{suffix}", exif=exif)
    kept = Image.Exif()
    kept.load(load_image(tmp_path / f"a{suffix}").metadata.exif)
    assert set(kept) == {0x8298, 0x0112, 0x8769, 0x8825}
    assert kept[0x8298] == "© José"
    assert kept.get_ifd(0x8769) == {0x9003: "2020:01:02 03:04:05", 0xA001: 1}
    assert kept.get_ifd(0x8825) == {1: "N"}


def test_broken_exif_is_no_obstacle(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\xff\xff")
    assert load_image(tmp_path / "a.png").metadata.exif is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_orientation_of_tiffs_that_pillow_turns_itself(tmp_path: Path, mode, orientation) -> None:
    image = Image.fromarray(noise()).convert(mode)
    image.save(tmp_path / "a.tif", tiffinfo={274: orientation})
    turned = image.convert("RGB")
    turned.getexif()[0x0112] = orientation
    target = np.asarray(ImageOps.exif_transpose(turned))
    assert np.array_equal(pixels(load_image(tmp_path / "a.tif")), target)
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.tif").convert("RGB")), target)
