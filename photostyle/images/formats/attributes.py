"""Attributes of OpenImageIO's headers, and EXIF as some of them."""

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photostyle.images.containers import EXIF_HEAD, carried
from photostyle.images.exif import exif_bytes, read_exif

Attributes = tuple[tuple[str, str, Any], ...]

XMP = "xmp"
#: How pixels are coded, of which files they were a part, and what `vfx` writes itself.
_OWN = ("oiio:", "openexr:", "jpeg:", "cryptomatte/", "chunkCount", "tiles", "type", "version",
        "ICCProfile", "chromaticities", "CICP", "dpx:Transfer", "dpx:Colorimetric", "dpx:Packing",
        "dpx:ImageDescriptor", "dpx:Version", "dpx:DittoKey", "dpx:EndOf")  # fmt: skip
#: One of which tells that there is EXIF.
_EXIF = ("Exif:", "GPS:", "Make", "Model", "Artist", "Copyright", "ImageDescription")
_ORIENTATION = 0x0112
_LOSSLESS = ("none", "rle", "zip", "zips", "piz")
_PARTS = ("name", "view", "multiView")


def attributes_of(spec: Any) -> Attributes:
    """What a result of the picture has in its header, too."""
    found = [(a.name, str(a.type), _text(a.value)) for a in spec.extra_attribs]
    return tuple(
        (name, kind, value)
        for name, kind, value in found
        if not name.startswith(_OWN)
        and name not in _PARTS
        and not (name == "compression" and value not in _LOSSLESS)
    )


def _text(value: Any) -> Any:
    """A text that is not UTF-8 as the Latin-1 that it then is; any other value as it is."""
    if not isinstance(value, str):
        return value
    stored = value.encode("utf-8", "surrogateescape")
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored.decode("latin-1")


def put(spec: Any, attributes: Attributes) -> None:
    """Set attributes of a header."""
    import OpenImageIO as oiio

    for name, kind, value in attributes:
        spec.attribute(name, oiio.TypeDesc(kind), value)


def exif_of(attributes: Attributes) -> Image.Exif:
    """EXIF's tags among attributes, as OpenImageIO writes them into a JPEG file. An orientation is
    none of them: nothing turns such pictures by it."""
    import OpenImageIO as oiio

    if not any(name.startswith(_EXIF) for name, _, _ in attributes):
        return read_exif(None)
    spec = oiio.ImageSpec(1, 1, 3, "uint8")
    put(spec, attributes)
    with tempfile.TemporaryDirectory(prefix="photostyle-") as folder:
        path = Path(folder) / "a.jpg"
        out = oiio.ImageOutput.create(str(path))
        if out is None or not out.open(str(path), spec):
            return read_exif(None)
        out.write_image(np.zeros((1, 1, 3), np.uint8))
        out.close()
        tags = read_exif(carried(path.read_bytes()).exif)
    tags[_ORIENTATION] = 1
    return tags


def of_exif(tags: Image.Exif) -> Attributes:
    """EXIF's tags as attributes, as OpenImageIO reads them from a JPEG file."""
    import OpenImageIO as oiio

    Image.new("RGB", (1, 1)).save(file := io.BytesIO(), "JPEG", exif=EXIF_HEAD + exif_bytes(tags))
    with tempfile.TemporaryDirectory(prefix="photostyle-") as folder:
        path = Path(folder) / "a.jpg"
        path.write_bytes(file.getvalue())
        opened = oiio.ImageInput.open(str(path))
        found = () if opened is None else attributes_of(opened.spec())
        if opened is not None:
            opened.close()
    return tuple(one for one in found if one[0] != "Orientation")
