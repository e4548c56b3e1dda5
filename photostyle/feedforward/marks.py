"""What results of `apply` say of themselves, so that they may be replaced, and nothing else."""

import contextlib
import struct
from dataclasses import replace
from pathlib import Path

from PIL import ExifTags, Image

from photostyle.feedforward.video import VIDEO_SUFFIXES
from photostyle.images.decoding import byte_text
from photostyle.images.picture import Metadata

MARK = b"photostyle apply"


def marked(metadata: Metadata) -> Metadata:
    """The metadata with the mark in their EXIF, which every format that is written has."""
    exif = Image.Exif()
    with contextlib.suppress(Exception):  # what cannot be read is not kept
        exif.load(metadata.exif or b"")
    for tag in exif:
        exif[tag] = byte_text(exif[tag])
    exif[ExifTags.Base.ProcessingSoftware] = MARK.decode()
    return replace(metadata, exif=exif.tobytes())


def mark_video(path: Path) -> None:
    """Puts the mark behind a video, as a part that players skip."""
    size = len(MARK)
    avi = b"JUNK" + struct.pack("<I", size)
    part = (avi if path.suffix.lower() == ".avi" else struct.pack(">I", 8 + size) + b"free") + MARK
    with contextlib.suppress(OSError), path.open("ab") as file:  # without it nothing is lost
        file.write(part)


def is_marked(path: Path) -> bool:
    """Whether a file is a result of `apply`."""
    try:
        if path.suffix.lower() in VIDEO_SUFFIXES.values():
            return path.read_bytes().endswith(MARK)
        with Image.open(path) as picture:
            found = picture.getexif().get(ExifTags.Base.ProcessingSoftware)
        return found in (MARK, MARK.decode())
    except Exception:  # damaged files make the decoders raise nearly anything
        return False
