"""WebP, by Pillow."""

import io

from PIL import Image

from photostyle.images.containers import EXIF_HEAD
from photostyle.images.exif import exif_bytes
from photostyle.images.formats import pillow
from photostyle.images.formats.stored import QUALITY, Fitted
from photostyle.images.profiles import Samples

check, read = pillow.check, pillow.read


def write(pixels: Samples, fitted: Fitted, manifest: str | None) -> bytes:
    """Encode H×W×3 or H×W×4; it holds no manifest."""
    file = io.BytesIO()
    tags = b"" if fitted.exif is None else EXIF_HEAD + exif_bytes(fitted.exif)
    Image.fromarray(pixels).save(
        file, "WEBP", quality=QUALITY, exact=True,
        exif=tags, icc_profile=fitted.icc, xmp=fitted.xmp or b"",
    )  # fmt: skip
    return file.getvalue()
