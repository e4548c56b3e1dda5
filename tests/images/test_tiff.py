"""TIFF of any channels, layouts and compressions: colours exact, alpha where the file says."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from photostyle.errors import ImageError
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from tests.images.pictures import noise, tiff

LAYOUTS = {
    "contiguous": {},
    "strips": {"rowsperstrip": 7, "compression": "lzw", "predictor": True},
    "tiled": {"tile": (16, 16), "compression": "deflate"},
    "planar": {"planarconfig": "separate"},
    "planar LZW": {"planarconfig": "separate", "compression": "lzw", "rowsperstrip": 5},
    "planar ZSTD": {"planarconfig": "separate", "compression": "zstd", "predictor": True},
    "planar tiles": {"planarconfig": "separate", "tile": (16, 16), "compression": "packbits"},
    "big-endian": {"byteorder": ">"},
}
#: Photometric interpretation, its channels, and the extra samples.
KINDS = {
    "RGB, spot, alpha": ("rgb", 3, ["unspecified", "unassalpha"]),
    "RGB, alpha, spot": ("rgb", 3, ["unassalpha", "unspecified"]),
    "RGB, spot": ("rgb", 3, ["unspecified"]),
    "CMYK, alpha": ("separated", 4, ["unassalpha"]),
    "CMYK, spot": ("separated", 4, ["unspecified"]),
    "CMYK, spots, alpha": ("separated", 4, ["unspecified", "unspecified", "unassalpha"]),
    "grey, spot, alpha": ("minisblack", 1, ["unspecified", "unassalpha"]),
}


def colours(values, photometric):
    """What the samples, in [0, 1], are in sRGB without a profile."""
    if photometric == "separated":
        return (1 - values[..., :3]) * (1 - values[..., 3:4])
    return np.broadcast_to(values, (*values.shape[:2], 3))


def write(path, array, layout, **options):
    stored = array.transpose(2, 0, 1) if "planarconfig" in layout else array
    path.write_bytes(tiff(stored, **layout, **options))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_extra_channels(tmp_path: Path, kind, layout, bits) -> None:
    photometric, channels, extra = KINDS[kind]
    array = noise(23, 31, channels + len(extra), bits)
    options = {"photometric": photometric, "extrasamples": extra}
    write(tmp_path / "a.tif", array, LAYOUTS[layout], **options)
    photo = load_image(tmp_path / "a.tif")
    values = array / (2**bits - 1)
    found = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(found - colours(values[..., :channels], photometric)).max() < 1e-6
    assert photo.metadata.bit_depth == bits
    if "unassalpha" in extra:
        alpha = values[..., channels + extra.index("unassalpha")]
        assert np.abs(photo.metadata.alpha - alpha).max() < 1e-6
        save_image(tmp_path / "b.tif", photo.image, photo.metadata)
        assert np.array_equal(load_image(tmp_path / "b.tif").metadata.alpha, photo.metadata.alpha)
    else:
        assert photo.metadata.alpha is None


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("photometric", "channels"), [("rgb", 3), ("separated", 4)])
def test_multiplied_alpha_behind_a_spot(tmp_path: Path, photometric, channels, bits) -> None:
    most = 2**bits - 1
    array = noise(23, 31, channels + 2, bits)
    array[..., -1] = np.maximum(array[..., -1], most // 2)
    share = array[..., -1:] / most
    stored = array.copy()
    stored[..., :channels] = np.rint(array[..., :channels] * share)
    extra = ["unspecified", "assocalpha"]
    write(tmp_path / "a.tif", stored, {}, photometric=photometric, extrasamples=extra)
    photo = load_image(tmp_path / "a.tif")
    target = colours(array[..., :channels] / most, photometric)
    found = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(found - target).max() < 4 / most
    assert np.abs(photo.metadata.alpha - share[..., 0]).max() < 1e-6


@pytest.mark.parametrize("compression", ["lzw", "zstd", "lzma", "jpeg2000", "jpegxl", "png"])
@pytest.mark.parametrize("planar", [False, True])
def test_compressions_of_sixteen_bits(tmp_path: Path, compression, planar) -> None:
    array = noise(bits=16)
    layout = {"planarconfig": "separate"} if planar else {}
    options = {"compressionargs": {"level": 0}} if compression == "jpeg2000" else {}
    if compression == "jpegxl":
        options = {"compressionargs": {"lossless": True}}
    write(tmp_path / "a.tif", array, layout, photometric="rgb", compression=compression, **options)
    found = load_image(tmp_path / "a.tif").image[0].permute(1, 2, 0).numpy()
    assert np.array_equal(np.rint(found * 65535), array)


def test_odd_bits(tmp_path: Path) -> None:
    array = noise(bits=16) >> 4
    (tmp_path / "a.tif").write_bytes(tiff(array, photometric="rgb", bitspersample=12))
    photo = load_image(tmp_path / "a.tif")
    found = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(found - array / 4095).max() < 1e-5
    assert photo.metadata.bit_depth == 16


def test_a_palette(tmp_path: Path) -> None:
    table = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    indices = noise(channels=1)[..., 0]
    options = {"photometric": "palette", "colormap": table, "compression": "zstd"}
    (tmp_path / "a.tif").write_bytes(tiff(indices, **options))
    found = load_image(tmp_path / "a.tif").image[0].permute(1, 2, 0).numpy()
    assert np.array_equal(np.rint(found * 65535), table.T[indices])


@pytest.mark.parametrize("bits", [8, 16])
def test_lab(tmp_path: Path, bits) -> None:
    lightness, a, b = 60.0, 30.0, -20.0
    scale = 256 if bits == 16 else 1
    stored = [round(lightness / 100 * (2**bits - 1)), int(a * scale), int(b * scale) % 2**bits]
    array = np.full((16, 16, 3), stored, dtype=f"u{bits // 8}")
    (tmp_path / "a.tif").write_bytes(tiff(array, photometric="cielab"))
    found = load_image(tmp_path / "a.tif").image[0, :, 8, 8].numpy()
    eight = np.array([[[round(lightness * 2.55), int(a), int(b) % 256]]], np.uint8)
    second = ImageCms.applyTransform(
        Image.frombytes("LAB", (1, 1), eight.tobytes()),
        ImageCms.buildTransform(
            ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
        ),
    )
    assert np.abs(found * 255 - np.asarray(second)[0, 0]).max() < 1.5


@pytest.mark.parametrize("layout", ["strips", "tiled", "planar LZW", "planar ZSTD"])
def test_a_missing_part_is_no_black(tmp_path: Path, layout) -> None:
    write(tmp_path / "a.tif", noise(bits=16), LAYOUTS[layout], photometric="rgb")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tag = file.pages[0].tags[279 if "tile" not in LAYOUTS[layout] else 325]
    data[tag.valueoffset : tag.valueoffset + 4] = bytes(4)  # of no length
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="damaged or incomplete"):
        load_image(tmp_path / "a.tif")


def test_further_pages_are_told_but_not_smaller_copies(tmp_path: Path) -> None:
    for name, kind in (("pages", 0), ("copies", 1)):
        with tifffile.TiffWriter(tmp_path / f"{name}.tif") as file:
            file.write(noise(), photometric="rgb")
            file.write(noise(8, 8), photometric="rgb", subfiletype=kind)
    (note,) = load_image(tmp_path / "pages.tif").notes
    assert "the first one alone is used" in note
    assert load_image(tmp_path / "copies.tif").notes == ()


def test_a_smaller_copy_may_lie_first(tmp_path: Path) -> None:
    array = noise(24, 32, 3, 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(array[::4, ::4], photometric="rgb", subfiletype=1)
        file.write(array, photometric="rgb")
    photo = load_image(tmp_path / "a.tif")
    found = photo.image[0].permute(1, 2, 0).numpy()
    assert np.abs(found - array / 255).max() < 1e-6
    assert not photo.notes
    with tifffile.TiffWriter(tmp_path / "small.tif") as file:
        file.write(array, photometric="rgb", subfiletype=1)
    with pytest.raises(ImageError, match="raw file"):
        load_image(tmp_path / "small.tif")
