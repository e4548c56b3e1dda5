"""Short reprs: a dataclass on one line, whatever it holds. Imports no torch."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

#: Items of a sequence and characters of a text up to which they are written out.
ITEMS, LETTERS = 5, 60


class Brief:
    """Base of dataclasses whose repr is one short line: what differs from the defaults, pictures
    and masks by their shapes alone."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__repr__" not in vars(
            cls
        ):  # before `dataclass` looks, which would write one of its own
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        words = (f"{name}={shown(value)}" for name, value in _told(self))
        return f"{type(self).__name__}({', '.join(words)})"


def shown(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        return repr(text if len(text) <= LETTERS else text[: LETTERS - 1] + "…")
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"<{shape_of(value)}>"
    if isinstance(value, Mapping):
        return "{" + _listed([f"{key}: {shown(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return f"({_listed([shown(item) for item in value])})"
    if dataclasses.is_dataclass(value) or value is None or isinstance(value, int):
        return repr(value)
    return f"<{type(value).__name__}>"


def shape_of(array: Any) -> str:
    """Shape and type of an array or tensor: "90×120×3 uint8"."""
    sizes = "×".join(str(n) for n in array.shape) or "0-dimensional"
    return f"{sizes} {str(array.dtype).removeprefix('torch.')}"


def _listed(words: list[str]) -> str:
    return ", ".join(words) if len(words) <= ITEMS else f"{len(words)} items"


def _told(value: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of the fields that say something."""
    for f in dataclasses.fields(value):
        item = getattr(value, f.name)
        if f.repr and not f.name.startswith("_") and not callable(item) and not _usual(f, item):
            yield f.name, item


def _usual(f: "dataclasses.Field[Any]", item: Any) -> bool:
    usual = f.default
    if f.default_factory is not dataclasses.MISSING:
        usual = f.default_factory()
    plain = isinstance(item, str | int | float | tuple | dict) or dataclasses.is_dataclass(item)
    return item is usual or (plain and type(item) is type(usual) and bool(item == usual))
