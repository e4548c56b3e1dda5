"""Masks as other programs make them, read as label maps.

A pair of masks is read together, because what a colour means shows only in both: the nine colours,
a palette that is given, or flat colours that the two files share. Besides colours there are
integer ids (8 and 16 bits, or an indexed picture whose palette says nothing), alpha masks, folders
with a binary mask for each region, and polygons (polygons.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from photostyle.config.options import parts_of, plain
from photostyle.errors import MaskError, OptionError
from photostyle.images.hashing import PICTURES
from photostyle.segmentation.labels import (
    CORE_SHARE,
    EXACT,
    NAMED,
    PALETTE,
    Colours,
    indexed_with,
    labels_of,
    legend_of,
    open_picture,
    rgb_of,
    tolerance_of,
)
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.polygons import read_polygons
from photostyle.segmentation.speckle import APART, FLAT, between, flat_areas, scattered

Array = NDArray[Any]

MOST_COLOURS = 40  # more flat colours than this are no palette
LEARNT_SHARE = 0.9  # of both pictures that the shared flat colours must cover
LEAST_FLAT = 2e-3  # share of the picture that makes a flat colour a label
SPECKLED_FLAT = 0.3  # share of a speckled picture that is flat all the same
COVERED_SHARE = 0.85  # of a speckled picture that its flat colours must cover


@dataclass(frozen=True)
class Drawing:
    """A mask file or folder, and the (height, width) of the picture that it belongs to."""

    path: Path
    picture_size: tuple[int, int]
    picture: Path | None = None


def parse_palette(text: str) -> dict[str, tuple[int, int, int]]:
    """{name: RGB} of words such as "sky=#80c0ff,ground=#604020".

    Raises:
        OptionError: a part that is no such pair, a name or colour that is there twice.
    """
    palette: dict[str, tuple[int, int, int]] = {}
    for word in parts_of(text):
        name, *code = map(plain, parts_of(word, "="))
        try:
            colour = ImageColor.getrgb("=".join(code))[:3]
        except ValueError:
            raise OptionError(
                f"--palette {text}: {word!r} is no colour; write sky=#80c0ff."
            ) from None
        if not name or name in palette or colour in palette.values():
            raise OptionError(f"--palette {text}: {word!r} is there twice or has no name.")
        palette[name] = (int(colour[0]), int(colour[1]), int(colour[2]))
    if len(palette) > MOST_COLOURS:
        raise OptionError(f"--palette has {len(palette)} colours; {MOST_COLOURS} is the most.")
    return palette


def read_drawings(drawings: Sequence[Drawing], palette: str | None = None) -> tuple[LabelMap, ...]:
    """The label maps of masks that belong together, each in its own size.

    Args:
        drawings: of the content and the style, or of one picture alone.
        palette: names and colours as for `parse_palette`; without it, see the module.

    Raises:
        MaskError: a file that cannot be read as any kind of mask; the message names it.
        OptionError: an unfit palette.
    """
    known = parse_palette(palette) if palette else None
    found = [None if known else _without_colours(drawing) for drawing in drawings]
    coloured = [d for d, labels in zip(drawings, found, strict=True) if labels is None]
    by_colour = iter(_by_colours([d.path for d in coloured], known))
    return tuple(labels if labels is not None else next(by_colour) for labels in found)


def _without_colours(drawing: Drawing) -> LabelMap | None:
    """Folders, polygons, ids and alpha; None for a picture whose colours are its labels."""
    path = drawing.path
    if path.is_dir():
        return read_folder(path)
    if path.suffix.lower() == ".json":
        return read_polygons(path, drawing.picture_size, drawing.picture)
    picture = open_picture(path)
    return _ids(picture, path) or _alpha(picture, path)


def read_folder(folder: Path) -> LabelMap:
    """One binary mask per region, named after its file; what no mask covers is "rest".

    Where masks overlap the brighter wins, and of equals the later name.

    Raises:
        MaskError: no masks in it, masks of several sizes, or all of them empty.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    if not paths:
        raise MaskError(f"{folder} holds no masks; give one picture per region, named after it.")
    values = {path: _brightness(open_picture(path)) for path in paths}
    first = values[paths[0]].shape
    for path, value in values.items():
        if value.shape != first:
            raise MaskError(
                f"{path} is {value.shape[1]}×{value.shape[0]} pixels and {paths[0].name} "
                f"{first[1]}×{first[0]}: the masks of a folder must have one size."
            )
    if len({p.stem for p in paths}) < len(paths):
        raise MaskError(f"{folder} holds two masks of one name; a region is one file.")
    notes, ids, best = [], np.zeros(first, np.int32), np.full(first, 127, np.uint8)
    for k, (path, value) in enumerate(values.items(), start=1):
        if not (value > 127).any():
            notes.append(f"{path} is empty: the region {path.stem!r} is left out.")
        mine = value >= np.maximum(best, 128)
        ids[mine], best[mine] = k, value[mine]
    if len(notes) == len(paths):
        raise MaskError(f"{folder} holds only empty masks; paint the regions white on black.")
    names = ("rest" if "rest" not in {p.stem for p in paths} else "(rest)",)
    return LabelMap(ids, (*names, *(p.stem for p in paths)), str(folder), tuple(notes))


