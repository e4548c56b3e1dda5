"""Where weights lie on this machine: our own cache, then torch's; and whether they are intact."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch

from photostyle.documents import read_json
from photostyle.encoders.registry import Entry
from photostyle.images.hashing import file_sha256
from photostyle.places import home_folder

State = Literal["intact", "damaged", "absent"]


@dataclass(frozen=True)
class Record:
    """What lies beside cached weights, so that later damage shows.

    Attributes:
        sha256: Of the cached file.
        source: Address or path that the weights came from.
        source_sha256: Of the file there, in full.
    """

    sha256: str
    source: str
    source_sha256: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


def weights_folder() -> Path:
    """Our cache: below PHOTOSTYLE_HOME where that is set, else in the platform's cache folder."""
    return home_folder() / "weights"


def torch_folder() -> Path:
    """Where torch.hub and torchvision leave what they download."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def cached_path(entry: Entry) -> Path:
    """Where our cache keeps the entry, whether it is there or not."""
    return weights_folder() / f"{entry.name}.safetensors"


def record_path(entry: Entry) -> Path:
    """Where the Record of the cached file lies."""
    return weights_folder() / f"{entry.name}.json"


def find(entry: Entry) -> Path | None:
    """The entry's file on this machine: in our cache, else in torch's, else None."""
    for path in (cached_path(entry), torch_folder() / entry.file):
        if path.is_file():
            return path
    return None


def place(path: Path) -> str:
    """For people: which cache a file lies in."""
    return "torch's cache" if path.parent == torch_folder() else str(path.parent)


def read_record(entry: Entry) -> Record | None:
    """The Record of the entry in our cache; None where it is missing or unreadable."""
    try:
        return Record(**read_json(record_path(entry)))
    except (ValueError, TypeError):
        return None


def origin(entry: Entry) -> str:
    """Where the cached weights come from, if they are not the published ones; else ""."""
    record = read_record(entry) if cached_path(entry).is_file() else None
    if record is None or record.source_sha256.startswith(entry.sha256_start):
        return ""
    return f"not the published file but {record.source}"


def check(entry: Entry) -> State:
    """Whether the entry in our cache is byte for byte what was stored."""
    path, record = cached_path(entry), read_record(entry)
    if not path.is_file():
        return "absent"
    try:
        return "intact" if record and file_sha256(path) == record.sha256 else "damaged"
    except OSError:
        return "damaged"


def check_torch(entry: Entry) -> State:
    """Whether the entry in torch's cache has the published hash."""
    path = torch_folder() / entry.file
    if not path.is_file():
        return "absent"
    try:
        return "intact" if file_sha256(path).startswith(entry.sha256_start) else "damaged"
    except OSError:
        return "damaged"
