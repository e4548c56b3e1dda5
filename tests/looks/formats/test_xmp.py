"""Lightroom's profiles, read by a plain reader of their own."""

import hashlib
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import numpy as np
import pytest

from photostyle.errors import LutError
from photostyle.looks.formats import xmp
from photostyle.looks.lattice import Lattice
from photostyle.looks.lut import Lut
from tests.looks.readers import evening

CRS = "{http://ns.adobe.com/camera-raw-settings/1.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
ALPHABET = (
    "0123456789" + "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    + ".-:+=^!/*?`'|()[]{}@%$#"
)  # fmt: skip


def described(path: Path) -> ElementTree.Element:
    found = ElementTree.parse(path).getroot().find(f"{RDF}RDF/{RDF}Description")
    assert found is not None
    return found


def bytes_of(text: str) -> bytes:
    """Digits to the base 85, least first, as little-endian u32; n + 1 digits are n bytes."""
    out = b""
    for start in range(0, len(text), 5):
        group = text[start : start + 5]
        number = sum(ALPHABET.index(digit) * 85**place for place, digit in enumerate(group))
        out += struct.pack("<Q", number)[: len(group) - 1]
    return out


def table_in(path: Path) -> bytes:
    """The table of a profile, its name and its length checked."""
    attributes = described(path).attrib
    name = attributes[f"{CRS}RGBTable"]
    packed = bytes_of(attributes[f"{CRS}Table_{name}"])
    table = zlib.decompress(packed[4:])
    assert struct.unpack("<I", packed[:4])[0] == len(table)
    assert hashlib.md5(table).hexdigest().upper() == name
    return table


def lattice_in(table: bytes) -> np.ndarray:
    """N×N×N×3 levels of 65535, [r, g, b]."""
    kind, version, dimensions, size = struct.unpack_from("<4I", table)
    assert (kind, version, dimensions) == (1, 1, 3)
    out = np.zeros((size, size, size, 3), np.int64)
    at = 16
    for r in range(size):
        for g in range(size):
            for b in range(size):
                given = struct.unpack_from("<3H", table, at)
                for channel, (node, difference) in enumerate(zip((r, g, b), given, strict=True)):
                    plain = (node * 65535 + size // 2) // (size - 1)
                    out[r, g, b, channel] = (plain + difference) % 65536
                at += 6
    assert struct.unpack_from("<3I", table, at) == (0, 1, 0)  # sRGB primaries, its curve, clip
    assert struct.unpack_from("<2d", table, at + 12) == (0.0, 2.0)
    assert len(table) == at + 28
    return out


@pytest.mark.parametrize("size", [2, 7, 16, 17, 32])
def test_a_plain_reader_finds_the_lattice(tmp_path: Path, size: int) -> None:
    lut = Lut.of(evening, size)
    xmp.write(tmp_path / "a.xmp", lut)
    found = lattice_in(table_in(tmp_path / "a.xmp"))
    assert found.shape[0] == size
    assert np.abs(found / 65535 - lut.lattice.values).max() <= 0.5 / 65535 + 1e-6
    assert np.abs(found / 65535 - Lattice.identity(size).values).max() > 0.1


def test_the_identity_is_all_zeros(tmp_path: Path) -> None:
    xmp.write(tmp_path / "a.xmp", Lut(Lattice.identity(17)))
    assert not any(table_in(tmp_path / "a.xmp")[16:-28])


def test_a_larger_lattice_is_looked_up_at_32_nodes(tmp_path: Path) -> None:
    xmp.write(tmp_path / "a.xmp", Lut.of(evening, 65))
    found = lattice_in(table_in(tmp_path / "a.xmp")) / 65535
    assert np.abs(found - Lattice.of(evening, 32).values).max() < 1 / 1000


def test_values_beyond_white_are_cut(tmp_path: Path) -> None:
    xmp.write(tmp_path / "a.xmp", Lut(Lattice.of(lambda rgb: 3 * rgb - 1, 3)))
    assert [*lattice_in(table_in(tmp_path / "a.xmp"))[:, 0, 0, 0]] == [0, 32768, 65535]


@pytest.mark.parametrize("count", range(9))
def test_bytes_of_any_number(count: int) -> None:
    data = bytes(range(250, 250 - count, -1))
    assert bytes_of(xmp.digits_of(data)) == data


def test_a_profile_says_what_lightroom_asks_for(tmp_path: Path) -> None:
    xmp.write(tmp_path / "a.xmp", Lut.of(evening, 5, title='Night & "day" <1>'))
    found = described(tmp_path / "a.xmp")
    assert found.attrib[f"{CRS}PresetType"] == "Look"
    assert found.attrib[f"{CRS}SupportsAmount"] == "True"
    assert len(bytes.fromhex(found.attrib[f"{CRS}UUID"])) == 16
    name = found.find(f"{CRS}Name/{RDF}Alt/{RDF}li")
    assert name is not None
    assert name.text == "Night & day <1>"


def test_two_names_are_two_profiles(tmp_path: Path) -> None:
    for title in ("One", "Two"):
        xmp.write(tmp_path / f"{title}.xmp", Lut.of(evening, 5, title=title))
    one, two = (described(tmp_path / f"{title}.xmp").attrib for title in ("One", "Two"))
    assert one[f"{CRS}UUID"] != two[f"{CRS}UUID"]
    assert one[f"{CRS}RGBTable"] == two[f"{CRS}RGBTable"]


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LutError, match="not srgb to rec709"):
        xmp.write(tmp_path / "a.xmp", Lut.of(evening, 5, output="rec709"))
    assert not [*tmp_path.iterdir()]
