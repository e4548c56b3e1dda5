"""PNG, of 16 bits too: read by OpenCV there, as Pillow drops colours to 8, and put together here.

Reference: PNG specification, third edition, section 11.3.
"""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from photostyle.errors import OutputError
from photostyle.images.containers import XMP_KEY, bare, check_sums
from photostyle.images.exif import exif_bytes
from photostyle.images.formats import pillow
from photostyle.images.formats.stored import MANIFEST_KEY, Fitted, Stored
from photostyle.images.photoshop import write_raw_profile, write_resources
from photostyle.images.profiles import Samples

_LONG_TEXT = 1000  # characters from which a text is packed

check = pillow.check


def read(data: bytes) -> Stored:
    """Decode a picture; raises as `pillow.read`, and for wrong checksums."""
    check_sums(data)
    with pillow.opened(data) as image:
        deep = data[24] == 16  # the header's bit depth
        decoded = _deep(bare(data), image) if deep else pillow.loaded(image)
        return pillow.stored(data, image, *decoded)


def _deep(data: bytes, image: Image.Image) -> tuple[Samples, Samples | None]:
    """Decode a 16-bit PNG."""
    image.load()  # finds damage that OpenCV passes over
    pixels: npt.NDArray[Any] | None = cv2.imdecode(
        np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED
    )
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its pixels cannot be decoded")
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    transparent = image.info.get("transparency")
    if pixels.shape[2] == 1:
        if transparent is None:
            return pixels, None
        return pixels, np.where(pixels[..., 0] == transparent, 0, 65535).astype(np.uint16)
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    return pixels[..., 2::-1], alpha


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4: OpenCV's file with our chunks after its header."""
    order = [2, 1, 0, 3][: pixels.shape[2]]
    done, encoded = cv2.imencode(".png", pixels[..., order], [cv2.IMWRITE_PNG_COMPRESSION, 5])
    if not done:
        raise OutputError("The picture cannot be encoded as PNG; use .tif.")
    data = encoded.tobytes()
    chunks = b""
    if fitted.icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(fitted.icc))
    if fitted.dpi:
        x, y = (min(round(value / 0.0254), 2**31 - 1) for value in fitted.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", x, y, 1))
    if fitted.exif is not None:
        chunks += _chunk(b"eXIf", exif_bytes(fitted.exif))
    texts = dict(fitted.texts)
    if fitted.resources:
        packed = write_resources(fitted.resources)
        texts["Raw profile type iptc"] = write_raw_profile("iptc", packed)
    if manifest is not None:
        texts[MANIFEST_KEY] = manifest
    chunks += b"".join(_text(keyword, text) for keyword, text in texts.items())
    if fitted.xmp:
        chunks += _chunk(b"iTXt", XMP_KEY.encode() + b"\0\0\0\0\0" + fitted.xmp)
    header = 8 + 25  # signature and IHDR
    return data[:header] + chunks + data[header:]


def _text(keyword: str, text: str) -> bytes:
    """Return a PNG chunk with a text; our manifest is not packed, so that anything can read it."""
    key = keyword.encode("latin-1", "replace")[:79] or b"Comment"
    if keyword == MANIFEST_KEY:
        return _chunk(b"iTXt", key + b"\0\0\0\0\0" + text.encode())
    long = len(text) > _LONG_TEXT
    try:
        plain = text.encode("latin-1")
    except UnicodeEncodeError:
        packed = zlib.compress(text.encode()) if long else text.encode()
        return _chunk(b"iTXt", key + (b"\0\1" if long else b"\0\0") + b"\0\0\0" + packed)
    if long:
        return _chunk(b"zTXt", key + b"\0\0" + zlib.compress(plain))
    return _chunk(b"tEXt", key + b"\0" + plain)


def _chunk(name: bytes, content: bytes) -> bytes:
    """Return a PNG chunk: length, name, content, checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