def _brightness(picture: Image.Image) -> NDArray[np.uint8]:
    """H×W: the mask's value from 0 to 255, from its alpha where its colours are all alike."""
    alpha = _alpha_plane(picture)
    grey = rgb_of(picture).max(axis=2)
    if alpha is not None and alpha.min() < 128:
        opaque = grey[alpha > 127].astype(int)
        if opaque.size == 0 or opaque.max() - opaque.min() <= EXACT:
            return alpha
    values = grey.astype(np.float32)
    # A mask of 0 and 1 is a mask, too.
    top = values.max()
    scaled = values * (255 / top) if 0 < top < 64 else values
    return np.asarray(scaled.round(), dtype=np.uint8)


def _ids(picture: Image.Image, path: Path) -> LabelMap | None:
    """Integer ids: few values of a grey picture that are not black, grey and white."""
    values, full = _integers(picture)
    if values is None:
        return None
    found, counts = np.unique(values, return_counts=True)
    if len(found) < 2 or len(found) > MOST_COLOURS * 2:
        return None
    levels = np.array([0, 128, 255]) * (full / 255)
    grey = np.abs(found[:, None] - levels).min(axis=1).max() <= EXACT * full / 255
    if found.max() >= full / 4 and (grey or counts.min() < CORE_SHARE * values.size):
        return None
    ids = np.searchsorted(found, values).astype(np.int32)
    return LabelMap(ids, tuple(f"id {value}" for value in found), str(path))


def _integers(picture: Image.Image) -> tuple[Array | None, int]:
    """H×W integers of a grey picture, or of an indexed one with a palette that says nothing; and
    the largest value that they can have."""
    if picture.mode == "P":
        indices = np.asarray(picture)
        used = np.unique(indices)
        colours = np.array(picture.getpalette("RGB"), dtype=int).reshape(-1, 3)[used]
        silent = len(np.unique(colours, axis=0)) < len(used)
        ramp = (colours == used[:, None]).all() and used.max() < 64
        return (indices, 255) if silent or ramp else (None, 0)
    if picture.mode == "L":
        return np.asarray(picture), 255
    if picture.mode.startswith("I"):
        return np.asarray(picture.convert("I")), 65535
    return None, 0


def _alpha(picture: Image.Image, path: Path) -> LabelMap | None:
    """Inside and outside of a cut-out: clear alpha, and colours that tell no labels apart."""
    alpha = _alpha_plane(picture)
    if alpha is None:
        return None
    opaque = alpha > 127
    clear = ((alpha < 64) | (alpha > 191)).mean()
    if opaque.all() or not opaque.any() or clear < LEARNT_SHARE:
        return None
    rgb = rgb_of(picture)
    if len(_flat_colours(rgb, opaque)) > 1 and _flat_share(rgb, opaque) > LEARNT_SHARE:
        return None  # labels that happen to have holes
    return LabelMap(opaque.astype(np.int32), ("outside", "inside"), str(path))


def _alpha_plane(picture: Image.Image) -> NDArray[np.uint8] | None:
    if "A" in picture.getbands() or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA").getchannel("A"))
    return None


def _by_colours(paths: Sequence[Path], known: Colours | None) -> list[LabelMap]:
    """Label maps of coloured pictures that share one palette."""
    pictures = [open_picture(path) for path in paths]
    legend: dict[str, tuple[int, int, int]] = {}
    for picture in pictures:
        legend |= legend_of(picture)
    if known:
        return [_read(p, known, path) for p, path in zip(pictures, paths, strict=True)]
    if legend:
        return [_read(p, legend, path) for p, path in zip(pictures, paths, strict=True)]
    learnt = None
    if any(_ambiguous(picture) for picture in pictures):
        learnt = _learnt([rgb_of(picture) for picture in pictures])
    try:
        return [_read(p, learnt or PALETTE, path) for p, path in zip(pictures, paths, strict=True)]
    except MaskError:
        other = PALETTE if learnt else _learnt([rgb_of(picture) for picture in pictures])
        if not other:
            raise
    return [_read(p, other, path) for p, path in zip(pictures, paths, strict=True)]


def _read(picture: Image.Image, palette: Colours, path: Path) -> LabelMap:
    if indexed_with(picture, palette):
        return LabelMap(np.asarray(picture).astype(np.int32), tuple(palette), str(path))
    return labels_of(rgb_of(picture), palette, path)


