"""What a picture file carries besides its pixels, and the file without it.

The decoders get PNG and JPEG files without any metadata, so that none, however large or broken,
keeps the pixels from being read. A profile that unpacks to more than `_MOST` bytes is left out, and
so are the texts that go beyond it together.

References: PNG specification, third edition, section 11.3; ITU-T T.81, annex B; JFIF 1.02; Exif
3.0; XMP specification, part 3; ICC.1:2022, annex B.
"""

import contextlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from photostyle.images import colorimetry, photoshop
from photostyle.images.colorimetry import Said
from photostyle.images.refusals import Refusal

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"
XMP_KEY = "XML:com.adobe.xmp"  # of an XMP packet in a PNG
EXIF_HEAD = b"Exif\0\0"
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP_HEAD = b"Photoshop 3.0\0"
_ICC_HEAD = b"ICC_PROFILE\0"
_MOST = 64 * 2**20
_INCH = 0.0254  # metres


@dataclass
class Carried:
    """What lies in a file beside its pixels, as it lies there.

    Attributes:
        said: what it says of its colours, first what counts first: ICC profiles, which may be
            broken or of another picture, and None for sRGB. EXIF's word is not among it.
        exif: a TIFF structure, or None.
        xmp: a packet, or None.
        more_xmp: what a JPEG's packet goes on with, or None.
        resources: Photoshop's, IPTC among them.
        dpi: pixels per inch along its rows and along its columns, or None.
        texts: of a PNG and a JPEG's comment, by keyword.
        frames: more than 1 where there are further pictures.
    """

    said: list[Said] = field(default_factory=list)
    exif: bytes | None = None
    xmp: bytes | None = None
    more_xmp: bytes | None = None
    resources: dict[int, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    texts: dict[str, str] = field(default_factory=dict)
    frames: int = 1


def bare(data: bytes) -> bytes:
    """Return a PNG or JPEG file without its metadata; any other as it is."""
    if data.startswith(PNG_START):
        return _bare_png(data)
    return _bare_jpeg(data) if data.startswith(JPEG_START) else data


def carried(data: bytes) -> Carried:
    """Return what a PNG or JPEG file carries; nothing for any other."""
    if data.startswith(PNG_START):
        return _of_png(data)
    return _of_jpeg(data) if data.startswith(JPEG_START) else Carried()


def check_sums(data: bytes) -> None:
    """Find out whether what a PNG's pixels need is as it was written; of others nothing is known.

    Raises:
        Refusal: a checksum is wrong, of which the decoders may take no notice.
    """
    whole = memoryview(data)
    for name, start, end in _chunks(data) if data.startswith(PNG_START) else ():
        if name[:1].isupper() and whole[end : end + 4] != _sum(whole[start - 4 : end]):
            raise Refusal("is damaged or incomplete (the checksum of its pixels is wrong)")


def _sum(data: memoryview) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Names of a PNG's chunks, with where their contents begin and end."""
    at = len(PNG_START)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, at + 8 + size
        at += size + 12


def _bare_png(data: bytes) -> bytes:
    kept = [
        data[start - 8 : end + 4]
        for name, start, end in _chunks(data)
        if name == b"tRNS" or name[:1].isupper()
    ]
    return PNG_START + b"".join(kept)


def _of_png(data: bytes) -> Carried:
    found, left = Carried(), _MOST
    first: dict[bytes, bytes] = {}
    texts: dict[str, str] = {}
    for name, start, end in _chunks(data):
        content = data[start:end]
        if name in (b"tEXt", b"zTXt", b"iTXt"):
            with contextlib.suppress(ValueError):
                keyword, text = _text(name, content, left)
                texts.setdefault(keyword, text)
                left -= len(text)
        elif name not in (b"IDAT", b"fdAT"):
            first.setdefault(name, content)
    found.xmp = texts.pop(XMP_KEY, "").encode() or None
    _take_raw_profiles(texts, found, first)
    if len(first.get(b"cICP", b"")) == 4:
        primaries, transfer, _, full = first[b"cICP"]
        found.said.append(colorimetry.of_code_points(primaries, transfer, bool(full)))
    if b"iCCP" in first:
        found.said.append(_unpacked(first[b"iCCP"].partition(b"\0")[2][1:]) or b"broken")
    found.said += colorimetry.of_png(first)
    found.exif = first.get(b"eXIf")
    if len(first.get(b"pHYs", b"")) == 9:
        x, y, unit = struct.unpack(">IIB", first[b"pHYs"])
        found.dpi = (_per_inch(x), _per_inch(y)) if unit == 1 and x and y else None
    if len(first.get(b"acTL", b"")) == 8:
        found.frames = struct.unpack_from(">I", first[b"acTL"])[0]
    found.texts = texts
    return found


def _per_inch(per_metre: int) -> float:
    """Return 300 where a whole number per metre says 299.9994."""
    exact = per_metre * _INCH
    return float(round(exact)) if abs(exact - round(exact)) <= _INCH / 2 else exact


def _text(kind: bytes, content: bytes, most: int) -> tuple[str, str]:
    """Return keyword and text of a chunk.

    Raises:
        ValueError: it is broken, or longer than `most` bytes.
    """
    keyword, _, rest = content.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    elif packed:
        rest = rest[1:]
    unpacked = _unpacked(rest, most) if packed else rest
    if unpacked is None or len(unpacked) > most:
        raise ValueError("a text that cannot be unpacked")
    return keyword.decode("latin-1"), unpacked.decode("utf-8" if kind == b"iTXt" else "latin-1")


def _unpacked(data: bytes, most: int = _MOST) -> bytes | None:
    """Return zlib's data unpacked; None where it is broken, or more than so many bytes."""
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, most + 1)
    except zlib.error:
        return None
    return unpacked if unpacker.eof else None


