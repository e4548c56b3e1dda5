"""Label pictures: the nine colours, reading them with clean borders, writing them.

The palette is that of the masks published with Luan et al. 2017, "Deep Photo Style Transfer". Such
pictures come anti-aliased, resized and compressed, so few border pixels have a palette colour.
Reading goes in three steps: pixels near a palette colour that lie in a solid area are seeds; a
label without any solid area is an artefact and does not count; every other pixel takes the label
of the nearest seed. So every pixel has a label that is really there, and no blend of two labels
becomes a third one along their border. Speckle goes the same way (speckle.py); an area of substance
in a colour that is no label's is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from photostyle.documents import parse_json
from photostyle.errors import MaskError, OutputError
from photostyle.images.decoding import pillow_picture
from photostyle.images.refusals import TooLarge, refusal_of
from photostyle.images.saving import atomic_path
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.speckle import (
    FOREIGN_SHARE,
    TOLERANCE,
    TRACE,
    flat_areas,
    speckle_share,
    stray,
)

PALETTE = {
    "blue": (0, 0, 255),
    "green": (0, 255, 0),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "grey": (128, 128, 128),
    "lightblue": (0, 255, 255),
    "purple": (255, 0, 255),
}
"""Name → RGB (0–255) of the nine labels, in the order of the ids of `read_labels`."""

MORE_COLOURS = {
    "orange": (255, 128, 0),
    "mint": (0, 255, 128),
    "violet": (128, 0, 255),
    "rose": (255, 128, 255),
    "brown": (128, 64, 0),
    "olive": (128, 192, 0),
    "teal": (0, 128, 192),
    "wine": (160, 0, 96),
    "sand": (255, 224, 160),
}
"""Colours for further regions, used when a label picture needs more than nine."""

NAMED = PALETTE | MORE_COLOURS
"""Every colour that has a name here."""

LEGEND = "photostyle-labels"
"""Key of the PNG text that holds the names of the regions as JSON, name → RGB."""
SUM = "photostyle-labels-sha256"
"""Key of the PNG text that tells whether the labels are still those that were written."""

Colours = Mapping[str, tuple[int, int, int]]
"""Name → RGB (0–255)."""

EXACT = 8
"""Largest difference per channel at which a thin line is one that was drawn, not an artefact."""

CORE_SHARE = 1e-4
"""Share of the picture, at least one pixel, that a label keeps when its areas lose a rim of one
pixel; with less it does not count."""

UNLABELLED_SHARE = 0.5
"""Share of the picture above which pixels far from every palette colour are refused: what is
mostly that is a photograph, not a label picture."""

MOST_PIXELS = 80_000_000
"""Label pictures larger than this are refused; a smaller one serves as well, as it is resized."""

_SQUARE = np.ones((3, 3), np.uint8)


def read_labels(path: Path | str, palette: Colours = PALETTE) -> LabelMap:
    """Read a label picture; the ids index the palette, by default the nine colours.

    Any Pillow format and mode; orientation from EXIF is applied, alpha and colour profiles are
    ignored. Raises MaskError, naming the file, if it cannot be read, is larger than
    `MOST_PIXELS`, has large areas of colours outside the palette, or no area of one inside it.
    """
    picture = open_picture(Path(path))
    if indexed_with(picture, palette):
        return LabelMap(np.asarray(picture).astype(np.int32), tuple(palette), str(path))
    return labels_of(rgb_of(picture), palette, path)


def labels_of(rgb: NDArray[np.uint8], palette: Colours, path: Path | str) -> LabelMap:
    """Labels of H×W×3 pixels; see `read_labels`."""
    colours = _array(palette)
    near = _near(rgb, colours, tolerance_of(palette))
    flat = flat_areas(rgb)
    near, foreign = stray(rgb, near, flat, colours)
    _check_colours(rgb, near, foreign, palette, path)
    exact = _near(rgb, colours, min(EXACT, tolerance_of(palette)))
    seeds = _seeds(near, exact, flat, _blends(palette))
    if not (seeds >= 0).any():
        raise MaskError(f"{path} has no solid area of any label; it needs {_text(palette)}.")
    ids = _fill(rgb, seeds, colours)
    notes = (*_vanished(exact, seeds, palette, path), *_speckled(rgb, exact, ids, path))
    return LabelMap(ids, tuple(palette), str(path), notes)


def write_labels(path: Path | str, labels: LabelMap, colours: Colours | None = None) -> None:
    """Write a label map as an indexed PNG.

    `read_labels` with the same colours gives the same labels back at every pixel, whatever their
    shapes. Without `colours` every name must be one of `PALETTE`; with them the names go into the
    file, too, where reading a pair finds them. Raises MaskError for a name without a colour and
    OutputError for a place that cannot be written.
    """
    path, table = Path(path), PALETTE if colours is None else colours
    foreign = [name for name in labels.names if name not in table]
    if foreign:
        raise MaskError(f"{path} cannot hold {', '.join(foreign)}: it needs {_text(table)}.")
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path} must end in .png: other formats blur the labels.")
    order = np.array([list(table).index(name) for name in labels.names], dtype=np.uint8)
    indices = order[labels.ids]
    picture = Image.fromarray(indices)
    picture.putpalette(_array(table).astype(np.uint8).tobytes())
    text = PngImagePlugin.PngInfo()
    text.add_text(SUM, _sum(indices))
    if colours is not None:
        text.add_text(LEGEND, json.dumps(colours))
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=text)


def is_written(path: Path) -> bool:
    """Whether a file is a label picture as `write_labels` left it, not painted in since."""
    try:
        with Image.open(path) as picture:
            return picture.mode == "P" and picture.info.get(SUM) == _sum(np.asarray(picture))
    except Exception:  # decoders meet broken files with nearly any exception
        return False


def _sum(indices: NDArray[np.uint8]) -> str:
    return hashlib.sha256(indices.tobytes()).hexdigest()


def legend_of(picture: Image.Image) -> dict[str, tuple[int, int, int]]:
    """The names that `write_labels` put into a picture; none in any other."""
    try:
        found = parse_json(picture.info.get(LEGEND, "{}"))
        return {str(name): (int(r), int(g), int(b)) for name, (r, g, b) in found.items()}
    except (ValueError, TypeError, AttributeError, OverflowError):
        return {}


def open_picture(path: Path) -> Image.Image:
    """The upright picture, with its pixels loaded; MaskError says what is wrong with the file."""
    data = b""
    try:
        if not path.exists():
            raise MaskError(f"{path} does not exist; check the name and the folder.")
        if not path.is_file():
            raise MaskError(f"{path} is not a file, where a label picture is needed.")
        if path.stat().st_size == 0:
            raise MaskError(f"{path} is empty (zero bytes), where a label picture is needed.")
        data = path.read_bytes()
        return pillow_picture(data, MOST_PIXELS)
    except MaskError:
        raise
    except Exception as error:  # decoders meet broken files with nearly any exception
        refusal = refusal_of(error, data)
        if isinstance(refusal, TooLarge):
            raise MaskError(
                f"{path} has more than {MOST_PIXELS // 1_000_000} megapixels: "
                "a smaller label picture serves as well."
            ) from error
        raise MaskError(f"{path} {refusal}.") from error


def indexed_with(picture: Image.Image, colours: Colours) -> bool:
    """Whether the picture is indexed with exactly these colours, so that no index is a blend."""
    if picture.mode != "P":
        return False
    palette = np.array(picture.getpalette(), dtype=np.int16)
    ours = _array(colours).ravel()
    if not np.array_equal(palette[: ours.size], ours) or palette[ours.size :].any():
        return False
    return int(np.asarray(picture).max()) < len(colours)


def rgb_of(picture: Image.Image) -> NDArray[np.uint8]:
    """H×W×3 uint8 in the file's own values."""
    if picture.mode == "F" and 0 < (values := np.asarray(picture)).max() <= 1:
        return rgb_of(Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8)))
    if picture.mode == "F" or picture.mode.startswith("I"):
        # Pillow's conversion of deep grey to RGB would clip it at 255.
        grey = np.asarray(picture.convert("I"))
        grey = grey // 257 if grey.max() > 255 else grey
        return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.array(picture.convert("RGB"))


