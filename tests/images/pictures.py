"""Small pictures, and files of kinds that Pillow does not write."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin


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


#: Options of tifffile for 16-bit RGB.
LAYOUTS = {
    "rgb": {"photometric": "rgb"},
    "big-endian": {"photometric": "rgb", "byteorder": ">"},
    "planar": {"photometric": "rgb", "planarconfig": "separate"},
    "tiled": {"photometric": "rgb", "tile": (16, 16)},
    "deflated": {"photometric": "rgb", "compression": "deflate", "predictor": True},
    "strips": {"photometric": "rgb", "compression": "deflate", "rowsperstrip": 5},
    "bigtiff": {"photometric": "rgb", "bigtiff": True},
}


def jpeg(array, *segments, exif=None, **options):
    """A JPEG with segments, (marker, content), after JFIF's; nearly exact where it is plain."""
    file = io.BytesIO()
    tags = {} if exif is None else {"exif": exif}
    Image.fromarray(array).save(file, "JPEG", quality=100, subsampling=0, **tags, **options)
    data = file.getvalue()
    made = b"".join(struct.pack(">BBH", 0xFF, m, len(c) + 2) + c for m, c in segments)
    return data[:20] + made + data[20:]


def with_chunks(array, *chunks):
    """A PNG with chunks before its pixels."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()[:33] + b"".join(chunks) + file.getvalue()[33:]


def tiff(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def plain(*colour, kind=np.uint8):
    """A small picture of one colour."""
    return np.full((16, 16, len(colour)), colour, dtype=kind)


def camera_exif(space, index=None, **first):
    """EXIF with a ColorSpace and an InteroperabilityIndex, as cameras write them."""
    tags = Image.Exif()
    tags[0x010F] = "Maker"
    for tag, value in first.items():
        tags[int(tag[1:])] = value
    if space is not None:
        tags.get_ifd(0x8769)[0xA001] = space
    if index is not None:
        tags.get_ifd(0x8769)[0xA005] = {1: index, 2: b"0100"}
    return tags