def _take_raw_profiles(texts: dict[str, str], found: Carried, first: dict[bytes, bytes]) -> None:
    """Move what ImageMagick and ExifTool hide in a PNG's texts to where it belongs."""
    for keyword in [k for k in texts if k.startswith("Raw profile type ")]:
        kind, content = keyword.rpartition(" ")[2].lower(), b""
        with contextlib.suppress(ValueError):
            content = photoshop.read_raw_profile(texts.pop(keyword))
        if kind in ("iptc", "8bim"):
            found.resources |= _resources(content)
        elif kind in ("exif", "app1") and content.startswith(EXIF_HEAD):
            first.setdefault(b"eXIf", content.removeprefix(EXIF_HEAD))
        elif kind in ("xmp", "app1"):
            found.xmp = found.xmp or content.removeprefix(XMP_HEAD) or None


def _resources(content: bytes) -> dict[int, bytes]:
    """Return Photoshop's resources, or IPTC that lies there without them."""
    content = content.removeprefix(PHOTOSHOP_HEAD)
    found = photoshop.read_resources(content)
    return found or ({photoshop.IPTC: content} if content[:1] == b"\x1c" else {})


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """A JPEG's markers up to its first scan, with where their contents begin and end; last 0 and
    where the rest of the file begins."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a filler
            at += 1
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xDA or marker <= 0x01 or 0xD0 <= marker <= 0xD9 or size < 2:
            break
        yield marker, at + 4, at + 2 + size
        at += 2 + size
    yield 0, at, len(data)


def frame_header(data: bytes) -> tuple[int, int]:
    """Return a JPEG's kind of frame, a marker, and its bits per sample; (0, 0) where unknown."""
    for marker, start, _ in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and start < len(data):
            return marker, data[start]
    return 0, 0


def _bare_jpeg(data: bytes) -> bytes:
    kept = [JPEG_START]
    for marker, start, end in _segments(data):
        if marker == 0:
            kept.append(data[start:])
        elif marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(data[start - 4 : end])
    return b"".join(kept)


