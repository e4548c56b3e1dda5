"""Label pictures: the nine colours, reading them with clean borders, writing them.

The palette is that of the masks published with Luan et al. 2017, "Deep Photo Style Transfer". Such
pictures come anti-aliased, resized and compressed, so few border pixels have a palette colour.
Reading goes in three steps: pixels near a palette colour that lie in a solid area are seeds; a
label without any solid area is an artefact and does not count; every other pixel takes the label
of the nearest seed. So every pixel has a label that is really there, and no blend of two labels
becomes a third one along their border.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from photostyle.errors import MaskError, OutputError
from photostyle.saving import atomic_path
from photostyle.segmentation.masks import LabelMap, Masks, pair, whole

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

BLENDS = frozenset({"grey"})
"""Labels whose colour is a mixture of two others (black and white, red and lightblue, …)."""

TOLERANCE = 48
"""Largest difference per channel (of 255) at which a pixel is near a palette colour. Below 64 no
pixel is near two of them."""

EXACT = 8
"""Largest difference per channel at which a thin line is one that was drawn, not an artefact."""

FLAT = 12
"""Largest range of any channel over 3×3 pixels in an area of one colour."""

CORE_SHARE = 1e-4
"""Share of the picture, at least one pixel, that a label keeps when its areas lose a rim of one
pixel; with less it does not count."""

FOREIGN_SHARE = 0.05
"""Share of the picture above which flat areas of a colour outside the palette are refused."""

UNLABELLED_SHARE = 0.5
"""Share of the picture above which pixels far from every palette colour are refused: what is
mostly that is a photograph, not a label picture."""

MOST_PIXELS = 80_000_000
"""Label pictures larger than this are refused; a smaller one serves as well, as it is resized."""

_COLOURS = np.array(list(PALETTE.values()), dtype=np.int16)  # (9, 3)
_SQUARE = np.ones((3, 3), np.uint8)


def load_masks(
    content_mask: Path | str | None, style_mask: Path | str | None, content: Tensor, style: Tensor
) -> Masks:
    """The masks of two images 1×3×H×W (RGB, [0, 1]) from two label pictures, or from none.

    Without label pictures each image is one region. Raises MaskError if only one is given, or
    for what `read_labels` and `pair` refuse.
    """
    if content_mask is None and style_mask is None:
        return whole(content.shape[-2:], style.shape[-2:])
    if content_mask is None or style_mask is None:
        names = ("--content-mask", "--style-mask")
        missing, given = names if content_mask is None else names[::-1]
        raise MaskError(f"{missing} is missing: masks come in pairs, and {given} was given.")
    return pair(read_labels(content_mask), read_labels(style_mask), content, style)


def read_labels(path: Path | str) -> LabelMap:
    """Read a label picture; the ids index `PALETTE`.

    Any Pillow format and mode; orientation from EXIF is applied, alpha and colour profiles are
    ignored. Raises MaskError, naming the file, if it cannot be read, is larger than
    `MOST_PIXELS`, has large areas of colours outside the palette, or no area of one inside it.
    """
    picture = _open(Path(path))
    if _is_written_here(picture):
        return LabelMap(np.asarray(picture).astype(np.int32), tuple(PALETTE), str(path))
    rgb = _rgb(picture)
    near = _near(rgb, TOLERANCE)
    flat = _flat(rgb)
    _check_colours(rgb, near, flat, path)
    seeds = _seeds(rgb, near, flat)
    if not (seeds >= 0).any():
        raise MaskError(f"{path} has no solid area of any label; it needs {_palette_text()}.")
    return LabelMap(_fill(rgb, seeds), tuple(PALETTE), str(path))


def write_labels(path: Path | str, labels: LabelMap) -> None:
    """Write a label map whose names are colours of `PALETTE` as an indexed PNG.

    `read_labels` gives the same labels back at every pixel, whatever their shapes. Raises
    MaskError for a name outside the palette and OutputError for a place that cannot be written.
    """
    path = Path(path)
    foreign = [name for name in labels.names if name not in PALETTE]
    if foreign:
        raise MaskError(f"{path} cannot hold {', '.join(foreign)}: it needs {_palette_text()}.")
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path} must end in .png: other formats blur the labels.")
    order = np.array([list(PALETTE).index(name) for name in labels.names], dtype=np.uint8)
    picture = Image.fromarray(order[labels.ids])
    picture.putpalette(_COLOURS.astype(np.uint8).tobytes())
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")


def _open(path: Path) -> Image.Image:
    try:
        if not path.exists():
            raise MaskError(f"{path} does not exist; check the name and the folder.")
        if not path.is_file():
            raise MaskError(f"{path} is not a file, where a label picture is needed.")
        if path.stat().st_size == 0:
            raise MaskError(f"{path} is empty (zero bytes), where a label picture is needed.")
        with Image.open(path) as picture:
            if picture.width * picture.height <= MOST_PIXELS:
                return ImageOps.exif_transpose(picture)
    except MaskError:
        raise
    except UnidentifiedImageError:
        raise MaskError(f"{path} is not a picture that can be read; give a PNG file.") from None
    except Image.DecompressionBombError:
        pass
    except Exception as error:  # decoders meet broken files with nearly any exception
        raise MaskError(f"{path} is damaged or incomplete ({error}).") from error
    raise MaskError(
        f"{path} has more than {MOST_PIXELS // 1_000_000} megapixels: "
        "a smaller label picture serves as well."
    )


def _is_written_here(picture: Image.Image) -> bool:
    """Whether the picture is indexed with exactly our palette, so that no index is a blend."""
    if picture.mode != "P":
        return False
    palette = np.array(picture.getpalette(), dtype=np.int16)
    ours = _COLOURS.ravel()
    if not np.array_equal(palette[: ours.size], ours) or palette[ours.size :].any():
        return False
    return int(np.asarray(picture).max()) < len(PALETTE)


def _rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """H×W×3 uint8 in the file's own values."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        # Pillow's conversion of deep grey to RGB would clip it at 255.
        grey = np.asarray(picture.convert("I"))
        grey = grey // 257 if grey.max() > 255 else grey
        return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.array(picture.convert("RGB"))


