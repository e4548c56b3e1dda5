"""Pictures of 8 bits through Pillow, whose formats are all read."""

import io

import numpy as np
from PIL import Image

from photostyle.images import photoshop
from photostyle.images.containers import Carried, bare, carried, colour_elsewhere
from photostyle.images.exif import read_exif
from photostyle.images.formats.stored import Stored, gathered
from photostyle.images.profiles import Samples
from photostyle.images.refusals import MAX_PIXELS, WRONG_SAMPLES, Refusal, check_size


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    with opened(data):
        pass


def read(data: bytes) -> Stored:
    """Decode a picture.

    Raises:
        Refusal: it is of a kind that is not read, or too large.
        Exception: nearly any, from damaged files.
    """
    with opened(data) as image:
        return stored(data, image, *loaded(image))


def opened(data: bytes, most: int = MAX_PIXELS) -> Image.Image:
    """Open a file by Pillow without decoding it; a PNG or JPEG without its metadata.

    Raises:
        Refusal: it is of a kind that is not read, or has more than so many pixels.
        Exception: nearly any, from damaged files.
    """
    image = Image.open(io.BytesIO(bare(data)))
    if image.format in ("EPS", "WMF"):
        raise Refusal("is a drawing; export it as a PNG or TIFF picture first")
    check_size(*image.size, most)
    return image


def stored(data: bytes, image: Image.Image, samples: Samples, alpha: Samples | None) -> Stored:
    """Gather a decoded picture, and all that lies beside it in its file."""
    found = carried(data)
    if found.frames == 1 and getattr(image, "is_animated", False):
        found.frames = 2
    _ask_pillow(image, found)
    if image.mode == "LAB":  # converted by now
        found.said.clear()
    found.said += colour_elsewhere(data)
    return gathered(samples, alpha, read_exif(found.exif), found)


def loaded(image: Image.Image) -> tuple[Samples, Samples | None]:
    """Return what Pillow decodes as H×W×C and, where there is transparency, H×W."""
    image.load()
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None], None
    if image.mode in ("I", "F"):
        raise Refusal(WRONG_SAMPLES)
    if image.mode == "CMYK":
        return np.asarray(image), None
    grey = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        pixels = np.asarray(image.convert("L" if grey else "RGB"))
        return pixels.reshape(*pixels.shape[:2], -1), None  # H×W×1 or H×W×3
    pixels = np.asarray(image.convert("RGBA"))
    return pixels[..., : 1 if grey else 3], pixels[..., 3]


def _ask_pillow(image: Image.Image, found: Carried) -> None:
    """Add what Pillow found in the formats that `carried` does not read."""
    info = image.info
    if image.format in ("PNG", "JPEG"):
        if photoshop.PROFILE in found.resources:
            found.said.append(found.resources[photoshop.PROFILE])
        return
    if icc := info.get("icc_profile"):
        found.said.append(icc)
    found.exif, found.xmp = info.get("exif"), info.get("xmp")
    if isinstance(dpi := info.get("dpi"), tuple) and min(dpi) > 0:
        found.dpi = float(dpi[0]), float(dpi[1])
