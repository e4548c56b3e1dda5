"""Files: which are pictures by their names, and fingerprints. Imports no torch."""

import hashlib
import os
from collections.abc import Callable, Collection
from pathlib import Path

#: Ends of the files that are taken for pictures in a folder.
PICTURES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".tiff", ".webp", ".bmp", ".avif", ".gif",
    ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files of these suffixes (lower case) in a folder and all below it, sorted; folders that
    cannot be read are passed over."""
    found = (Path(at, name) for at, _, names in os.walk(folder) for name in names)
    return sorted(p for p in found if p.suffix.lower() in suffixes and os.path.isfile(p))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sha256(path: Path, of: Callable[[Path], str] = file_sha256) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files, in hex.

    Args:
        of: gives a single file's.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    if not path.is_dir():
        return of(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()):
        digest.update(f"{file.name}:{of(file)}:".encode())
    return digest.hexdigest()


def file_stamp(path: Path) -> tuple[str, int, int]:
    """What changes when a file is replaced: its place, its size and when it was written.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return str(path.resolve()), status.st_size, status.st_mtime_ns
