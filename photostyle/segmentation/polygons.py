"""Polygon files of annotation tools: COCO, VGG Image Annotator (VIA) and LabelMe JSON."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from photostyle.config.options import quoted
from photostyle.documents import Unreadable, read_json
from photostyle.errors import MaskError
from photostyle.images.picture import PROPORTION_TOLERANCE, same_proportions
from photostyle.places import as_seen
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.shapes import (
    Shape,
    box,
    ellipse,
    encoded_bitmap,
    outline,
    paint,
    run_lengths,
)

REST = "rest"
#: Why an entry is left out.
BOXED, EMPTY, STRANGE = "a box and no polygon", "no area", "a kind that is not known here"

#: Share of the picture that shapes may reach beyond it when the size that they belong to is not
#: told: a hand that slipped, and no other size.
OVERHANG = 0.02


@dataclass
class Annotations:
    """What a file says of one picture.

    Attributes:
        shapes: in their order; later ones lie over earlier ones.
        size: (height, width) of the picture that they were drawn on; None where it is not told.
        left_out: the names of what has no shape, by the reason.
    """

    size: tuple[int, int] | None = None
    shapes: list[Shape] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def add(self, shape: Shape) -> None:
        if shape.bitmap is None and len(shape.points) < 3:
            self.leave_out(shape.name, EMPTY)
        else:
            self.shapes.append(shape)

    def leave_out(self, name: str, reason: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def reasons(self) -> list[str]:
        """A sentence's part for each reason."""
        return [
            f"{len(names)} with {reason} ({', '.join(map(quoted, dict.fromkeys(names)))})"
            for reason, names in self.left_out.items()
        ]


def read_polygons(path: Path, size: tuple[int, int], picture: Path | None = None) -> LabelMap:
    """The regions drawn for one picture; later shapes lie over earlier ones.

    Args:
        path: COCO ("images", "annotations", "categories"), VIA ("regions" per picture) or LabelMe
            ("shapes"). Polygons, polylines (closed), rectangles, circles, ellipses, run lengths
            and bitmaps are drawn; entries without an area are named in the notes.
        size: (height, width) of the picture; shapes that were drawn on it at another size are
            brought to it.
        picture: chooses the picture of that name where the file describes several.

    Raises:
        MaskError: the file cannot be read, is of another kind, has no polygons for the picture, or
            was drawn on one of other proportions.
    """
    found = _read(path, picture)
    called = picture.name if picture else "the picture"
    if not found.shapes:
        only = f", only {' and '.join(found.reasons())}" if found.left_out else ""
        raise MaskError(f"{path} has no polygons for {called}{only}.")
    scale = _scale(found, path, size, called)
    names = (REST, *dict.fromkeys(shape.name for shape in found.shapes if shape.name != REST))
    ids = np.zeros(size, np.int32)
    for shape in found.shapes:
        paint(ids, shape, names.index(shape.name), scale)
    notes = [f"{path}: left out {' and '.join(found.reasons())}."] if found.left_out else []
    return LabelMap(ids, names, str(path), tuple(notes))


def _read(path: Path, picture: Path | None) -> Annotations:
    try:
        data = read_json(path)
    except Unreadable as error:
        raise MaskError(f"{path} cannot be read as JSON: it {error}.") from None
    try:
        if "annotations" in data:
            return _coco(data, path, picture)
        if {"file", "metadata", "view"} <= data.keys():
            raise MaskError(f"{path} is a project of VIA 3; export it from there as COCO.")
        return _labelme(data, path) if "shapes" in data else _via(data, path, picture)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise MaskError(
            f"{path} is neither a COCO nor a VGG (VIA) nor a LabelMe file of polygons."
        ) from None


def _scale(
    found: Annotations, path: Path, size: tuple[int, int], called: str
) -> tuple[float, float]:
    """(y, x) from the shapes' coordinates to the picture's."""
    bitmaps = {s.bitmap.shape for s in found.shapes if s.bitmap is not None and s.whole}
    for height, width in {found.size, *bitmaps} - {None}:  # type: ignore[misc]
        # Rounding to whole pixels is a matter of small pictures, not of other proportions.
        allowed = max(PROPORTION_TOLERANCE, 1 / min(height, width, *size))
        if not same_proportions((height, width), size, allowed):
            raise MaskError(
                f"{path} was drawn on a picture of {width}×{height} pixels and {called} has "
                f"{size[1]}×{size[0]}: the proportions differ, so it belongs to another picture."
            )
    if found.size:
        return size[0] / found.size[0], size[1] / found.size[1]
    for shape in found.shapes:
        x, y = shape.points.max(axis=0)
        if x > size[1] * (1 + OVERHANG) or y > size[0] * (1 + OVERHANG):
            raise MaskError(
                f'{path}: "{shape.name}" reaches to ({x:.0f}, {y:.0f}), but {called} has only '
                f"{size[1]}×{size[0]} pixels: it was drawn on a picture of another size; give that "
                "size in the file, or draw it on this one."
            )
    return 1.0, 1.0


def _size_of(entry: Any, height: str, width: str) -> tuple[int, int] | None:
    """(height, width) where an entry tells both."""
    try:
        size = int(entry[height]), int(entry[width])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 else None


