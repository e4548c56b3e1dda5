"""Documents that people write and programs exchange, TOML and JSON: a value, or a reason why not.

Whatever a file holds, nothing else is raised, so that its reader needs one `except`. Imports no
torch.
"""

import codecs
import csv
import io
import json
import re
import reprlib
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from photostyle.places import as_seen

#: Bytes of a document at most, and tables and lists in each other.
MOST_BYTES = 64 << 20
MOST_DEPTH = 64
#: Letters of TOML, and dots in a line of it: its parser takes the square of a dotted name's parts.
MOST_TOML, MOST_DOTS = 1 << 20, 1000
#: Letters of a value that messages show.
SHOWN = 60

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = SHOWN
_SHORT.maxlevel = 2


class Unreadable(ValueError):
    """A document that cannot be used; the text continues a sentence that begins with its name."""


class _TwiceError(ValueError):
    """A name that a table says twice."""


def read_bytes(path: Path) -> bytes:
    """A file's bytes, up to `MOST_BYTES`; of a device or a pipe, too.

    Raises:
        Unreadable: it is not there, cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise Unreadable(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MOST_BYTES:
        raise Unreadable(f"cannot be read (it has more than {MOST_BYTES >> 20} MiB)")
    return data


def decoded(data: bytes) -> str:
    """Text as editors save it: UTF-8 with or without its mark, or UTF-16 with it.

    Raises:
        UnicodeDecodeError: it is none of them.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if marked else "utf-8-sig")


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        Unreadable: as `read_bytes`, or it is no text.
    """
    try:
        return decoded(read_bytes(path))
    except UnicodeDecodeError:
        raise Unreadable("cannot be read (it is not UTF-8 text)") from None


def read_json(path: Path) -> Any:
    """The value in a JSON file; raises Unreadable."""
    return parse_json(read_text(path))


def parse_json(text: str | bytes) -> Any:
    """The value of JSON text; NaN and infinities are numbers, as Python writes them.

    Raises:
        Unreadable: it is not well-formed, nested deeper than `MOST_DEPTH`, or says a name twice.
    """
    return _parsed(lambda: json.loads(text, object_pairs_hook=_table))


def parse_toml(text: str) -> dict[str, Any]:
    """The table of TOML text; raises Unreadable as `parse_json`, and of more than `MOST_TOML`
    letters."""
    if len(text) > MOST_TOML:
        raise Unreadable(f"cannot be read (it has more than {MOST_TOML >> 20} MiB)")
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        raise Unreadable("is not well-formed (it is nested too deep)")
    table: dict[str, Any] = _parsed(lambda: tomllib.loads(text))
    return table


def json_text(value: Any) -> str:
    """JSON text; bytes of file names that are no UTF-8 are kept, as escapes."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """CSV text. What a spreadsheet would take for a formula is marked as words, by an apostrophe
    in front; numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    value = as_seen(value)
    first = unicodedata.normalize("NFKC", value.lstrip()[:1] or value[:1])
    if first not in tuple("=+-@\t\r\n"):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def shown(value: object) -> str:
    """A value from a document as messages show it: in a few words, on one line."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python refuses to print so many digits
        return "a number of many digits"


def named(name: str) -> str:
    """A name from a document as messages show it: itself where it can be a name."""
    return name if name.isprintable() and len(name) <= SHOWN else shown(name)


def _parsed(parse: Callable[[], Any]) -> Any:
    try:
        value = parse()
        if _too_deep(value):
            raise RecursionError
    except RecursionError:
        raise Unreadable("is not well-formed (it is nested too deep)") from None
    except ValueError as error:  # the parsers' own, and Python's, of numbers with too many digits
        own = isinstance(error, json.JSONDecodeError | tomllib.TOMLDecodeError | _TwiceError)
        reason = (
            " ".join(str(error).split())[: 4 * SHOWN] if own else "a number has too many digits"
        )
        raise Unreadable(f"is not well-formed ({reason})") from None
    return value


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise _TwiceError(f"{shown(twice)} is there twice")
    return table


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_DEPTH):
        parts = (x.values() if isinstance(x, dict) else x for x in level)
        level = [y for part in parts for y in part if isinstance(y, dict | list)]
    return bool(level)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of words as lines with columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        [row[0].ljust(widths[0]), *(w.rjust(n) for w, n in zip(row[1:], widths[1:], strict=True))]
        for row in rows
    )
    return ["  ".join(line).rstrip() for line in lines]
