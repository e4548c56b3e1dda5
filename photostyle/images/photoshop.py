"""Photoshop's image resources, in which JPEG and TIFF keep IPTC; and their place in PNG.

Reference: Adobe Photoshop File Formats Specification, "Image Resources Section".
"""

import struct
from collections.abc import Mapping

IPTC = 1028
PROFILE = 1039
#: Resources that tell of the photograph alone: IPTC and its digest, copyright flag and address. The
#: rest tells of pixels (thumbnails, paths), of colours, or is kept elsewhere (EXIF, XMP).
KEPT = (IPTC, 1034, 1035, 1061)


def read_resources(data: bytes) -> dict[int, bytes]:
    """Return the resources by their numbers; what comes after damage is left out."""
    found: dict[int, bytes] = {}
    at = 0
    try:
        while data[at : at + 4] == b"8BIM":
            number, length = struct.unpack_from(">HB", data, at + 4)
            at += 6 + (length + 2) // 2 * 2  # the name, padded with its length's byte
            (size,) = struct.unpack_from(">I", data, at)
            content = data[at + 4 : at + 4 + size]
            if len(content) == size:
                found.setdefault(number, content)
            at += 4 + (size + 1) // 2 * 2
    except struct.error:
        pass
    return found


def write_resources(resources: Mapping[int, bytes]) -> bytes:
    """Return the bytes that `read_resources` reads."""
    parts = (
        b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + bytes(len(content) % 2)
        for number, content in resources.items()
    )
    return b"".join(parts)


def read_raw_profile(text: str) -> bytes:
    """Return what a PNG text "Raw profile type …" holds: a name, a length, and digits.

    Raises:
        ValueError: it is nothing of the kind.
    """
    _, length, *digits = text.split()
    content = bytes.fromhex("".join(digits))
    if len(content) < int(length):
        raise ValueError("the profile is shorter than it says")
    return content[: int(length)]


def write_raw_profile(name: str, content: bytes) -> str:
    """Return the text that `read_raw_profile` reads."""
    digits = content.hex()
    lines = (digits[at : at + 72] for at in range(0, len(digits), 72))
    return "\n".join(["", name, f"{len(content):8d}", *lines, ""])
