"""What of a look a look-up table carries: it knows neither place nor region, nor grain."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.lab import delta_e
from photostyle.color.regional import RegionalLook
from photostyle.documents import Unreadable, read_text
from photostyle.errors import ImageError
from photostyle.images.hashing import file_sha256
from photostyle.images.heat import heat_picture
from photostyle.images.picture import Photo, fit_size, image_size, resize
from photostyle.images.saving import atomic_path, read_manifest, save_image
from photostyle.images.sheets import contact_sheet, is_sheet
from photostyle.looks.drawn import SIDE
from photostyle.looks.formats.registry import format_of, is_written
from photostyle.looks.look import Look
from photostyle.looks.lut import Lut
from photostyle.places import numbered
from photostyle.segmentation.masks import Masks

#: ΔE that a heat map shows as its hottest.
HOT = 12.0
#: Photographs on the sheet, at most.
SHOWN = 8
#: How the figures begin, and what a mask says of itself, where a result has its manifest.
TITLE, MASK = "Distance to the full look (ΔE, CIELAB 1976),", "mask of a look's region"


@dataclass(frozen=True)
class Compared(Brief):
    """A photograph under the whole look and under its tables.

    Attributes:
        name: of the photograph.
        change, apart: H×W distances in CIELAB (1976) of the look from the photograph, and of the
            table from the look.
        apart_by_region: of a table for each region, held together by the masks; None without.
        pictures: photograph, look, table and perhaps tables by region, 1×3×H×W; empty where there
            are too many to be shown.
        regions: names of those that are known of it.
    """

    name: str
    change: Tensor
    apart: Tensor
    apart_by_region: Tensor | None
    pictures: tuple[Tensor, ...]
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Honesty:
    """How much of a look tables carry, on photographs."""

    compared: tuple[Compared, ...]

    def figures(self, by_region: bool = False) -> tuple[float, float]:
        """Mean and 95th percentile of the distance between what the tables give and the look, over
        the pixels of all the photographs."""
        return _figures([_apart(one, by_region) for one in self.compared])

    def __str__(self) -> str:
        tables = [("the table", False)]
        if any(one.apart_by_region is not None for one in self.compared):
            tables.append(("a table for each region", True))
        change = _figures([one.change for one in self.compared])
        lines = [f"{TITLE} which changes the photographs by {_words(change)}:"]
        for name, by_region in tables:
            lines.append(f"{name}: {_words(self.figures(by_region))}")
            if len(self.compared) > 1:
                lines += [f"  {one.name}: {_words(_figures([_apart(one, by_region)]))}"
                          for one in self.compared]  # fmt: skip
        return "\n".join(lines)

    def save(self, path: Path) -> list[Path]:
        """Writes the figures and the maps of where tables fail beside a table's file.

        Raises:
            OutputError: they cannot be written there.
        """
        text, sheet = places(path)
        contact_sheet([_row(one) for one in self.compared if one.pictures], sheet, height=300)
        with atomic_path(text) as temporary:
            temporary.write_text(f"{self}\n", encoding="utf-8")
        return [text, sheet]


def _row(one: Compared) -> list[tuple[str, Tensor]]:
    """Pictures with heat maps of where they are off."""
    content, full, *tables = one.pictures
    row = [(one.name, content), ("the look", full)]
    maps = [one.apart, one.apart_by_region]
    for name, table, apart in zip(("a table", "one for each region"), tables, maps, strict=False):
        assert apart is not None
        heat = heat_picture((apart / HOT).clamp(0, 1), content)
        row += [(name, table), (f"how far off, brightest from {HOT:g}", heat)]
    return row


def places(path: Path) -> tuple[Path, Path]:
    """Where the figures and maps of a table's file lie."""
    return path.with_name(f"{path.name}.honesty.txt"), path.with_name(f"{path.name}.honesty.png")


def region_places(path: Path, regions: Iterable[str]) -> dict[str, Path]:
    """Where the tables of regions lie, by their names."""
    taken: set[str] = set()
    words = {name: numbered(_filed(name), taken) for name in regions}
    return {name: path.with_name(f"{path.stem}.{w}{path.suffix}") for name, w in words.items()}


