"""JPEG XL by imagecodecs, 8 and 16 bits. It neither tells nor takes profiles, so what the header
says of colours is read here, and sRGB is written.

Reference: ISO/IEC 18181-1:2024, annexes B, D and E; 18181-2 (boxes).
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np

from photostyle.images import colorimetry
from photostyle.images.colorimetry import Said
from photostyle.images.containers import Carried
from photostyle.images.exif import exif_bytes, read_exif
from photostyle.images.formats.stored import Fitted, Stored, gathered
from photostyle.images.icc import SRGB_CURVE
from photostyle.images.profiles import Samples
from photostyle.images.refusals import WRONG_SAMPLES, Refusal, check_size

Colours = tuple[int, int] | bytes | None

_ORIENTATION = 0x0112
_DISTANCE = 0.1  # in just noticeable differences, where nothing is seen any more
_BARE, _BOXED = b"\xff\x0a", b"\0\0\0\x0cJXL "
_LINEAR, _SRGB = 8, 13  # transfers
_CODES = ("jxlc", "jxlp")
_PRIMARIES = {1: 1, 9: 9, 11: 12}  # the format's numbers to H.273's; its P3 has a white of D65


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    width, height, _ = _header(data)
    check_size(width, height)


def read(data: bytes) -> Stored:
    """Decode the first frame.

    Raises:
        Refusal: it is too large, or of floats.
        Exception: nearly any, from damaged files.
    """
    width, height, colours = _header(data)
    check_size(width, height)
    pixels = imagecodecs.jpegxl_decode(data, 0)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Refusal(WRONG_SAMPLES)
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    said, linear = _said(colours)
    channels = 1 if pixels.shape[2] < 3 else 3
    alpha = pixels[..., channels] if pixels.shape[2] > channels else None
    samples = pixels[..., :channels]
    found, tags = Carried(said=said), read_exif(None)
    for name, start, end in _boxes(data):
        if name == "Exif":
            tags = read_exif(data[start + 4 + int.from_bytes(data[start : start + 4]) : end])
        elif name == "xml ":
            found.xmp = data[start:end]
    tags[_ORIENTATION] = 1  # the decoder turns it by the file's own word
    return gathered(_turned(samples, SRGB_CURVE.values) if linear else samples, alpha, tags, found)


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4 of sRGB; it holds neither profile nor manifest."""
    if pixels.itemsize == 2:  # which the encoder takes for light
        pixels = np.concatenate(
            [_turned(pixels[..., :3], SRGB_CURVE.light), pixels[..., 3:]], axis=2
        )
    data = bytes(imagecodecs.jpegxl_encode(pixels, distance=_DISTANCE, usecontainer=True))
    if fitted.exif is not None:
        data += _box(b"Exif", bytes(4) + exif_bytes(fitted.exif))
    return data + (_box(b"xml ", fitted.xmp) if fitted.xmp else b"")


def _turned(samples: Samples, curve: Callable[[Any], Any]) -> Samples:
    """Return values under a curve of [0, 1]."""
    most = np.iinfo(samples.dtype).max
    table = np.rint(curve(np.arange(most + 1) / most) * most).astype(samples.dtype)
    turned: Samples = table[samples]
    return turned


def _said(colours: Colours) -> tuple[list[Said], bool]:
    """Return what H.273's numbers say, and whether values are light, which the encoder here and
    others choose for 16 bits only; sRGB's curve is put in its place."""
    if colours is None or isinstance(colours, bytes):
        return ([] if colours is None else [colours]), False
    primaries, transfer = colours
    linear = transfer == _LINEAR
    return [colorimetry.of_code_points(primaries, _SRGB if linear else transfer)], linear


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _boxes(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Names of a file's boxes, with where their contents begin and end."""
    at = 0 if data.startswith(_BOXED) else len(data)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        end = at + size if size else len(data)
        if end < at + head:
            return
        yield name.decode("latin-1"), at + head, end
        at = end


class _Bits:
    """The numbers of a header, the lowest bits first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:4096], "little")

    def number(self, bits: int) -> int:
        found = self._value & ((1 << bits) - 1)
        self._value >>= bits
        return found

    def one_of(self, *ways: tuple[int, int]) -> int:
        """A number of one of four ways, each a least one and so many bits beyond it."""
        least, bits = ways[self.number(2)]
        return least + self.number(bits)

    def enum(self) -> int:
        return self.one_of((0, 0), (1, 0), (2, 4), (18, 6))


def _header(data: bytes) -> tuple[int, int, Colours]:
    """Width, height and what is said of colours.

    Raises:
        ValueError: there is no picture in the file.
    """
    start = 0
    if not data.startswith(_BARE):
        where = [(name, start) for name, start, _ in _boxes(data) if name in _CODES]
        if not where:
            raise ValueError("its header makes no sense")
        start = where[0][1] + (4 if where[0][0] == "jxlp" else 0)
    bits = _Bits(data[start + 2 : start + 4096])
    height, width = _size(bits)
    return width, height, _colours(bits)


def _size(bits: _Bits) -> tuple[int, int]:
    sides = ((1, 9), (1, 13), (1, 18), (1, 30))
    small = bits.number(1)
    height = 8 * (bits.number(5) + 1) if small else bits.one_of(*sides)
    ratio = bits.number(3)
    if ratio == 0:
        return height, 8 * (bits.number(5) + 1) if small else bits.one_of(*sides)
    up, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height, height * up // down


def _colours(bits: _Bits) -> Colours:
    """What the header says of colours: numbers of H.273, bytes where they are not read, None for
    sRGB and where it would take more to read it."""
    if bits.number(1):
        return None  # all is usual: sRGB
    if bits.number(1):  # orientation, and sizes for showing it
        bits.number(3)
        if bits.number(1):
            _size(bits)
        if bits.number(1) or bits.number(1):
            return None  # a preview or an animation
    if bits.number(1):
        return None  # floats
    bits.one_of((8, 0), (10, 0), (12, 0), (1, 6))
    bits.number(1)
    extra = bits.one_of((0, 0), (1, 0), (2, 4), (1, 12))
    if extra > 1 or (extra == 1 and not _plain_alpha(bits)):
        return None
    bits.number(1)
    if bits.number(1):
        return None  # sRGB
    if bits.number(1):
        return b"a profile that the decoder keeps to itself"
    if bits.enum() != 0:
        return None  # not RGB
    white, primaries = bits.enum(), bits.enum()
    if white != 1 or bits.number(1):
        return b"colours that are not read"
    return _PRIMARIES.get(primaries, 0), bits.enum()


def _plain_alpha(bits: _Bits) -> bool:
    """Read past an alpha channel of the usual kind; False where it is another."""
    if bits.number(1):
        return True
    if bits.enum() != 0 or bits.number(1):
        return False
    bits.one_of((8, 0), (10, 0), (12, 0), (1, 6))
    bits.one_of((0, 0), (3, 0), (4, 0), (1, 3))
    if bits.one_of((0, 0), (0, 4), (16, 5), (48, 10)):
        return False
    bits.number(1)
    return True
