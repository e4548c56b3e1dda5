"""Annotation files: COCO, VIA and LabelMe, checked against boxes whose pixels are known and
formulas of the other shapes."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

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
        (coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}]),
         r"no polygons for city\.jpg, only 1 with a box and no polygon \(sky\)"),
        (coco(images=[{"id": 1, "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}]),
         r"describes a\.jpg, b\.jpg, but not city\.jpg"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, data: Any, says: str) -> None:
    with pytest.raises(MaskError, match=says):
        read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))


def test_no_json(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(MaskError, match=r"m\.json cannot be read as JSON"):
        read_polygons(tmp_path / "m.json", SIZE)


INSIDE = np.zeros(SIZE, bool)
INSIDE[20:40, 50:70] = True
#: INSIDE as pycocotools encodes it.
COMPRESSED = "\\n2d0X10000000000000000000000000000000000000Tb0"


def names_of(path: Path, data: Any, size: tuple[int, int] = SIZE) -> np.ndarray:
    labels = read_polygons(write(path, data), size, Path("city.jpg"))
    return np.array(labels.names)[labels.ids]


def counts(inside: np.ndarray) -> list[int]:
    """Run lengths along columns, beginning with the outside."""
    flat = np.concatenate([[False], inside.T.ravel(), [not inside[-1, -1]]])
    return np.diff(np.flatnonzero(np.diff(flat)), prepend=0).tolist()


@pytest.mark.parametrize("coded", [counts(INSIDE), COMPRESSED], ids=["plain", "compressed"])
@pytest.mark.parametrize("scale", [1, 2])
def test_run_lengths(tmp_path: Path, coded: Any, scale: int) -> None:
    entry = {"image_id": 7, "category_id": 4, "iscrowd": 1,
             "segmentation": {"size": list(SIZE), "counts": coded}}  # fmt: skip
    size = SIZE[0] * scale, SIZE[1] * scale
    found = names_of(tmp_path / "m.json", coco(annotations=[entry]), size)
    wanted = np.kron(INSIDE, np.ones((scale, scale), bool))
    np.testing.assert_array_equal(found == "house", wanted)


def test_shapes_drawn_on_a_smaller_picture(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "city.jpg", "width": 40, "height": 30}]
    half = [{"image_id": 7, "category_id": 4, "segmentation": [[10, 5, 30, 5, 30, 20, 10, 20]]}]
    found = names_of(tmp_path / "m.json", coco(images=images, annotations=half)) == "house"
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (10, 40, 20, 60)
    assert found[10:41, 20:61].all()


@pytest.mark.parametrize("width", [30, 80])
def test_other_proportions_are_refused(tmp_path: Path, width: int) -> None:
    images = [{"id": 7, "file_name": "city.jpg", "width": width, "height": 30}]
    with pytest.raises(
        MaskError, match=rf"on a picture of {width}×30 pixels and city.jpg has 80×60"
    ):
        names_of(tmp_path / "m.json", coco(images=images))


def test_shapes_beyond_the_picture_of_untold_size(tmp_path: Path) -> None:
    with pytest.raises(
        MaskError, match=r'"sky" reaches to \(39, 59\), but city.jpg has only 40×30'
    ):
        names_of(tmp_path / "m.json", coco(), (30, 40))


def one_of_via(**shape: Any) -> dict[str, Any]:
    region = {"shape_attributes": shape, "region_attributes": {"type": {"house": True, "a": False}}}
    return {"x": {"filename": "city.jpg", "size": 1, "regions": [region]}}


def one_of_labelme(kind: str, points: list[list[float]], **more: Any) -> dict[str, Any]:
    shape = {"label": "house", "shape_type": kind, "points": points, **more}
    return {"version": "5.0", "imagePath": "..\\city.jpg", "imageHeight": 60, "imageWidth": 80,
            "shapes": [shape]}  # fmt: skip


Y, X = np.mgrid[:60, :80]
DISC = np.hypot(X - 40, Y - 30) - 15  # distance from its rim
TURNED = np.hypot((X - 40) / 10, (Y - 30) / 25) - 1
TURNED = TURNED * 10
LAID = np.where((Y >= 30) & (Y <= 50) & (X >= 20) & (X <= 60), -9.0, 9.0)


def bitmap(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("data", "distance"),
    [
        (one_of_via(name="circle", cx=40, cy=30, r=15), DISC),
        (one_of_via(name="ellipse", cx=40, cy=30, rx=25, ry=10, theta=np.pi / 2), TURNED),
        (one_of_via(name="ellipse", cx=40, cy=30, rx=10, ry=25), TURNED),
        (one_of_via(name="rect", x=20, y=30, width=40, height=20), LAID),
        (one_of_via(name="polyline", all_points_x=[20, 60, 60, 20], all_points_y=[30, 30, 50, 50]),
         LAID),
        (one_of_labelme("circle", [[40, 30], [40, 45]]), DISC),
        (one_of_labelme("rectangle", [[60, 50], [20, 30]]), LAID),
        (one_of_labelme("polygon", [[20, 30], [60, 30], [60, 50], [20, 50]]), LAID),
        *((one_of_labelme(kind, [[20, 30], [60, 30], [60, 50], [20, 50]]), LAID)
          for kind in ("rectangle", "oriented_rectangle", "rotation")),
        (one_of_labelme("linestrip", [[20, 30], [60, 30], [60, 50], [20, 50]]), LAID),
        (one_of_labelme("mask", [[20, 30], [61, 51]], mask=bitmap(np.ones((21, 41), bool))), LAID),
    ],
)  # fmt: skip
def test_every_shape_with_an_area_is_drawn(
    tmp_path: Path, data: dict[str, Any], distance: np.ndarray
) -> None:
    found = names_of(tmp_path / "m.json", data) == "house"
    sure = np.abs(distance) > 0.8  # a pixel's half diagonal
    np.testing.assert_array_equal(found[sure], distance[sure] < 0)


def test_labelme_of_a_smaller_picture(tmp_path: Path) -> None:
    data = one_of_labelme("rectangle", [[10, 15], [30, 25]]) | {"imageHeight": 30, "imageWidth": 40}
    found = names_of(tmp_path / "m.json", data) == "house"
    np.testing.assert_array_equal(found, LAID < 0)


def test_what_has_no_area_is_named(tmp_path: Path) -> None:
    data = coco()
    data["categories"] += [{"id": 5, "name": "car, parked"}, {"id": 6, "name": "wire"}]
    data["annotations"] += [
        {"image_id": 7, "category_id": 5, "segmentation": [], "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": 5, "bbox": [1, 2, 3, 4]},
        {"image_id": 7, "category_id": 6, "segmentation": [[1, 2, 30, 40]]},
        {"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]},
    ]
    labels = read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))
    np.testing.assert_array_equal(np.array(labels.names)[labels.ids], expected("house"))
    (note,) = labels.notes
    assert note.endswith(
        'left out 2 with a box and no polygon ("car, parked") and 1 with no area (wire).'
    )


def test_points_and_unknown_shapes_of_via_are_named(tmp_path: Path) -> None:
    data = one_of_via(name="circle", cx=40, cy=30, r=15)
    data["x"]["regions"] += [
        {"shape_attributes": shape, "region_attributes": {"a": name}}
        for shape, name in (
            ({"name": "point", "cx": 1, "cy": 2}, "bird"),
            ({"name": "spiral"}, "snail"),
        )
    ]
    labels = read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))
    assert "1 with no area (bird)" in labels.notes[0]
    assert "1 with a kind that is not known here (snail)" in labels.notes[0]


@pytest.mark.parametrize("name", ["C:\\photos\\city.jpg", "photos/city.jpg", "city.jpg"])
def test_names_of_any_system(tmp_path: Path, name: str) -> None:
    images = [{"id": 1, "file_name": "photos\\town.jpg"}, {"id": 7, "file_name": name}]
    found = names_of(tmp_path / "m.json", coco(images=images))
    np.testing.assert_array_equal(found, expected("house"))


def test_the_folder_decides_between_equal_names(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "night/city.jpg"}, {"id": 7, "file_name": "day/city.jpg"}]
    path = write(tmp_path / "m.json", coco(images=images))
    labels = read_polygons(path, SIZE, Path("/photos/day/city.jpg"))
    np.testing.assert_array_equal(np.array(labels.names)[labels.ids], expected("house"))


def test_equal_names_that_nothing_tells_apart(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "night/city.jpg"}, {"id": 7, "file_name": "day/city.jpg"}]
    path = write(tmp_path / "m.json", coco(images=images))
    with pytest.raises(MaskError, match=r"and day/city[.]jpg, and nothing tells"):
        read_polygons(path, SIZE, Path("/photos/city.jpg"))


def test_numbers_may_be_texts(tmp_path: Path) -> None:
    data = coco()
    for entry in data["annotations"]:
        entry["image_id"] = str(entry["image_id"])
        entry["category_id"] = str(entry["category_id"])
    found = names_of(tmp_path / "m.json", data)
    np.testing.assert_array_equal(found, expected("house"))


def test_names_are_words_on_one_line(tmp_path: Path) -> None:
    data = coco(categories=[{"id": 3, "name": "sky\n over"}, {"id": 4, "name": "\x1b[31mhouse"}])
    labels = read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))
    assert labels.names == ("rest", "sky over", "\ufffd[31mhouse")


def test_projects_of_via_3_are_named(tmp_path: Path) -> None:
    data = {"project": {}, "file": {}, "metadata": {}, "view": {}}
    with pytest.raises(MaskError, match="project of VIA 3; export it from there as COCO"):
        read_polygons(write(tmp_path / "m.json", data), SIZE, Path("city.jpg"))


@pytest.mark.parametrize(
    "drawn",
    [[[0, 0, 1e400, 0, 5, 5]], [[10**400, 0, 9, 0, 5, 5]], [["a", 0, 9, 0]], [[1, 2, 3]], 5],
    ids=["infinite", "huge", "words", "odd", "number"],
)
def test_absurd_coordinates(tmp_path: Path, drawn: Any) -> None:
    entry = {"image_id": 7, "category_id": 3, "segmentation": drawn}
    with pytest.raises(MaskError, match="neither a COCO"):
        names_of(tmp_path / "m.json", coco(annotations=[entry]))


@pytest.mark.parametrize(
    "coded",
    [{"size": [60, 80], "counts": [1, 2]}, {"size": [10**6, 10**6], "counts": [10**12]},
     {"size": [60, 80], "counts": "\x7f\x7f"}, {"size": [60, 80], "counts": [-5, 4805]}],
)  # fmt: skip
def test_run_lengths_that_do_not_fit(tmp_path: Path, coded: dict[str, Any]) -> None:
    entry = {"image_id": 7, "category_id": 3, "segmentation": coded}
    with pytest.raises(MaskError, match=r'run lengths \(RLE\) of "sky"'):
        names_of(tmp_path / "m.json", coco(annotations=[entry]))


def test_deep_nesting(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("[" * 100_000)
    with pytest.raises(MaskError, match="cannot be read as JSON"):
        read_polygons(tmp_path / "m.json", SIZE)
