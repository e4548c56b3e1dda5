"""Polygon files of annotation tools: COCO and VGG Image Annotator (VIA) JSON."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from photostyle.documents import Unreadable, read_json
from photostyle.errors import MaskError
from photostyle.places import as_seen
from photostyle.segmentation.masks import LabelMap

REST = "rest"
#: Pixels from a picture that a point may lie; OpenCV counts in few bits.
FARTHEST = 1e6


def read_polygons(path: Path, size: tuple[int, int], picture: Path | None = None) -> LabelMap:
    """The regions drawn for one picture; later shapes lie over earlier ones.

    Args:
        path: COCO ("images", "annotations", "categories") or VIA ("regions" per picture).
        size: (height, width) of the picture, to which the coordinates belong.
        picture: chooses the picture of that name where the file describes several.

    Raises:
        MaskError: the file cannot be read, is of another kind, or has no polygons for the picture.
    """
    try:
        data = read_json(path)
    except Unreadable as error:
        raise MaskError(f"{path} cannot be read as JSON: it {error}.") from None
    try:
        shapes = list(_coco(data, path, picture) if "annotations" in data else _via(data, picture))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise MaskError(f"{path} is neither a COCO nor a VGG (VIA) file of polygons.") from None
    shapes = [(name, points) for name, points in shapes if len(points) >= 3]
    if not shapes:
        raise MaskError(f"{path} has no polygons for {picture.name if picture else 'the picture'}.")
    names = (REST, *dict.fromkeys(name for name, _ in shapes if name != REST))
    ids = np.zeros(size, np.int32)
    for name, points in shapes:
        cv2.fillPoly(ids, [points.round().astype(np.int32)], names.index(name))
    return LabelMap(ids, names, str(path))


def _coco(
    data: dict[str, Any], path: Path, picture: Path | None
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    names = {c["id"]: str(c["name"]) for c in data.get("categories", [])}
    image = _chosen(data["images"], lambda entry: entry["file_name"], picture)
    for entry in data["annotations"]:
        if entry["image_id"] != image["id"]:
            continue
        if not isinstance(entry["segmentation"], list):
            raise MaskError(f"{path} holds run lengths (RLE); export it with polygons.")
        for flat in entry["segmentation"]:
            name = names.get(entry["category_id"], f"id {entry['category_id']}")
            yield name, _outline(np.array(flat, dtype=np.float64).reshape(-1, 2))


def _via(data: dict[str, Any], picture: Path | None) -> Iterator[tuple[str, NDArray[np.float64]]]:
    files = data.get("_via_img_metadata", data)
    image = _chosen(files.values(), lambda entry: entry["filename"], picture)
    regions = image["regions"]
    for entry in regions.values() if isinstance(regions, dict) else regions:
        shape = entry["shape_attributes"]
        names = [str(v) for v in entry.get("region_attributes", {}).values() if v]
        if shape["name"] in ("polygon", "polyline"):
            points = [shape["all_points_x"], shape["all_points_y"]]
        elif shape["name"] == "rect":
            x, y, w, h = (shape[key] for key in ("x", "y", "width", "height"))
            points = [[x, x + w, x + w, x], [y, y, y + h, y + h]]
        else:
            continue
        yield names[0] if names else "region", _outline(np.array(points, dtype=np.float64).T)


def _outline(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """N×2 points as they can be drawn; ValueError where they are no such."""
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("no outline")
    return points.clip(-FARTHEST, FARTHEST)


def _chosen(entries: Iterable[Any], name: Any, picture: Path | None) -> Any:
    """The entry of the picture's name, or the only one."""
    listed = list(entries)
    if picture is not None:
        for entry in listed:
            if as_seen(Path(str(name(entry))).name) == as_seen(picture.name):
                return entry
    if len(listed) != 1:
        raise ValueError("no entry for the picture")
    return listed[0]
