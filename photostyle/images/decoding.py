"""Decoding picture files, as they are stored: before orientation and colour management.

Pillow decodes 8-bit pictures of any format but TIFF. As it drops colours of 16 bits to 8, OpenCV
decodes 16-bit PNG, and Netpbm's are read here; TIFF has a file of its own.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, TiffImagePlugin

from photostyle.errors import ImageError
from photostyle.images import colorimetry, photoshop
from photostyle.images.colorimetry import Said
from photostyle.images.containers import (
    JPEG_START,
    PNG_START,
    Carried,
    bare,
    carried,
    colour_elsewhere,
    frame_header,
)
from photostyle.images.exif import dpi_of, kept_exif, orientation_of, read_exif
from photostyle.images.profiles import Samples
from photostyle.images.refusals import (
    MAX_PIXELS,
    WRONG_SAMPLES,
    Refusal,
    check_size,
    not_read,
    refusal_of,
)
from photostyle.images.tiff import TIFF_STARTS, Page, read_tiff
from photostyle.images.xmp import orientation_in

MANIFEST_KEY = "photostyle"  # of a manifest in a PNG, and its first word in a TIFF
_READ_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)  # kinds of JPEG that Pillow decodes

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Stored:
    """A picture as it lies in its file, before orientation and colour management.

    Attributes:
        samples: H×W×1 grey, H×W×3 RGB or H×W×4 CMYK (the most is the most ink), uint8 or uint16,
            not multiplied by alpha.
        alpha: H×W of the same type, or None.
        said: what the file says of its colours, first what counts first; see `Carried`.
        orientation: of the stored rows and columns, by EXIF: 1 to 8.
        exif: the tags worth keeping, marked as upright and sRGB, or None.
        carried: what else lies in the file.
    """

    samples: Samples
    alpha: Samples | None
    said: list[Said]
    orientation: int
    exif: bytes | None
    carried: Carried


def decode(path: Path, data: bytes) -> Stored:
    """Decode the bytes of the picture file `path`; of several frames or pages the first.

    Raises:
        ImageError: the bytes are no picture, damaged or incomplete, of a kind that is not read, of
            more than MAX_PIXELS (known before any pixel is decoded), or other than 1- to 16-bit
            unsigned samples.
    """
    with _refusals(path, data):
        return _decode(data)


def check_header(path: Path, data: bytes) -> None:
    """Find out whether the bytes of `path` are a picture that is read, as its header tells.

    Raises:
        ImageError: as for `decode`.
    """
    with _refusals(path, data):
        if data[:4] in TIFF_STARTS:
            read_tiff(data, decode=False)
        else:
            with opened(data):
                pass


@contextlib.contextmanager
def _refusals(path: Path, data: bytes) -> Iterator[None]:
    """Turn whatever the decoders raise into an ImageError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubts about tags; about size we decide ourselves
            yield
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the decoders raise nearly anything
        raise ImageError(f"{path} {refusal_of(error, data)}.") from error


