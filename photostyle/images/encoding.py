"""Encoding pictures with all that travels with them, put right for what is written."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from photostyle.images.exif import fitted_exif
from photostyle.images.formats import jpeg
from photostyle.images.formats.stored import Fitted, Light
from photostyle.images.formats.table import Format
from photostyle.images.icc import described
from photostyle.images.picture import Metadata
from photostyle.images.spaces import dcf_index
from photostyle.images.xmp import fitted_xmp

Pixels = npt.NDArray[Any]


def encode(
    form: Format,
    pixels: Pixels,
    metadata: Metadata,
    manifest: str | None,
    light: Light | None = None,
) -> bytes:
    """Return a picture file's bytes.

    Args:
        form: one that is written.
        pixels: H×W×3, or H×W×4 with alpha where the format keeps it; of one of its depths,
            or floats where it holds light of a scene.
        metadata: what of it the format does not hold is left out; see `lost`.
        manifest: left out where the format does not hold it.
        light: for a gain map, where the format keeps one; see `Fitted`.
    """
    fitted = replace(_fitted(metadata, pixels.shape[:2], form), light=light)
    data: bytes = form.loaded().write(pixels, fitted, manifest)
    return data


def lost(form: Format, metadata: Metadata) -> list[str]:
    """Words for what `encode` leaves out of a picture's metadata."""
    fitted = _fitted(metadata, (1, 1), form)
    words = ["brighter version for HDR displays"] if _too_bright(form, metadata) else []
    if metadata.space and not form.holds_profile and not form.scene:
        words.append(f"colours outside sRGB (it was in {metadata.space.name})")
    opaque = metadata.alpha is None or bool(np.all(metadata.alpha == 1))
    if "alpha" not in form.keeps and not opaque:
        words.append("transparency")
    if metadata.xmp and not fitted.xmp and "XMP" in form.keeps:
        words.append("XMP, which is damaged")
    words += [name for name, there in (("EXIF", metadata.exif), ("XMP", metadata.xmp))
              if there and name not in form.keeps]  # fmt: skip
    if "IPTC" not in form.keeps and fitted.resources:
        words.append("IPTC")
    if form.module == "jpeg":
        return words + jpeg.lost(fitted)
    if "texts" not in form.keeps and fitted.texts:
        words.append("text notes")
    return words


def _too_bright(form: Format, metadata: Metadata) -> bool:
    return metadata.hdr and "gain map" not in form.keeps


def _fitted(metadata: Metadata, size: tuple[int, ...], form: Format) -> Fitted:
    height, width = size
    space, dpi = metadata.space if form.holds_profile else None, metadata.dpi
    icc = space.profile if space else metadata.icc_profile
    index = dcf_index(space)
    own_place = form.name in ("PNG", "TIFF", "JPEG")  # for the resolution, besides EXIF
    exif = fitted_exif(metadata.exif, (height, width), dpi, index, always=not own_place)
    xmp = None
    if metadata.xmp:
        xmp = fitted_xmp(metadata.xmp, (height, width), dpi, _profile_name(icc), index)
    return Fitted(
        exif, icc, xmp, metadata.resources, dpi, metadata.texts, space=space, scene=metadata.scene,
        as_it_was=metadata.as_it_was,
    )  # fmt: skip


def _profile_name(icc: bytes | None) -> str | None:
    return None if icc is None else described(icc)
