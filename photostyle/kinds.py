"""What a file is that was given where another was wanted, in a few words. Imports no torch.

The one place that knows what is in a safetensors file: our own say it in their metadata, weights of
others are known by their keys.
"""

import json
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

#: What networks, checkpoints of trainings and looks say of themselves.
NETWORK, CHECKPOINT = "photostyle style network", "photostyle training checkpoint"
LOOK, UNIVERSAL = "photostyle look", "photostyle network for any style"
#: Colour maps of a result, which say no kind.
GRADE = "file of a result's colour maps"
#: Bytes of a safetensors header at most.
MOST_HEADER = 100 << 20
#: How files of other kinds begin.
_BEGINNINGS = {
    b"\x89PNG": "picture (PNG)", b"\xff\xd8\xff": "picture (JPEG)", b"II*\0": "picture (TIFF)",
    b"MM\0*": "picture (TIFF)", b"PK\x03\x04": "zip archive, as PyTorch's .pth and .pt are",
}  # fmt: skip
#: What files with these ends are, that nobody can want a picture to be written to.
_ENDS = {
    ".cube": "a look-up table", ".3dl": "a look-up table", ".safetensors": "a network or its like",
    ".json": "a manifest", ".toml": "a file of options", ".mp4": "a video", ".mov": "a video",
}  # fmt: skip


def kind_of(path: Path) -> str | None:
    """What a file is, such as "photostyle style network"; None where nothing is known of it."""
    header = safetensors_header(path)
    if header is not None:
        return _of_tensors(header)
    try:
        with path.open("rb") as file:
            begins = file.read(1024)
    except (OSError, ValueError):
        return None
    if any(line.startswith((b"LUT_3D_SIZE", b"LUT_1D_SIZE")) for line in begins.splitlines()):
        return "look-up table (.cube)"
    return next((what for magic, what in _BEGINNINGS.items() if begins.startswith(magic)), None)


def suffix_note(path: Path) -> str:
    """The beginning of a sentence on a file that cannot be a picture by its end; or nothing."""
    what = _ENDS.get(path.suffix.lower())
    return (
        f"{path} would be {what} by its name, and a picture is written: it" if what else f"{path}"
    )


def safetensors_header(path: Path) -> dict[str, Any] | None:
    """The header of a safetensors file, tensors and metadata by name; None where it is none."""
    try:
        with path.open("rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            if size > min(MOST_HEADER, path.stat().st_size):
                return None
            header = json.loads(file.read(size))
    except (OSError, ValueError, struct.error, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _of_tensors(header: dict[str, Any]) -> str:
    metadata = header.get("__metadata__")
    said = metadata.get("kind") if isinstance(metadata, dict) else None
    if said in (NETWORK, CHECKPOINT, LOOK, UNIVERSAL):
        return str(said)
    if "masks" in header and header.keys() & {"maps", "look", "picture"}:
        return GRADE
    if _has_vgg(header):
        return "file of weights of a VGG network"
    return "file of another program"


def _has_vgg(names: Collection[str]) -> bool:
    return any(name.endswith("features.0.weight") for name in names)
