"""Decoding picture files, as they are stored: before orientation and colour management.

Pillow decodes 8-bit pictures of any format. As it drops colours of 16 bits to 8, OpenCV decodes
16-bit PNG, and tifffile 16-bit TIFF (OpenCV where tifffile lacks the compression).
"""

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import ExifTags, Image, UnidentifiedImageError

from photostyle.errors import ImageError
from photostyle.images import profiles
from photostyle.images.profiles import Samples

MAX_MEGAPIXELS = 120
MANIFEST_KEY = "photostyle"  # of a manifest in a PNG, and its first word in a TIFF's description
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TOO_LARGE = f"has more than the {MAX_MEGAPIXELS} megapixels that are read; make it smaller first"
_WRONG_SAMPLES = (
    "holds floating-point, signed or 32-bit samples; save it with 8 or 16 bits per channel"
)
# Of the first directory only what describes the photograph: in a TIFF the rest describes how
# the pixels are stored, in a JPEG it points at a preview of the picture as it was.
_KEPT_TAGS = frozenset(
    {0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x4746, 0x8298}
    | set(range(0x9C9B, 0x9CA0))
)
_DROPPED_PHOTO_TAGS = frozenset({0xA002, 0xA003, 0xA005})  # width, height, interoperability
_COLOR_SPACE = 0xA001


@dataclass(frozen=True, eq=False)
class Stored:
    """A picture as it lies in its file, before orientation and colour management.

    Attributes:
        colour: H×W×3 uint8 or uint16 RGB, not multiplied by alpha.
        alpha: H×W of the same type, or None.
        icc_profile: of `colour`, or None.
        exif: the tags worth keeping, marked as upright and sRGB, or None.
        orientation: of the stored rows and columns, by EXIF: 1 to 8.
    """

    colour: Samples
    alpha: Samples | None
    icc_profile: bytes | None
    exif: bytes | None
    orientation: int


class _Refusal(Exception):
    """A picture that is not wanted; the text continues a sentence that begins with its name."""


def decode(path: Path, data: bytes) -> Stored:
    """Decode the bytes of the picture file `path`; of several frames or pages the first.

    Raises:
        ImageError: the bytes are no picture, damaged or incomplete, of more than MAX_MEGAPIXELS
            (known before any pixel is decoded), or other than 1- to 16-bit unsigned samples.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubts about tags; about size we decide ourselves
            return _decode(data)
    except _Refusal as refusal:
        raise ImageError(f"{path} {refusal}.") from None
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path} {_TOO_LARGE}.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path} is not a picture that can be read; give a JPEG, PNG, TIFF or WebP file."
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the decoders raise nearly anything
        raise ImageError(f"{path} is damaged or incomplete ({error}).") from error


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise _Refusal(_TOO_LARGE)


def _decode(data: bytes) -> Stored:
    """Decode a picture's bytes; the size is checked before any pixel is."""
    if data[:4] in _TIFF_STARTS:
        deep = _decode_deep_tiff(data)
        if deep is not None:
            return deep
    with Image.open(io.BytesIO(data)) as image:
        if image.format in ("EPS", "WMF"):
            raise _Refusal("is a drawing; export it as a PNG or TIFF picture first")
        _check_size(*image.size)
        image.load()
        if data.startswith(_PNG_START) and data[24] == 16:  # the header's bit depth
            colour, alpha = _deep_png(data, image.info.get("transparency"))
        else:
            colour, alpha = _shallow(image)
        tags = image.getexif()
        icc = None if image.mode in ("CMYK", "LAB") else image.info.get("icc_profile")
        if icc is None and "icc_profile" in image.info:
            icc = profiles.srgb_profile()
        return Stored(colour, alpha, icc, _exif(tags), _orientation(tags))


def _shallow(image: Image.Image) -> tuple[Samples, Samples | None]:
    """Return what Pillow decoded as H×W×3 and, where there is transparency, H×W."""
    if image.mode.startswith("I;16"):
        return _three(np.asarray(image).astype(np.uint16)), None
    if image.mode in ("I", "F"):
        raise _Refusal(_WRONG_SAMPLES)
    if image.mode == "CMYK":
        image = profiles.cmyk_to_rgb(image)
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB")), None
    pixels = np.asarray(image.convert("RGBA"))
    return pixels[..., :3], pixels[..., 3]


def _deep_png(data: bytes, transparent: Any) -> tuple[Samples, Samples | None]:
    """Decode a 16-bit PNG; `transparent` is the grey level that its tRNS chunk names."""
    pixels = _opencv_samples(data)
    if pixels.shape[2] == 1 and transparent is not None:
        return _three(pixels), np.where(pixels[..., 0] == transparent, 0, 65535).astype(np.uint16)
    return _three(pixels[..., :3]), pixels[..., 3] if pixels.shape[2] == 4 else None


