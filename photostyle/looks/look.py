"""A look apart from any picture: smooth colour maps, of the whole and by region, and its file.

A map reads the content's colour and, slowly, its height in the picture, nothing else, so it serves
pictures that it was never fitted on. Regions go by name.
"""

from __future__ import annotations  # help() has the names of kinds, not their lists

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Unpack

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from photostyle.color.regional import RegionalLook, in_gamut
from photostyle.color.silhouettes import Borders, borders_of
from photostyle.color.tabled import Tabled
from photostyle.color.terms import COUNT, apply_terms
from photostyle.config.config import Config
from photostyle.config.keywords import RenderOptions, with_keywords
from photostyle.config.options import quoted
from photostyle.config.rendering import RenderConfig, protections, strengths
from photostyle.documents import json_text, parse_json
from photostyle.errors import LookError, OptionError
from photostyle.finish.delivery import (
    Grade,
    deliver,
    deliver_wide,
    fitting_metadata,
    protected,
    region_strengths,
    size_note,
)
from photostyle.images.given import PictureLike, picture_of
from photostyle.images.photograph import Photograph, framed, photograph
from photostyle.images.picture import fit_size, image_size, paths_of, resize
from photostyle.images.saving import atomic_path
from photostyle.images.shown import Picture
from photostyle.kinds import LOOK, kind_of
from photostyle.looks.drawn import REST, SIDE, Regions, planes_of, regions_of
from photostyle.looks.encodings import SRGB
from photostyle.looks.formats.registry import export_lut
from photostyle.looks.lattice import ColourMap
from photostyle.looks.lut import Lut
from photostyle.looks.provenance import About
from photostyle.looks.tables import table_of, tensors_of, words_of
from photostyle.segmentation.arrays import MaskLike

#: Version of the file's layout, and what tells such a file from other safetensors.
FORMAT, KIND = 1, LOOK
SUFFIX = ".look"
EVERYWHERE = ""  # the name that no region has


