"""Metadata however large or broken keeps no pixel from being read, and the first of all counts."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.images.containers import bare, carried
from photostyle.images.photoshop import write_raw_profile
from photostyle.images.picture import load_image
from photostyle.segmentation.labels import open_picture
from tests.images.pictures import chunk, jpeg, noise, pixels, tiff, with_chunks

BOMB = zlib.compress(bytes(200_000_000), 9)
HUGE = bytes(range(256)) * 20_000  # 5 MB
PNGS = {
    "packed text": [chunk(b"zTXt", b"Comment\0\0" + BOMB)],
    "packed XMP": [chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)],
    "packed profile": [chunk(b"iCCP", b"x\0\0" + BOMB)],
    "broken profile": [chunk(b"iCCP", b"x\0\0what")],
    "broken text": [chunk(b"zTXt", b"Comment\0\0what"), chunk(b"iTXt", b"\xff" * 9)],
    "huge text": [chunk(b"tEXt", b"Comment\0" + b"x" * 5_000_000)],
    "many packed texts": [chunk(b"zTXt", b"%d\0\0" % n + zlib.compress(bytes(4_000_000)))
                          for n in range(30)],
    "huge EXIF": [chunk(b"eXIf", HUGE)],
    "huge chunk of a stranger": [chunk(b"prVt", HUGE)],
    "broken checksum": [chunk(b"tEXt", b"a\0b")[:-1] + b"\0"],
    "broken animation": [chunk(b"acTL", b"\0")],
}  # fmt: skip


@pytest.mark.parametrize("name", PNGS)
def test_png_with_metadata_of_any_kind(tmp_path: Path, name) -> None:
    (tmp_path / "a.png").write_bytes(with_chunks(noise(), *PNGS[name]))
    assert np.array_equal(pixels(load_image(tmp_path / "a.png")), noise())
    assert np.array_equal(np.asarray(open_picture(tmp_path / "a.png")), noise())  # as a mask


@pytest.mark.parametrize(
    "segments",
    [
        [(0xE1, b"Exif\0\0" + HUGE[:65000])],
        [(0xE2, b"ICC_PROFILE\0" + bytes([n, 99]) + HUGE[:65000]) for n in range(1, 100)],
        [(0xED, b"Photoshop 3.0\0" + HUGE[:65000])] * 50,
        [(0xE2, b"MPF\0" + HUGE[:999])],
        [(0xFE, b"")],
        [(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"<" * 60000)],
        [(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60))] * 9,
    ],
)
def test_jpeg_with_metadata_of_any_kind(tmp_path: Path, segments) -> None:
    array = np.full((16, 16, 3), 90, np.uint8)
    (tmp_path / "a.jpg").write_bytes(jpeg(array, *segments))
    assert np.abs(pixels(load_image(tmp_path / "a.jpg")) - array).max() <= 1


@pytest.mark.parametrize("code", [270, 700, 33723, 34377, 34675])
def test_tiff_with_metadata_of_any_kind(tmp_path: Path, code) -> None:
    tag = (code, 7, len(HUGE), HUGE, True)
    (tmp_path / "a.tif").write_bytes(tiff(noise(), photometric="rgb", extratags=[tag]))
    assert np.array_equal(pixels(load_image(tmp_path / "a.tif")), noise())


def test_a_large_profile_still_counts(tmp_path: Path) -> None:
    from tests.images.test_profiles import P3, gamma, profile, rgb_profile

    small = rgb_profile(P3, gamma(2.2))
    count = struct.unpack(">I", small[128:132])[0]
    names = [struct.unpack(">4sII", small[132 + 12 * n : 144 + 12 * n]) for n in range(count)]
    tags = {name: small[at : at + size] for name, at, size in names}
    large = profile(b"RGB ", {**tags, b"priv": bytes(3_000_000)})
    found = {}
    for name, icc in (("small", small), ("large", large)):
        made = chunk(b"iCCP", b"x\0\0" + zlib.compress(icc))
        (tmp_path / name).write_bytes(with_chunks(noise(), made))
        found[name] = load_image(tmp_path / name).image
    assert (found["small"] - found["large"]).abs().max() < 1e-6
    assert np.abs(pixels_of(found["small"]) - noise()).max() > 5


def pixels_of(image):
    return image[0].permute(1, 2, 0).numpy() * 255


def test_the_bare_file_is_the_same_picture_and_shorter() -> None:
    for data in (
        with_chunks(noise(), chunk(b"tEXt", b"a\0" + bytes(999)), chunk(b"eXIf", b"x")),
        jpeg(noise(), (0xE1, bytes(999)), (0xFE, b"hello")),
    ):
        assert len(bare(data)) < len(data) - 999
        with Image.open(io.BytesIO(data)) as whole, Image.open(io.BytesIO(bare(data))) as stripped:
            assert np.array_equal(np.asarray(whole), np.asarray(stripped))


def test_orientation_of_masks_and_their_names(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = with_chunks(
        noise(), chunk(b"eXIf", exif.tobytes()[6:]), chunk(b"tEXt", b"photostyle-labels\0{}")
    )
    (tmp_path / "a.png").write_bytes(data)
    picture = open_picture(tmp_path / "a.png")
    assert np.array_equal(np.asarray(picture), np.rot90(noise(), -1))
    assert picture.info["photostyle-labels"] == "{}"


def test_profiles_that_imagemagick_hides_in_texts() -> None:
    iptc = b"\x1c\x02\x50\x00\x04Name"
    text = write_raw_profile("iptc", b"8BIM\x04\x04\0\0" + struct.pack(">I", 9) + iptc + b"\0")
    made = chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(text.encode()))
    found = carried(with_chunks(noise(), made))
    assert found.resources == {1028: iptc}
    assert found.texts == {}
    bare_iptc = chunk(b"tEXt", b"Raw profile type iptc\0" + write_raw_profile("x", iptc).encode())
    assert carried(with_chunks(noise(), bare_iptc)).resources == {1028: iptc}
