"""Polygon files: COCO and VIA, checked against boxes whose pixels are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photostyle.errors import MaskError
from photostyle.segmentation.polygons import read_polygons

SIZE = (60, 80)
BOX = (50, 20, 69, 39)  # left, upper, right, lower: corners are pixels of the shape


def expected(name: str) -> np.ndarray:
    names = np.full(SIZE, "rest", dtype="<U9")
    names[:, :40] = "sky"
    names[20:40, 50:70] = name
    return names


def coco(**change: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = BOX
    shapes = [[0, 0, 39, 0, 39, 59, 0, 59], [x0, y0, x1, y0, x1, y1, x0, y1]]
    data = {
        "images": [{"id": 1, "file_name": "other.jpg"}, {"id": 7, "file_name": "a/city.jpg"}],
        "categories": [{"id": 3, "name": "sky"}, {"id": 4, "name": "house"}],
        "annotations": [
            {"image_id": 7, "category_id": c, "segmentation": [s]}
            for c, s in zip((3, 4), shapes, strict=True)
        ],
    }
    return {**data, **change}


def via() -> dict[str, Any]:
    x0, y0, x1, y1 = BOX
    sky = {"name": "polygon", "all_points_x": [0, 39, 39, 0], "all_points_y": [0, 0, 59, 59]}
    house = {"name": "rect", "x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
    regions = [
        {"shape_attributes": shape, "region_attributes": {"type": name}}
        for shape, name in ((sky, "sky"), (house, "house"))
    ]
    return {"city.jpg123": {"filename": "city.jpg", "size": 123, "regions": regions}}


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "data", [coco(), via(), {"_via_img_metadata": via()}], ids=["coco", "via", "via project"]
)
def test_shapes(tmp_path: Path, data: dict[str, Any]) -> None:
    labels = read_polygons(write(tmp_path / "m.json", data), SIZE, Path("elsewhere/city.jpg"))
    np.testing.assert_array_equal(np.array(labels.names)[labels.ids], expected("house"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"some": "thing"}, "neither a COCO nor a VGG"),
        ([1, 2], "neither a COCO nor a VGG"),
        (coco(images=[]), "neither a COCO nor a VGG"),
        (coco(annotations=[]), "has no polygons"),
        (coco(annotations=[{"image_id": 7, "category_id": 3, "segmentation": {"counts": "x"}}]),
         "run lengths"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, data: Any, says: str) -> None:
    with pytest.raises(MaskError, match=says):
        read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))


def test_no_json(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(MaskError, match=r"m\.json cannot be read as JSON"):
        read_polygons(tmp_path / "m.json", SIZE)
