"""Files: which are pictures by their names, and fingerprints. Imports no torch."""

import hashlib
from pathlib import Path

#: Ends of the files that are taken for pictures in a folder.
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".avif", ".gif")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