@dataclass(frozen=True, eq=False)
class Look:
    """Smooth colour maps without a picture.

    Attributes:
        whole: 29×3 float32, see `terms`: content colours in [0, 1] to the result's, without the
            terms of place but those of height; or another program's table.
        regions: such maps by the names of regions; none beside a table.
        flat: maps of colours alone for what cannot tell the height, by the names of regions and
            EVERYWHERE; where one is missing, the map at the middle of the height serves.
        about: where it comes from.
    """

    whole: Tensor | Lut
    regions: Mapping[str, Tensor] = field(default_factory=dict)
    about: About = field(default_factory=About)
    flat: Mapping[str, Tensor] = field(default_factory=dict)

    def __repr__(self) -> str:
        names = f", regions {', '.join(self.regions)}" if self.regions else ""
        return f"Look({self.title}{names}; {self.sha256[:12]})"

    def _repr_png_(self) -> bytes | None:
        return self.about.thumbnail or None

    @property
    def title(self) -> str:
        """A few words for people: what it was made of."""
        facts = self.about.facts
        if isinstance(self.whole, Lut):
            return self.whole.title or Path(facts.get("table", {}).get("path", "table")).stem
        made, style = facts.get("made", "by hand"), facts.get("style")
        return f"{made} of {Path(style['path']).name}" if style else str(made)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Look) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def sha256(self) -> str:
        """Of the maps and their names, whatever they come from."""
        return _digest(self._tensors())

    def apply(
        self,
        image: PictureLike,
        masks: Regions | MaskLike | None = None,
        **options: Unpack[RenderOptions],
    ) -> Picture:
        """A picture of any size under the look.

        Args:
            image: a picture in any form; see `stylize`.
            masks: its regions, in any form (see `stylize`) or as `segment` gives them, of any size;
                without them the whole has the look's one map.
            options: of rendering, such as `strength=0.7`, as for `render`.

        Raises:
            ImageError, MaskError, OptionError: a picture, mask or number that cannot be used.
        """
        chosen = with_keywords(Config(), options, ("masks",), ("render",)).render
        photo = photograph(picture_of(image, "The picture"))
        return self.deliver(photo, regions_of(photo, masks), chosen)

    def deliver(self, photo: Photograph, masks: Regions | None, options: RenderConfig) -> Picture:
        """`apply` with the options as `photostyle render` has them."""
        self.check(options)
        grade = self.grade(photo.image, masks)
        fitting = without(options, self.regions.keys() - {*grade.names})
        made = framed(deliver(photo, grade, fitting), photo)
        note = size_note(photo, grade, options)
        notes = (*photo.notes, *([note] if note else []))
        metadata = fitting_metadata(photo, made, options)
        wide = deliver_wide(photo, grade, fitting)
        return Picture(made, metadata, notes, paths_of([photo]), wide)

    def changed(self, content: Tensor, masks: Regions | None = None) -> Tensor:
        """A content 1×3×H×W in [0, 1] under all of the look."""
        return self.grade(content, masks).maps.apply(content)

    def check(self, options: RenderConfig) -> None:
        """Raises OptionError where options name a region that the look does not have."""
        names = [*self.regions, *(n for n in ("all", REST) if n not in self.regions)]
        region_strengths(options.strength, names)
        protected(options.protect, names)

    def grade(self, content: Tensor, masks: Regions | None = None) -> Grade:
        """The look as a grade of a content 1×3×H×W."""
        if isinstance(self.whole, Lut):
            return Grade(Tabled(self.whole.apply), torch.ones(1, 1, 1), ("all",))
        size = fit_size(image_size(content), SIDE)
        planes = {} if masks is None else planes_of(masks, size)
        if not planes.keys() & self.regions.keys():
            borders = Borders(torch.zeros(1, 4, 1, 1), torch.zeros(1, 3, 1, 1))
            maps = RegionalLook(self.whole[None], borders, torch.ones(1))
            return Grade(maps, torch.ones(1, 1, 1), ("all",))
        small, stack = resize(content, size), torch.stack(list(planes.values()))
        maps = RegionalLook(
            torch.stack([self.regions.get(name, self.whole) for name in planes]),
            borders_of(small, stack), torch.ones(len(planes)),
        )  # fmt: skip
        return Grade(maps, stack, tuple(planes))

    def colour_map(self, region: str | None = None) -> ColourMap:
        """The look as a function of colours alone, of the whole or of a region: 3×N sRGB values in
        [0, 1] to such."""
        if region is not None and region not in self.regions:
            known = ", ".join(self.regions) or "none"
            raise OptionError(f"The look has no region {region!r}; there is {known}.")
        whole = self.whole if region is None else self.regions[region]
        if isinstance(whole, Lut):
            table = whole
            return lambda rgb: table.apply(rgb).clamp(0.0, 1.0)
        flat = self.flat.get(region or EVERYWHERE, whole)

        def mapped(rgb: Tensor) -> Tensor:
            middle = torch.zeros_like(rgb[0])
            return in_gamut(apply_terms(flat.to(rgb), rgb, middle, middle)).clamp(0.0, 1.0)

        return mapped

    def to_cube(
        self, path: str | Path, size: int = 33, input: str = SRGB, output: str = SRGB,
        region: str | None = None,
    ) -> Lut:  # fmt: skip
        """Writes what of the look a look-up table can hold, and gives that table.

        Args:
            path: its suffix says the format: .cube, .png (a HaldCLUT), .xmp and others.
            size: nodes along a side. input, output: encodings, see `looks.encodings`.
            region: whose look it shall be, in place of the whole's.

        Raises:
            OptionError, LutError, OutputError: see `formats.registry.export_lut`.
        """
        return export_lut(path, self.colour_map(region), size=size, input=input, output=output,
                          title=self.title)  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Writes the look, whole or not at all.

        Raises:
            LookError: the path does not end in .look. OutputError: the folder cannot be written.
        """
        check_suffix(Path(path))
        tensors = self._tensors()
        metadata = {
            "kind": KIND, "format": str(FORMAT), "sha256": _digest(tensors),
            "regions": json_text(list(self.regions)),
            "about": json_text(self.about.facts),
        }  # fmt: skip
        if isinstance(self.whole, Lut):
            metadata["table"] = json_text(words_of(self.whole))
        picture = torch.frombuffer(bytearray(self.about.thumbnail or b"\0"), dtype=torch.uint8)
        data = save({**tensors, "thumbnail": picture}, metadata)
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)

    def _tensors(self) -> dict[str, Tensor]:
        """All that the look is, by the names that its file has for it."""
        if isinstance(self.whole, Lut):
            return tensors_of(self.whole)
        named = {"whole": self.whole, **{f"region {n}": one for n, one in self.regions.items()}}
        named |= {f"flat {name}": one for name, one in self.flat.items()}
        # Copies, as a file takes no two names for one place in memory.
        return {name: one.cpu().float().contiguous().clone() for name, one in named.items()}

    @classmethod
    def load(cls, path: str | Path) -> Look:
        """Reads what `save` wrote.

        Raises:
            LookError: there is no such file, it is no look, of another version, or damaged.
        """
        path = Path(path)
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise LookError(f"{path} {what}; give a look, as `photostyle look fit` writes it.")
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                _check_kind(path, metadata)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except OSError as error:
            raise LookError(f"{path} cannot be read: {error.strerror or error}.") from None
        except SafetensorError:
            raise LookError(
                f"{path} is no look, or an incomplete one; give a file that `photostyle look fit`, "
                "`from-pair` or `from-lut` wrote."
            ) from None
        return cls._of(path, metadata, tensors)

    @classmethod
    def _of(cls, path: Path, metadata: Mapping[str, str], tensors: dict[str, Tensor]) -> Look:
        try:
            thumbnail = tensors.pop("thumbnail").numpy().tobytes()
            regions = {n: tensors[f"region {n}"] for n in parse_json(metadata["regions"])}
            flat = {n[5:]: one for n, one in tensors.items() if n.startswith("flat ")}
            facts = parse_json(metadata["about"])
            whole: Tensor | Lut = tensors.get("whole", torch.empty(0))
            if "table" in metadata:
                whole = table_of(tensors, parse_json(metadata["table"]))
            sound = _digest(tensors) == metadata["sha256"]
        except (KeyError, TypeError, ValueError, OptionError):
            sound = False
        if not sound or not _usable(whole, tensors):
            raise LookError(f"{path} is a damaged look; fit it again, or take it from a copy.")
        return cls(whole, regions, About(facts, b"" if thumbnail == b"\0" else thumbnail), flat)


def without(options: RenderConfig, absent: Collection[str]) -> RenderConfig:
    """The options without regions of the look that a picture does not have."""
    numbers = [(n, value) for n, value in strengths(options.strength) if n not in absent]
    kept = {n: share for n, share in protections(options.protect).items() if n not in absent}
    return replace(
        options,
        strength=",".join(f"{quoted(n)}={v!r}" if n else f"{v!r}" for n, v in numbers) or "1",
        protect=",".join(f"{quoted(n)}={share!r}" for n, share in kept.items()) or None,
    )


def check_suffix(path: Path) -> None:
    """Raises LookError unless a path ends as looks do."""
    if path.suffix.lower() != SUFFIX:
        raise LookError(f"{path} should end in {SUFFIX}, as a look's file does.")


def _check_kind(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("kind") != KIND:
        raise LookError(
            f"{path} is no look but a {kind_of(path)}; give one that `photostyle look fit` wrote."
        )
    if metadata.get("format") != str(FORMAT):
        raise LookError(
            f"{path} is a look of version {metadata.get('format')}; this photostyle reads version "
            f"{FORMAT}, so fit it again or use the photostyle that wrote it."
        )


def _usable(whole: Tensor | Lut, tensors: Mapping[str, Tensor]) -> bool:
    numbers = all(x.dtype == torch.float32 and x.isfinite().all() for x in tensors.values())
    maps = all(x.shape == (COUNT, 3) for x in tensors.values())
    return numbers and (isinstance(whole, Lut) or (maps and whole.numel() > 0))


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} ".encode() + tensors[name].cpu().float().contiguous().numpy().data)
    return digest.hexdigest()
