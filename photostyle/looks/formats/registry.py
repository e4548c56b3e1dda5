"""The formats of look-up tables by name and suffix, and what each can hold."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from photostyle.errors import LutError, OptionError
from photostyle.looks.encodings import SRGB, encoding
from photostyle.looks.formats import cube, hald, ocio, xmp
from photostyle.looks.formats.reading import MOST_NODES, says_ours
from photostyle.looks.lattice import ColourMap
from photostyle.looks.lut import Lut

Reader = Callable[[Path, str | None, str | None], Lut]
Writer = Callable[[Path, Lut], None]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: what it is asked for by.
        suffixes: of its files; the first is the usual one.
        read, write: None where it is not read, or not written.
        fitted: the size of a lattice nearest to a wanted one.
        curves: whether it holds a shaper, without which `linear` and `log` input lose the shadows.
        says: whether its files say the encodings, so that they need not be given on reading.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Reader | None
    write: Writer | None
    fitted: Callable[[int], int] = lambda size: size
    curves: bool = False
    says: bool = True


FORMATS = (
    Format("cube", (".cube",), cube.read, cube.write, curves=True),
    Format("hald", (".png", ".tif", ".tiff"), hald.read, hald.write, hald.fitted_size),
    Format("xmp", (".xmp",), None, xmp.write, xmp.fitted_size),
    *(Format(suffix[1:], (suffix,), ocio.read, ocio.write, curves=curves,
             says=suffix not in ocio.SILENT)
      for suffix, (_, curves) in ocio.WRITTEN.items()),
    *(Format(suffix[1:], (suffix,), ocio.read, None, says=False) for suffix in ocio.READ),
)  # fmt: skip


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of that name, else the one that a path's suffix says.

    Raises:
        OptionError: there is no such name, or the suffix belongs to another format.
        LutError: the suffix belongs to none.
    """
    suffix = path.suffix.lower()
    for form in FORMATS:
        if name == form.name or (name is None and suffix in form.suffixes):
            if suffix not in form.suffixes:
                raise OptionError(
                    f"{path} should end in {' or '.join(form.suffixes)}, as {name} files do."
                )
            return form
    if name is not None:
        raise OptionError(
            f"There is no format {name!r}; there are {', '.join(form.name for form in FORMATS)}."
        )
    known = ", ".join(suffix for form in FORMATS for suffix in form.suffixes)
    raise LutError(f"{path} has no suffix of a look-up table; there are {known}.")


def read_lut(path: str | Path, input: str | None = None, output: str | None = None) -> Lut:
    """Reads a look-up table of any format.

    Args:
        path: its suffix says the format.
        input, output: encodings that it is for; those that our own files say where not given, else
            sRGB.

    Raises:
        LutError: the file cannot be read or used. OptionError: there is no such encoding.
    """
    path = Path(path)
    for name in (input, output):
        encoding(name or SRGB)
    form = format_of(path)
    if form.read is None:
        raise LutError(
            f"{path}: {form.suffixes[0]} is written, not read; give .cube or a HaldCLUT."
        )
    return form.read(path, input, output)


def write_lut(path: str | Path, lut: Lut, name: str | None = None) -> None:
    """Writes a look-up table, whole or not at all.

    Args:
        path: its suffix says the format.
        name: of the format that the suffix is expected to say.

    Raises:
        LutError: the format does not hold such a table. OptionError: see `format_of`.
        OutputError: it cannot be written there.
    """
    path = Path(path)
    form = format_of(path, name)
    _check_writable(path, form, lut.input)
    assert form.write is not None
    form.write(path, lut)


def export_lut(
    path: str | Path, function: ColourMap, *, size: int = 33, input: str = SRGB,
    output: str = SRGB, title: str = "", name: str | None = None,
) -> Lut:  # fmt: skip
    """Writes a function from sRGB to sRGB values as look-up table; see `made_lut`.

    Returns:
        The table that was written, to be compared with the function.

    Raises:
        OutputError: it cannot be written there.
    """
    lut = made_lut(path, function, size=size, input=input, output=output, title=title, name=name)
    write_lut(path, lut, name)
    return lut


def made_lut(
    path: str | Path, function: ColourMap, *, size: int = 33, input: str = SRGB,
    output: str = SRGB, title: str = "", name: str | None = None,
) -> Lut:  # fmt: skip
    """A function from sRGB to sRGB values as the look-up table that a file will hold.

    Args:
        path, name: as for `write_lut`.
        function: takes and gives 3×N float32 in [0, 1].
        size: nodes along a side; a format of other sizes gets the nearest that it has.
        input, output: encodings of the values that the other program looks up, and wants.

    Raises:
        OptionError, LutError: as `write_lut`, or a size or encoding that is none.
    """
    path = Path(path)
    form = format_of(path, name)
    for side in (input, output):
        encoding(side)
    if not isinstance(size, Integral) or not 2 <= size <= MOST_NODES:
        raise OptionError(f"A look-up table of size {size} is none; give 2 to {MOST_NODES}.")
    _check_writable(path, form, input)
    return Lut.of(function, form.fitted(size), input, output, title)


def is_written(path: Path) -> bool:
    """Whether a file is a table that we wrote, as far as its format says."""
    form = next((f for f in FORMATS if f.write and path.suffix.lower() in f.suffixes), None)
    if form is None or not form.says:
        return False
    return hald.is_written(path) if form.name == "hald" else says_ours(path)


def _check_writable(path: Path, form: Format, input: str) -> None:
    """Raises LutError where a format is not written, or cannot hold tables for an input."""
    if form.write is None:
        raise LutError(f"{path}: {form.suffixes[0]} is read, not written; take .cube or .clf.")
    if encoding(input).curved and not form.curves:
        raise LutError(
            f"{path}: {path.suffix} holds no curves (a shaper), which {input} input needs; take "
            ".cube, .csp or .clf, or srgb input."
        )
