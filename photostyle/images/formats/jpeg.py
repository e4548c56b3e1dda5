"""JPEG: Pillow's pixels, and all else in segments of ours.

References: ITU-T T.81; JFIF 1.02; XMP specification, part 3.
"""

import hashlib
import io
import struct
from dataclasses import replace

import numpy as np
from PIL import Image

from photostyle.images.containers import (
    EXIF_HEAD,
    PHOTOSHOP_HEAD,
    XMP_HEAD,
    XMP_MORE,
    frame_header,
)
from photostyle.images.exif import exif_bytes
from photostyle.images.formats import gainmap, pillow
from photostyle.images.formats.stored import QUALITY, Fitted, Stored
from photostyle.images.photoshop import write_resources
from photostyle.images.profiles import Samples
from photostyle.images.refusals import not_read
from photostyle.images.spaces import standard

_READ_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)  # kinds of JPEG that Pillow decodes
_SEGMENT = 65533  # bytes in a segment after its length


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    kind, bits = frame_header(data)
    if bits not in (0, 8) or (kind and kind not in _READ_FRAMES):
        deep = bits not in (0, 8)
        raise not_read(
            f"a JPEG of {bits} bits per channel" if deep else "a lossless or hierarchical JPEG"
        )
    pillow.check(data)


def read(data: bytes) -> Stored:
    """Decode a picture, and what its gain map makes of it; raises as `pillow.read`."""
    check(data)
    stored = pillow.read(data)
    if not gainmap.holds(data):
        return stored
    light = gainmap.light_of(data)
    if light is None or light.shape[:2] != stored.samples.shape[:2]:
        return replace(stored, notes=(gainmap.DROPPED,))
    return replace(stored, light=light)


def lost(fitted: Fitted) -> list[str]:
    """Words for what of a picture is too long for its segment."""
    words = ["EXIF, which is too long for it"] if len(_exif_segment(fitted)) > _SEGMENT else []
    fits = len(_comment(fitted)) <= _SEGMENT
    if fitted.texts.keys() - ({"Comment"} if fits else set()):
        words.append("text notes")
    return words


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3, with what travels in segments after JFIF's; it holds no manifest."""
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
    whole = data[:20] + made + data[20:]
    if fitted.light is None:
        return whole
    with Image.open(io.BytesIO(data)) as image:  # what a display makes brighter
        base = (fitted.space or standard("srgb")).light(np.asarray(image.convert("RGB")))
    return gainmap.with_map(whole, base, fitted.light)


def _exif_segment(fitted: Fitted) -> bytes:
    return b"" if fitted.exif is None else EXIF_HEAD + exif_bytes(fitted.exif)


def _comment(fitted: Fitted) -> bytes:
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
