"""AVIF, by Pillow; its deeper pixels by imagecodecs."""

import io

import imagecodecs
import numpy as np
from PIL import Image

from photostyle.images.containers import EXIF_HEAD
from photostyle.images.exif import exif_bytes
from photostyle.images.formats import pillow
from photostyle.images.formats.stored import Fitted, Stored
from photostyle.images.profiles import Samples

_QUALITY = 98  # of which 95 shows more than in other formats

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
    """Encode H×W×3 or H×W×4; it holds no manifest."""
    file = io.BytesIO()
    tags = b"" if fitted.exif is None else _AsItIs(EXIF_HEAD + exif_bytes(fitted.exif))
    Image.fromarray(pixels).save(
        file, "AVIF", quality=_QUALITY, subsampling="4:4:4",
        exif=tags, icc_profile=fitted.icc or b"", xmp=fitted.xmp or b"",
    )  # fmt: skip
    return file.getvalue()


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
