"""Encoding pictures with all that travels with them, in each format's own way.

PNG and TIFF are put together here, from OpenCV's and zlib's compressed pixels, as Pillow writes
colours of 8 bits only; JPEG and WebP are Pillow's, with our segments.

References: PNG specification, third edition, section 11.3; TIFF 6.0, sections 8, 14 and 18; XMP
specification, part 3; JFIF 1.02.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin

from photostyle.errors import OutputError
from photostyle.images.containers import (
    EXIF_HEAD,
    PHOTOSHOP_HEAD,
    XMP_HEAD,
    XMP_KEY,
    XMP_MORE,
)
from photostyle.images.decoding import MANIFEST_KEY
from photostyle.images.exif import byte_text, exif_bytes, fitted_exif
from photostyle.images.photoshop import IPTC, write_raw_profile, write_resources
from photostyle.images.picture import Metadata
from photostyle.images.profiles import Samples
from photostyle.images.xmp import fitted_xmp

QUALITY = 95
MANIFEST_TAG = 65000  # of a TIFF, among those for private use
_SEGMENT = 65533  # bytes in a JPEG's segment after its length
_DEFLATE, _RGB, _UNASSOCIATED, _DIFFERENCES = 8, 2, 2, 2  # TIFF's codes
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377
_BYTES, _UNDEFINED = 1, 7  # TIFF's types
_LONG_TEXT = 1000  # characters from which a PNG's text is packed


@dataclass(frozen=True)
class _Fitted:
    """What travels, put right for the picture that is written."""

    exif: Image.Exif | None
    icc: bytes | None
    xmp: bytes | None
    resources: Mapping[int, bytes]
    dpi: tuple[float, float] | None
    texts: Mapping[str, str]


def encode(form: str, pixels: Samples, metadata: Metadata, manifest: str | None) -> bytes:
    """Return a picture file's bytes.

    Args:
        form: PNG, TIFF, JPEG or WEBP.
        pixels: H×W×3, or H×W×4 with alpha; 16 bits for PNG and TIFF only, no alpha for JPEG.
        metadata: what of it the format does not hold is left out; see `lost`.
        manifest: for PNG and TIFF; the others do not hold it.
    """
    fitted = _fitted(metadata, pixels.shape[:2], form)
    if form == "PNG":
        return _png(pixels, fitted, manifest)
    if form == "TIFF":
        return _tiff(pixels, fitted, manifest)
    return _jpeg(pixels, fitted) if form == "JPEG" else _webp(pixels, fitted)


def lost(form: str, metadata: Metadata) -> list[str]:
    """Words for what `encode` leaves out of a picture's metadata."""
    fitted = _fitted(metadata, (1, 1), form)
    words = []
    if form == "JPEG" and metadata.alpha is not None and not bool(np.all(metadata.alpha == 1)):
        words.append("transparency")
    if metadata.xmp and not fitted.xmp:
        words.append("XMP, which is damaged")
    if form == "JPEG" and len(_exif_segment(fitted)) > _SEGMENT:
        words.append("EXIF, which is too long for it")
    if form == "WEBP" and fitted.resources:
        words.append("IPTC")
    fits = form == "JPEG" and len(_comment(fitted)) <= _SEGMENT
    if form != "PNG" and fitted.texts.keys() - ({"Comment"} if fits else set()):
        words.append("text notes")
    return words


def _fitted(metadata: Metadata, size: tuple[int, ...], form: str) -> _Fitted:
    height, width = size
    icc, dpi = metadata.icc_profile, metadata.dpi
    own_place = form in ("PNG", "TIFF", "JPEG")  # for the resolution, besides EXIF
    exif = fitted_exif(metadata.exif, (height, width), dpi, always=not own_place)
    xmp = None
    if metadata.xmp:
        xmp = fitted_xmp(metadata.xmp, (height, width), dpi, _profile_name(icc))
    return _Fitted(exif, icc, xmp, metadata.resources, dpi, metadata.texts)


def _profile_name(icc: bytes | None) -> str | None:
    if icc is None:
        return None
    try:
        return str(
            ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc)))
        ).strip()
    except (ImageCms.PyCMSError, OSError):
        return None


def _webp(pixels: Samples, fitted: _Fitted) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file, "WEBP", quality=QUALITY, exact=True,
        exif=_exif_segment(fitted), icc_profile=fitted.icc, xmp=fitted.xmp or b"",
    )  # fmt: skip
    return file.getvalue()


def _jpeg(pixels: Samples, fitted: _Fitted) -> bytes:
    """Encode as JPEG, with what travels in segments after JFIF's."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file, "JPEG", quality=QUALITY, subsampling=0, icc_profile=fitted.icc
    )
    data = file.getvalue()
    if fitted.dpi and max(fitted.dpi) < 65535.5:
        x, y = (max(1, round(value)) for value in fitted.dpi)
        data = data[:13] + struct.pack(">BHH", 1, x, y) + data[18:]
    resources = write_resources(fitted.resources)
    room = _SEGMENT - len(PHOTOSHOP_HEAD)
    contents = [
        (0xE1, _exif_segment(fitted)),
        *((0xE1, part) for part in _xmp_segments(fitted.xmp)),
        *((0xED, PHOTOSHOP_HEAD + resources[at : at + room])
          for at in range(0, len(resources), room)),
        (0xFE, _comment(fitted)),
    ]  # fmt: skip
    made = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
        for marker, content in contents
        if 0 < len(content) <= _SEGMENT
    )
    return data[:20] + made + data[20:]


def _exif_segment(fitted: _Fitted) -> bytes:
    return b"" if fitted.exif is None else EXIF_HEAD + exif_bytes(fitted.exif)


def _comment(fitted: _Fitted) -> bytes:
    return fitted.texts.get("Comment", "").encode()


def _xmp_segments(packet: bytes | None) -> list[bytes]:
    """Return a packet as one segment, or as a short one that names the parts of the long one."""
    if not packet:
        return []
    if len(XMP_HEAD + packet) <= _SEGMENT:
        return [XMP_HEAD + packet]
    name = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper().encode()
    main = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        b'syntax-ns#"><rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
        b'xmpNote:HasExtendedXMP="' + name + b'"/></rdf:RDF></x:xmpmeta>'
    )
    room = _SEGMENT - len(XMP_MORE) - 40
    parts = [
        XMP_MORE + name + struct.pack(">II", len(packet), at) + packet[at : at + room]
        for at in range(0, len(packet), room)
    ]
    return [XMP_HEAD + main, *parts]


def _png(pixels: Samples, fitted: _Fitted, manifest: str | None) -> bytes:
    """Encode as PNG: OpenCV's file with our chunks after its header."""
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


def _tiff(pixels: Samples, fitted: _Fitted, manifest: str | None) -> bytes:
    """Encode as little-endian TIFF: one strip, DEFLATE over horizontal differences."""
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
    tags: TiffImagePlugin.ImageFileDirectory_v2, fitted: _Fitted, manifest: str | None
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
