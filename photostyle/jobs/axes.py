"""What a sweep varies: `--grid` and `--set`, from words to values. Imports no torch.

photoreal_weight=1e2..1e7:log6     six values, equal ratios
strength=0.2..1:lin5               five values, equal distances
preset=photoreal,color             a list
content_layers=relu4_2,relu3_1+relu4_2     lists of layers, joined by +
content_mask=sky.png,none          files; none leaves an optional value out
strength=1,"1,blue=0.5"            a value with commas, in double quotes
"""

import functools
import itertools
import math
import re
import types
import typing
from collections.abc import Sequence
from dataclasses import Field, dataclass
from typing import Any

from photostyle.config.config import hint, options
from photostyle.config.options import parse, parts_of, plain
from photostyle.documents import named
from photostyle.errors import OptionError

#: Axes that are files, and the preset; all others are the configuration's fields.
FILES = ("content", "style", "content_mask", "style_mask")
OPTIONAL_FILES = ("content_mask", "style_mask")
MOST_CELLS = 100_000

_RANGE = re.compile(r"(?P<low>[^.].*?)\.\.(?P<high>[^:]+):(?P<kind>log|lin)(?P<count>\d+)")


@dataclass(frozen=True)
class Axis:
    """One thing that varies: its name, and its values with the words that stand for them."""

    name: str
    values: tuple[Any, ...]
    labels: tuple[str, ...]


def parse_axis(text: str, option: str = "--grid") -> Axis:
    """The axis of `NAME=VALUES`.

    Raises:
        OptionError: no such name, or values that do not fit it.
    """
    name, separator, words = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    if not separator or not words.strip():
        raise OptionError(f"{option} {text}: write NAME=VALUES, such as style_weight=100,1000.")
    try:
        labels = _words(words.strip())
        values = tuple(value_of(name, label) for label in labels)
    except OptionError as error:
        raise OptionError(f"{option} {text}: {error.as_typed}") from None
    if len(set(values)) < len(values):
        raise OptionError(f"{option} {text}: two of the values are the same.")
    return Axis(name, values, labels)


def parse_setting(text: str) -> tuple[str, Any]:
    """Name and value of `--set NAME=VALUE`; commas belong to the value."""
    name, separator, words = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    if not separator or not words.strip():
        raise OptionError(f"--set {text}: write NAME=VALUE, such as size=400.")
    try:
        return name, value_of(name, words.strip())
    except OptionError as error:
        raise OptionError(f"--set {text}: {error.as_typed}") from None


def value_of(name: str, word: str) -> Any:
    """The value that a word stands for under a name; of files and of the preset the word itself.

    Raises:
        OptionError: no such name, or a word that does not fit it.
    """
    known = known_names()
    if name not in known:
        raise OptionError(f"there is nothing called {named(name)}{hint(name, known)}")
    found = known[name]
    if found is None:
        return None if name in OPTIONAL_FILES and word == "none" else word
    field, kind = found
    if isinstance(kind, types.UnionType) and word == "none":
        return None
    if typing.get_origin(kind) is tuple:
        word = word.replace("+", ",")
    if _is(kind, int) and _whole(word):
        word = str(int(float(word)))  # 1e3 is a whole number too
    return parse(field, kind, word)


@functools.cache
def known_names() -> dict[str, "tuple[Field[Any], Any] | None"]:
    """Every name that may vary; with its field and type where it is an option's."""
    names: dict[str, tuple[Field[Any], Any] | None] = {
        f.name: (f, kind) for _, f, kind in options()
    }
    return {**dict.fromkeys((*FILES, "preset")), **names}


def combinations(axes: Sequence[Axis], zipped: bool) -> list[tuple[int, ...]]:
    """For every cell the number of its value on each axis; the last axis runs fastest.

    Raises:
        OptionError: zipped axes of different lengths, an axis given twice, or too many cells.
    """
    names = [axis.name for axis in axes]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise OptionError(f"--grid {twice}: given twice; put its values into one list.")
    lengths = [len(axis.values) for axis in axes]
    if zipped:
        if len(set(lengths)) > 1:
            shown = ", ".join(f"{n} {c}" for n, c in zip(names, lengths, strict=True))
            raise OptionError(f"--zip needs as many values on every axis, not {shown}.")
        return [(i,) * len(axes) for i in range(lengths[0] if lengths else 0)]
    if math.prod(lengths) > MOST_CELLS:
        raise OptionError(
            f"--grid: {math.prod(lengths)} cells are too many; at most {MOST_CELLS} make a sweep."
        )
    return list(itertools.product(*(range(n) for n in lengths)))


def _words(text: str) -> tuple[str, ...]:
    if ".." not in text or text.startswith("..") or "/" in text:  # a path may hold dots
        return tuple(map(plain, parts_of(text)))
    found = _RANGE.fullmatch(text)
    if not found:
        raise OptionError("a range is written LOW..HIGH:log6 or LOW..HIGH:lin6.")
    try:
        low, high, count = float(found["low"]), float(found["high"]), int(found["count"])
    except ValueError:
        raise OptionError("the ends of a range are numbers.") from None
    return tuple(_short(v) for v in spaced(low, high, count, found["kind"]))


def spaced(low: float, high: float, count: int, kind: str) -> list[float]:
    """`count` numbers from low to high at equal distances ("lin") or ratios ("log").

    Raises:
        OptionError: fewer than two, ends that are not finite or not positive where they must be.
    """
    if not 2 <= count <= MOST_CELLS or not math.isfinite(low) or not math.isfinite(high):
        raise OptionError("a range has two finite ends and at least two values.")
    if kind == "lin":
        return [low + (high - low) * i / (count - 1) for i in range(count)]
    if low <= 0 or high <= 0:
        raise OptionError("a range with equal ratios (log) lies above 0.")
    a, b = math.log10(low), math.log10(high)
    return [float(f"{10 ** (a + (b - a) * i / (count - 1)):.12g}") for i in range(count)]


def _short(value: float) -> str:
    """Six digits; 1e6 where that is shorter than 1000000 by two characters or more."""
    plain = f"{value:.6g}"
    mantissa, _, exponent = f"{value:.5e}".partition("e")
    power = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return power if "e" in plain or len(power) + 2 <= len(plain) else plain


def _is(kind: Any, wanted: type) -> bool:
    return wanted in (kind, *(typing.get_args(kind) if isinstance(kind, types.UnionType) else ()))


def _whole(word: str) -> bool:
    try:
        return float(word).is_integer()
    except (ValueError, OverflowError):
        return False
