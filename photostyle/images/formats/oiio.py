"""Files that OpenImageIO opens, which comes with an extra and reads files alone."""

import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from photostyle.images.refusals import check_size, not_read

INSTALL = 'pip install "photostyle[vfx]"'


def there() -> bool:
    """Whether it is installed."""
    return importlib.util.find_spec("OpenImageIO") is not None


@contextmanager
def opened(data: bytes, suffix: str) -> Iterator[Any]:
    """An `ImageInput` of a file's bytes.

    Raises:
        Refusal: it is too large, or of a kind that is not read.
        ValueError: it is damaged.
    """
    import OpenImageIO as oiio

    with tempfile.TemporaryDirectory(prefix="photostyle-") as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(data)
        file = oiio.ImageInput.open(str(path))
        if file is None:
            raise ValueError(
                oiio.geterror().replace(str(path), "it") or "its header makes no sense"
            )
        try:
            spec = file.spec()
            check_size(spec.width, spec.height)
            if spec.deep or spec.depth > 1:
                raise not_read("a picture with depth")
            yield file
        finally:
            file.close()
