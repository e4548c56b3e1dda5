"""Regions for the page: found, read from any mask file, taken as painted. Runs in a worker.

On the page and among the files a picture's regions are an index for every pixel, at the picture's
own size, into one list of names that both pictures share.
"""

import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.api.styling import segment
from photostyle.errors import MaskError
from photostyle.images.picture import image_size, resize, to_array
from photostyle.places import as_seen
from photostyle.segmentation.fitting import check_proportions
from photostyle.segmentation.formats import CUT_OUT, Drawing, read_drawings
from photostyle.segmentation.labels import NAMED, Colours, legend_of, open_picture, write_labels
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.preview import MOST_REGIONS, colours_of
from photostyle.segmentation.superpixels import analyse, enlarge
from photostyle.web.limits import QUICK
from photostyle.web.pictures import photo_of, put, put_hashed, view_size
from photostyle.web.refusing import Refused
from photostyle.web.solving import label_map
from photostyle.web.workshop import Bench, named

Ids = NDArray[np.int32]
ROLES = ("content", "style")
#: Letters of a region's name at most.
MOST_LETTERS = 60


def find(
    bench: Bench, content: str, style: str, options: dict[str, Any], files: str
) -> dict[str, Any]:
    """The regions that a run would find in the two pictures."""
    photos = [photo_of(content), photo_of(style)]
    found = segment(content, style, **options)
    names = list(dict.fromkeys(name for labels in found.maps for name in labels.names))
    placed = {}
    for role, photo, labels in zip(ROLES, photos, found.maps, strict=True):
        bench.check()
        size = image_size(photo.image)
        seen = to_array(resize(photo.image, view_size(size)))
        ids = sampled(enlarge(labels.ids, len(labels.names), seen), size)
        placed[role] = LabelMap(ids, labels.names, labels.source)
    return {
        **written(placed, names, files),
        "by": found.used,
        "notes": [named(n, bench.names) for n in (*found.notes, *found.masks.warnings)],
    }


def read(
    bench: Bench, paths: list[str], called: list[str], picture: str, name: str, palette: str | None
) -> dict[str, Any]:
    """The regions that mask files hold, as `join` takes them: any kind that the command line reads;
    several files are one black-and-white mask for each region.

    Args:
        called: the files' own names. name: the picture's, by which annotation files know it.
    """
    size = image_size(photo_of(picture).image)
    if len(paths) == 1:
        drawing = Drawing(Path(paths[0]), size, Path(as_seen(Path(name).name)))
        labels = read_drawings([drawing], palette)[0]
    else:
        labels = _of_folder(paths, called, size)
    check_proportions(labels, size, "picture")
    notes = [named(note, bench.names) for note in labels.notes]
    return {"labels": _at_size(labels, size), "notes": notes, "colours": _legend(paths)}


def _legend(paths: list[str]) -> Colours:
    """The colours that a label picture of ours tells by names; those of other files are none."""
    if len(paths) != 1 or Path(paths[0]).suffix in (".json", ".exr"):
        return {}
    return legend_of(open_picture(Path(paths[0])))


def load(
    bench: Bench, role: str, mask: dict[str, Any], picture: str, name: str,
    held: dict[str, Any] | None, palette: str | None, files: str,
) -> dict[str, Any]:  # fmt: skip
    """Reads masks for one picture, beside what the other has.

    Args:
        mask: paths and their own names. held: the session's regions until now.
    """
    found = read(bench, mask["paths"], mask["called"], picture, name, palette)
    labels: LabelMap = found["labels"]
    colours = {r["name"]: tuple(r["colour"]) for r in held["regions"]} if held else {}
    colours |= found["colours"]
    other = ROLES[1 - ROLES.index(role)]
    placed, names = {role: labels}, list(labels.names)
    if held and held.get(other):
        known = tuple(region["name"] for region in held["regions"])
        placed[other] = label_map(held[other], known, "The other picture's mask")
        used = {known[i] for i in np.unique(placed[other].ids)}
        if used == {"black", "white"} and set(names) == set(CUT_OUT):
            names = ["black", "white"]
            placed[role] = LabelMap(labels.ids, tuple(names), labels.source, soft=labels.soft)
        names += [x for x in known if x in used and x not in names]
    return {**written(placed, names, files, colours), "by": "labels", "notes": found["notes"]}


def take(
    bench: Bench, path: str, size: list[int], regions: list[dict[str, Any]],
    base: dict[str, Any] | None, files: str,
) -> dict[str, Any]:  # fmt: skip
    """Keeps what was painted: an index for every pixel, packed by gzip or zlib.

    Args:
        size: width and height. regions: names and colours. base: what it was painted on, whose
            softness stays where nothing was painted.
    """
    width, height = size
    unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib
    try:
        data = unpacker.decompress(Path(path).read_bytes(), width * height + 1)
    except zlib.error:
        data = b""
    if len(data) != width * height:
        raise Refused(f"What was painted does not have the picture's {width}×{height} pixels.")
    ids = np.frombuffer(data, np.uint8).reshape(height, width).astype(np.int32)
    names, colours = checked_regions(regions)
    if ids.max() >= len(names):
        raise Refused("What was painted speaks of a region that is not there.")
    labels = LabelMap(ids, names, "the painting", soft=_softened(ids, names, base))
    return _file(labels, colours, files)


def give(bench: Bench, path: str) -> bytes:
    """An index for every pixel, row by row, packed by gzip."""
    ids = label_map({"path": path}, tuple(map(str, range(256))), "the labels").ids
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(ids.astype(np.uint8).tobytes()) + packer.flush()


