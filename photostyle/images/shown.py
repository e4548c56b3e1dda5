"""Pictures that came out: for PIL, NumPy, notebooks and files."""

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from PIL import Image
from torch import Tensor

from photostyle.brief import Brief
from photostyle.errors import ImageError
from photostyle.images.picture import Metadata, fit_size, image_size, resize, to_array
from photostyle.images.saving import check_output, samples, save_image
from photostyle.places import expanded

#: Long side in pixels of a picture that a notebook shows.
SIDE = 720


@dataclass(frozen=True, eq=False)
class Picture(Brief):
    """A picture that came out.

    Attributes:
        image: 1×3×H×W float32 RGB, sRGB-encoded, in [0, 1].
        metadata: what is put beside it on saving: bit depth, alpha, EXIF, profile.
        notes: sentences for the user.
        made_of: the files that went in, which saving does not replace.
        wide: the same as `image`, as of a `Photo`.
            Files get these.
    """

    image: Tensor
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    made_of: tuple[Path, ...] = ()
    wide: Tensor | None = None

    def to_pil(self) -> Image.Image:
        """An 8-bit PIL image, mode RGB, or RGBA where the photograph had transparency; with its
        colour profile and resolution."""
        shallow = Metadata(alpha=self.metadata.alpha)
        picture = Image.fromarray(samples(self.image, shallow))
        if self.metadata.icc_profile:
            picture.info["icc_profile"] = self.metadata.icc_profile
        if self.metadata.dpi:
            picture.info["dpi"] = self.metadata.dpi
        return picture

    def to_numpy(self, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """H×W×3, or H×W×4 where the photograph had transparency.

        Args:
            dtype: uint8, uint16 (rounded to the nearest level), or a float type, in [0, 1].

        Raises:
            ImageError: another type.
        """
        kind = _dtype(dtype)
        if kind in (np.uint8, np.uint16):
            depth: Literal[8, 16] = 8 if kind == np.uint8 else 16
            return samples(self.image, Metadata(depth, self.metadata.alpha))
        values = to_array(self.image)
        if self.metadata.alpha is not None:
            alpha = torch.from_numpy(np.array(self.metadata.alpha, np.float32))[None, None]
            plane = to_array(resize(alpha, image_size(self.image)))
            values = np.concatenate([values, plane], axis=2)
        return values.astype(kind)  # a copy: what is done to it leaves the picture alone

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as `save_image` does, in the format of the suffix, whole or not at all, with
        its metadata and in its own colour space.

        Raises:
            OutputError: the place cannot be written, or is one of the files that went in, or the
                suffix is unknown.
        """
        path = expanded(path)
        check_output(path, self.made_of)
        save_image(path, self.image, self.metadata, wide=self.wide)

    def _repr_png_(self) -> bytes:
        return png_of(self.to_pil())

    def __repr__(self) -> str:
        height, width = image_size(self.image)
        return f"Picture({width}×{height}, {self.metadata.bit_depth} bits)"


def _dtype(given: DTypeLike) -> "np.dtype[Any]":
    try:
        kind = np.dtype(given)
    except TypeError:
        kind = np.dtype(object)
    if kind in (np.uint8, np.uint16) or kind.kind == "f":
        return kind
    raise ImageError(f"A picture has no values of type {given}; ask for uint8, uint16 or float32.")


def png_of(picture: Image.Image, side: int = SIDE) -> bytes:
    """A PNG of moderate size, for notebooks."""
    height, width = fit_size((picture.height, picture.width), side)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()
