"""Gain maps of JPEG files (Ultra HDR): a second picture that says how much brighter an HDR display
shows each pixel of the first.

References: ISO 21496-1:2025, annex C; Android's Ultra HDR Image Format 1.1; CIPA DC-007 (MPF).
"""

import io
import struct

import imagecodecs
import numpy as np
from PIL import Image

from photostyle.images.formats.stored import Light

ISO_HEAD = b"urn:iso:std:iso:ts:21496:-1\0"
#: What is said where a map is not used.
DROPPED = "has a gain map for HDR displays, which is of a kind that is not read and is left out"
_ADOBE = b"http://ns.adobe.com/hdr-gain-map/1.0/"
_APPLE = b"http://ns.apple.com/HDRGainMap/1.0/"
_MPF_HEAD = b"MPF\0"
_OFFSET = 1 / 64  # added to both pictures' light, so that blacks have gains, too
_QUALITY = 100  # of the map: an error in it is one in exponents
_GAMMA = 1.3  # of the map's levels: finer for lights, where they count most
_PART = 2**20  # denominator of the numbers written
_NEGLIGIBLE = 1.001  # of white: from here on there is more light than the base shows


def holds(data: bytes) -> bool:
    """Tell whether a JPEG file has a gain map."""
    return any(word in data for word in (ISO_HEAD, _ADOBE, _APPLE))


def light_of(data: bytes) -> Light | None:
    """Return linear light H×W×3 in the first picture's primaries, 1 for its white; None where the
    map is of a kind that is not read, or damaged."""
    if ISO_HEAD not in data and _ADOBE not in data:
        return None
    try:
        found = imagecodecs.ultrahdr_decode(data, dtype="float16")[..., :3].astype(np.float32)
    except Exception:  # the base is a picture all the same
        return None
    return found if bool(np.isfinite(found).all()) else None


def with_map(jpeg: bytes, base: Light, light: Light) -> bytes:
    """Return a JPEG file with the gain map that makes `light` of its own light `base`; as it is
    where there is nothing brighter.

    Args:
        jpeg: beginning with JFIF's segment. base, light: H×W×3, 1 for white.
    """
    if light.max() <= _NEGLIGIBLE:
        return jpeg
    gains = np.log2((np.maximum(light, 0) + _OFFSET) / (base + _OFFSET))
    low, high = float(min(gains.min(), 0.0)), float(max(gains.max(), 1e-3))
    levels = np.rint(((gains - low) / (high - low)) ** _GAMMA * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    plain = file.getvalue()
    second = plain[:20] + _segment(0xE2, ISO_HEAD + _numbers(low, high)) + plain[20:]
    iso = _segment(0xE2, ISO_HEAD + struct.pack(">HH", 0, 0))
    first = jpeg[:20] + iso + jpeg[20:]
    place = 20 + len(iso) + 4 + len(_MPF_HEAD)  # from which the second picture's place counts
    size = len(first) + len(_index(0, 0, 0))
    index = _index(size, len(second), size - place)
    return first[: 20 + len(iso)] + index + first[20 + len(iso) :] + second


def _numbers(low: float, high: float) -> bytes:
    """Return ISO 21496-1's metadata of one range for all channels."""
    made = struct.pack(">HHB", 0, 0, 0x40)  # one channel's numbers; gains in the base's primaries
    made += struct.pack(">4I", 0, 1, round(high * _PART), _PART)  # headroom of base and of the rest
    made += struct.pack(">iIiI", round(low * _PART), _PART, round(high * _PART), _PART)
    made += struct.pack(">II", round(_GAMMA * 100), 100)
    return made + struct.pack(">iIiI", 1, round(1 / _OFFSET), 1, round(1 / _OFFSET))


def _index(size: int, second: int, place: int) -> bytes:
    """Return the segment that tells where both pictures lie."""
    entries = struct.pack(">IIIHH", 0x20030000, size, 0, 0, 0)
    entries += struct.pack(">IIIHH", 0, second, place, 0, 0)
    tags = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    tags += struct.pack(">HHII", 0xB001, 4, 1, 2)
    tags += struct.pack(">HHII", 0xB002, 7, len(entries), 8 + 2 + 3 * 12 + 4)
    head = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", 3) + tags + bytes(4)
    return _segment(0xE2, _MPF_HEAD + head + entries)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
