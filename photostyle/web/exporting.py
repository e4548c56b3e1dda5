"""Regions as files for other programs, each of which comes back the same. Runs in a worker."""

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photostyle.segmentation.masks import LabelMap
from photostyle.web.refusing import Refused
from photostyle.web.solving import label_map
from photostyle.web.workshop import Bench

Bits = NDArray[np.bool_]


def export(
    bench: Bench, file: dict[str, Any], known: list[str], form: str, called: str
) -> tuple[bytes, str]:
    """(bytes, ending of the name) of a picture's regions.

    Args:
        form: one of `FORMS`. called: the picture's own name, for annotation files.
    """
    if form == "labels":
        return Path(file["path"]).read_bytes(), "-labels.png"
    if form not in FORMS:
        raise Refused(f"Regions are saved as {', '.join(['labels', *FORMS])}.")
    labels = label_map(file, tuple(known), "the labels")
    write, ending = FORMS[form]
    return write(labels, called), ending


def _ids(labels: LabelMap, called: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(labels.ids.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def _mattes(labels: LabelMap, called: str) -> bytes:
    """A black-and-white mask for each region, feathered where it is soft."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for k, name in _present(labels):
            plane = (labels.ids == k).astype(np.float32) if labels.soft is None else labels.soft[k]
            picture = io.BytesIO()
            Image.fromarray(np.rint(plane * 255).astype(np.uint8)).save(picture, "PNG")
            safe = "".join(c if c.isalnum() or c in " -_.()#," else "_" for c in name)
            archive.writestr(f"{safe}.png", picture.getvalue())
    return out.getvalue()


def _coco(labels: LabelMap, called: str) -> bytes:
    height, width = labels.ids.shape
    found = list(_present(labels))
    notes = [
        {
            "id": n, "image_id": 1, "category_id": n, "iscrowd": 1, "bbox": list(_box(bits)),
            "area": int(bits.sum()),
            "segmentation": {"size": [height, width], "counts": _run_lengths(bits)},
        }
        for n, (k, _) in enumerate(found, start=1)
        for bits in [labels.ids == k]
    ]  # fmt: skip
    image = {"id": 1, "file_name": called, "width": width, "height": height}
    categories = [{"id": n, "name": name} for n, (_, name) in enumerate(found, start=1)]
    return json.dumps({"images": [image], "annotations": notes, "categories": categories}).encode()


def _labelme(labels: LabelMap, called: str) -> bytes:
    height, width = labels.ids.shape
    shapes: list[dict[str, Any]] = []
    for k, name in _present(labels):
        bits = labels.ids == k
        x, y, w, h = _box(bits)
        out = io.BytesIO()
        Image.fromarray(bits[y : y + h, x : x + w]).save(out, "PNG")
        shapes.append({
            "label": name, "shape_type": "mask", "points": [[x, y], [x + w - 1, y + h - 1]],
            "group_id": None, "flags": {}, "mask": base64.b64encode(out.getvalue()).decode(),
        })  # fmt: skip
    return json.dumps({
        "version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": called, "imageData": None,
        "imageHeight": height, "imageWidth": width,
    }).encode()  # fmt: skip


def _via(labels: LabelMap, called: str) -> bytes:
    """Outlines of all connected parts, larger ones first: what lies in a part's hole is drawn over
    it, so that the outlines give every pixel back."""
    height, width = labels.ids.shape
    parts = [
        (int(area), name, line)
        for k, name in _present(labels) for area, line in _outlines(labels.ids == k)
    ]  # fmt: skip
    regions = [
        {
            "shape_attributes": {
                "name": "polygon", "all_points_x": line[:, 0].tolist(),
                "all_points_y": line[:, 1].tolist(),
            },
            "region_attributes": {"label": name},
        }
        for _, name, line in sorted(parts, key=lambda part: -part[0])
    ]  # fmt: skip
    picture = {
        "filename": called, "size": -1, "regions": regions,
        "file_attributes": {"width": width, "height": height},
    }  # fmt: skip
    return json.dumps({
        "_via_settings": {"project": {"name": "photostyle"}},
        "_via_img_metadata": {f"{called}-1": picture}, "_via_image_id_list": [f"{called}-1"],
        "_via_attributes": {"region": {"label": {"type": "text"}}, "file": {}},
    }).encode()  # fmt: skip


def _outlines(bits: Bits) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """(pixels inside, corners N×2 through the middles of the pixels at the rim) of every part that
    hangs together by edges: what is around such a line, diagonals included, never crosses it."""
    count, ids, boxes, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=4)
    for n in range(1, count):
        x, y, w, h = (int(v) for v in boxes[n, :4])
        part = (ids[y : y + h, x : x + w] == n).astype(np.uint8)
        lines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        line = lines[0][:, 0] + (x, y)
        filled = cv2.fillPoly(np.zeros_like(part), lines, 1)
        yield int(filled.sum()), np.concatenate([line, np.repeat(line[-1:], 2, axis=0)])


def _present(labels: LabelMap) -> list[tuple[int, str]]:
    return [(int(k), labels.names[k]) for k in np.unique(labels.ids)]


def _box(bits: Bits) -> tuple[int, int, int, int]:
    """x, y, width and height of what is set."""
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def _run_lengths(bits: Bits) -> list[int]:
    """Lengths of runs along the columns, beginning with the outside (COCO)."""
    flat = bits.T.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    lengths: list[int] = np.diff(edges).tolist()
    return [0, *lengths] if flat[0] else lengths


#: How regions are written, besides as label pictures, and how the names of the files end.
FORMS: dict[str, tuple[Callable[[LabelMap, str], bytes], str]] = {
    "ids": (_ids, "-ids.png"),
    "mattes": (_mattes, "-masks.zip"),
    "coco": (_coco, "-coco.json"),
    "labelme": (_labelme, "-labelme.json"),
    "via": (_via, "-via.json"),
}