def tolerance_of(palette: Colours) -> int:
    """Largest difference per channel at which a pixel is near a colour and near no other."""
    colours = _array(palette)
    apart = np.abs(colours[:, None] - colours).max(axis=2) + 1000 * np.eye(len(colours), dtype=int)
    return int(min(TOLERANCE, max(0, (apart.min() - 1) // 2)))


def _array(palette: Colours) -> NDArray[np.int16]:
    return np.array(list(palette.values()), dtype=np.int16)  # (K, 3)


def _near(rgb: NDArray[np.uint8], colours: NDArray[np.int16], tolerance: int) -> NDArray[np.int8]:
    """H×W ids of the colour (of up to 60) within `tolerance` in every channel; -1 for none."""
    close = np.abs(np.arange(256)[:, None, None] - colours) <= tolerance  # (256, K, 3)
    powers = np.left_shift(np.uint64(1), np.arange(len(colours), dtype=np.uint64))
    bits = (close * powers[:, None]).sum(axis=1, dtype=np.uint64)  # (256, 3)
    found = bits[:, 0][rgb[..., 0]] & bits[:, 1][rgb[..., 1]] & bits[:, 2][rgb[..., 2]]
    near = np.full(found.shape, -1, np.int8)
    some = found > 0
    near[some] = np.log2(found[some].astype(np.float64)).astype(np.int8)
    return near


def _blends(palette: Colours) -> NDArray[np.bool_]:
    """(K,) whether a colour lies half way between two others, where soft borders pass through."""
    colours = _array(palette)
    middle = (colours[:, None] + colours) // 2  # (K, K, 3)
    gap = np.abs(middle[:, :, None] - colours).max(axis=3)  # (K, K, K)
    same = np.eye(len(colours), dtype=bool)
    gap[same[:, None, :] | same[None, :, :] | same[:, :, None]] = 255
    return np.asarray(gap.min(axis=(0, 1)) <= EXACT)


def _check_colours(
    rgb: NDArray[np.uint8],
    near: NDArray[np.int8],
    areas: NDArray[np.bool_],
    palette: Colours,
    path: Path | str,
) -> None:
    far = near < 0
    if areas.mean() > FOREIGN_SHARE:
        far = areas
    elif far.mean() <= UNLABELLED_SHARE:
        return
    found = ", ".join(str(colour) for colour in _main_colours(rgb[far]))
    raise MaskError(
        f"{path} has {far.mean():.0%} of its area in colours that are no label's, "
        f"mostly {found}: it needs {_text(palette)}."
    )


def _main_colours(colours: NDArray[np.uint8], most: int = 3) -> list[tuple[int, ...]]:
    """Up to `most` colours that stand for the most frequent ones of N×3, rarest above a tenth."""
    bins = (colours // 32).astype(np.int32) @ np.array([64, 8, 1])  # (N,)
    counts = np.bincount(bins, minlength=512)
    frequent = [b for b in np.argsort(-counts)[:most] if counts[b] * 10 >= len(colours)]
    chosen = frequent or [int(counts.argmax())]
    return [tuple(int(v) for v in np.median(colours[bins == b], axis=0)) for b in chosen]


def _seeds(
    near: NDArray[np.int8],
    exact: NDArray[np.int8],
    flat: NDArray[np.bool_],
    blends: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """H×W ids of the pixels whose label is certain; -1 elsewhere."""
    seeds = np.full(near.shape, -1, np.int8)
    for label, blend in enumerate(blends):
        here = near == label
        core = cv2.erode(here.astype(np.uint8), _SQUARE).astype(bool)
        if blend:
            core &= flat  # a soft border passes through the blend, but steeply
        if core.sum() < max(1, CORE_SHARE * core.size):
            continue
        seed = cv2.dilate(core.astype(np.uint8), _SQUARE).astype(bool) & here
        if not blend:
            seed |= exact == label
        seeds[seed] = label
    return seeds


def _vanished(
    exact: NDArray[np.int8], seeds: NDArray[np.int8], palette: Colours, path: Path | str
) -> tuple[str, ...]:
    """What to say about colours that were drawn, but nowhere as an area."""
    drawn = np.bincount(exact[exact >= 0], minlength=len(palette))
    kept = np.bincount(seeds[seeds >= 0], minlength=len(palette))
    rows = zip(palette, drawn, kept, _blends(palette), strict=True)
    return tuple(
        f'{path}: "{name}" has no more than {count} scattered '
        f"pixel{'s' if count > 1 else ''}, which take the label around them."
        for name, count, solid, blend in rows
        if count and not solid and not blend
    )


def _speckled(
    rgb: NDArray[np.uint8], exact: NDArray[np.int8], ids: NDArray[np.int32], path: Path | str
) -> tuple[str, ...]:
    """What to say about stray colours inside the regions; nothing about a trace of them."""
    share = speckle_share(exact, ids)
    if share <= TRACE:
        return ()
    found = ", ".join(str(colour) for colour in _main_colours(rgb[exact < 0]))
    return (
        f"{path}: {share:.0%} of its area is speckle in colours beside the labels', "
        f"mostly {found}; it takes the nearest label.",
    )


def _fill(
    rgb: NDArray[np.uint8], seeds: NDArray[np.int8], palette: NDArray[np.int16]
) -> NDArray[np.int32]:
    """Give each pixel without a label that of the nearest seed; H×W int32.

    To the distance in pixels comes the largest difference per channel to the label's colour, in
    [0, 1]: between two seeds equally near, the one that makes up more of the blend wins.
    """
    ids = seeds.astype(np.int32)
    open_ = seeds < 0
    colours = rgb[open_].astype(np.int16)  # (N, 3)
    least = np.full(len(colours), np.inf, np.float32)
    nearest = np.full(len(colours), -1, np.int32)
    for label in np.unique(seeds[~open_]):
        pixels = cv2.distanceTransform((seeds != label).astype(np.uint8), cv2.DIST_L2, 5)[open_]
        cost = pixels + np.abs(colours - palette[label]).max(axis=1) / np.float32(255)
        closer = cost < least
        least[closer], nearest[closer] = cost[closer], label
    ids[open_] = nearest
    return ids


def _text(palette: Colours) -> str:
    return "the labels " + ", ".join(f"{name} {tuple(rgb)}" for name, rgb in palette.items())
