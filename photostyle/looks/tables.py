"""A look-up table as what a look's file holds: tensors, and the words that go with them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from photostyle.looks.lattice import Corner, Lattice, Shaper
from photostyle.looks.lut import Lut

LATTICE, SHAPER = "lattice", "shaper"


def tensors_of(lut: Lut) -> dict[str, Tensor]:
    """N×N×N×3 nodes, M×3 curves where there are some, and the colours at the ends of each."""
    parts: dict[str, Lattice | Shaper] = {LATTICE: lut.lattice}
    if lut.shaper is not None:
        parts[SHAPER] = lut.shaper
    found = {}
    for name, one in parts.items():
        found[name] = torch.from_numpy(one.values).contiguous()
        found[f"{name} ends"] = torch.tensor([one.low, one.high])  # 2×3
    return found


def words_of(lut: Lut) -> dict[str, str]:
    """Its title and its encodings."""
    return {"title": lut.title, "input": lut.input, "output": lut.output}


def table_of(tensors: Mapping[str, Tensor], words: Mapping[str, Any]) -> Lut:
    """The table of such tensors and words.

    Raises:
        KeyError, ValueError, OptionError: they are none.
    """
    shaper = None
    if SHAPER in tensors:
        shaper = Shaper(tensors[SHAPER].numpy(), *_ends(tensors, SHAPER))
    ends = _ends(tensors, LATTICE)
    lattice = Lattice(tensors[LATTICE].numpy(), *ends, str(words["title"]))
    return Lut(lattice, shaper, str(words["input"]), str(words["output"]))


def _ends(tensors: Mapping[str, Tensor], name: str) -> tuple[Corner, Corner]:
    low, high = tensors[f"{name} ends"].tolist()
    (a, b, c), (d, e, f) = low, high
    return (a, b, c), (d, e, f)
