"""What results of `apply` say of themselves, so that they may be replaced, and nothing else."""

import contextlib
import os
import struct
from dataclasses import replace
from pathlib import Path

from PIL import ExifTags, Image

from photostyle.films.containers import CONTAINERS, VIDEO_SUFFIXES
from photostyle.images.exif import exif_with
from photostyle.images.picture import Metadata

MARK = b"photostyle apply"
#: Bytes of a packet of an MPEG transport stream.
PACKET = 188


def marked(metadata: Metadata) -> Metadata:
    """The metadata with the mark in their EXIF, which every format that is written has."""
    exif = exif_with(metadata.exif, ExifTags.Base.ProcessingSoftware, MARK.decode())
    return replace(metadata, exif=exif)


def mark_video(path: Path) -> None:
    """Puts the mark behind a video, as a part that players skip."""
    with contextlib.suppress(OSError), path.open("ab") as file:  # without it nothing is lost
        file.write(_skipped(CONTAINERS[path.suffix.lower()], path.suffix.lower()))


def _skipped(container: str, suffix: str) -> bytes:
    size = len(MARK)
    if container == "avi":
        return b"JUNK" + struct.pack("<I", size) + MARK
    if container == "matroska":
        return b"\xec" + bytes([0x80 | size]) + MARK  # EBML's Void
    if container == "mpegts":  # a null packet, after four bytes of time in a camera's files
        time = b"" if suffix == ".ts" else bytes(4)
        return time + b"\x47\x1f\xff\x10" + MARK + b"\xff" * (PACKET - 4 - size)
    return struct.pack(">I", 8 + size) + b"free" + MARK


def is_marked(path: Path) -> bool:
    """Whether a file is a result of `apply`."""
    try:
        if path.suffix.lower() in VIDEO_SUFFIXES:
            with path.open("rb") as file:
                file.seek(-min(PACKET, path.stat().st_size), os.SEEK_END)
                return MARK in file.read()
        with Image.open(path) as picture:
            found = picture.getexif().get(ExifTags.Base.ProcessingSoftware)
        return found in (MARK, MARK.decode())
    except Exception:  # damaged files make the decoders raise nearly anything
        return False
