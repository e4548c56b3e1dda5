"""Pictures for the page: thumbnails, and views of at most a megapixel. Runs in a worker."""

import hashlib
import io
import os
import secrets
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.images.photograph import Photograph
from photostyle.images.picture import fit_size, image_size, resize, to_array
from photostyle.loading import LEAST_SIDE, decoded
from photostyle.runtime.memory import Memory
from photostyle.web.limits import MEMORY, THUMB, VIEW_PIXELS
from photostyle.web.workshop import Bench, named

#: Kept between the jobs of this process.
SHARED = Memory(MEMORY)
#: Quality of previews, which are seen for a moment, and of pictures at full size on the page.
QUICK_QUALITY, FINE_QUALITY = 90, 95


def look(bench: Bench, path: str, files: str) -> dict[str, Any]:
    """Decodes a picture; leaves its view and its thumbnail among the files.

    Raises:
        ImageError: it cannot be read, or is too small.
    """
    photo = photo_of(path)
    height, width = image_size(photo.shown)
    digest = Path(path).name[:64]
    view = resize(photo.shown, view_size((height, width)))
    put(Path(files) / f"{digest}-view.png", png(view))
    put(Path(files) / f"{digest}-thumb.webp", webp(resize(view, fit_size((height, width), THUMB))))
    return {
        "size": [width, height],
        "depth": photo.metadata.bit_depth,
        "notes": [named(note, bench.names) for note in photo.notes],
    }


def full(bench: Bench, path: str, files: str) -> str:
    """The picture at its own size as browsers show it; gives the name among the files."""
    name = f"{Path(path).name[:64]}-full.jpg"
    if not (Path(files) / name).is_file():
        put(Path(files) / name, jpeg(photo_of(path).shown, FINE_QUALITY))
    return name


def photo_of(path: str) -> Photograph:
    """The photograph in a file, decoded once.

    Raises:
        ImageError: it cannot be read or worked on.
    """
    photo = decoded(Path(path), SHARED)
    if photo.unseen:
        raise ImageError(f"{path} is wholly transparent: there is nothing in it to see.")
    height, width = image_size(photo.image)
    if min(height, width) < LEAST_SIDE:
        raise ImageError(
            f"{path} is {width}×{height} pixels; at least {LEAST_SIDE}×{LEAST_SIDE} are needed."
        )
    return photo


def view_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) at which a picture is worked with on the page."""
    share = (VIEW_PIXELS / (size[0] * size[1])) ** 0.5
    return fit_size(size, max(1, int(max(size) * min(1.0, share))))


def levels(image: Tensor) -> NDArray[np.uint8]:
    """H×W×3 8-bit levels of an image 1×3×H×W in [0, 1]."""
    return np.rint(to_array(image) * 255).astype(np.uint8)


def png(image: Tensor) -> bytes:
    """Quickly packed, without any loss."""
    return png_of(levels(image))


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """The same of levels H×W or H×W×3."""
    turned = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    done, data = cv2.imencode(".png", turned, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()


def jpeg(image: Tensor, quality: int = QUICK_QUALITY) -> bytes:
    """For pictures that are seen for a moment, or are large."""
    return _packed(image, "JPEG", quality=quality, subsampling=0)


def webp(image: Tensor) -> bytes:
    """For thumbnails."""
    return _packed(image, "WEBP", quality=80)


def _packed(image: Tensor, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(levels(image)).save(out, form, **options)
    return out.getvalue()


def put(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def put_hashed(files: str, data: bytes, ending: str) -> str:
    """Writes a file under the hash of what is in it; gives its name."""
    name = f"{hashlib.sha256(data).hexdigest()}.{ending}"
    put(Path(files) / name, data)
    return name
