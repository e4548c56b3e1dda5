"""Frames as pictures of the package, and back; in threads, as torch alone does it in one."""

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from photostyle.films.colours import Pixels, scaled
from photostyle.runtime.device import in_threads

#: Rows at a time: what one step leaves is still in the processor's cache for the next.
_ROWS = 64


def image_of(pixels: Pixels) -> Tensor:
    """H×W×3 uint8 or uint16 as 1×3×H×W float32 in [0, 1]."""
    height, width = pixels.shape[:2]
    gain = 1 / np.iinfo(pixels.dtype).max
    image = np.empty((3, height, width), np.float32)

    def fill(top: int) -> None:
        rows = slice(top, top + _ROWS)
        for plane, own in zip(image, cv2.split(np.ascontiguousarray(pixels[rows])), strict=True):
            np.multiply(own, gain, out=plane[rows], dtype=np.float32)

    in_threads(fill, range(0, height, _ROWS), torch.device("cpu"))
    return torch.from_numpy(image)[None]


def pixels_of(image: Tensor, kind: Any) -> Pixels:
    """1×3×H×W in [0, 1] as H×W×3 of a type, uint8 or uint16, to the nearest level."""
    planes = image[0].numpy()
    out = np.empty((*planes.shape[1:], 3), kind)

    def fill(top: int) -> None:
        rows = slice(top, top + _ROWS)
        own = cv2.merge([np.ascontiguousarray(plane[rows]) for plane in planes])
        out[rows] = scaled(own, np.iinfo(kind).max, out.dtype.type)

    in_threads(fill, range(0, planes.shape[1], _ROWS), torch.device("cpu"))
    return out