def _near(rgb: NDArray[np.uint8], tolerance: int) -> NDArray[np.int8]:
    """H×W ids of the palette colour within `tolerance` (< 64) in every channel; -1 for none."""
    close = np.abs(np.arange(256)[:, None, None] - _COLOURS) <= tolerance  # (256, 9, 3)
    bits = (close << np.arange(len(PALETTE))[:, None]).sum(axis=1).astype(np.uint16)  # (256, 3)
    candidates = bits[:, 0][rgb[..., 0]] & bits[:, 1][rgb[..., 1]] & bits[:, 2][rgb[..., 2]]
    ids = np.full(1 << len(PALETTE), -1, np.int8)
    ids[1 << np.arange(len(PALETTE))] = np.arange(len(PALETTE))
    near: NDArray[np.int8] = ids[candidates]  # (H, W)
    return near


def _flat(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """H×W: whether the 3×3 pixels around have one colour, up to `FLAT`."""
    spread = cv2.dilate(rgb, _SQUARE) - cv2.erode(rgb, _SQUARE)
    return np.asarray(spread.max(axis=2) <= FLAT)


def _check_colours(
    rgb: NDArray[np.uint8], near: NDArray[np.int8], flat: NDArray[np.bool_], path: Path | str
) -> None:
    far = near < 0
    areas = far & flat
    if areas.mean() > FOREIGN_SHARE:
        far = areas
    elif far.mean() <= UNLABELLED_SHARE:
        return
    found = ", ".join(str(colour) for colour in _main_colours(rgb[far]))
    raise MaskError(
        f"{path} has {far.mean():.0%} of its area in colours that are no label's, "
        f"mostly {found}: it needs {_palette_text()}."
    )


def _main_colours(colours: NDArray[np.uint8], most: int = 3) -> list[tuple[int, ...]]:
    """Up to `most` colours that stand for the most frequent ones of N×3, rarest above a tenth."""
    bins = (colours // 32).astype(np.int32) @ np.array([64, 8, 1])  # (N,)
    counts = np.bincount(bins, minlength=512)
    frequent = [b for b in np.argsort(-counts)[:most] if counts[b] * 10 >= len(colours)]
    chosen = frequent or [int(counts.argmax())]
    return [tuple(int(v) for v in np.median(colours[bins == b], axis=0)) for b in chosen]


def _seeds(
    rgb: NDArray[np.uint8], near: NDArray[np.int8], flat: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """H×W ids of the pixels whose label is certain; -1 elsewhere."""
    exact = _near(rgb, EXACT)
    seeds = np.full(near.shape, -1, np.int8)
    for label, name in enumerate(PALETTE):
        here = near == label
        core = cv2.erode(here.astype(np.uint8), _SQUARE).astype(bool)
        if name in BLENDS:
            core &= flat  # a soft border passes through the blend, but steeply
        if core.sum() < max(1, CORE_SHARE * core.size):
            continue
        seed = here & cv2.dilate(core.astype(np.uint8), _SQUARE).astype(bool)
        if name not in BLENDS:
            seed |= exact == label
        seeds[seed] = label
    return seeds


def _fill(rgb: NDArray[np.uint8], seeds: NDArray[np.int8]) -> NDArray[np.int32]:
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
        cost = pixels + np.abs(colours - _COLOURS[label]).max(axis=1) / np.float32(255)
        closer = cost < least
        least[closer], nearest[closer] = cost[closer], label
    ids[open_] = nearest
    return ids


def _palette_text() -> str:
    return "the labels " + ", ".join(f"{name} {colour}" for name, colour in PALETTE.items())
