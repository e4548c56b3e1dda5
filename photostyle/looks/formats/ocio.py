"""Tables of other programs through OpenColorIO (BSD-3), which is an extra: .3dl, .clf, .csp …

What is read is looked up on a lattice of its own size, where it is nothing but a lattice, else of
`NODES` a side, so steps of any kind are taken in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from photostyle.errors import LutError
from photostyle.images.saving import atomic_path
from photostyle.looks.encodings import encoding, from_srgb, to_srgb
from photostyle.looks.formats.reading import (
    bytes_of,
    check_finite,
    comments_of,
    encodings_in,
    printable,
)
from photostyle.looks.lattice import Lattice, Shaper
from photostyle.looks.lut import UNIT, Lut

#: Suffixes that are written: OpenColorIO's name of the format, and whether it holds curves before
#: the lattice.
WRITTEN = {
    ".3dl": ("flame", False),
    ".clf": ("Academy/ASC Common LUT Format", True),
    ".csp": ("cinespace", True),
    ".ctf": ("Color Transform Format", True),
    ".cub": ("truelight", False),
    ".itx": ("iridas_itx", False),
    ".lut": ("houdini", True),
    ".spi3d": ("spi3d", False),
}
#: Those that hold any steps as they are; for the others all is looked up from one end to the other.
_WHOLE = (".clf", ".ctf")
#: Formats that OpenColorIO leaves without a word on the encodings, and how many lines come before
#: what may be said as a comment.
_COMMENTED = {".3dl": 0, ".cub": 1, ".itx": 0}
#: Formats that have no place for them.
SILENT = (".lut", ".spi3d")
#: Those that are read besides.
READ = (".m3d", ".mga", ".spi1d", ".vf")
NODES = 65


def read(path: Path, input: str | None = None, output: str | None = None) -> Lut:
    """The table of a file, in the encodings given, else those of our comments, else in sRGB.

    Raises:
        LutError: OpenColorIO is not installed or cannot read the file, or a value is not finite.
    """
    text = bytes_of(path).decode("utf-8", "replace")
    said = encodings_in(text, input, output)
    if "BEGIN METADATA" in text and not re.search(r"^END METADATA", text, re.MULTILINE):
        raise LutError(f"{path} ends within its description; it is damaged or incomplete.")
    with _ocio(path) as ocio:
        source = ocio.FileTransform(str(path), interpolation=ocio.INTERP_LINEAR)
        steps = ocio.Config.CreateRaw().getProcessor(source)
        look_up = steps.getDefaultCPUProcessor()
        kinds = [*steps.createGroupTransform()]
        for kind in kinds:
            if hasattr(kind, "getData"):
                check_finite(path, kind.getData())
    alone = len(kinds) == 1 and hasattr(kinds[0], "getGridSize")
    size = kinds[0].getGridSize() if alone else NODES

    def looked_up(values: Tensor) -> Tensor:
        pixels = np.ascontiguousarray(values.T.float().numpy())  # N×3
        look_up.applyRGB(pixels)
        return torch.from_numpy(pixels.T.copy())

    lut = _sampled(looked_up, size, *said)
    check_finite(path, lut.lattice.values)
    return lut


def write(path: Path, lut: Lut) -> None:
    """Writes a table in the format of the path's suffix, one of `WRITTEN`.

    Raises:
        LutError: OpenColorIO is not installed, or refuses. OutputError: no place.
    """
    form, curved = WRITTEN[path.suffix.lower()]
    if lut.shaper is None or not curved:
        shaper, lattice = None, lut.over_unit(lut.lattice.size)
    else:
        shaper, lattice = lut.split()
    words = [printable(lut.title), *comments_of(lut.input, lut.output)]
    with _ocio(path) as ocio:
        steps = _steps(ocio, shaper, lattice)
        if path.suffix.lower() in _WHOLE:
            _describe(steps, words)
            text = str(steps.write(form))
        else:
            text = _baked(ocio, path, form, steps, lattice.size, words)
    lines = text.splitlines(keepends=True)
    if (first := _COMMENTED.get(path.suffix.lower())) is not None:
        lines[first:first] = [f"# {line}\n" for line in comments_of(lut.input, lut.output)]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def _sampled(looked_up: Any, size: int, input: str, output: str) -> Lut:
    """A table of a function of input values; for those unevenly seen over sRGB values."""
    if not encoding(input).curved:
        return Lut(Lattice.of(looked_up, size), None, input, output)
    shaper = Shaper.of(lambda values: to_srgb(values, input).clamp(0, 1))
    lattice = Lattice.of(lambda rgb: looked_up(from_srgb(rgb, input)), NODES)
    return Lut(lattice, shaper, input, output)


def _steps(ocio: ModuleType, shaper: Shaper | None, lattice: Lattice) -> Any:
    """Curves over [0, 1], beyond which input values are taken to its ends, and the lattice."""
    steps = ocio.GroupTransform()
    if shaper is not None:
        if (shaper.low, shaper.high) != UNIT:
            shaper = Shaper.of(shaper.apply, max(shaper.size, 4096))
        curves = ocio.Lut1DTransform(length=shaper.size, inputHalfDomain=False)
        curves.setData(shaper.values.ravel())
        steps.appendTransform(curves)
    cube = ocio.Lut3DTransform(gridSize=lattice.size)
    cube.setData(lattice.values.ravel())  # blue fastest
    cube.setInterpolation(ocio.INTERP_LINEAR)
    steps.appendTransform(cube)
    return steps


def _baked(
    ocio: ModuleType, path: Path, form: str, steps: Any, size: int, words: list[str]
) -> str:  # fmt: skip
    """The text of a file for steps: a lattice of that size, perhaps curves before it."""
    curves = steps[0] if len(steps) > 1 else None
    spaces = {"in": None, "out": steps, **({"curves": curves} if curves else {})}
    config = ocio.Config.CreateRaw()
    for name, transform in spaces.items():
        space = ocio.ColorSpace(name=name)
        if transform is not None:
            space.setTransform(transform, ocio.COLORSPACE_DIR_FROM_REFERENCE)
        config.addColorSpace(space)
    baker = ocio.Baker(config, form, "in", "out")
    baker.setCubeSize(size)
    if curves:
        values = np.asarray(curves.getData()).reshape(-1, 3)
        whole = np.allclose(values[0], 0, atol=1e-5) and np.allclose(values[-1], 1, atol=1e-5)
        # The lattice is looked up through the curves' inverse, from 0 to 1.
        if not whole or np.diff(values, axis=0).min() < 0:
            raise LutError(f"{path}: {path.suffix} is only written with curves that rise from 0 to "
                           "1, and this table's do not; take .clf.")  # fmt: skip
        baker.setShaperSpace("curves")
        baker.setShaperSize(len(values))
    _describe(baker, words)
    return str(baker.bake())


def _describe(target: Any, words: list[str]) -> None:
    for line in filter(None, words):
        target.getFormatMetadata().addChildElement("Description", line)


@contextmanager
def _ocio(path: Path) -> Iterator[ModuleType]:
    """OpenColorIO, silent, its exceptions told in one sentence.

    Raises:
        LutError: it is not installed, or has raised something.
    """
    try:
        import PyOpenColorIO as ocio  # an extra
    except ImportError as error:
        raise LutError(
            f"{path}: {path.suffix} files go through OpenColorIO; install it with "
            "pip install 'photostyle[ocio]'."
        ) from error
    level = ocio.GetLoggingLevel()
    ocio.SetLoggingLevel(ocio.LOGGING_LEVEL_NONE)
    try:
        ocio.ClearAllCaches()  # which go by path, whatever has been written there since
        yield ocio
    except LutError:
        raise
    except Exception as error:  # its own, and what damaged files make it raise besides
        told = f"{error}".rpartition("failed with:")[2].replace(f"{path}", "the file")
        words = " ".join(told.split())[:200].rstrip(".")
        raise LutError(f"{path} is no table that OpenColorIO takes: {words}.") from error
    finally:
        ocio.SetLoggingLevel(level)
