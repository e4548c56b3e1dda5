"""HEIC through pillow-heif, an extra: 8 to 12 bits.

Reference: ISO/IEC 23008-12.
"""

import io
from typing import Any

import numpy as np

from photostyle.images import colorimetry
from photostyle.images.containers import EXIF_HEAD, Carried
from photostyle.images.exif import exif_bytes, read_exif
from photostyle.images.formats import gainmap
from photostyle.images.formats.stored import QUALITY, Fitted, Stored, gathered
from photostyle.images.profiles import Samples
from photostyle.images.refusals import check_size

_ORIENTATION = 0x0112
_GAIN_MAP = "hdrgainmap"


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    _opened(data)


def read(data: bytes) -> Stored:
    """Decode the first picture.

    Raises:
        Refusal: it is too large.
        Exception: nearly any, from damaged files.
    """
    file, count = _opened(data)
    pixels = np.asarray(file)
    if pixels.dtype == np.uint16:  # filled up with zeros at their end
        most = 2 ** int(file.info["bit_depth"]) - 1
        pixels = np.rint((pixels >> (16 - most.bit_length())) * (65535 / most)).astype(np.uint16)
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    channels = 1 if pixels.shape[2] < 3 else 3
    alpha = pixels[..., channels] if pixels.shape[2] > channels else None
    found = Carried(frames=count, xmp=file.info.get("xmp") or None)
    if icc := file.info.get("icc_profile"):
        found.said.append(icc)
    elif nclx := file.info.get("nclx_profile"):
        numbers = nclx["color_primaries"], nclx["transfer_characteristics"]
        found.said.append(colorimetry.of_code_points(*numbers))
    tags = read_exif(file.info.get("exif"))
    tags[_ORIENTATION] = 1  # the decoder turns it by the file's own word
    notes = (gainmap.DROPPED,) if any(_GAIN_MAP in kind for kind in file.info["aux"]) else ()
    return gathered(pixels[..., :channels], alpha, tags, found, notes)


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4, of 8 bits, or of 16, which become 12; it holds no manifest."""
    import pillow_heif

    pillow_heif.options.SAVE_HDR_TO_12_BIT = True
    height, width, channels = pixels.shape
    mode = ("RGB" if channels == 3 else "RGBA") + (";16" if pixels.itemsize == 2 else "")
    image = pillow_heif.from_bytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
    file = io.BytesIO()
    image.save(
        file, quality=QUALITY, chroma=444, icc_profile=fitted.icc,
        exif=None if fitted.exif is None else EXIF_HEAD + exif_bytes(fitted.exif),
        xmp=fitted.xmp,
    )  # fmt: skip
    return file.getvalue()


def _opened(data: bytes) -> tuple[Any, int]:
    """The first picture of a file, not yet decoded, and how many there are."""
    import pillow_heif

    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    check_size(*file.size)
    return file, len(file)
