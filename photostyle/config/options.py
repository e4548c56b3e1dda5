"""Option fields: a dataclass field with its help sentence and limits, checked when it is made."""

import contextlib
import dataclasses
import math
import os
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from photostyle.brief import Brief
from photostyle.documents import shown
from photostyle.errors import OptionError

#: What a whole number may be where nothing else is said: more is a slip, and no machine's.
MOST = 2**31 - 1
#: Bytes of words at most, as of a path.
MOST_LETTERS = 4096


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    cli: bool = True,
    replaces: str | None = None,
    file: bool = False,
) -> Any:
    """A dataclass field with the sentence and the limits that the command line shows and checks.

    `replaces` names a field in whose place this one stands: setting one of them unsets the other.
    `file` says that the words may name a file or folder.
    """
    facts = {"help": help, "choices": choices, "low": low, "high": high, "cli": cli}
    facts |= {"replaces": replaces, "file": file}
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Stage(Brief):
    """Base of the stages: checks and converts every field when it is made.

    Raises:
        OptionError: a value of the wrong kind, outside its limits, or not finite.
    """

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for f in dataclasses.fields(self):
            if "help" in f.metadata:
                value = _checked(f, kinds[f.name], getattr(self, f.name))
                if f.metadata["file"] and value is not None:
                    value = os.path.expanduser(value)
                object.__setattr__(self, f.name, value)


def flag(name: str) -> str:
    """The command line's spelling of a field's name."""
    return "--" + name.replace("_", "-")


def _checked(f: "dataclasses.Field[Any]", kind: Any, value: Any) -> Any:
    """The value in the field's own type, or OptionError."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    name = flag(f.name)
    if f.metadata["choices"] and isinstance(value, int):
        value = str(value)  # a number among words
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise OptionError(f"{name} is {shown(value)}; it must be a list.")
        item = _READERS[typing.get_args(kind)[0]]
        return tuple(_limited(f, item(v, name), name) for v in value)
    return _limited(f, _READERS[kind](value, name), name)


def _limited(f: "dataclasses.Field[Any]", value: Any, name: str) -> Any:
    choices, low, high = (f.metadata[key] for key in ("choices", "low", "high"))
    if high is None and isinstance(value, int):
        high = MOST
    if choices and value not in choices:
        raise OptionError(f"{name} is {shown(value)}; choose from {', '.join(choices)}.")
    if low is not None and value < low:
        raise OptionError(f"{name} is {_short(value)}; it must be at least {_short(low)}.")
    if high is not None and value > high:
        raise OptionError(f"{name} is {_short(value)}; it must be at most {_short(high)}.")
    return value


def _short(value: float) -> str:
    return shown(value) if isinstance(value, int) else f"{value:g}"


def _float(value: Any, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # of a whole number
            if math.isfinite(value):
                return float(value)
    raise OptionError(f"{name} is {shown(value)}; it must be a finite number.")


def _int(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise OptionError(f"{name} is {shown(value)}; it must be a whole number.")
    return value


def text(value: Any, name: str) -> str:
    """The value when it is a non-empty string that a file could be called, else OptionError naming
    the option."""
    if not isinstance(value, str) or not value or not _sound(value):
        raise OptionError(f"{name} is {shown(value)}; it must be some words.")
    return value


def _sound(words: str) -> bool:
    try:
        return "\0" not in words and len(words.encode(errors="surrogateescape")) <= MOST_LETTERS
    except UnicodeEncodeError:
        return False


_READERS: dict[type, Callable[[Any, str], Any]] = {float: _float, int: _int, str: text}


#: What stands in double quotes as a whole part, between commas and equals signs; "" is a quote.
_QUOTED = re.compile(r'(?:^|(?<=[,=]))\s*"((?:[^"]|"")*)"\s*(?=[,=]|$)')


def parts_of(words: str, sign: str = ",") -> list[str]:
    """The parts of an option's words between its signs, without the space around them; a sign in
    double quotes parts nothing, so that names may hold commas: `"sky, upper"=0.5,blue=1`."""
    quoted = [match.span() for match in _QUOTED.finditer(words)]
    at = [
        i for i, c in enumerate(words)
        if c == sign and not any(first <= i < last for first, last in quoted)
    ]  # fmt: skip
    starts, ends = [0, *(i + 1 for i in at)], [*at, len(words)]
    return [words[a:b].strip() for a, b in zip(starts, ends, strict=True)]


def plain(part: str) -> str:
    """A part without the quotes around it, where it has any."""
    match = _QUOTED.fullmatch(part)
    return match[1].replace('""', '"') if match else part


def quoted(name: str) -> str:
    """A name as it is written among an option's words: in quotes where it needs them."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"' if re.search('[,="]', name) else name


def parse(f: "dataclasses.Field[Any]", kind: Any, words: str) -> Any:
    """The field's value from the command line's text: numbers, words, or words with commas.

    Raises:
        OptionError: the text is no number where one is needed.
    """
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        return tuple(_number(f, item, word.strip()) for word in words.split(","))
    return _number(f, kind, words)


def _number(f: "dataclasses.Field[Any]", kind: type, word: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise OptionError(f"{flag(f.name)} is {shown(word)}; it must be {what}.") from None
