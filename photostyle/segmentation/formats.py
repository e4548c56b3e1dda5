"""Masks as other programs make them, read as label maps.

A pair of masks is read together, because what a colour means shows only in both: the nine colours,
a palette that is given, or flat colours that the two files share (palettes.py). Besides colours
there are integer ids (ids.py), mattes (mattes.py), alpha masks, folders with a mask for each
region, shapes (polygons.py), and mattes of renders (renders.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from photostyle.config.options import parts_of, plain
from photostyle.errors import MaskError, OptionError
from photostyle.images.listing import pictures_in
from photostyle.places import as_seen
from photostyle.segmentation.ids import ids_of, void_filled
from photostyle.segmentation.labels import EXACT, Colours, legend_of, open_picture, rgb_of
from photostyle.segmentation.masks import LabelMap, spread, without_void
from photostyle.segmentation.mattes import matte_of, shares_of, two_regions
from photostyle.segmentation.palettes import (
    LEARNT_SHARE,
    MOST_COLOURS,
    flat_colours,
    flat_share,
    read_coloured,
)
from photostyle.segmentation.polygons import read_polygons
from photostyle.segmentation.renders import is_render, read_render

Array = NDArray[Any]

CUT_OUT = "outside", "inside"
LOSSY = (".jpg", ".jpeg", ".jfif", ".webp", ".avif")


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
    for word in parts_of(as_seen(text)):
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
    listed = [_listed(drawing) for drawing in drawings]
    pictures = [
        None if labels else open_picture(drawing.path)
        for drawing, labels in zip(drawings, listed, strict=True)
    ]
    legend: dict[str, tuple[int, int, int]] = {}
    for picture in pictures:
        legend |= legend_of(picture) if picture else {}
    found = [
        labels if picture is None
        else _uncoloured(picture, drawing.path, known or legend or None, told=bool(known))
        for drawing, picture, labels in zip(drawings, pictures, listed, strict=True)
    ]  # fmt: skip
    rest = [
        (void_filled(_filled(picture)), drawing.path)
        for drawing, picture, labels in zip(drawings, pictures, found, strict=True)
        if picture is not None and labels is None
    ]
    coloured = iter(read_coloured(rest, known or legend or None))
    maps = [labels if labels is not None else next(coloured) for labels in found]
    return tuple(map(without_void, _agreed(maps)))


def _listed(drawing: Drawing) -> LabelMap | None:
    """Regions that come one by one: a folder of masks, a file of shapes, mattes of a render; None
    for a picture."""
    path = drawing.path
    if path.is_dir():
        return read_folder(path)
    if path.suffix.lower() == ".json":
        return read_polygons(path, drawing.picture_size, drawing.picture)
    return read_render(path, drawing.picture_size) if is_render(path) else None


def _uncoloured(
    picture: Image.Image, path: Path, names: Colours | None, *, told: bool
) -> LabelMap | None:
    """Cut-outs, mattes and ids; None for a picture whose colours are its labels.

    Args:
        told: somebody said that they are.
    """
    if not told and (cut_out := _alpha(picture, path)):
        return cut_out
    noisy = path.suffix.lower() in LOSSY
    matte = matte_of(_filled(picture), str(path), names, noisy=noisy)
    return matte if matte or told or noisy else ids_of(picture, path)


def _agreed(maps: Sequence[LabelMap]) -> list[LabelMap]:
    """The maps with inside and outside of cut-outs called white and black where another has
    these two labels."""
    used = [{labels.names[i] for i in np.unique(labels.ids)} for labels in maps]
    if {"black", "white"} not in used:
        return list(maps)
    renamed = dict(zip(CUT_OUT, ("black", "white"), strict=True))
    return [
        replace(labels, names=tuple(renamed[n] for n in labels.names))
        if labels.names == CUT_OUT else labels
        for labels in maps
    ]  # fmt: skip


def read_folder(folder: Path) -> LabelMap:
    """One binary mask per region, named after its file; what no mask covers is "rest".

    Where masks overlap the brighter wins, and of equals the later name; of feathered ones each has
    its share.

    Raises:
        MaskError: no masks in it, masks of several sizes, or all of them empty.
    """
    paths = pictures_in(folder)
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
    regions = [as_seen(p.stem) for p in paths]
    if len(set(regions)) < len(paths):
        raise MaskError(f"{folder} holds two masks of one name; a region is one file.")
    notes, ids, best = [], np.zeros(first, np.int32), np.full(first, 127, np.uint8)
    for k, (path, value) in enumerate(values.items(), start=1):
        if not (value > 127).any():
            notes.append(f"{path} is empty: the region {path.stem!r} is left out.")
        mine = value >= np.maximum(best, 128)
        ids[mine], best[mine] = k, value[mine]
    if len(notes) == len(paths):
        raise MaskError(f"{folder} holds only empty masks; paint the regions white on black.")
    rest = "rest" if "rest" not in regions else "(rest)"
    soft = _soft(list(values.values()))
    return LabelMap(ids, (rest, *regions), str(folder), tuple(notes), soft)


def _soft(values: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32] | None:
    """Shares (K+1)×H×W of the rest and of K masks, if one of these is feathered."""
    planes = [value.astype(np.float32) for value in values]
    found = [two_regions(share, CUT_OUT, "") for p in planes if (share := shares_of(p)) is not None]
    if all(labels.soft is None for labels in found):
        return None
    stack = np.stack(planes) / 255
    stack /= np.maximum(stack.sum(axis=0), 1)
    rest = 1 - stack.sum(axis=0, keepdims=True)
    return np.asarray(np.concatenate([rest.clip(0, 1), stack]), dtype=np.float32)


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


def _alpha(picture: Image.Image, path: Path) -> LabelMap | None:
    """Inside and outside of a cut-out: clear or feathered alpha, and colours that tell no labels
    apart."""
    alpha = _alpha_plane(picture)
    if alpha is None:
        return None
    opaque = alpha > 127
    clear = ((alpha < 64) | (alpha > 191)).mean() >= LEARNT_SHARE
    if opaque.all() or not opaque.any():
        return None
    feathered = shares_of(alpha.astype(np.float32)) is not None
    if not clear and not feathered:
        return None
    rgb = rgb_of(picture)
    if len(flat_colours(rgb, opaque)) > 1 and flat_share(rgb, opaque) > LEARNT_SHARE:
        return None  # labels that happen to have holes
    share = alpha.astype(np.float32) / 255 if feathered else opaque.astype(np.float32)
    return two_regions(share, CUT_OUT, str(path), noisy=path.suffix.lower() in LOSSY)


def _filled(picture: Image.Image) -> Image.Image:
    """The picture with the colours of its holes, which nobody sees, taken from around them."""
    alpha = _alpha_plane(picture)
    if alpha is None or alpha.min() > 127 or alpha.max() <= 127:
        return picture
    return Image.fromarray(spread(rgb_of(picture), alpha > 127))


def _alpha_plane(picture: Image.Image) -> NDArray[np.uint8] | None:
    if "A" in picture.getbands() or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA").getchannel("A"))
    return None
