"""Regions that were found, to look at, to edit, and to give back as masks."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief
from photostyle.documents import Unreadable, read_text
from photostyle.images.saving import write_together
from photostyle.images.sheets import contact_sheet, drawn_sheet, is_sheet
from photostyle.images.shown import Picture
from photostyle.places import check_not_foreign, check_places, expanded
from photostyle.segmentation.labels import is_written, write_labels
from photostyle.segmentation.masks import LabelMap, Masks
from photostyle.segmentation.pairing import describe
from photostyle.segmentation.preview import colours_of, legend, preview_row
from photostyle.views import as_picture

LABELS = ("content-labels.png", "style-labels.png")
PREVIEW, TABLE = "preview.png", "regions.txt"
#: How the table begins.
TITLE = "regions by"


@dataclass(frozen=True, eq=False)
class Regions(Brief):
    """The regions of one picture, or of two that pair up.

    Attributes:
        masks: soft masks of the paired regions, K×H×W and K×h×w, at the working size; of one
            picture alone both are its own.
        maps: label maps of the pictures, as they were found.
        used: where they come from: labels, semantic, cluster or none.
        images: the pictures 1×3×H×W at their own sizes.
        notes: sentences for the user on what of the pictures was not used.
        made_of: the files that went in, which saving does not replace.
    """

    masks: Masks
    maps: tuple[LabelMap, ...]
    used: str
    images: tuple[Tensor, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    made_of: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        return f"Regions({', '.join(self.masks.names)}; by {self.used})"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the paired regions."""
        return self.masks.names

    @property
    def ids(self) -> NDArray[np.int32]:
        """H×W: the region of each pixel of the first picture, as a number in `maps[0].names`; fit
        to be changed and given back as `content_mask`."""
        return self.maps[0].ids.copy()

    def table(self) -> list[str]:
        """Lines that name the regions, their shares, and what was merged and why."""
        lines = describe(self.masks)
        if len(self.images) == 1:  # only its own shares
            width = lines[0].index("content") + len("content")
            lines = [line[:width] for line in lines if not line.startswith("(unpaired)")]
        return [f"{TITLE} {self.used}", *lines, *self.masks.warnings]

    def preview(self) -> Picture:
        """The pictures as they are and under the colours of their regions."""
        return as_picture(drawn_sheet([self._row()]))

    def save(self, folder: str | os.PathLike[str], others: Sequence[Regions] = ()) -> list[Path]:
        """Writes label pictures, which any paint program edits and every mask option reads, a
        preview and a table; gives their paths.

        Args:
            others: further regions of the same pictures, as more rows of the preview.

        Raises:
            OutputError: the folder cannot be written, or a file would be replaced that went in, or
                that none of these calls wrote.
        """
        folder = expanded(folder)
        check_regions(folder, len(self.images), self.made_of)
        names = dict.fromkeys(name for labels in self.maps for name in labels.names)
        colours = colours_of(list(names))
        *paths, preview, table = region_files(folder, len(self.images))
        for path, labels in zip(paths, self.maps, strict=False):
            write_labels(path, labels, colours)
        contact_sheet([found._row() for found in (self, *others)], preview)
        lines = [*self.table(), "", "colours of the label pictures", *legend(colours)]
        write_together({table: ("\n".join(lines) + "\n").encode()})
        return [*paths, preview, table]

    def _row(self) -> list[tuple[str, Any]]:
        colours = colours_of(self.masks.names)
        pair = self.images[0], self.images[-1]
        return preview_row(*pair, self.masks, colours, self.used)[: 2 * len(self.images)]

    def _repr_png_(self) -> bytes:
        return self.preview()._repr_png_()


def region_files(folder: Path, pictures: int) -> list[Path]:
    """What the regions of one picture or two are saved as: label pictures, preview and table."""
    return [folder / name for name in (*LABELS[:pictures], PREVIEW, TABLE)]


def check_regions(folder: Path, pictures: int, inputs: Iterable[Path]) -> None:
    """Sees to it that only what an earlier call wrote there is replaced: label pictures that were
    painted in since are the user's.

    Raises:
        OutputError: a file is read, or none of ours, or cannot be written.
    """
    *labels, preview, table = places = region_files(folder, pictures)
    check_places(places, inputs)
    for path in labels:
        check_not_foreign(path, is_written)
    check_not_foreign(preview, is_sheet)
    check_not_foreign(table, _is_table)


def _is_table(path: Path) -> bool:
    try:
        return read_text(path).startswith(TITLE)
    except Unreadable:
        return False
