"""What travels with an AVIF picture, put into a file that an encoder made without it.

Reference: ISO/IEC 14496-12 (boxes), 23008-12 (items and their properties).
"""

import struct
from collections.abc import Iterator

_XMP_TYPE = b"application/rdf+xml"
_FULL = 4  # bytes of a box's version and flags
_NARROW = 128  # properties whose numbers take a byte


def with_more(data: bytes, icc: bytes | None, exif: bytes | None, xmp: bytes | None) -> bytes:
    """Return an AVIF file with a profile, EXIF (a TIFF structure) and XMP of its picture.

    Args:
        data: whose pictures lie in `mdat` alone, in one piece each.
    """
    top = dict(_boxes(data))
    meta = dict(_boxes(top[b"meta"][_FULL:]))
    (picture,) = struct.unpack_from(">H", meta[b"pitm"], _FULL)
    items = _items(data, meta[b"iloc"])
    first = max(items) + 1
    more = [
        (kind, content)
        for kind, content in (
            (b"Exif\0", None if exif is None else bytes(4) + exif),
            (b"mime\0" + _XMP_TYPE + b"\0", xmp),
        )
        if content
    ]
    for n, (kind, content) in enumerate(more, first):
        items[n] = content
        entry = _box(b"infe", struct.pack(">IHH", 2 << 24, n, 0) + kind)
        meta[b"iinf"] = _counted(meta[b"iinf"]) + entry
        link = _box(b"cdsc", struct.pack(">HHH", n, 1, picture))
        meta[b"iref"] = meta.get(b"iref", bytes(_FULL)) + link
    if icc is not None:
        meta[b"iprp"] = _with_profile(meta[b"iprp"], picture, icc)
    meta[b"iloc"] = _places(items, 0)
    start = len(_box(b"ftyp", top[b"ftyp"])) + len(_whole(meta)) + 8
    meta[b"iloc"] = _places(items, start)
    return _box(b"ftyp", top[b"ftyp"]) + _whole(meta) + _box(b"mdat", b"".join(items.values()))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the boxes in `data`."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + size if size else len(data)
        if size == 1 or end < at + 8:
            raise ValueError("its boxes are of a kind that is not read")
        yield name, data[at + 8 : end]
        at = end


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def _whole(meta: dict[bytes, bytes]) -> bytes:
    return _box(b"meta", bytes(_FULL) + b"".join(_box(*part) for part in meta.items()))


def _counted(content: bytes) -> bytes:
    """Return a box of entries (version 0) that counts one more."""
    (count,) = struct.unpack_from(">H", content, _FULL)
    return content[:_FULL] + struct.pack(">H", count + 1) + content[_FULL + 2 :]


def _items(data: bytes, places: bytes) -> dict[int, bytes]:
    """Return the contents of items by number, from an `iloc` of version 0 with 4-byte places."""
    head, sizes, count = struct.unpack_from(">IHH", places)
    if head != 0 or sizes != 0x4400 or len(places) != 8 + 14 * count:
        raise ValueError("its boxes are of a kind that is not read")
    found = {}
    for at in range(8, len(places), 14):
        number, _, _, start, size = struct.unpack_from(">HHHII", places, at)
        found[number] = data[start : start + size]
    return found


def _places(items: dict[int, bytes], start: int) -> bytes:
    """Return the `iloc` of items that lie one after the other from `start` on."""
    made = struct.pack(">IHH", 0, 0x4400, len(items))
    for number, content in items.items():
        made += struct.pack(">HHHII", number, 0, 1, start, len(content))
        start += len(content)
    return made


def _with_profile(content: bytes, picture: int, icc: bytes) -> bytes:
    """Return an `iprp` with a profile for one picture."""
    parts = dict(_boxes(content))
    parts[b"ipco"] += _box(b"colr", b"prof" + icc)
    number = len(list(_boxes(parts[b"ipco"])))
    links = parts[b"ipma"]
    head, count = struct.unpack_from(">II", links)
    if head != 0 or number >= _NARROW:
        raise ValueError("its boxes are of a kind that is not read")
    made, at = links[:8], 8
    for _ in range(count):
        item, many = struct.unpack_from(">HB", links, at)
        own = links[at + 3 : at + 3 + many] + (bytes([number]) if item == picture else b"")
        made += struct.pack(">HB", item, len(own)) + own
        at += 3 + many
    parts[b"ipma"] = made
    return b"".join(_box(*part) for part in parts.items())
