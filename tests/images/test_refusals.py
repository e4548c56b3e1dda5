"""What is refused, and as what: a damaged file, or a whole one of a kind that is not read."""

import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from photostyle.errors import ImageError
from photostyle.images.picture import load_image
from tests.images.pictures import noise, tiff


def changed_tag(code, value):
    """An uncompressed TIFF one of whose tags is another."""
    data = bytearray(tiff(noise(), photometric="rgb"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        place = file.pages[0].tags[code].valueoffset
    data[place : place + 2] = struct.pack("<H", value)
    return bytes(data)


def half(form):
    file = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(file, form)
    return file.getvalue()[: len(file.getvalue()) // 2]


KINDS = {
    "JPEG XR": (b"II\xbc\1" + bytes(99), "a JPEG XR picture"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "PDF": (b"%PDF-1.7\n", "a PDF document"),
    "video": (b"\0\0\0\x18ftypisom" + bytes(99), "a video"),
    "12-bit JPEG": (
        imagecodecs.jpeg8_encode(noise(bits=16) >> 4, bitspersample=12), "a JPEG of 12 bits"),
    "lossless JPEG": (imagecodecs.ljpeg_encode(noise(channels=1)[..., 0]), "lossless"),
    "TIFF compression": (changed_tag(259, 34676), "compressed by SGILOG"),
    "TIFF compression without a name": (changed_tag(259, 9999), "compressed by 9999"),
    "TIFF colours": (changed_tag(262, 32844), "a TIFF of the kind LOGL"),
    "TIFF channels": (
        tiff(noise(channels=40), photometric="minisblack", planarconfig="contig"), "40 channels"),
    "TIFF of other inks": (
        tiff(noise(channels=4), photometric="separated", extratags=[(332, 3, 1, 2, True)]),
        "other inks"),
}  # fmt: skip
DAMAGED = {
    "JPEG": half("JPEG"),
    "PNG": half("PNG"),
    "TIFF": half("TIFF"),
    "WebP": half("WEBP"),
    "GIF": half("GIF"),
    "AVIF": half("AVIF")[:60],
    "HEIC": b"\0\0\0\x18ftypheic" + bytes(99),
    "JPEG XL": imagecodecs.jpegxl_encode(noise())[:60],
    "JPEG XL without codes": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "JPEG 2000": half("JPEG2000")[:30],
    "PNG without a header": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "TIFF without pages": b"II*\0\0\0\0\0",
    "zeros for LZW": changed_tag(259, 5),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_that_is_not_read_is_named_with_what_to_do(tmp_path: Path, name) -> None:
    data, says = KINDS[name]
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError) as caught:
        load_image(tmp_path / "a.png")
    message = str(caught.value)
    assert says in message
    assert "as a JPEG, PNG or TIFF picture first" in message
    assert "damaged" not in message
    assert message.count(".") <= message.count(".png") + 1


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_called_damage(tmp_path: Path, name) -> None:
    (tmp_path / "a").write_bytes(DAMAGED[name])
    with pytest.raises(ImageError, match="is damaged or incomplete"):
        load_image(tmp_path / "a")


def test_a_picture_of_a_kind_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(tiff(noise(), photometric="rgb", compression="lzw"))
    assert np.array_equal(
        np.rint(load_image(tmp_path / "a").image[0].permute(1, 2, 0).numpy() * 255), noise()
    )