def _decode_deep_tiff(data: bytes) -> Stored | None:
    """Decode a 16-bit grey or RGB TIFF; None where Pillow is to decode it."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page: Any = file.pages[0]
        _check_size(page.imagewidth, page.imagelength)
        if page.is_reduced or "DNGVersion" in page.tags or data[8:10] == b"CR":
            raise _Refusal("looks like a camera's raw file; develop it to a 16-bit TIFF first")
        if page.sampleformat not in (1, 4) or page.bitspersample > 16:
            raise _Refusal(_WRONG_SAMPLES)
        if page.bitspersample != 16 or page.photometric not in (0, 1, 2):
            return None
        colour, alpha = _deep_tiff_pixels(page, _page_samples(page, data))
        tags = Image.Exif()
        if not file.is_bigtiff:  # whose tags Pillow cannot load without its picture
            tags.load(data)
        icc, orientation = page.tags.valueof(34675), int(page.tags.valueof(274, 1))
        return Stored(colour, alpha, icc, _exif(tags), orientation)


def _opencv_samples(data: bytes) -> npt.NDArray[np.uint16]:
    """Decode a 16-bit PNG or TIFF to H×W×S, in the order grey or RGB(A)."""
    pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its pixels cannot be decoded")
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    order = [2, 1, 0, 3] if pixels.shape[2] > 1 else [0]
    return np.asarray(pixels[..., order[: pixels.shape[2]]], dtype=np.uint16)


def _page_samples(page: Any, data: bytes) -> npt.NDArray[np.uint16]:
    """Return the page as H×W×S, in the order and orientation of the file."""
    try:
        pixels = page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error) or page.planarconfig != 1:
            raise
        turn = page.tags.get(274)
        if turn is not None:  # OpenCV would apply it
            one = struct.pack(f"{page.parent.byteorder}H", 1)
            data = data[: turn.valueoffset] + one + data[turn.valueoffset + 2 :]
        return _opencv_samples(data)
    if page.axes == "SYX":
        pixels = pixels.transpose(1, 2, 0)  # H×W×S
    return np.asarray(pixels.reshape(page.imagelength, page.imagewidth, -1))  # H×W×S


def _deep_tiff_pixels(
    page: Any, pixels: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16] | None]:
    """Split samples into H×W×3 colour and H×W alpha, undoing inversion and premultiplication."""
    channels = 3 if page.photometric == 2 else 1
    colour = pixels[..., :channels]
    if page.photometric == 0:
        colour = 65535 - colour
    kind = int(page.extrasamples[0]) if page.extrasamples else 0
    alpha = pixels[..., channels] if kind in (1, 2) else None
    if alpha is not None and kind == 1:
        whole = np.maximum(alpha, 1)[..., None].astype(np.float64)
        colour = np.minimum(np.round(colour * (65535 / whole)), 65535).astype(np.uint16)
    return _three(colour), alpha


def _three(grey: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return H×W or H×W×1 as H×W×3; H×W×3 as it is."""
    grey = grey.reshape(*grey.shape[:2], -1)  # H×W×1 or H×W×3
    return np.broadcast_to(grey, (*grey.shape[:2], 3))


def _orientation(tags: Image.Exif) -> int:
    """Return the EXIF orientation, 1 where there is no valid one."""
    try:
        return int(tags.get(ExifTags.Base.Orientation, 1))
    except Exception:  # broken tags say nothing against the picture
        return 1


def _exif(tags: Image.Exif) -> bytes | None:
    """Return the tags worth keeping, marked as upright and sRGB; None where nothing is left."""
    kept = Image.Exif()
    try:
        for tag in _KEPT_TAGS.intersection(tags):
            kept[tag] = byte_text(tags[tag])
        if str(tags.get(ExifTags.Base.ImageDescription, "")).startswith(f"{MANIFEST_KEY} "):
            del kept[ExifTags.Base.ImageDescription]  # it tells how this picture was made
        for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            values = dict(tags.get_ifd(directory))
            for tag in _DROPPED_PHOTO_TAGS.intersection(values):
                del values[tag]
            if _COLOR_SPACE in values:
                values[_COLOR_SPACE] = 1  # sRGB
            if values:
                kept[directory] = values
        if not len(kept):
            return None
        kept[ExifTags.Base.Orientation] = 1
        return kept.tobytes()
    except Exception:  # as above
        return None


def byte_text(value: Any) -> Any:
    """Return an EXIF text as the bytes that it was stored as, any other value as it is.

    Pillow reads texts as Latin-1 but writes ASCII, with question marks for the rest.
    """
    return value.encode("latin-1") if isinstance(value, str) else value
