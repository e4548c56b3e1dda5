"""XMP that travels: rights, ratings, captions stay; what it says of the pixels is put right.

References: XMP specification, parts 1 to 3; Photo Sphere XMP Metadata (GPano).
"""

import contextlib
from collections.abc import Iterator
from xml.dom import minidom

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_EXIF_EX = "http://cipa.jp/exif/1.0/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_GPANO = "http://ns.google.com/photos/1.0/panorama/"
_NOTE = "http://ns.adobe.com/xmp/note/"

#: What tells how the old file stored its pixels, or what its colours were.
_DROPPED = {
    _TIFF: {
        "BitsPerSample", "Compression", "PhotometricInterpretation", "SamplesPerPixel",
        "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning", "YCbCrCoefficients",
        "WhitePoint", "PrimaryChromaticities", "TransferFunction", "ReferenceBlackWhite",
        "NativeDigest",
    },
    _EXIF: {
        "NativeDigest", "ComponentsConfiguration", "CompressedBitsPerPixel", "SubjectArea",
        "SubjectLocation",
    },
    _EXIF_EX: {"Gamma"},
    _XMP: {"Thumbnails"},
    _NOTE: {"HasExtendedXMP"},
}  # fmt: skip
#: Namespaces of what lies behind the picture in its file: depth, gain maps, short films.
_DROPPED_SPACES = {
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.google.com/photos/1.0/camera/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/container/item/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
}


def whole_xmp(packet: bytes | None, more: bytes | None) -> bytes | None:
    """Return a packet together with what it goes on with, in JPEGs beyond 64 KiB."""
    if not packet or not more:
        return packet
    with contextlib.suppress(Exception):  # either may be broken
        document = _parsed(packet)
        (place, *_) = document.getElementsByTagNameNS(_RDF, "RDF")
        for description in _parsed(more).getElementsByTagNameNS(_RDF, "Description"):
            if getattr(description.parentNode, "localName", None) == "RDF":
                place.appendChild(document.importNode(description, deep=True))
        return _written(document)
    return packet


def fitted_xmp(
    packet: bytes,
    size: tuple[int, int],
    dpi: tuple[float, float] | None,
    profile: str | None,
    index: str = "R98",
) -> bytes | None:
    """Return a packet put right for an upright picture; None where it is broken.

    Args:
        packet: as it was in the file.
        size: (height, width) of the picture.
        dpi: its resolution, where the packet names one.
        profile: name of its ICC profile, if it has one.
        index: EXIF's InteroperabilityIndex of its colours; empty where they have none.
    """
    try:
        document = _parsed(packet)
        height, width = size
        values: dict[tuple[str, str], str | None] = {
            (_TIFF, "Orientation"): "1",
            (_TIFF, "ImageWidth"): str(width),
            (_TIFF, "ImageLength"): str(height),
            (_EXIF, "PixelXDimension"): str(width),
            (_EXIF, "PixelYDimension"): str(height),
            (_EXIF, "ColorSpace"): "1" if index == "R98" else "65535",
            (_EXIF_EX, "InteroperabilityIndex"): index or None,
            (_PHOTOSHOP, "ColorMode"): "3",
            (_PHOTOSHOP, "ICCProfile"): profile,
        }
        if dpi:
            x, y = (f"{round(value * 10000)}/10000" for value in dpi)
            values |= {(_TIFF, "XResolution"): x, (_TIFF, "YResolution"): y}
            values[_TIFF, "ResolutionUnit"] = "2"
        _correct(document, values | _panorama(document, size))
        return _written(document)
    except Exception:  # from whatever is broken, deep or not XML at all
        return None


def orientation_in(packet: bytes | None) -> int | None:
    """Return the orientation that a packet tells, 1 to 8, or None."""
    if not packet or b"Orientation" not in packet:
        return None
    with contextlib.suppress(Exception):  # as above
        for owner, name, node in _properties(_parsed(packet)):
            if (owner, name) == (_TIFF, "Orientation") and _value(node) in set("12345678"):
                return int(_value(node))
    return None


def _parsed(packet: bytes) -> minidom.Document:
    """Return the packet's tree.

    Raises:
        ValueError, ExpatError: it is no XMP.
    """
    packet = packet.strip(b"\0 \t\r\n")
    if b"<!" in packet.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise ValueError("a packet has no document type")
    document = minidom.parseString(packet)
    if not document.getElementsByTagNameNS(_RDF, "RDF"):
        raise ValueError("a packet has an rdf:RDF")
    return document


def _properties(
    document: minidom.Document,
) -> Iterator[tuple[str | None, str | None, minidom.Attr | minidom.Element]]:
    """(namespace, name, node) of every property, as attribute or as element."""
    for description in document.getElementsByTagNameNS(_RDF, "Description"):
        for attribute in list(description.attributes.values()):
            yield attribute.namespaceURI, attribute.localName, attribute
        for child in list(description.childNodes):
            if isinstance(child, minidom.Element):
                yield child.namespaceURI, child.localName, child


def _correct(document: minidom.Document, values: dict[tuple[str, str], str | None]) -> None:
    """Drop what is no longer true, and put other values in the place of those that are there."""
    for owner, name, node in _properties(document):
        space, word = owner or "", name or ""
        if space in _DROPPED_SPACES or word in _DROPPED.get(space, ()):
            _drop(node)
        elif (space, word) in values:
            value = values[space, word]
            if value is None:
                _drop(node)
            elif isinstance(node, minidom.Attr):
                node.value = value
            else:
                node.childNodes[:] = [document.createTextNode(value)]


def _drop(node: minidom.Attr | minidom.Element) -> None:
    if isinstance(node, minidom.Attr):
        if node.ownerElement is not None:
            node.ownerElement.removeAttributeNode(node)
    elif node.parentNode is not None:
        node.parentNode.removeChild(node)


def _panorama(
    document: minidom.Document, size: tuple[int, int]
) -> dict[tuple[str, str], str | None]:
    """The numbers of pixels that GPano tells, in proportion to the picture's own."""
    found = {n: _value(node) for owner, n, node in _properties(document) if owner == _GPANO and n}
    with contextlib.suppress(KeyError, ValueError, ZeroDivisionError):
        across = size[1] / int(found["CroppedAreaImageWidthPixels"])
        down = size[0] / int(found["CroppedAreaImageHeightPixels"])
        return {
            (_GPANO, name): str(
                round(int(value) * (across if "Width" in name or "Left" in name else down))
            )
            for name, value in found.items()
            if name.endswith("Pixels")
        }
    return {}


def _written(document: minidom.Document) -> bytes:
    return str(document.toxml()).partition("?>")[2].encode()  # without the XML declaration


def _value(node: minidom.Attr | minidom.Element) -> str:
    if isinstance(node, minidom.Attr):
        return str(node.value)
    return "".join(c.data for c in node.childNodes if isinstance(c, minidom.Text)).strip()
