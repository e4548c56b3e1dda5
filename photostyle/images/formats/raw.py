"""Cameras' raw files, developed by LibRaw through rawpy, an extra: 16 bits in ProPhoto RGB.

References: DNG specification 1.7; TIFF/EP (ISO 12234-2).
"""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from photostyle.images.containers import Carried, carried
from photostyle.images.exif import read_exif
from photostyle.images.formats.stored import Stored, gathered
from photostyle.images.refusals import Refusal, check_size
from photostyle.images.spaces import standard

_TIFFS = (b"II*\0", b"MM\0*")
_ORIENTATION, _PHOTOMETRIC, _BELOW, _DNG = 0x0112, 262, 330, 50706
_MOSAIC, _LINEAR = 32803, 34892  # photometric interpretations
_CR2 = b"CR\2\0"
_MOST_DIRECTORIES = 32
_PROPHOTO = (1.8, 16.0)  # exponent and slope of its curve
_UNKNOWN = (
    "is a camera's raw file of a kind that LibRaw does not know; develop it to a 16-bit TIFF first"
)


def knows(data: bytes) -> bool:
    """Tell a raw file from the TIFF that many of them are."""
    if data[:4] not in _TIFFS:
        return True
    return data[8:12] == _CR2 or any(
        _DNG in tags or tags.get(_PHOTOMETRIC) in (_MOSAIC, _LINEAR) for tags in _directories(data)
    )


def check(data: bytes) -> None:
    """Find out whether a file is a picture that is read, as its header tells; raises as `read`."""
    with _told(), _opened(data):
        pass


def read(data: bytes) -> Stored:
    """Develop a picture: the camera's white balance, clipped highlights blended.

    Raises:
        Refusal: it is of a camera that is not known, or too large.
        Exception: nearly any, from damaged files.
    """
    import rawpy

    with _told(), _opened(data) as raw:
        raw.unpack()
        pixels = raw.postprocess(
            use_camera_wb=True, output_bps=16, output_color=rawpy.ColorSpace.ProPhoto,
            gamma=_PROPHOTO, highlight_mode=rawpy.HighlightMode.Blend,
        )  # fmt: skip
        found = Carried(said=[standard("prophoto").profile])
        tags = read_exif(data if data[:4] in _TIFFS else _exif_of_preview(raw))
    tags[_ORIENTATION] = 1  # LibRaw has turned it
    return gathered(pixels, None, tags, found)


@contextmanager
def _told() -> Iterator[None]:
    """Hand on what LibRaw says of a file, but not what it writes to the terminal itself.

    Raises:
        ValueError: in place of LibRaw's own, whose texts are bytes.
    """
    import rawpy

    try:
        terminal = os.dup(2)
    except OSError:  # there is none
        terminal = None
    else:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    except rawpy.LibRawError as error:
        text = error.args[0] if error.args else ""
        raise ValueError(text.decode() if isinstance(text, bytes) else text) from error
    finally:
        if terminal is not None:
            os.dup2(terminal, 2)
            os.close(terminal)


def _opened(data: bytes) -> Any:
    """A raw file, not yet unpacked."""
    import rawpy

    raw = rawpy.RawPy()
    try:
        raw.open_buffer(io.BytesIO(data))
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError) as error:
        raise Refusal(_UNKNOWN) from error
    check_size(raw.sizes.raw_width, raw.sizes.raw_height)
    return raw


def _exif_of_preview(raw: Any) -> bytes | None:
    try:
        return carried(raw.extract_thumb().data).exif
    except Exception:  # there is none, or a broken one
        return None


def _directories(data: bytes) -> Iterator[dict[int, int]]:
    """The tags of a TIFF's directories and of those below them, with their first values; those of
    broken ones are left out."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        waiting = [struct.unpack_from(f"{order}I", data, 4)[0]]
        for _ in range(_MOST_DIRECTORIES):
            if not waiting or not (at := waiting.pop(0)):
                return
            (count,) = struct.unpack_from(f"{order}H", data, at)
            tags: dict[int, int] = {}
            for n in range(count):
                code, kind, length, value = struct.unpack_from(
                    f"{order}HHII", data, at + 2 + 12 * n
                )
                short = struct.unpack_from(f"{order}H", data, at + 10 + 12 * n)[0]
                tags[code] = short if kind == 3 else value
                if code == _BELOW:
                    many = struct.unpack_from(f"{order}{min(length, 16)}I", data, value)
                    waiting += [value] if length == 1 else many
            yield tags
    except struct.error:
        return