def _ambiguous(picture: Image.Image) -> bool:
    """Whether two flat colours of the picture would be read as one of the nine."""
    rgb = rgb_of(picture)
    found = _without_speckle(rgb, _flat_colours(rgb, apart=APART), APART)
    colours = np.array(found or [(0, 0, 0)])
    nine = np.array(list(PALETTE.values()))
    gaps = np.abs(colours[:, None] - nine).max(axis=2)
    nearest = gaps.argmin(axis=1)[gaps.min(axis=1) <= tolerance_of(PALETTE)]
    return len(np.unique(nearest)) < len(nearest)


def _learnt(pictures: Sequence[NDArray[np.uint8]]) -> dict[str, tuple[int, int, int]] | None:
    """The palette of the flat colours, when the pictures share it; None when they do not."""
    colours: list[tuple[int, int, int]] = []
    flat_colours = [_flat_colours(rgb) for rgb in pictures]
    kept = [_without_speckle(rgb, mine) for rgb, mine in zip(pictures, flat_colours, strict=True)]
    for rgb, mine in zip(pictures, kept, strict=True):
        if not mine or not _is_drawing(rgb, mine):
            return None
        colours += [c for c in mine if _position(c, colours) is None]
    # What is speckle in one picture may be a region in the other.
    places = [{_position(c, colours) for c in mine} - {None} for mine in flat_colours]
    shared = set.intersection(*places)
    if not shared or len(colours) > MOST_COLOURS:
        return None
    names = {rgb: name for name, rgb in NAMED.items()}
    return {names.get(c, "#{:02x}{:02x}{:02x}".format(*c)): c for c in colours}


def _is_drawing(rgb: NDArray[np.uint8], colours: Sequence[tuple[int, int, int]]) -> bool:
    """Whether a picture is nearly all flat, or flat colours with speckle all over.

    Speckle breaks up flat areas, so it is the pixels that are counted then; but colours that run
    into each other are a photograph's.
    """
    flat = _flat_share(rgb)
    if flat >= LEARNT_SHARE * 0.9:
        return True
    apart = all(_position(c, colours[:i], 2 * APART) is None for i, c in enumerate(colours))
    if flat < SPECKLED_FLAT or len(colours) > MOST_COLOURS or not apart:
        return False
    covered = np.zeros(flat_areas(rgb).shape, bool)
    for colour in colours:
        covered |= _like(rgb, colour)
    return bool(covered.mean() >= COVERED_SHARE)


def _without_speckle(
    rgb: NDArray[np.uint8], colours: Sequence[tuple[int, int, int]], apart: int = FLAT
) -> list[tuple[int, int, int]]:
    """The colours of H×W×3 pixels, most frequent first, that are no speckle beside earlier ones."""
    flat = flat_areas(rgb)
    kept: list[tuple[int, int, int]] = []
    for colour in colours:
        if not kept or not between(colour, kept) or not scattered(_like(rgb, colour, apart) & flat):
            kept.append(colour)
    return kept


def _like(
    rgb: NDArray[np.uint8], colour: tuple[int, int, int], apart: int = FLAT
) -> NDArray[np.bool_]:
    """H×W: whether pixels have a colour, up to `apart` in every channel."""
    bounds = np.array(colour) + np.array([[-apart], [apart]])  # (2, 3)
    low, high = bounds.clip(0, 255)
    return cv2.inRange(rgb, low, high) > 0


def _position(
    colour: tuple[int, ...], colours: Sequence[tuple[int, ...]], apart: int = FLAT
) -> int | None:
    """Where a colour is in a list, give or take what compression does to it."""
    for i, other in enumerate(colours):
        if max(abs(a - b) for a, b in zip(colour, other, strict=True)) <= apart:
            return i
    return None


def _flat_colours(
    rgb: NDArray[np.uint8], where: Array | None = None, apart: int = FLAT
) -> list[tuple[int, int, int]]:
    """The colours of the picture's flat areas, most frequent first."""
    flat = flat_areas(rgb) if where is None else flat_areas(rgb) & where
    pixels = rgb[flat].astype(np.int64)
    if len(pixels) == 0:
        return []
    keys = pixels @ np.array([65536, 256, 1])
    found, counts = np.unique(keys, return_counts=True)
    chosen: list[tuple[int, int, int]] = []
    totals: list[int] = []
    for k in np.argsort(-counts)[:4096]:
        colour = (int(found[k]) >> 16, int(found[k]) >> 8 & 255, int(found[k]) & 255)
        at = _position(colour, chosen, apart)
        if at is None:
            chosen.append(colour)
            totals.append(int(counts[k]))
        else:
            totals[at] += int(counts[k])
        if len(chosen) > 4 * MOST_COLOURS:
            break
    least = LEAST_FLAT * flat.size
    return [c for c, n in zip(chosen, totals, strict=True) if n >= least]


def _flat_share(rgb: NDArray[np.uint8], where: Array | None = None) -> float:
    """Share of the picture, or of a part of it, that is flat."""
    flat = flat_areas(rgb)
    return float(flat.mean() if where is None else flat[where].mean())
