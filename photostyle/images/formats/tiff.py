"""TIFF: read by tifffile, of any channels, planes, strips, tiles and compressions; written here.

Reference: TIFF 6.0, sections 3 to 8, 16, 18 and 23; Adobe Photoshop TIFF Technical Notes (extra
samples).
"""

import io
import logging
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import ExifTags, Image, TiffImagePlugin

from photostyle.images import colorimetry, photoshop
from photostyle.images.containers import Carried
from photostyle.images.exif import byte_text, orientation_of, read_exif
from photostyle.images.formats import pillow
from photostyle.images.formats.stored import MANIFEST_KEY, Fitted, Stored, gathered
from photostyle.images.photoshop import IPTC, write_resources
from photostyle.images.profiles import Samples, lab_to_srgb
from photostyle.images.refusals import MAX_CHANNELS, WRONG_SAMPLES, Refusal, check_size, not_read

MANIFEST_TAG = 65000  # among those for private use
_WHITE_IS_ZERO, _RGB, _PALETTE, _INK, _YCBCR, _LAB, _ICC_LAB = 0, 2, 3, 5, 6, 8, 9
#: Samples per pixel without the extra ones, by photometric interpretation.
_CHANNELS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _INK: 4, _YCBCR: 3, _LAB: 3, _ICC_LAB: 3}
_JPEG = 7
_MULTIPLIED, _SEPARATE = 1, 2  # kinds of alpha among the extra samples
_RESOLUTION_UNITS = {2: 1.0, 3: 2.54}
_DEFLATE, _UNASSOCIATED, _DIFFERENCES = 8, 2, 2  # codes of what is written
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377
_BYTES, _UNDEFINED = 1, 7  # types

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # its doubts are not the user's

Pixels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class _Page:
    """The first page of a TIFF file.

    Attributes:
        samples: H×W×1 grey, H×W×3 RGB or H×W×4 CMYK; None where Pillow is to decode them.
        alpha: H×W of the same type, or None.
        tags: as Pillow's EXIF.
        carried: what else lies in the file.
    """

    samples: Samples | None
    alpha: Samples | None
    tags: Image.Exif
    carried: Carried


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    _read(data, decode=False)


def read(data: bytes) -> Stored:
    """Decode the first page.

    Raises:
        Refusal: it is of a kind that is not read.
        Exception: nearly any, from damaged files.
    """
    page = _read(data)
    samples, alpha = page.samples, page.alpha
    if samples is None:
        with pillow.opened(data) as image:
            samples, alpha = pillow.loaded(image)
            page.tags[ExifTags.Base.Orientation] = turn_left(image)
    return gathered(samples, alpha, page.tags, page.carried)


def turn_left(image: Image.Image) -> int:
    """Return the orientation of a TIFF that Pillow has decoded, turned, and keeps no tag of."""
    tags = Image.Exif()
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags[ExifTags.Base.Orientation] = image.tag_v2.get(ExifTags.Base.Orientation, 1)
    return orientation_of(tags) or 1


