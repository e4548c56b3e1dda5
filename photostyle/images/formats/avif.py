"""AVIF, by Pillow; its deeper pixels by imagecodecs.

Reference: ITU-T H.273, tables 2 to 4.
"""

import io

import imagecodecs
import numpy as np
from PIL import Image

from photostyle.images.containers import EXIF_HEAD
from photostyle.images.exif import exif_bytes
from photostyle.images.formats import pillow
from photostyle.images.formats.avifboxes import with_more
from photostyle.images.formats.stored import Fitted, Stored
from photostyle.images.profiles import Samples
from photostyle.images.spaces import standard

_QUALITY = 98  # of which 95 shows more than in other formats
_EXACT = 100  # of deep pixels, which less would make 8-bit ones of
_SPEED = 6
_MOST = 4095  # of 12 bits
#: Primaries and transfer by their numbers in H.273, and the matrix of YUV.
_SRGB, _UNSAID, _BT601 = (1, 13), (2, 2), 6
_NUMBERS = {"p3": (12, 13), "rec2020": (9, 15)}

check = pillow.check


def read(data: bytes) -> Stored:
    """Decode a picture; raises as `pillow.read`."""
    with pillow.opened(data) as image:
        bits = _bits(data)
        if bits <= 8:
            return pillow.stored(data, image, *pillow.loaded(image))
        levels = imagecodecs.avif_decode(data, 0)
        pixels = np.rint(levels * (65535 / (2**bits - 1))).astype(np.uint16)
        pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
        channels = 1 if pixels.shape[2] < 3 else 3
        alpha = pixels[..., channels] if pixels.shape[2] > channels else None
        return pillow.stored(data, image, pixels[..., :channels], alpha)


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4, of 8 bits, or of 16, which become 12; it holds no manifest."""
    exif = None if fitted.exif is None else exif_bytes(fitted.exif)
    if pixels.itemsize == 2:
        return with_more(_deep(pixels, fitted), fitted.icc, exif, fitted.xmp)
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file, "AVIF", quality=_QUALITY, subsampling="4:4:4",
        exif=b"" if exif is None else _AsItIs(EXIF_HEAD + exif), icc_profile=fitted.icc or b"",
        xmp=fitted.xmp or b"",
    )  # fmt: skip
    return file.getvalue()


def _deep(pixels: Samples, fitted: Fitted) -> bytes:
    """Encode 12 bits, without metadata; what has no numbers for its colours needs its profile."""
    primaries, transfer = _SRGB
    if fitted.space is not None:
        spaces = (word for word in _NUMBERS if fitted.space.profile == standard(word).profile)
        primaries, transfer = _NUMBERS.get(next(spaces, ""), _UNSAID)
    levels = np.rint(pixels * (_MOST / 65535)).astype(np.uint16)
    data = imagecodecs.avif_encode(
        levels, _EXACT, bitspersample=_MOST.bit_length(), speed=_SPEED, primaries=primaries,
        transfer=transfer, matrix=_BT601, pixelformat=imagecodecs.AVIF.PIXEL_FORMAT.YUV444,
    )  # fmt: skip
    return bytes(data)


class _AsItIs(Image.Exif):
    """EXIF that Pillow does not write anew, with question marks for all that is not ASCII."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._bytes = data

    def __bool__(self) -> bool:
        return True

    def tobytes(self, offset: int = 8) -> bytes:
        return self._bytes


def _bits(data: bytes) -> int:
    """Bits per channel, as the first `pixi` box tells."""
    at = data[:65536].find(b"pixi")
    return data[at + 9] if at >= 0 and at + 9 < len(data) else 8
