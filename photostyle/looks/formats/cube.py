"""Iridas' and Resolve's .cube: a text of keywords, then a line r g b for each node, red fastest.

A file holds a lattice (LUT_3D_SIZE), curves (LUT_1D_SIZE), or curves that lead into the lattice,
in that order. DOMAIN_MIN and DOMAIN_MAX (Iridas) or LUT_1D_INPUT_RANGE and LUT_3D_INPUT_RANGE
(Resolve) say what the first and the last node stand for. Nothing says the encodings but comments,
so ours do, and are understood again.

References: Adobe, Cube LUT Specification 1.0 (2013); Blackmagic Design, LUT formats of Resolve.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from photostyle.errors import LutError
from photostyle.images.saving import atomic_path
from photostyle.looks.formats.reading import (
    MOST_NODES,
    MOST_VALUES,
    check_finite,
    comments_of,
    encodings_in,
    number_of,
    printable,
    text_of,
)
from photostyle.looks.lattice import ONE, ZERO, Array, Corner, Lattice, Shaper
from photostyle.looks.lut import Lut, lut_of_curves

_SIZES = {"LUT_1D_SIZE": MOST_VALUES, "LUT_3D_SIZE": MOST_NODES}
_RANGES = ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE")
_DOMAIN = ("DOMAIN_MIN", "DOMAIN_MAX")
_VIDEO = ("LUT_IN_VIDEO_RANGE", "LUT_OUT_VIDEO_RANGE")
_AT_ONCE = 2**16


@dataclass
class _Head:
    """What the keywords say, as far as they are read."""

    sizes: dict[str, int] = field(default_factory=dict)
    ends: dict[str, tuple[float, ...]] = field(default_factory=dict)
    title: str = ""

    def rows(self) -> int:
        return self.sizes.get("LUT_1D_SIZE", 0) + self.sizes.get("LUT_3D_SIZE", 0) ** 3

    def kinds(self) -> str:
        return " and ".join(f"{name} {size}" for name, size in self.sizes.items())


def read(path: Path, input: str | None = None, output: str | None = None) -> Lut:
    """A .cube file's table, in the encodings given, else those of our comments, else in sRGB.

    Raises:
        LutError: it cannot be read, lines are missing or too many, or something in it is no number,
            unknown, or out of bounds; the sentence names the line.
    """
    head, text = _Head(), text_of(path)
    rows = np.concatenate([*_blocks(path, text, head)])
    if not head.sizes:
        raise LutError(f"{path} is no .cube: it has no line LUT_3D_SIZE or LUT_1D_SIZE.")
    if len(rows) != head.rows():
        raise LutError(
            f"{path} has {len(rows)} lines of values, where {head.kinds()} needs {head.rows()}."
        )
    return _lut(path, head, rows.astype(np.float32), encodings_in(text, input, output))


def write(path: Path, lut: Lut) -> None:
    """Writes a table as .cube.

    Raises:
        LutError: its curves have another domain for each channel. OutputError: no place.
    """
    lattice, shaper = lut.lattice, lut.shaper
    lines = [f'TITLE "{printable(lut.title)}"'] if lut.title else []
    lines += [f"# {line}" for line in comments_of(lut.input, lut.output)]
    if shaper is None:
        lines += [f"LUT_3D_SIZE {lattice.size}", f"DOMAIN_MIN {_row(lattice.low)}",
                  f"DOMAIN_MAX {_row(lattice.high)}"]  # fmt: skip
    else:
        shaper, lattice = lut.split()
        assert shaper is not None
        low, high = {*shaper.low}, {*shaper.high}
        if len(low) + len(high) > 2:
            raise LutError(f"{path}: .cube has one range for the curves of all channels, and this "
                           "table one for each; write it as .csp or .clf.")  # fmt: skip
        lines += [f"LUT_1D_SIZE {shaper.size}",
                  f"LUT_1D_INPUT_RANGE {low.pop():.7g} {high.pop():.7g}",
                  f"LUT_3D_SIZE {lattice.size}", "LUT_3D_INPUT_RANGE 0 1"]  # fmt: skip
    rows = [] if shaper is None else [shaper.values]
    rows.append(lattice.values.transpose(2, 1, 0, 3).reshape(-1, 3))  # red fastest
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as out:
        out.write("\n".join(lines) + "\n")
        np.savetxt(out, np.concatenate(rows), fmt="%.7g")


def _blocks(path: Path, text: str, head: _Head) -> Iterator[Array]:
    """N×3 values as they come; `head` is filled in on the way, and no more read than it needs."""
    rows: list[list[float]] = []
    count = 0
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0][0].isalpha() and words[0].lower() not in ("nan", "inf", "infinity"):
            _keyword(path, number, line, words, head)
            continue
        rows.append(_numbers(path, number, words, 3))
        count += 1
        if head.sizes and count > head.rows():
            raise LutError(f"{path}, line {number}: there are more lines of values than the "
                           f"{head.rows()} of {head.kinds()}.")  # fmt: skip
        if len(rows) == _AT_ONCE:
            yield np.array(rows, np.float64)
            rows = []
    yield np.array(rows, np.float64).reshape(-1, 3)


def _keyword(path: Path, number: int, line: str, words: list[str], head: _Head) -> None:
    """Takes in one line that begins with a word."""
    name = words[0].upper()
    if name == "TITLE":
        head.title = line.strip()[len(name) :].strip().strip('"')
    elif name in _SIZES:
        if name in head.sizes:
            raise LutError(f"{path}, line {number}: {name} is there twice.")
        head.sizes[name] = _size(path, number, words, _SIZES[name])
    elif name in _RANGES:
        head.ends[name] = tuple(_numbers(path, number, words[1:], 2))
    elif name in _DOMAIN:
        head.ends[name] = tuple(_numbers(path, number, words[1:], 3))
    elif name in _VIDEO:
        raise LutError(f"{path}, line {number}: {name} means values in video range, which are not "
                       "read; export the table for data range (full range).")  # fmt: skip
    else:
        raise LutError(
            f"{path}, line {number}: {words[0][:40]!r} is neither a number nor a word of .cube."
        )


def _size(path: Path, number: int, words: list[str], most: int) -> int:
    given = " ".join(words[1:])
    if not (given.isascii() and given.isdecimal() and 2 <= int(given[:9]) <= most):
        raise LutError(f"{path}, line {number}: {words[0]} is {given[:40] or 'missing'}; it should "
                       f"be a whole number from 2 to {most}.")  # fmt: skip
    return int(given)


def _numbers(path: Path, number: int, words: list[str], count: int) -> list[float]:
    """So many finite numbers of a line."""
    try:
        if len(words) == count:
            return [number_of(word) for word in words]
    except ValueError:
        pass
    found = " ".join(words)[:60]
    raise LutError(
        f"{path}, line {number}: {found!r} is not {count} finite numbers, as it should be."
    )


def _lut(path: Path, head: _Head, rows: Array, said: tuple[str, str]) -> Lut:
    """The table of a file that is whole."""
    check_finite(path, rows)
    curves, nodes = head.sizes.get("LUT_1D_SIZE", 0), head.sizes.get("LUT_3D_SIZE", 0)
    domain = _domain(path, head)
    shaper = None
    if curves:
        shaper = Shaper(rows[:curves], *_range(path, head, "LUT_1D_INPUT_RANGE", domain))
        domain = ZERO, ONE  # which was the curves'
    if not nodes:
        assert shaper is not None
        return lut_of_curves(shaper, head.title, *said)
    values = rows[curves:].reshape(nodes, nodes, nodes, 3).transpose(2, 1, 0, 3)
    ends = _range(path, head, "LUT_3D_INPUT_RANGE", domain)
    return Lut(Lattice(np.ascontiguousarray(values), *ends, head.title), shaper, *said)


def _domain(path: Path, head: _Head) -> tuple[Corner, Corner]:
    low, high = head.ends.get("DOMAIN_MIN", ZERO), head.ends.get("DOMAIN_MAX", ONE)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise LutError(f"{path}: DOMAIN_MIN {_row(low)} is not below DOMAIN_MAX {_row(high)}.")
    return cast(Corner, low), cast(Corner, high)


def _range(
    path: Path, head: _Head, name: str, domain: tuple[Corner, Corner]
) -> tuple[Corner, Corner]:
    """What a LUT_…_INPUT_RANGE says, else the domain."""
    if name not in head.ends:
        return domain
    low, high = head.ends[name]
    if not low < high:
        raise LutError(f"{path}: {name} {low:g} {high:g} does not rise.")
    return (low,) * 3, (high,) * 3


def _row(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:.7g}" for number in numbers)
