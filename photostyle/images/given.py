"""Pictures as people have them: files, PIL images, NumPy arrays and torch tensors, as `Photo`s."""

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from photostyle.brief import shape_of
from photostyle.errors import ImageError
from photostyle.images.exif import exif_of
from photostyle.images.picture import Metadata, Photo, decoded_photo, load_image
from photostyle.images.profiles import scaled
from photostyle.places import expanded

#: A path; a PIL image of any mode; a NumPy array, H×W, H×W×3 or H×W×4, uint8, uint16 or float in
#: [0, 1]; a torch tensor, 3×H×W or 1×3×H×W, of these types; or a picture that `load_image` gave.
PictureLike: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[Any] | Tensor | Photo

#: How far floats may leave [0, 1] by rounding; they are clipped.
ROUNDING = 1e-5
_WANTED = "give uint8, uint16, or floats in [0, 1]"
#: Modes of PIL images that a PNG holds as they are.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def picture_of(given: PictureLike, name: str) -> Photo:
    """The picture that was given, whatever it came as. Values are sRGB-encoded; what was given is
    neither changed nor kept.

    Args:
        name: what messages call it, such as "The content".

    Raises:
        ImageError: a file that cannot be read, or a shape, type or range that is no picture's.
    """
    if isinstance(given, Photo):
        return given
    if isinstance(given, str | os.PathLike):
        return load_image(expanded(given))
    if isinstance(given, Image.Image):
        return replace(_of_pil(given, name), opened=_opened(given))
    if isinstance(given, Tensor):
        return _of_tensor(given, name)
    if isinstance(given, np.ndarray):
        return _of_array(np.asarray(given), name, f"NumPy array of {shape_of(given)}")
    if hasattr(given, "to_numpy"):  # a result, a picture that came out, or another package's
        raise ImageError(f"{name} is a {type(given).__name__}; give what its to_numpy() gives.")
    raise ImageError(
        f"{name} is a {type(given).__name__}; give a path, a PIL image, a NumPy array or a torch "
        "tensor."
    )


def listed(given: PictureLike | Sequence[PictureLike]) -> list[PictureLike]:
    """One picture or several as a list."""
    if isinstance(given, list | tuple):
        return list(given)
    return [cast(PictureLike, given)]


def _of_pil(image: Image.Image, name: str) -> Photo:
    """Read as the file that it would be saved as, so its profile and orientation count, too."""
    what = f"PIL image of {image.width}×{image.height} pixels, mode {image.mode}"
    if 0 in image.size:
        raise ImageError(f"{name} is a {what}, which has no pixels; give a picture.")
    try:
        image.load()  # of a TIFF this turns it upright, which its tags tell only afterwards
        if image.mode.startswith("I;16"):
            return _of_array(np.asarray(image).astype(np.uint16), name, what)
        if image.mode in ("I", "F"):
            return _of_array(np.asarray(image), name, what)
        tags, data = exif_of(image), io.BytesIO()
        icc = image.info.get("icc_profile")
        if image.mode == "CMYK":
            image.save(data, "TIFF", exif=tags, icc_profile=icc, **_resolution(image))
        else:
            plain = image if image.mode in _PNG_MODES else image.convert(_nearest_mode(image.mode))
            image_icc = icc if plain is image else None
            plain.save(data, "PNG", exif=tags, icc_profile=image_icc, compress_level=0,
                       **_resolution(image))  # fmt: skip
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"{name}, a {what}, cannot be used ({error}).") from error
    photo = decoded_photo(Path(f"{name} ({what})"), data.getvalue())
    found = _without_file(photo.image, photo.metadata, what)
    return replace(found, notes=photo.notes, wide=photo.wide)


def _opened(image: Image.Image) -> Path | None:
    """The file that an image was opened from, as far as it knows."""
    name = getattr(image, "filename", None)
    return Path(os.path.abspath(name)) if name and isinstance(name, str | os.PathLike) else None


def _resolution(image: Image.Image) -> dict[str, Any]:
    """Pixels per inch, where the image has them; Pillow's (1, 1) says that nothing is known."""
    dpi = image.info.get("dpi")
    if not isinstance(dpi, tuple) or len(dpi) != 2 or min(dpi) <= 1:
        return {}
    return {"dpi": (float(dpi[0]), float(dpi[1]))}