def _coco(data: dict[str, Any], path: Path, picture: Path | None) -> Annotations:
    names = {str(c["id"]): _name(c["name"]) for c in data.get("categories") or []}
    image = _chosen(data["images"], lambda entry: entry["file_name"], path, picture)
    found = Annotations(_size_of(image, "height", "width"))
    for entry in data["annotations"]:
        if str(entry["image_id"]) != str(image["id"]):  # programs mix numbers and texts
            continue
        number = entry.get("category_id")
        name = names.get(str(number), f"id {number}")
        drawn = entry.get("segmentation")
        if isinstance(drawn, dict):
            found.add(_run_lengths(name, drawn, path))
        elif drawn:
            for flat in drawn:
                found.add(outline(name, flat))
        else:
            found.leave_out(name, BOXED if entry.get("bbox") else EMPTY)
    return found


def _run_lengths(name: str, drawn: dict[str, Any], path: Path) -> Shape:
    try:
        return run_lengths(name, drawn)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise MaskError(
            f'{path}: the run lengths (RLE) of "{name}" do not fill the size that they give; '
            "export the file again, or with polygons."
        ) from None


def _via(data: dict[str, Any], path: Path, picture: Path | None) -> Annotations:
    files = data.get("_via_img_metadata", data)
    image = _chosen(files.values(), lambda entry: entry["filename"], path, picture)
    found = Annotations(_size_of(image.get("file_attributes"), "height", "width"))
    regions = image["regions"]
    for entry in regions.values() if isinstance(regions, dict) else regions:
        _add_via(found, _via_name(entry.get("region_attributes") or {}), entry["shape_attributes"])
    return found


def _via_name(attributes: dict[str, Any]) -> str:
    """The first attribute that says something; of check boxes those that are set."""
    for value in attributes.values():
        if isinstance(value, dict):
            value = ",".join(str(key) for key, chosen in value.items() if chosen)
        if value:
            return _name(value)
    return "region"


def _add_via(found: Annotations, name: str, shape: dict[str, Any]) -> None:
    kind = shape["name"]
    if kind in ("polygon", "polyline"):
        x, y = shape["all_points_x"], shape["all_points_y"]
        found.add(outline(name, list(zip(x, y, strict=True))))
    elif kind == "rect":
        found.add(box(name, *(float(shape[key]) for key in ("x", "y", "width", "height"))))
    elif kind in ("circle", "ellipse"):
        radii = [shape["r"]] * 2 if kind == "circle" else [shape["rx"], shape["ry"]]
        found.add(ellipse(name, (shape["cx"], shape["cy"]), radii, shape.get("theta") or 0.0))
    else:
        found.leave_out(name, EMPTY if kind == "point" else STRANGE)


def _labelme(data: dict[str, Any], path: Path) -> Annotations:
    found = Annotations(_size_of(data, "imageHeight", "imageWidth"))
    for entry in data["shapes"]:
        name, kind, points = (
            _name(entry["label"]), entry.get("shape_type") or "polygon", entry["points"],
        )  # fmt: skip
        if kind == "rectangle" and len(points) == 2:
            (x, y), (right, bottom) = points
            found.add(box(name, x, y, right - x, bottom - y))
        elif kind in ("polygon", "linestrip", "rectangle", "oriented_rectangle", "rotation"):
            found.add(outline(name, points))
        elif kind == "circle":
            middle, rim = np.array(points, dtype=np.float64)
            found.add(ellipse(name, middle, [float(np.linalg.norm(rim - middle))] * 2))
        elif kind == "mask":
            found.add(_bitmap(name, points[0], entry["mask"], path))
        else:
            found.leave_out(name, EMPTY if kind in ("point", "points", "line") else STRANGE)
    return found


def _bitmap(name: str, corner: Any, text: Any, path: Path) -> Shape:
    try:
        return encoded_bitmap(name, corner, text)
    except Exception as error:  # decoders meet broken pictures with nearly any exception
        raise MaskError(f'{path}: the mask of "{name}" is no picture ({error}).') from None


def _name(value: Any) -> str:
    """A region's name on one line, without what a terminal would obey."""
    words = " ".join(as_seen(str(value)).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def _chosen(
    entries: Iterable[Any], name: Callable[[Any], Any], path: Path, picture: Path | None
) -> Any:
    """The entry of the picture's name, the one with more of its folders where several have it; or
    the only one."""
    listed = list(entries)
    if not listed:
        raise ValueError("no pictures")
    parts = [_parts(str(name(entry))) for entry in listed]
    if picture is not None:
        own = _parts(str(picture))
        common = [_in_common(theirs, own) for theirs in parts]
        best = [n for n, count in enumerate(common) if count and count == max(common)]
        if len({tuple(parts[n]) for n in best}) > 1:
            several = " and ".join("/".join(parts[n]) for n in best[:2])
            raise MaskError(
                f"{path} describes {several}, and nothing tells which of them is {picture}; give "
                "a file for this picture alone."
            )
        if best:
            return listed[best[0]]
    if len(listed) == 1:
        return listed[0]
    known = ", ".join(p[-1] for p in parts[:3]) + (", …" if len(parts) > 3 else "")
    called = picture.name if picture else "a picture of unknown name"
    raise MaskError(f"{path} describes {known}, but not {called}.")


def _parts(name: str) -> list[str]:
    """Folders and name, whichever system wrote them; accents as one sign or two are the same."""
    return as_seen(name).replace("\\", "/").split("/")


def _in_common(one: list[str], other: list[str]) -> int:
    """How many parts agree, from the name on."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
