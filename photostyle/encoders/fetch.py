"""Published weights into our cache: checked, stripped to the convolutions, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import safetensors.torch
from torch import Tensor

from photostyle.encoders import cache
from photostyle.encoders.cache import Record
from photostyle.encoders.download import Say, download, remove_part
from photostyle.encoders.registry import Entry
from photostyle.encoders.vgg import VggEncoder
from photostyle.encoders.weights import SUFFIXES, check_network, read_weights
from photostyle.errors import DownloadError, OptionError, OutputError, WeightsError
from photostyle.images.hashing import file_sha256
from photostyle.images.saving import atomic_path
from photostyle.places import check_place, expanded

#: Base address in place of the published ones.
MIRROR = "PHOTOSTYLE_WEIGHTS_URL"


@dataclass(frozen=True)
class Source:
    """Where the published file is to come from: an address, or a file that is here."""

    where: str
    local: bool
    given: bool  # by the user, who can then put it right


def fetch(entry: Entry, say: Say, source: str | None = None, sha256: str | None = None) -> Path:
    """The entry in our cache, got from wherever it is nearest.

    Args:
        entry: What to get.
        say: Takes sentences for the user.
        source: A file, a folder with the published file, or an address of either; None: torch's
            cache, then PHOTOSTYLE_WEIGHTS_URL, then the published address.
        sha256: How the file's SHA-256 (hexadecimal) begins; None: as published.

    Raises:
        InputError: a source or a cache folder that the user has to put right.
        DownloadError: the network or the server did not give the file.
    """
    expected = sha256 or entry.sha256_start
    if _have(entry, expected, say):
        return cache.cached_path(entry)
    with _locked(entry, say):
        if _have(entry, expected, say):  # another process got it meanwhile
            return cache.cached_path(entry)
        if source is not None and "://" not in source:
            check_place(cache.cached_path(entry), [expanded(source)])
        if cache.check(entry) == "damaged":
            say(f"{entry.name}: {cache.cached_path(entry)} is damaged, getting it again")
        _get(entry, _source(entry, source, expected, say), expected, say)
    return cache.cached_path(entry)


def sha256_start(digits: str) -> str:
    """The beginning of a SHA-256 as the user wrote it, in lower case.

    Raises:
        OptionError: it is not 8 to 64 hexadecimal digits.
    """
    if not re.fullmatch(r"[0-9a-f]{8,64}", digits.lower()):
        raise OptionError(f"--sha256 is {digits!r}; it must be 8 to 64 hexadecimal digits.")
    return digits.lower()


def _have(entry: Entry, expected: str, say: Say) -> bool:
    state, record = cache.check(entry), cache.read_record(entry)
    if state == "intact" and record and record.source_sha256.startswith(expected):
        say(f"{entry.name}: in {cache.cached_path(entry)}")
        return True
    return False


@contextlib.contextmanager
def _locked(entry: Entry, say: Say) -> Iterator[None]:
    """One process at a time; the system lets go of a dead one's lock."""
    folder = cache.weights_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{entry.name}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            say(f"{entry.name}: another process is fetching it; waiting for that")
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{folder} cannot be written: {reason}; PHOTOSTYLE_HOME chooses another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _source(entry: Entry, given: str | None, expected: str, say: Say) -> Source:
    if given is not None:
        return _given(entry, given, "--from")
    torchs = cache.torch_folder() / entry.file
    if torchs.is_file():
        if _hash(torchs).startswith(expected):
            say(f"{entry.name}: taken from torch's cache, {torchs}")
            return Source(str(torchs), local=True, given=False)
        say(f"{entry.name}: {torchs} is damaged or incomplete, so it is not used")
    if mirror := os.environ.get(MIRROR):
        return _given(entry, mirror, MIRROR)
    return Source(entry.base + entry.file, local=False, given=False)


def _given(entry: Entry, source: str, option: str) -> Source:
    if "://" in source:
        url = source if _suffix(source) in SUFFIXES else f"{source.rstrip('/')}/{entry.file}"
        return Source(url, local=False, given=True)
    path = expanded(source)
    path = path / entry.file if path.is_dir() else path
    if not path.is_file():
        raise WeightsError(
            f"{path} is not there; {option} takes {entry.file}, its folder or a URL."
        )
    return Source(str(path), local=True, given=True)


def _get(entry: Entry, source: Source, expected: str, say: Say) -> None:
    part = cache.weights_folder() / f"{entry.name}.pth.part"
    if source.local:
        path = Path(source.where)
    else:
        say(f"{entry.name}: {source.where}")
        download(source.where, part, say)
        path = part
    found = _hash(path)
    if not found.startswith(expected):
        if not source.local:
            remove_part(part)
        raise _wrong_hash(source, expected, found)
    try:
        _store(entry, path, Record("", source.where, found))
    except WeightsError:
        if not source.local:
            remove_part(part)
        raise
    remove_part(part)


def _suffix(source: str) -> str:
    """Of the file that a path or an address names; what follows a "?" there is not its name."""
    path = urlsplit(source).path if "://" in source else source
    return Path(path).suffix.lower()


def _hash(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error


def _wrong_hash(source: Source, expected: str, found: str) -> WeightsError | DownloadError:
    kind = WeightsError if source.local else DownloadError
    kept = "" if source.local else " and was thrown away"
    return kind(
        f"{source.where} is not the file that was expected{kept}: its SHA-256 begins with "
        f"{found[: max(8, len(expected))]}, not {expected}."
    )


def _store(entry: Entry, path: Path, record: Record) -> None:
    """Strips the checkpoint and puts it, and its record, into the cache."""
    weights = read_weights(path, _suffix(record.source))  # a .part file has another suffix
    check_network(VggEncoder(weights, name=record.source), entry, record.source)
    kept = {
        key[key.index("features.") :]: value.float().contiguous()
        for key, value in weights.items()
        if "features." in key and isinstance(value, Tensor)
    }
    metadata = {
        "format": "pt",
        "preprocessing": entry.preprocessing,
        "source": record.source,
        "source_sha256": record.source_sha256,
    }
    with atomic_path(cache.cached_path(entry)) as temporary:
        temporary.write_bytes(safetensors.torch.save(kept, metadata))
        stored = Record(file_sha256(temporary), record.source, record.source_sha256)
        with atomic_path(cache.record_path(entry)) as beside:
            beside.write_text(stored.to_json(), encoding="utf-8")
