"""Netpbm: PBM, PGM and PPM, of which Pillow drops colours of more than 8 bits."""

import numpy as np
import numpy.typing as npt

from photostyle.images.formats import pillow
from photostyle.images.formats.stored import Stored

check = pillow.check


def knows(data: bytes) -> bool:
    """Tell whether the third byte parts words, as in these files."""
    return data[2:3].isspace() or data[2:3] == b"#"


def read(data: bytes) -> Stored:
    """Decode a picture; raises as `pillow.read`."""
    with pillow.opened(data) as image:
        if (deep := _deep(data)) is not None:
            return pillow.stored(data, image, deep, None)
        return pillow.stored(data, image, *pillow.loaded(image))


def _deep(data: bytes) -> npt.NDArray[np.uint16] | None:
    """Decode a binary PGM or PPM of more than 255 levels to H×W×C; None where it is another."""
    words: list[bytes] = []
    at = 0
    while len(words) < 4:
        while data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
            continue
        end = at
        while end < len(data) and not data[end : end + 1].isspace():
            end += 1
        words.append(data[at:end])
        at = end
    channels = {b"P5": 1, b"P6": 3}.get(words[0], 0)
    if not channels or int(words[3]) < 256:
        return None
    width, height, most = map(int, words[1:])
    levels = np.frombuffer(data, ">u2", height * width * channels, at + 1)
    scaled: npt.NDArray[np.uint16] = np.rint(np.minimum(levels, most) * (65535 / most)).astype("u2")
    return scaled.reshape(height, width, channels)