def pieces(bench: Bench, path: str, size: list[int], files: str) -> str:
    """The superpixels of a picture at its own size, as an index of 16 bits for every pixel, low
    byte first, packed by gzip; gives the file's name."""
    name = f"{Path(path).name[:64]}-pieces.gz"
    if not (Path(files) / name).is_file():
        image = photo_of(path).image
        small = to_array(resize(image, view_size(image_size(image))))
        found = analyse(small)
        seen = to_array(resize(image, _quick(image_size(image))))
        ids = enlarge(found.ids, int(found.ids.max()) + 1, seen)
        packer = zlib.compressobj(1, wbits=31)
        wide = sampled(ids, (size[1], size[0])).astype("<u2").tobytes()
        put(Path(files) / name, packer.compress(wide) + packer.flush())
    return name


def _quick(size: tuple[int, int]) -> tuple[int, int]:
    share = min(1.0, QUICK / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def checked_regions(regions: list[dict[str, Any]]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Names and colours as a page tells them.

    Raises:
        Refused: they are none.
    """
    try:
        colours = {
            as_seen(str(region["name"]))[:MOST_LETTERS]: tuple(int(v) for v in region["colour"])
            for region in regions
        }
    except (TypeError, KeyError, ValueError):
        raise Refused("The regions have no names and colours.") from None
    sound = all(len(c) == 3 and min(c) >= 0 and max(c) <= 255 for c in colours.values())
    if not 1 <= len(colours) <= MOST_REGIONS or len(colours) != len(regions) or not sound:
        raise Refused(f"Regions are up to {MOST_REGIONS}, each with its own name and a colour.")
    if len(set(colours.values())) < len(colours) or any(not n.strip() for n in colours):
        raise Refused("Every region needs a name and a colour of its own.")
    return tuple(colours), colours


def written(
    placed: dict[str, LabelMap], names: Sequence[str], files: str, known: Colours | None = None
) -> dict[str, Any]:
    """The regions of one picture or both, as a session has them.

    Args:
        known: colours that some names have already; no two are given the same.
    """
    colours = {name: known[name] for name in names if known and name in known}
    if len(set(colours.values())) < len(colours):
        colours = {}
    free = [*colours_of(names).values(), *NAMED.values()]
    for name in names:
        if name not in colours:
            colours[name] = next(c for c in free if c not in colours.values())
    colours = {name: colours[name] for name in names}
    regions = [{"name": name, "colour": list(colours[name])} for name in names]
    kept = {role: _file(labels, colours, files) for role, labels in placed.items()}
    return {"regions": regions, **kept}


def _file(labels: LabelMap, colours: dict[str, Any], files: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=files) as folder:
        path = Path(folder) / "labels.png"
        write_labels(path, labels, colours)
        kept = {"file": put_hashed(files, path.read_bytes(), "png")}
        if labels.soft is not None:
            order = [labels.names.index(n) if n in labels.names else -1 for n in colours]
            empty = np.zeros(labels.ids.shape, np.uint8)
            levels = np.rint(labels.soft * 255).astype(np.uint8)
            planes = [levels[k] if k >= 0 else empty for k in order]
            np.savez_compressed(Path(folder) / "soft.npz", soft=np.stack(planes))
            data = (Path(folder) / "soft.npz").read_bytes()
            kept["soft"] = put_hashed(files, data, "npz")
    return kept


def _softened(
    ids: Ids, names: tuple[str, ...], base: dict[str, Any] | None
) -> NDArray[np.float32] | None:
    """The softness of what was painted on, where it is as it was."""
    if not base or not base.get("soft"):
        return None
    with np.load(base["soft"]) as held:
        soft = held["soft"].astype(np.float32) / 255
    if soft.shape[1:] != ids.shape or len(soft) > len(names):
        return None
    wider = np.zeros((len(names), *ids.shape), np.float32)
    wider[: len(soft)] = soft / np.maximum(soft.sum(axis=0), 1e-6)
    painted = wider.argmax(axis=0) != ids
    for k in range(len(names)):
        wider[k][painted] = ids[painted] == k
    return wider


def _of_folder(paths: list[str], called: list[str], size: tuple[int, int]) -> LabelMap:
    """One mask for each region, each called after its file."""
    names = [as_seen(Path(name.replace("\\", "/")).stem)[:MOST_LETTERS] for name in called]
    if len(set(names)) < len(names):
        raise MaskError("Two of the masks have one name; a region is one file.")
    with tempfile.TemporaryDirectory() as folder:
        for k, path in enumerate(paths):
            (Path(folder) / f"{k:03}{Path(path).suffix}").symlink_to(Path(path).resolve())
        labels = read_drawings([Drawing(Path(folder), size)])[0]
    real = tuple(names[int(n)] if n.isdigit() else n for n in labels.names)
    return LabelMap(labels.ids, real, "The masks", (), labels.soft)


def _at_size(labels: LabelMap, size: tuple[int, int]) -> LabelMap:
    if labels.ids.shape == size:
        return labels
    soft = labels.soft
    if soft is not None:
        soft = np.stack([sampled(plane, size) for plane in soft])
    return LabelMap(sampled(labels.ids, size), labels.names, labels.source, labels.notes, soft)


def sampled(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A plane at another size, each pixel as the one nearest to its middle."""
    rows, columns = (
        (2 * np.arange(n) + 1) * whole // (2 * n)
        for n, whole in zip(size, plane.shape, strict=True)
    )
    return np.ascontiguousarray(plane[rows][:, columns])
