"""What the readers of tables have in common: bytes of a size, and numbers that can be used."""

import codecs
import math
import re
from pathlib import Path

import numpy as np

from photostyle.errors import LutError
from photostyle.looks.encodings import ENCODINGS, SRGB
from photostyle.looks.lattice import Array

MOST_BYTES = 256 << 20
#: Letters at the beginning among which the comments are looked for.
_COMMENTS = 1 << 16
_SAID = re.compile(r"\b(input|output): (\w+) = ")
#: Nodes along a side and values of a curve, as the .cube specification has them.
MOST_NODES, MOST_VALUES = 256, 65536


def bytes_of(path: Path) -> bytes:
    """The bytes of a table's file.

    Raises:
        LutError: there is none, it is empty or too large, or it cannot be read.
    """
    try:
        if not path.is_file():
            what = "is no file" if path.exists() else "does not exist; check the name and folder"
            raise LutError(f"{path} {what}.")
        if path.stat().st_size > MOST_BYTES:
            raise LutError(f"{path} has more than the {MOST_BYTES >> 20} MB that are read.")
        data = path.read_bytes()
    except OSError as error:
        raise LutError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data.strip(b"\0 \t\r\n"):
        raise LutError(f"{path} is empty, where a look-up table is needed.")
    return data


def text_of(path: Path) -> str:
    """The text of a table's file; letters of comments that are no UTF-8 are replaced.

    Raises:
        LutError: as `bytes_of`, or the file is no text.
    """
    data = bytes_of(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise LutError(f"{path} is no text, as a look-up table of its suffix is.")
    return data.decode("utf-8-sig", "replace")


def encodings_in(text: str, input: str | None, output: str | None) -> tuple[str, str]:
    """Names of the encodings of input and output: those given, else what our comments say."""
    said = {side: name for side, name in _SAID.findall(text[:_COMMENTS]) if name in ENCODINGS}
    return input or said.get("input", SRGB), output or said.get("output", SRGB)


def says_ours(path: Path) -> bool:
    """Whether a file has our comments, or the mark of our profiles."""
    try:
        with path.open("rb") as file:
            text = file.read(_COMMENTS).decode("utf-8", "replace")
    except OSError:
        return False
    return bool(_SAID.search(text)) or 'x:xmptk="photostyle"' in text


def comments_of(input: str, output: str) -> list[str]:
    """What is written into a file for `encodings_in` to find, and for people."""
    named = (("input", input), ("output", output))
    return [f"{side}: {name} = {ENCODINGS[name].words}" for side, name in named]


def printable(title: str) -> str:
    """A title without what could end its line or its quotation marks."""
    return "".join(letter for letter in title if letter.isprintable() and letter != '"')


def number_of(word: str) -> float:
    """Raises ValueError where a word is no finite number, as tables write them."""
    value = float(word)
    if not math.isfinite(value) or "_" in word:
        raise ValueError(word)
    return value


def check_finite(path: Path, values: Array) -> None:
    """Raises LutError where a table's values are not all finite, or beyond any use."""
    if not bool(np.all(np.abs(values) < 1e6)):  # NaN is not less
        raise LutError(
            f"{path} holds values that are no colours (NaN, infinite or over a million)."
        )