def _of_jpeg(data: bytes) -> Carried:
    found, photo = Carried(), b""
    icc: list[bytes] = []
    more: list[bytes] = []
    for marker, start, end in _segments(data):
        content = data[start:end]
        if marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 12:
            unit, x, y = struct.unpack_from(">BHH", content, 7)
            scale = {1: 1.0, 2: 2.54}.get(unit, 0.0)
            found.dpi = (x * scale, y * scale) if scale and x and y else None
        elif marker == 0xE1 and content.startswith(EXIF_HEAD):
            found.exif = found.exif or content.removeprefix(EXIF_HEAD)
        elif marker == 0xE1 and content.startswith(XMP_HEAD):
            found.xmp = found.xmp or content.removeprefix(XMP_HEAD)
        elif marker == 0xE1 and content.startswith(XMP_MORE):
            more.append(content.removeprefix(XMP_MORE)[32:])
        elif marker == 0xE2 and content.startswith(_ICC_HEAD):
            icc.append(content.removeprefix(_ICC_HEAD))
        elif marker == 0xED and content.startswith(PHOTOSHOP_HEAD):
            photo += content.removeprefix(PHOTOSHOP_HEAD)
        elif marker == 0xFE:
            found.texts.setdefault("Comment", _words(content))
    found.resources = photoshop.read_resources(photo)
    found.more_xmp = _joined_xmp(more)
    if icc:
        found.said.append(b"".join(part[2:] for part in sorted(icc, key=lambda part: part[:1])))
    return found


def _joined_xmp(parts: Sequence[bytes]) -> bytes | None:
    """Return the parts of an extended packet, each after its length and place, as one."""
    places = sorted((struct.unpack(">II", p[:8])[1], p[8:]) for p in parts if len(p) > 8)
    whole = b"".join(part for _, part in places)
    sizes = {struct.unpack(">I", p[:4])[0] for p in parts if len(p) > 8}
    return whole if sizes == {len(whole)} and whole else None


def _words(content: bytes) -> str:
    """Return a comment, in UTF-8 or as it may be."""
    content = content.rstrip(b"\0")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def colour_elsewhere(data: bytes) -> list[Said]:
    """What AVIF, JPEG 2000 and BMP say of their colours where Pillow does not look."""
    return [*_of_bmp(data), *_of_boxes(data)]


def _of_boxes(data: bytes) -> Iterable[Said]:
    """The `colr` box of an AVIF or JP2 file, which lies near its beginning."""
    at = data[:65536].find(b"colr")
    if data[4:8] not in (b"ftyp", b"jP  ") or at < 4:
        return
    content = data[at + 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]
    if content[:4] == b"nclx" and len(content) >= 11:
        primaries, transfer = struct.unpack_from(">HH", content, 4)
        yield colorimetry.of_code_points(primaries, transfer)  # the decoder gives the full range
    elif content[:1] in (b"\2", b"\3"):
        yield content[3:]


def _of_bmp(data: bytes) -> Iterable[Said]:
    """A Windows bitmap's calibration (version 4 of its header) or profile (version 5)."""
    if data[:2] != b"BM" or len(data) < 138 or struct.unpack_from("<I", data, 14)[0] < 108:
        return
    kind = data[70:74][::-1]
    if kind == b"sRGB":
        yield None
    elif kind == b"MBED":
        start, size = struct.unpack_from("<II", data, 126)
        yield data[14 + start : 14 + start + size]
    elif kind == bytes(4):
        ends = [n / 2**30 for n in struct.unpack_from("<9i", data, 74)]
        gammas = [n / 65536 for n in struct.unpack_from("<3I", data, 110)]
        yield from _calibrated([ends[at : at + 3] for at in (0, 3, 6)], gammas)


def _calibrated(ends: Sequence[Sequence[float]], gammas: Sequence[float]) -> Iterable[Said]:
    """What XYZ of the primaries, and exponents, say."""
    sums = [sum(end) for end in ends]
    white = [sum(end[i] for end in ends) for i in range(3)]
    if min(*sums, sum(white), *gammas) > 0:
        primaries = [end[i] / total for end, total in zip(ends, sums, strict=True) for i in (0, 1)]
        yield colorimetry.of_numbers(primaries, [w / sum(white) for w in white[:2]], gammas[0])