def _read(data: bytes, *, decode: bool = True) -> _Page:
    """Read the first page, or only see whether it could be read."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = _first(file)
        pillows = _checked(page, data)
        samples, alpha = None, None
        if decode and not pillows:
            samples, alpha = _split(page, _pixels(page))
        tags = _tags(page, data, file.is_bigtiff)
        found = _carried(page)
        found.frames = 1 + _has_another(file)
        return _Page(samples, alpha, tags, found)


def _checked(page: Any, data: bytes) -> bool:
    """Refuse what is not read; tell whether Pillow is to decode the pixels.

    That is so with fewer than 8 bits, and with brightness and colours at sizes of their own.
    """
    check_size(page.imagewidth, page.imagelength * max(1, page.samplesperpixel // 4))
    if page.is_reduced or "DNGVersion" in page.tags or data[8:10] == b"CR":
        raise Refusal("looks like a camera's raw file; develop it to a 16-bit TIFF first")
    bits, photometric = page.bitspersample, page.photometric
    if page.sampleformat not in (1, 4) or not isinstance(bits, int) or bits > 16:
        raise Refusal(WRONG_SAMPLES)
    if photometric not in _CHANNELS:
        raise not_read(f"a TIFF of the kind {getattr(photometric, 'name', photometric)}")
    if bits < 8 or (photometric == _YCBCR and page.compression != _JPEG):
        return True
    if photometric == _INK and (page.samplesperpixel < 4 or page.tags.valueof(332, 1) != 1):
        raise not_read("a TIFF in other inks than cyan, magenta, yellow and black")
    if not _CHANNELS[photometric] <= page.samplesperpixel <= MAX_CHANNELS or page.imagedepth > 1:
        raise not_read(f"a TIFF of {page.samplesperpixel} channels")
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError:
        name = getattr(page.compression, "name", page.compression)
        raise not_read(f"a TIFF compressed by {name}") from None
    return False


def _pixels(page: Any) -> Pixels:
    """Return the page as H×W×S, in the order and orientation of the file.

    Raises:
        ValueError: a strip or tile is missing or too short; tifffile alone would let it be black.
    """
    planes, _, height, width, samples = page.shaped
    rows, columns = page.rowsperstrip, width
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
    whole = np.zeros((planes, height, width, samples), dtype=page.dtype)
    for segment, (plane, _, top, left, _), _ in page.segments():
        tall, wide = min(rows, height - top), min(columns, width - left)
        part = None if segment is None else segment.reshape(-1, *segment.shape[-2:])[:tall, :wide]
        if part is None or part.shape != (tall, wide, samples):
            raise ValueError("a part of its pixels is missing")
        whole[plane, top : top + tall, left : left + wide] = part
    return whole[0] if planes == 1 else whole[..., 0].transpose(1, 2, 0)  # H×W×S


def _split(page: Any, pixels: Pixels) -> tuple[Samples, Samples | None]:
    """Split H×W×S into colour and alpha, undoing inversion and premultiplication."""
    photometric, bits = int(page.photometric), int(page.bitspersample)
    if bits not in (8, 16):
        pixels = np.rint(pixels * (65535 / (2**bits - 1))).astype(np.uint16)
    channels = _CHANNELS[photometric]
    colour, alpha = pixels[..., :channels], None
    for place, kind in enumerate(map(int, page.extrasamples), start=channels):
        if kind in (_MULTIPLIED, _SEPARATE) and place < pixels.shape[2]:
            alpha = pixels[..., place]
            if kind == _MULTIPLIED:
                colour = _divided(colour, alpha)
            break
    if photometric == _PALETTE:
        colour = _through_palette(page, colour[..., 0])
    elif photometric == _WHITE_IS_ZERO:
        colour = np.iinfo(colour.dtype).max - colour
    elif photometric in (_LAB, _ICC_LAB):
        colour = _from_lab(colour, signed=photometric == _LAB)
    return colour, alpha


def _divided(colour: Pixels, alpha: Pixels) -> Pixels:
    most = np.iinfo(colour.dtype).max
    shares = most / np.maximum(alpha, 1).astype(np.float64)[..., None]
    return np.minimum(np.rint(colour * shares), most).astype(colour.dtype)


def _through_palette(page: Any, indices: Pixels) -> Pixels:
    """Return H×W×3 of the page's 16-bit table, in 8 bits where it says no more."""
    table = np.asarray(page.colormap).T  # N×3
    if table.max() < 256:  # written so by mistake, now and then
        table = table * 257
    deep = bool((table % 257).any() and (table % 256).any())
    return (table if deep else table >> 8).astype(np.uint16 if deep else np.uint8)[indices]


def _from_lab(values: Pixels, *, signed: bool) -> Pixels:
    """Return sRGB of CIE L*a*b*, whose a* and b* are signed, or begin at -128 (ICC's way)."""
    most, scale = np.iinfo(values.dtype).max, 1 if values.dtype == np.uint8 else 256
    lightest = most if signed or scale == 1 else 0xFF00
    light = values[..., :1] * np.float32(100 / lightest)
    if signed:
        chroma = values[..., 1:].view(np.dtype(f"i{values.itemsize}")) / np.float32(scale)
    else:
        chroma = values[..., 1:] / np.float32(scale) - 128
    srgb = lab_to_srgb(np.concatenate([light, chroma], axis=-1, dtype=np.float32))
    return np.rint(srgb * most).astype(values.dtype)


def _tags(page: Any, data: bytes, big: bool) -> Image.Exif:
    """Return the tags as Pillow's; of a BigTIFF, which it cannot load, those of one value."""
    if not big:
        return read_exif(data)
    tags = Image.Exif()
    for tag in page.tags:
        if isinstance(tag.value, str | int):
            tags[tag.code] = int(tag.value) if isinstance(tag.value, int) else tag.value
    return tags


