"""What is seen of a picture file: all that decides what becomes of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from photostyle.brief import Brief
from photostyle.images import icc
from photostyle.images.decoding import decode
from photostyle.images.formats.table import format_of
from photostyle.images.picture import Metadata, Photo, photo_of, read_bytes
from photostyle.images.saving import manifest_in
from photostyle.places import expanded

_TURNS = {
    1: "upright", 2: "mirrored", 3: "turned by 180°", 4: "upside down", 5: "mirrored, turned left",
    6: "turned left", 7: "mirrored, turned right", 8: "turned right",
}  # fmt: skip
INSIDE = "inside"


@dataclass(frozen=True)
class Facts(Brief):
    """What is seen of a picture file.

    Attributes:
        file: its path. format: by its content.
        width, height: upright, in pixels. depth: bits per channel.
        space: what its colours are in. profile: what its ICC profile is called, or None.
        wide: whether colours reach outside sRGB.
        orientation: how it is stored, by EXIF: 1 to 8.
        alpha: whether any of it is transparent. hdr: whether it has a gain map that is read.
        frames: pictures in it. dpi: pixels per inch across and down, or None.
        metadata: what else it carries: EXIF, XMP, IPTC, texts.
        manifest: where it is told how photostyle made it: inside, or the path of a file beside it;
            None where it is not.
        notes: sentences on what of it is not used.
    """

    file: str
    format: str
    width: int
    height: int
    depth: int
    space: str
    profile: str | None
    wide: bool
    orientation: int
    alpha: bool
    hdr: bool
    frames: int
    dpi: tuple[float, float] | None
    metadata: tuple[str, ...]
    manifest: str | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Its attributes as JSON types."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """Headings and words for a table."""
        dpi = "" if self.dpi is None else ", {:g}×{:g} dpi".format(*self.dpi)
        outside = ", with colours outside sRGB" if self.wide else ""
        return [
            ("format", self.format + (f", {self.frames} frames or pages" * (self.frames > 1))),
            ("size", f"{self.width}×{self.height} pixels, {self.depth} bits per channel{dpi}"),
            ("colours", self.space + outside),
            ("profile", self.profile or "none"),
            ("stored", _TURNS[self.orientation]),
            ("alpha", "transparent in part" if self.alpha else "none"),
            ("gain map", "yes" if self.hdr else "none"),
            ("carries", ", ".join(self.metadata) or "nothing else"),
            ("manifest", self.manifest or "none"),
            *(("note", note) for note in self.notes),
        ]


def facts_of(path: str | Path) -> Facts:
    """What is seen of a picture file.

    Raises:
        ImageError: as `load_image`.
    """
    path = expanded(path)
    data = read_bytes(path)
    stored = decode(path, data)
    photo = photo_of(path, data, stored)
    height, width = photo.image.shape[2:]
    metadata, manifest = photo.metadata, manifest_in(data)
    profile = next((said for said in stored.said if said), None)
    return Facts(
        file=str(path), format=format_of(data).name, width=width, height=height,
        depth=metadata.bit_depth, space=_space(photo, profile),
        profile=icc.described(profile) if profile else None,
        wide=photo.wide is not None and len(photo.wide) > metadata.hdr and metadata.scene is None,
        orientation=stored.orientation, alpha=metadata.alpha is not None, hdr=metadata.hdr,
        frames=stored.carried.frames, dpi=metadata.dpi,
        metadata=tuple(_carried(metadata)), manifest=INSIDE if manifest else None,
        notes=photo.notes,
    )  # fmt: skip


def _space(photo: Photo, profile: bytes | None) -> str:
    if (scene := photo.metadata.scene) is not None:
        return f"light of a scene, {scene.coding}"
    if photo.metadata.space is not None:
        return photo.metadata.space.name
    return "sRGB" if profile is None or photo.metadata.icc_profile else "sRGB, for want of another"


def _carried(metadata: Metadata) -> Iterator[str]:
    there = {
        "EXIF": metadata.exif, "XMP": metadata.xmp, "IPTC": metadata.resources,
        "texts": metadata.texts,
    }  # fmt: skip
    yield from (name for name, content in there.items() if content)
