"""HaldCLUT: a lattice laid out as a square picture, so that any program's look can be taken from
the plate that it changed.

A plate of level n is n³×n³ pixels and holds a lattice of n² nodes along a side, red fastest, then
green, then blue, row by row. It has no place for a shaper or a domain.

Reference: Eskil Steenberg, Hald CLUT (quelsolaar.com, 2009).
"""

import contextlib
import json
from pathlib import Path

import numpy as np
import torch

from photostyle.errors import ImageError, LutError
from photostyle.images.picture import Metadata, load_image
from photostyle.images.saving import read_manifest, save_image
from photostyle.looks.formats.reading import MOST_NODES, comments_of, encodings_in
from photostyle.looks.lattice import Lattice
from photostyle.looks.lut import Lut

_KIND = "HaldCLUT"
LEVELS = range(2, round(MOST_NODES**0.5) + 1)


def read(path: Path, input: str | None = None, output: str | None = None) -> Lut:
    """A HaldCLUT's table, in the encodings given, else those that we wrote into it, else in sRGB.

    Raises:
        LutError: it is no picture that can be read, or of a size that no plate has.
    """
    try:
        image = load_image(path).image[0]  # 3×H×W
    except ImageError as error:
        raise LutError(error.as_typed) from error
    height, width = image.shape[1:]
    level = round(width ** (1 / 3))
    if height != width or level**3 != width or level not in LEVELS:
        raise LutError(
            f"{path} is {width}×{height} pixels and no HaldCLUT, which is as high as wide: 8, 27, "
            f"64, 125, 216, 343, 512 and so on, up to {LEVELS[-1] ** 3} pixels."
        )
    size = level**2
    values = image.reshape(3, size, size, size).permute(3, 2, 1, 0).contiguous()  # r×g×b×3
    about = _about(path)
    lattice = Lattice(values.numpy(), title=about.get("title", ""))
    return Lut(lattice, None, *encodings_in(about.get("encodings", ""), input, output))


def write(path: Path, lut: Lut) -> None:
    """Writes a table as HaldCLUT of 16 bits; values beyond [0, 1] are cut.

    Raises:
        OutputError: the suffix is no picture's, or no place.
    """
    size = fitted_size(lut.lattice.size)
    values = lut.over_unit(size).values.transpose(3, 2, 1, 0)  # 3×b×g×r
    side = round(size**1.5)
    image = torch.from_numpy(np.ascontiguousarray(values)).reshape(1, 3, side, side)
    encodings = ", ".join(comments_of(lut.input, lut.output))
    about = {"kind": _KIND, "title": lut.title, "encodings": encodings}
    save_image(path, image.clamp(0, 1), Metadata(bit_depth=16), json.dumps(about))


def fitted_size(size: int) -> int:
    """The size nearest to another that a plate can have: a square number."""
    return min((level**2 for level in LEVELS), key=lambda square: abs(square - size))


def is_written(path: Path) -> bool:
    """Whether a file is a plate that `write` left."""
    return bool(_about(path))


def _about(path: Path) -> dict[str, str]:
    """What we wrote into a plate beside its colours; nothing for others' plates."""
    with contextlib.suppress(ImageError, ValueError):
        about = json.loads(read_manifest(path) or "{}")
        if isinstance(about, dict) and about.get("kind") == _KIND:
            return {name: text for name, text in about.items() if isinstance(text, str)}
    return {}
