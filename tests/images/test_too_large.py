"""Panoramas of 200 megapixels are refused by their headers, in every format."""

import struct
import zlib
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from photostyle.errors import ImageError
from photostyle.images.decoding import decode
from photostyle.images.formats.table import format_of
from tests.images.pictures import jpeg, noise, tiff
from tests.images.test_phones import avif, heic

WIDTH, HEIGHT = 20000, 10000
PIXELS = bytes(2**24)  # without which OpenImageIO takes such a header for a lie
LARGE = struct.pack(">II", WIDTH, HEIGHT)


def png():
    def chunk(name, content):
        ends = struct.pack(">I", len(content)), struct.pack(">I", zlib.crc32(name + content))
        return ends[0] + name + content + ends[1]

    head = chunk(b"IHDR", LARGE + bytes([8, 2, 0, 0, 0]))
    body = chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + body


def jpeg_():
    data = jpeg(noise(64, 80))
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", HEIGHT, WIDTH) + data[at + 4 :]


def tiff_():
    data = tiff(noise(64, 80), photometric="rgb")
    for code, old, new in ((256, 80, WIDTH), (257, 64, HEIGHT)):
        for kind, letter in ((3, "HH"), (4, "I")):
            found = struct.pack("<HHI" + letter, code, kind, 1, old, *[0] * (len(letter) - 1))
            data = data.replace(found, struct.pack("<HHII", code, 4, 1, new))
    return data


def jxl():
    value = (3 << 1) | ((HEIGHT - 1) << 3) | (0 << 33) | (3 << 36) | ((WIDTH - 1) << 38)
    return b"\xff\x0a" + value.to_bytes(32, "little")


def small(path, kind):
    """What OpenImageIO writes of 80×64 black pixels."""
    out = oiio.ImageOutput.create(str(path))
    out.open(str(path), oiio.ImageSpec(80, 64, 3, kind))
    out.write_image(np.zeros((64, 80, 3), np.float32))
    out.close()
    return path.read_bytes()


def exr(folder):
    old, new = struct.pack("<4i", 0, 0, 79, 63), struct.pack("<4i", 0, 0, WIDTH - 1, HEIGHT - 1)
    return small(folder / "a.exr", "half").replace(old, new) + PIXELS


def dpx(folder):
    data = small(folder / "a.dpx", "uint16")
    order = "<" if data[:4] == b"XPDS" else ">"
    return data[:772] + struct.pack(f"{order}II", WIDTH, HEIGHT) + data[780:] + PIXELS


FILES = {
    "PNG": lambda _: png(),
    "JPEG": lambda _: jpeg_(),
    "TIFF": lambda _: tiff_(),
    "AVIF": lambda _: avif(noise(64, 80)).replace(struct.pack(">II", 80, 64), LARGE),
    "HEIC": lambda _: heic(noise(64, 80)).replace(struct.pack(">II", 80, 64), LARGE),
    "JPEG XL": lambda _: jxl(),
    "OpenEXR": exr,
    "DPX": dpx,
    "Netpbm": lambda _: f"P6\n{WIDTH} {HEIGHT}\n255\n".encode() + bytes(99),
}


@pytest.mark.parametrize("name", FILES)
def test_a_panorama_is_refused_at_once(tmp_path: Path, name) -> None:
    data = FILES[name](tmp_path)
    assert format_of(data).name == name
    with pytest.raises(ImageError, match="more than the 120 megapixels that are read"):
        decode(Path("pano"), data)