def _nearest_mode(mode: str) -> str:
    return {"La": "LA", "PA": "RGBA", "RGBa": "RGBA"}.get(mode, "RGB")


def _of_tensor(tensor: Tensor, name: str) -> Photo:
    what = f"torch tensor of {shape_of(tensor)}"
    picture = tensor[0] if tensor.ndim == 4 and len(tensor) == 1 else tensor
    if picture.ndim != 3 or picture.shape[0] not in (3, 4):
        hint = "give 3×H×W or 1×3×H×W"
        if tensor.ndim == 4:
            hint = "give one picture at a time, such as x[0]"
        elif tensor.ndim == 3 and tensor.shape[-1] in (3, 4):
            hint = "give 3×H×W, as x.permute(2, 0, 1) is"
        elif tensor.ndim == 2 or (tensor.ndim == 3 and tensor.shape[0] == 1):
            hint = "give 3×H×W, as x.expand(3, -1, -1) is"
        raise ImageError(f"{name} is a {what}; {hint}.")
    try:
        array = values_of(picture)
    except ValueError as error:
        raise ImageError(f"{name} is a {what} whose values cannot be read; {_WANTED}.") from error
    return _of_array(array.transpose(1, 2, 0), name, what)  # 3×H×W -> H×W×3


def values_of(tensor: Tensor) -> NDArray[Any]:
    """A tensor's values, those of any floating type as float32.

    Raises:
        ValueError: it has none that can be read.
    """
    try:
        values = tensor.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()
    except (NotImplementedError, RuntimeError, TypeError) as error:  # meta, sparse, quantised
        raise ValueError(str(error)) from error


def _of_array(array: NDArray[Any], name: str, what: str) -> Photo:
    """The picture of H×W, H×W×3 or H×W×4 values; `what` they came as."""
    if array.ndim == 2:
        array = array[..., None].repeat(3, axis=2)  # H×W -> H×W×3
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise ImageError(f"{name} is a {what}; {_shape_hint(array)}.")
    if array.size == 0:
        raise ImageError(f"{name} is a {what}, which has no pixels; give a picture.")
    values, depth = _unit(array, name, what)
    image = torch.from_numpy(np.ascontiguousarray(values[..., :3].transpose(2, 0, 1)))[None]
    alpha = values[..., 3].copy() if values.shape[2] == 4 else None
    return _without_file(image, Metadata(bit_depth=depth, alpha=alpha), what)  # 1×3×H×W


def _shape_hint(array: NDArray[Any]) -> str:
    if array.ndim == 3 and array.shape[0] in (3, 4):
        return "channels come last in an array, so give H×W×3, as x.transpose(1, 2, 0) is"
    if array.ndim == 3 and array.shape[2] == 1:
        return "give H×W, as x[..., 0] is"
    if array.ndim == 4:
        return "give one picture at a time, such as x[0]"
    return "give H×W, H×W×3 or H×W×4"


def _unit(array: NDArray[Any], name: str, what: str) -> tuple[NDArray[np.float32], int]:
    """The values as float32 in [0, 1], a copy, and the bits that each had."""
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        native = array.astype(array.dtype.newbyteorder("="))
        return scaled(native), 8 * array.dtype.itemsize
    if array.dtype.kind != "f":
        raise ImageError(f"{name} is a {what}, whose range is not known; {_WANTED}.")
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(f"{name} is a {what} with values that are NaN or infinite; {_WANTED}.")
    if low < -ROUNDING or high > 1 + ROUNDING:
        hint = ", such as x / 255" if low >= 0 and 1.5 < high <= 255 else ""
        raise ImageError(
            f"{name} is a {what} with values from {low:g} to {high:g}; floats must lie in [0, 1]"
            f"{hint}."
        )
    return np.array(array, np.float32).clip(0, 1), 16


def _without_file(image: Tensor, metadata: Metadata, what: str) -> Photo:
    digest = hashlib.sha256(image.numpy().tobytes())
    if metadata.alpha is not None:
        digest.update(np.ascontiguousarray(metadata.alpha).tobytes())
    return Photo(image, metadata, None, digest.hexdigest(), what)
