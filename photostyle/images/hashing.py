"""Fingerprints of files and folders. Imports no torch."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from photostyle.images.listing import hidden
from photostyle.places import as_seen


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sha256(path: Path, of: Callable[[Path], str] = file_sha256) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files, in hex; hidden ones,
    which come and go by themselves, do not count.

    Args:
        of: gives a single file's.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    if not path.is_dir():
        return of(path)
    digest = hashlib.sha256()
    files = ((as_seen(p.name), p) for p in path.iterdir() if not hidden(p.name) and p.is_file())
    for name, file in sorted(files):
        digest.update(f"{name}:{of(file)}:".encode())
    return digest.hexdigest()


def file_stamp(path: Path) -> tuple[str, int, int]:
    """What changes when a file is replaced: its place, its size and when it was written.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return str(path.resolve()), status.st_size, status.st_mtime_ns