def mask_places(path: Path, photos: Iterable[Compared]) -> list[dict[str, Path]]:
    """Where the masks of each photograph's regions lie, by the regions' names."""
    taken: set[str] = set()
    found = []
    for one in photos:
        stem = Path(one.name).stem
        words = {name: numbered(f"{stem}.{_filed(name)}", taken) for name in one.regions}
        found.append({n: path.with_name(f"{path.name}.{w}.png") for n, w in words.items()})
    return found


def is_ours(path: Path, table: Path) -> bool:
    """Whether a file of a table, which may be the table itself, is one that we wrote; of a format
    that cannot say so where our figures lie beside the table."""
    if path.suffix.lower() == ".txt":
        try:
            return read_text(path).startswith(TITLE)
        except Unreadable:
            return False
    if format_of(table).says:
        return is_sheet(path) or is_mask(path) or is_written(path)
    return is_ours(places(table)[0], table)


def is_mask(path: Path) -> bool:
    """Whether a file is a mask that `write_masks` left."""
    try:
        return read_manifest(path) == MASK
    except ImageError:
        return False


def honesty(
    look: Look,
    lut: Lut,
    photos: Iterable[tuple[Photo, Masks | None]],
    regions: Mapping[str, Lut] | None = None,
) -> Honesty:
    """Compares tables with the look that they were made of.

    Args:
        photos: loaded pictures with their regions, where these are known.
        regions: tables by region, to be compared with the masks' help.
    """
    found: list[Compared] = []
    for photo, masks in photos:
        content = resize(photo.image, fit_size(image_size(photo.image), SIDE))
        full = look.changed(content, masks)
        tables = [under(lut, content)]
        if regions and masks is not None:
            weights = weights_on(look, content, masks)
            parts = [w * under(regions.get(n, lut), content) for n, w in weights.items()]
            tables.append(torch.stack(parts).sum(dim=0).clamp(0.0, 1.0))
        maps = [delta_e(table, full) for table in tables]
        shown = (content, full, *tables) if len(found) < SHOWN else ()
        found.append(Compared(Path(photo.called).name, delta_e(full, content), maps[0],
                              maps[1] if len(maps) > 1 else None, shown,
                              masks.names if masks else ()))  # fmt: skip
    return Honesty(tuple(found))


def under(lut: Lut, content: Tensor) -> Tensor:
    """1×3×H×W under a table, in [0, 1]."""
    return lut.apply(content[0])[None].clamp(0.0, 1.0)


def weights_on(look: Look, content: Tensor, masks: Masks) -> dict[str, Tensor]:
    """H×W weights of the regions on a content, by name, summing to 1."""
    grade = look.grade(content, masks)
    if not isinstance(grade.maps, RegionalLook):
        return {}
    return dict(zip(grade.names, grade.maps.weights(content), strict=True))


def write_masks(look: Look, photo: Photo, masks: Masks, files: Mapping[str, Path]) -> list[Path]:
    """Writes the weights of the look's regions on a photograph, at its own size, as grey pictures
    at those of `mask_places`; gives their paths.

    Raises:
        OutputError: they cannot be written there.
    """
    written = []
    for name, weight in weights_on(look, photo.image, masks).items():
        grey = weight.clamp(0, 1)[None, None].expand(-1, 3, -1, -1).contiguous()
        save_image(files[name], grey, manifest=MASK)
        written.append(files[name])
    return written


def _filed(name: str) -> str:
    """A region's name as part of a file's."""
    return re.sub(r"[^\w-]+", "-", name)


def fitted_files(look: Look) -> list[Path]:
    """The photographs that a look was fitted on, as far as they are still there and the same."""
    known = [(Path(one["path"]), one["sha256"]) for one in look.about.facts.get("contents", [])]
    return [path for path, digest in known if path.is_file() and file_sha256(path) == digest]


def _apart(one: Compared, by_region: bool) -> Tensor:
    found = one.apart_by_region if by_region else None
    return one.apart if found is None else found


def _figures(maps: Sequence[Tensor]) -> tuple[float, float]:
    every = np.concatenate([one.flatten().numpy() for one in maps])
    return float(every.mean()), float(np.quantile(every, 0.95))


def _words(figures: tuple[float, float]) -> str:
    return f"mean {figures[0]:.2f}, 95th percentile {figures[1]:.2f}"
