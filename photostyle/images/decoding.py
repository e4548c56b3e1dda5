"""Decoding picture files, as they are stored: before orientation and colour management."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from photostyle.errors import ImageError
from photostyle.images.containers import carried, check_sums
from photostyle.images.exif import orientation_of, read_exif
from photostyle.images.formats.pillow import opened
from photostyle.images.formats.stored import Stored
from photostyle.images.formats.table import Format, format_of
from photostyle.images.formats.tiff import turn_left
from photostyle.images.profiles import Samples
from photostyle.images.refusals import Refusal, check_size, refusal_of
from photostyle.images.xmp import orientation_in

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path: Path, data: bytes) -> Stored:
    """Decode the bytes of the picture file `path`; of several frames or pages the first.

    Raises:
        ImageError: the bytes are no picture, damaged or incomplete, of a kind that is not read, of
            more than MAX_PIXELS (known before any pixel is decoded), or other than 1- to 16-bit
            unsigned samples.
    """
    with _refusals(path, data):
        stored: Stored = _format(data).loaded().read(data)
        return stored


def check_header(path: Path, data: bytes) -> None:
    """Find out whether the bytes of `path` are a picture that is read, as its header tells.

    Raises:
        ImageError: as for `decode`.
    """
    with _refusals(path, data):
        _format(data).loaded().check(data)


def _format(data: bytes) -> Format:
    """The format of a file's bytes; raises Refusal where what it needs is not installed."""
    form = format_of(data)
    if form.missing:
        raise Refusal(f"is a {form.name} file, for which more is needed: {form.missing}")
    return form


@contextlib.contextmanager
def _refusals(path: Path, data: bytes) -> Iterator[None]:
    """Turn whatever the decoders raise into an ImageError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubts about tags; about size we decide ourselves
            yield
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the decoders raise nearly anything
        raise ImageError(f"{path} {refusal_of(error, data)}.") from error


def pillow_picture(data: bytes, most: int) -> Image.Image:
    """Return the upright picture as Pillow has it, decoded, in the values of the file.

    The texts of a PNG are in its `info`.

    Raises:
        Refusal: it is of a kind that is not read, or has more than so many pixels.
        Exception: nearly any, from damaged files.
    """
    form, found = _format(data), carried(data)
    try:
        check_sums(data)
        tiff = form.name == "TIFF"  # of which masks may have kinds that pictures may not
        if not tiff:
            form.loaded().check(data)
        image = opened(data, most)
        image.load()
        turn = turn_left(image) if tiff else None
    except (OSError, NotImplementedError):
        if form.module == "pillow":
            raise
        stored = form.loaded().read(data)
        image, turn = _as_pillow(_shades(stored)), stored.orientation
        check_size(*image.size, most)
    image.info.update(found.texts)
    tags = read_exif(found.exif or image.info.get("exif"))
    turn = turn or orientation_of(tags) or orientation_in(found.xmp) or 1
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _shades(stored: Stored) -> Samples:
    """The samples, or, of light of a scene, its numbers: shares of 255, or those of ids."""
    if stored.scene is None:
        return stored.samples
    light = np.nan_to_num(stored.scene[0])
    grey = light[..., :1]
    if light.max() > 1 and np.array_equal(light, np.rint(grey).clip(0, 65535).repeat(3, axis=2)):
        return np.asarray(grey, np.uint16)
    return np.asarray(np.rint(light.clip(0, 1) * 255), np.uint8)


def _as_pillow(samples: Samples) -> Image.Image:
    """Return H×W×C as 16-bit grey, or as 8-bit grey, RGB or CMYK."""
    if samples.shape[2] > 1 and samples.dtype == np.uint16:
        samples = (samples >> 8).astype(np.uint8)
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