def pillow_picture(data: bytes, most: int) -> Image.Image:
    """Return the upright picture as Pillow has it, decoded, in the values of the file.

    The texts of a PNG are in its `info`.

    Raises:
        Refusal: it is of a kind that is not read, or has more than so many pixels.
        Exception: nearly any, from damaged files.
    """
    found = carried(data)
    try:
        image = opened(data, most)
        image.load()
        tags = _tags_left(image, found)
    except (OSError, NotImplementedError):
        if data[:4] not in TIFF_STARTS or (page := read_tiff(data)).samples is None:
            raise
        image, tags = _as_pillow(page.samples), page.tags
        check_size(*image.size, most)
    image.info.update(found.texts)
    turn = orientation_of(tags) or orientation_in(found.xmp) or 1
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _tags_left(image: Image.Image, found: Carried) -> Image.Exif:
    """The tags of a decoded picture; Pillow has turned a TIFF, and has no orientation left."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = Image.Exif()
        tags[ExifTags.Base.Orientation] = image.tag_v2.get(ExifTags.Base.Orientation, 1)
        return tags
    return read_exif(found.exif or image.info.get("exif"))


def _as_pillow(samples: Samples) -> Image.Image:
    """Return H×W×C as 16-bit grey, or as 8-bit grey, RGB or CMYK."""
    if samples.shape[2] > 1 and samples.dtype == np.uint16:
        samples = (samples >> 8).astype(np.uint8)
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def opened(data: bytes, most: int = MAX_PIXELS) -> Image.Image:
    """Open a file by Pillow without decoding it; a PNG or JPEG without its metadata.

    Raises:
        Refusal: it is of a kind that is not read, or has more than so many pixels.
        Exception: nearly any, from damaged files.
    """
    if data.startswith(JPEG_START):
        kind, bits = frame_header(data)
        if bits not in (0, 8) or (kind and kind not in _READ_FRAMES):
            deep = bits not in (0, 8)
            raise not_read(
                f"a JPEG of {bits} bits per channel" if deep else "a lossless or hierarchical JPEG"
            )
    image = Image.open(io.BytesIO(bare(data)))
    if image.format in ("EPS", "WMF"):
        raise Refusal("is a drawing; export it as a PNG or TIFF picture first")
    check_size(*image.size, most)
    return image


def _decode(data: bytes) -> Stored:
    """Decode a picture's bytes; the size is checked before any pixel is."""
    if data[:4] in TIFF_STARTS:
        page = read_tiff(data)
        samples, alpha = page.samples, page.alpha
        if samples is None:
            with opened(data) as image:
                samples, alpha = _loaded(image)
                turn = orientation_of(_tags_left(image, page.carried)) or 1
            page.tags[ExifTags.Base.Orientation] = turn
        return _stored(samples, alpha, page)
    with opened(data) as image:
        found = carried(data)
        if found.frames == 1 and getattr(image, "is_animated", False):
            found.frames = 2
        if data.startswith(PNG_START) and data[24] == 16:  # the header's bit depth
            samples, alpha = _deep_png(bare(data), image)
        elif image.format == "PPM" and (deep := _deep_netpbm(data)) is not None:
            samples, alpha = deep, None
        else:
            samples, alpha = _loaded(image)
        _ask_pillow(image, found)
        if image.mode == "LAB":  # converted above
            found.said.clear()
        found.said += colour_elsewhere(data)
        return _stored(samples, alpha, Page(samples, alpha, read_exif(found.exif), found))


def _ask_pillow(image: Image.Image, found: Carried) -> None:
    """Add what Pillow found in the formats that `carried` does not read."""
    info = image.info
    if image.format in ("PNG", "JPEG"):
        if photoshop.PROFILE in found.resources:
            found.said.append(found.resources[photoshop.PROFILE])
        return
    if icc := info.get("icc_profile"):
        found.said.append(icc)
    found.exif, found.xmp = info.get("exif"), info.get("xmp")
    if isinstance(dpi := info.get("dpi"), tuple) and min(dpi) > 0:
        found.dpi = float(dpi[0]), float(dpi[1])


def _stored(samples: Samples, alpha: Samples | None, page: Page) -> Stored:
    """Gather what is known of a picture; EXIF's word on colours is the last."""
    found, tags = page.carried, page.tags
    turn = orientation_of(tags) or orientation_in(found.xmp) or 1
    found.dpi = found.dpi or dpi_of(tags)
    found.resources = {n: found.resources[n] for n in photoshop.KEPT if n in found.resources}
    found.texts.pop(MANIFEST_KEY, None)  # it tells how this picture was made
    said = [*found.said, *colorimetry.of_exif(tags)]
    return Stored(samples, alpha, said, turn, kept_exif(tags, MANIFEST_KEY), found)


def _loaded(image: Image.Image) -> tuple[Samples, Samples | None]:
    """Return what Pillow decodes as H×W×C and, where there is transparency, H×W."""
    image.load()
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None], None
    if image.mode in ("I", "F"):
        raise Refusal(WRONG_SAMPLES)
    if image.mode == "CMYK":
        return np.asarray(image), None
    grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        pixels = np.asarray(image.convert("L" if grey else "RGB"))
        return pixels.reshape(*pixels.shape[:2], -1), None  # H×W×1 or H×W×3
    pixels = np.asarray(image.convert("RGBA"))
    return pixels[..., : 1 if grey else 3], pixels[..., 3]


def _deep_png(data: bytes, image: Image.Image) -> tuple[Samples, Samples | None]:
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


def _deep_netpbm(data: bytes) -> npt.NDArray[np.uint16] | None:
    """Decode a binary PGM or PPM of more than 255 levels to H×W×C; None where it is another."""
    words: list[bytes] = []
    at = 0
    while len(words) < 4:
        while data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
            continue
        end = at
        while end < len(data) and not data[end : end + 1].isspace():
            end += 1
        words.append(data[at:end])
        at = end
    channels = {b"P5": 1, b"P6": 3}.get(words[0], 0)
    if not channels or int(words[3]) < 256:
        return None
    width, height, most = map(int, words[1:])
    levels = np.frombuffer(data, ">u2", height * width * channels, at + 1)
    scaled: npt.NDArray[np.uint16] = np.rint(np.minimum(levels, most) * (65535 / most)).astype("u2")
    return scaled.reshape(height, width, channels)
