"""Creative profiles of Lightroom and Camera Raw: .xmp with a lattice of at most 32 nodes a side.

The table, little-endian: u32 1 (RGB table), 1 (version), 3 (dimensions), N; N³×3 u16 differences
from the identity modulo 2¹⁶, blue fastest, where node i of the identity is
⌊(65535·i + ⌊N/2⌋)/(N − 1)⌋; u32 primaries, curve and what is done with colours outside; f64 least
and greatest amount. Its MD5 is its name. It stands in an attribute: u32 length, then a zlib stream,
each four bytes a little-endian number of five digits to the base 85, least digit first.

Undocumented by Adobe but for the published source of its DNG SDK (dng_big_table), which reads it.
"""

import hashlib
import struct
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from photostyle.errors import LutError
from photostyle.images.saving import atomic_path
from photostyle.looks.encodings import SRGB
from photostyle.looks.formats.reading import printable
from photostyle.looks.lattice import Array
from photostyle.looks.lut import Lut

MOST_NODES = 32
#: All that may stand in an XML attribute, in the order of its values.
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?`'|()[]{}@%$#"
_RGB_TABLE, _VERSION, _DIMENSIONS = 1, 1, 3
_SRGB_PRIMARIES, _SRGB_CURVE, _CLIP = 0, 1, 0
_AMOUNTS = (0.0, 2.0)  # of the slider: 0 to 200 %
_PROFILE = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="photostyle">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   crs:PresetType="Look"
   crs:Cluster=""
   crs:UUID="{uuid}"
   crs:SupportsAmount="True"
   crs:SupportsColor="True"
   crs:SupportsMonochrome="True"
   crs:SupportsHighDynamicRange="True"
   crs:SupportsNormalDynamicRange="True"
   crs:SupportsSceneReferred="True"
   crs:SupportsOutputReferred="True"
   crs:RequiresRGBTables="False"
   crs:CameraModelRestriction=""
   crs:Copyright=""
   crs:ContactInfo=""
   crs:Version="14.3"
   crs:ProcessVersion="11.0"
   crs:ConvertToGrayscale="False"
   crs:RGBTable="{name}"
   crs:Table_{name}="{table}"
   crs:HasSettings="True">
{words}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
_WORDS = """\
   <crs:{tag}>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">{text}</rdf:li>
    </rdf:Alt>
   </crs:{tag}>"""


def write(path: Path, lut: Lut) -> None:
    """Writes a table from sRGB to sRGB values as a profile; values beyond [0, 1] are cut.

    Raises:
        LutError: it is for other encodings. OutputError: no place.
    """
    if (lut.input, lut.output) != (SRGB, SRGB):
        raise LutError(
            f"{path}: a Lightroom profile holds sRGB values, not {lut.input} to {lut.output}; "
            "write it with srgb as input and output."
        )
    table = table_of(lut.over_unit(fitted_size(lut.lattice.size)).values)
    title = printable(lut.title) or path.stem
    name = hashlib.md5(table, usedforsecurity=False).hexdigest().upper()
    uuid = hashlib.md5(table + title.encode(), usedforsecurity=False).hexdigest().upper()
    said = {"Name": title, "ShortName": "", "SortName": "", "Group": "photostyle",
            "Description": ""}  # fmt: skip
    words = "\n".join(_WORDS.format(tag=tag, text=escape(text)) for tag, text in said.items())
    packed = digits_of(struct.pack("<I", len(table)) + zlib.compress(table, 9))
    text = _PROFILE.format(uuid=uuid, name=name, table=packed, words=words)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def fitted_size(size: int) -> int:
    """The size nearest to another that a profile can have."""
    return min(size, MOST_NODES)


def table_of(values: Array) -> bytes:
    """The table of N×N×N×3 values, [r, g, b], N ≤ 32, in sRGB."""
    size = len(values)
    steps = (65535 * np.arange(size) + size // 2) // (size - 1)
    identity = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    levels = np.rint(np.clip(values, 0, 1).astype(np.float64) * 65535).astype(np.int64)
    return (
        struct.pack("<4I", _RGB_TABLE, _VERSION, _DIMENSIONS, size)
        + ((levels - identity) % 65536).astype("<u2").tobytes()
        + struct.pack("<3I2d", _SRGB_PRIMARIES, _SRGB_CURVE, _CLIP, *_AMOUNTS)
    )


def digits_of(data: bytes) -> str:
    """Bytes to the base 85: five digits for four bytes, n + 1 for the last n."""
    spare = -len(data) % 4
    numbers = np.frombuffer(data + bytes(spare), "<u4").astype(np.int64)
    digits = numbers[:, None] // 85 ** np.arange(5) % 85  # …×5
    text = "".join(DIGITS[digit] for digit in digits.ravel())
    return text[: len(text) - spare]
