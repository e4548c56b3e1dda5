"""JPEG XL by imagecodecs, 8 and 16 bits, written without loss.

It neither tells nor takes colours, so what the head says of them is read and written here; profiles
are read by OpenImageIO, an extra.
"""

import struct
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np

from photostyle.images import colorimetry
from photostyle.images.colorimetry import Said
from photostyle.images.containers import Carried
from photostyle.images.exif import exif_bytes, read_exif
from photostyle.images.formats import oiio
from photostyle.images.formats.jxlheader import (
    BT709,
    LINEAR,
    SRGB,
    Colours,
    Head,
    boxes,
    head_of,
    with_colours,
)
from photostyle.images.formats.stored import Fitted, Stored, gathered
from photostyle.images.icc import SRGB_CURVE, Curve
from photostyle.images.profiles import Samples
from photostyle.images.refusals import WRONG_SAMPLES, Refusal, check_size
from photostyle.images.spaces import Space, chromaticities, standard

_ORIENTATION = 0x0112
_EFFORT = 1  # of coding, of which more makes hardly smaller files
_UNREAD = "has colours that are said in a way that is not read; they are taken for sRGB"
_PROFILE = f"has a profile, for which more is needed ({oiio.INSTALL}), and is taken for sRGB"


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    head = head_of(data)
    check_size(head.width, head.height)


def read(data: bytes) -> Stored:
    """Decode the first frame.

    Raises:
        Refusal: it is too large, or of floats.
        Exception: nearly any, from damaged files.
    """
    head = head_of(data)
    check_size(head.width, head.height)
    pixels = imagecodecs.jpegxl_decode(data, 0)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Refusal(WRONG_SAMPLES)
    pixels = pixels.reshape(*pixels.shape[:2], -1)  # H×W×S
    channels = 1 if pixels.shape[2] < 3 else 3
    alpha = pixels[..., channels] if pixels.shape[2] > channels else None
    said, linear, notes = _said(head, data)
    samples = pixels[..., :channels]
    found, tags = Carried(said=said), read_exif(None)
    for name, start, end in boxes(data):
        if name == "Exif":
            tags = read_exif(data[start + 4 + int.from_bytes(data[start : start + 4]) : end])
        elif name == "xml ":
            found.xmp = data[start:end]
    tags[_ORIENTATION] = 1  # the decoder turns it by the file's own word
    if linear:
        samples = _turned(samples, SRGB_CURVE.values)
    return gathered(samples, alpha, tags, found, notes)


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4; it holds no manifest."""
    data = _in_space(pixels, fitted.space or standard("srgb"))
    if fitted.exif is not None:
        data += _box(b"Exif", bytes(4) + exif_bytes(fitted.exif))
    return data + (_box(b"xml ", fitted.xmp) if fitted.xmp else b"")


def _in_space(pixels: Samples, space: Space) -> bytes:
    """Encode values of a space without loss, under a curve that the head can say."""
    curve, transfer, gamma = _curve(space)
    planes = [_turned(pixels[..., n], _both(own, curve)) for n, own in enumerate(space.curves)]
    planes += [pixels[..., n] for n in range(3, pixels.shape[2])]
    data = imagecodecs.jpegxl_encode(
        np.stack(planes, axis=2), lossless=True, effort=_EFFORT, usecontainer=True
    )
    return with_colours(bytes(data), Colours(*chromaticities(space), transfer, gamma))


def _curve(space: Space) -> tuple[Curve, int | None, float]:
    """The nearest to a space's curve that the head can say; its number, or its exponent."""
    red, *others = space.curves
    g, a, b, *_, e, _ = red.numbers
    if red.table is None and all(c.table is None and c.numbers == red.numbers for c in others):
        if np.allclose(red.numbers, standard("rec2020").curves[0].numbers, atol=1e-3):
            return red, BT709, 0.0
        if np.allclose((a, b, e), (1, 0, 0), atol=1e-4) and g >= 1:
            return Curve((g, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)), None, g
    return SRGB_CURVE, SRGB, 0.0


def _both(old: Curve, new: Curve) -> Callable[[Any], Any]:
    """From values under one curve to those under another."""
    return lambda values: new.values(old.light(values))


def _turned(samples: Samples, curve: Callable[[Any], Any]) -> Samples:
    """Return values under a curve of [0, 1]."""
    most = np.iinfo(samples.dtype).max
    values = np.clip(curve(np.arange(most + 1) / most), 0, 1)
    table = np.rint(values * most).astype(samples.dtype)
    turned: Samples = table[samples]
    return turned


def _said(head: Head, data: bytes) -> tuple[list[Said], bool, tuple[str, ...]]:
    """What a file says of its colours, whether its values are light, to which sRGB's curve is put,
    and notes."""
    if head.profile:
        if head.mixed:  # the decoder makes light of sRGB of them
            return [], True, ()
        profile = _profile(data)
        return ([], False, (_PROFILE,)) if profile is None else ([profile], False, ())
    if head.colours is None:
        return [], False, (_UNREAD,)
    own = head.colours
    linear = own.transfer == LINEAR  # which the encoder here and others choose for 16 bits
    transfer = SRGB if linear else own.transfer
    return [colorimetry.of_curve(own.primaries, own.white, transfer, own.gamma)], linear, ()


def _profile(data: bytes) -> bytes | None:
    """A file's profile; None where what reads it is not installed."""
    if not oiio.there():
        return None
    with oiio.opened(data, ".jxl") as file:
        found = file.spec().getattribute("ICCProfile")
    return b"" if found is None else bytes(np.asarray(found, np.uint8))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content