def _carried(page: Any) -> Carried:
    found = Carried()
    value = page.tags.valueof
    found.resources = photoshop.read_resources(_bytes(page, 34377))
    if iptc := _bytes(page, 33723):
        found.resources.setdefault(photoshop.IPTC, iptc)
    found.xmp = _bytes(page, 700) or None
    profiles = (_bytes(page, 34675), found.resources.get(photoshop.PROFILE, b""))
    found.said += [profile for profile in profiles if profile]
    numbers = {n: value(n) for n in (301, 318, 319) if value(n) is not None}
    found.said += colorimetry.of_tags(numbers)
    x, y, unit = value(282), value(283), int(value(296, 2))
    if x and y and unit in _RESOLUTION_UNITS and x[1] and y[1] and x[0] and y[0]:
        scale = _RESOLUTION_UNITS[unit]
        found.dpi = x[0] / x[1] * scale, y[0] / y[1] * scale
    return found


def _first(file: Any) -> Any:
    """Return the first page that is a picture at full size; a smaller copy may lie before it."""
    if not file.pages[0].is_reduced:
        return file.pages[0]
    full = (p for p in file.pages[1:] if not int(p.subfiletype) & 5)
    return next((p for p in full if p.photometric in _CHANNELS), file.pages[0])


def _has_another(file: Any) -> bool:
    """Tell whether a page after the first is a picture of its own, no smaller copy and no mask."""
    try:
        return not int(file.pages[1].subfiletype) & 5 and not file.pages[0].is_reduced
    except Exception:  # there is none, or a broken one
        return False


def _bytes(page: Any, code: int) -> bytes:
    """Return a tag's bytes; tifffile gives some as text or as numbers."""
    value = page.tags.valueof(code)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, tuple):  # IPTC as 32-bit numbers, an old mistake
        return np.asarray(value, dtype=f"{page.parent.byteorder}u4").tobytes()
    return bytes(value) if isinstance(value, bytes) else b""


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4, little-endian: one strip, DEFLATE over horizontal differences."""
    height, width, channels = pixels.shape
    differences = np.diff(pixels, axis=1, prepend=np.zeros_like(pixels[:, :1]))  # modulo 2^bits
    strip = zlib.compress(differences.astype(pixels.dtype.newbyteorder("<")).tobytes(), 6)
    tags = TiffImagePlugin.ImageFileDirectory_v2(prefix=b"II")
    _describe(tags, fitted, manifest)
    stored: dict[int, int | tuple[int, ...]] = {
        TiffImagePlugin.IMAGEWIDTH: width,
        TiffImagePlugin.IMAGELENGTH: height,
        TiffImagePlugin.BITSPERSAMPLE: (8 * pixels.itemsize,) * channels,
        TiffImagePlugin.COMPRESSION: _DEFLATE,
        TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: _RGB,
        TiffImagePlugin.STRIPOFFSETS: 0,  # Pillow counts it from the directory's end
        TiffImagePlugin.SAMPLESPERPIXEL: channels,
        TiffImagePlugin.ROWSPERSTRIP: height,
        TiffImagePlugin.STRIPBYTECOUNTS: len(strip),
        TiffImagePlugin.PLANAR_CONFIGURATION: 1,
        TiffImagePlugin.PREDICTOR: _DIFFERENCES,
    }
    if channels == 4:
        stored[TiffImagePlugin.EXTRASAMPLES] = _UNASSOCIATED
    for tag, value in stored.items():
        tags[tag] = value
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + strip


def _describe(
    tags: TiffImagePlugin.ImageFileDirectory_v2, fitted: Fitted, manifest: str | None
) -> None:
    """Add to a TIFF's directory what travels, and the manifest in a tag of its own."""
    for tag in fitted.exif or ():
        assert fitted.exif is not None
        directory = tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
        tags[tag] = fitted.exif.get_ifd(tag) if directory else byte_text(fitted.exif[tag])
    if fitted.dpi:
        tags[TiffImagePlugin.RESOLUTION_UNIT] = 2
        tags[TiffImagePlugin.X_RESOLUTION], tags[TiffImagePlugin.Y_RESOLUTION] = fitted.dpi
    if fitted.icc:
        tags[TiffImagePlugin.ICCPROFILE] = fitted.icc
    packed = {
        _XMP_TAG: (_BYTES, fitted.xmp),
        _IPTC_TAG: (_UNDEFINED, fitted.resources.get(IPTC)),
        _PHOTOSHOP_TAG: (_BYTES, write_resources(fitted.resources)),
        MANIFEST_TAG: (_UNDEFINED, manifest is not None and f"{MANIFEST_KEY} {manifest}".encode()),
    }
    for tag, (kind, content) in packed.items():
        if content:
            tags.tagtype[tag] = kind
            tags[tag] = content
