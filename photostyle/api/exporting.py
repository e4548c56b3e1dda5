"""`export`: trained networks for other programs."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from photostyle.api.anystyle import loaded, model_files, universal_model
from photostyle.brief import Brief
from photostyle.errors import OptionError, OutputError
from photostyle.feedforward.export import EXPORTS, difference, is_export, opened
from photostyle.feedforward.export import export as write_export
from photostyle.feedforward.style_model import StyleModel
from photostyle.places import check_not_foreign, check_place, expanded
from photostyle.universal.exporting import difference_universal, export_universal
from photostyle.universal.files import UniversalModel

PathLike = str | os.PathLike[str]

#: Largest difference of an exported network from the original that passes, in the [0, 1] image.
TOLERANCE = 1 / 255


@dataclass(frozen=True)
class Exported(Brief):
    """An exported network.

    Attributes:
        path: its file.
        difference: the largest from the network that it was made of, over several sizes, in units
            of the [0, 1] image; None where no runtime is installed to tell.
    """

    path: Path
    difference: float | None

    @property
    def faithful(self) -> bool:
        """Whether it gives what the network gives, as far as is known."""
        return self.difference is None or self.difference <= TOLERANCE


def export(
    model: PathLike | StyleModel | UniversalModel,
    out: PathLike | None = None,
    *,
    format: Literal["onnx", "torchscript"] = "onnx",
) -> Exported:
    """A trained style for other programs, for any height and width.

    Args:
        model: the network's file, as `train` writes it, or a loaded one.
        out: file to write, .onnx or .pt; without it, beside the network's file.
        format: onnx (needs the extra `export`) or torchscript.

    Raises:
        InputError: the network or the format cannot be used, or a package is missing.
        OutputError: the place cannot be written.
    """
    if format not in EXPORTS:
        raise OptionError(f"--format is {format!r}; choose from {', '.join(EXPORTS)}.")
    path = _export_place(model, out, EXPORTS[format][0])
    if (universal := universal_model(model)) is not None:
        export_universal(universal, path, format)
        return Exported(path, difference_universal(universal, path))
    network = loaded(model)
    write_export(network, path, format)
    run = opened(path, format)
    return Exported(path, None if run is None else difference(network, run))


def _export_place(
    model: PathLike | StyleModel | UniversalModel, out: PathLike | None, suffix: str
) -> Path:
    """Where the network goes, after a look at what is there."""
    if out is not None:
        path = expanded(out)
    elif isinstance(model, StyleModel | UniversalModel):
        raise OptionError(f"--out is missing: a loaded network needs a file ending in {suffix}.")
    else:
        path = expanded(model).with_suffix(suffix)
    if path.suffix.lower() != suffix:
        raise OutputError(f"--out {path} should end in {suffix}.")
    check_place(path, model_files(model))
    if out is None:
        check_not_foreign(path, is_export)
    return path
