"""Jobs named by what goes into them, and the folder that holds what came of them.

A job's key is the hash of its inputs' bytes, its options and the program's version. What it
leaves is written file by file, each whole or not at all, its record last: a job is done when its
record is there and the picture is still the one recorded. So work may be killed at any moment
and begun again. Imports no torch.
"""

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from filelock import FileLock, Timeout

from photostyle.documents import Unreadable, json_text, read_json, shown
from photostyle.errors import ImageError, OutputError
from photostyle.images.hashing import content_sha256, file_sha256, file_stamp
from photostyle.places import folded

#: Version of what a key is made of and of the records' layout.
FORMAT = 1
RECORDS, LOCK, PLAN = "jobs", ".photostyle.lock", "plan.json"
#: What `saving.atomic_path` calls its unfinished files.
UNFINISHED = ".photostyle-*.*"
_OWN = re.compile(r"plan|scores|report|sheet(-\d+)?")

Record = dict[str, Any]


class Job(Protocol):
    """Something to do that leaves a picture.

    Attributes:
        name: path of the picture below the output folder, without its suffix, with slashes.
        labels: what tells it from the others, as (name, value) words.
    """

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def key(self) -> str: ...
    def files(self) -> list[Path]:
        """Every file that it reads."""

    def writes(self, folder: Path) -> list[Path]:
        """Every file that it leaves in a folder."""

    def run(self, folder: Path, memory: Any) -> Record:
        """Does it; gives what the record shall hold: "picture" and whatever else is known."""


def key_of(facts: Mapping[str, Any]) -> str:
    """The hash of JSON facts, this program's version among them: 24 hexadecimal digits."""
    known = {"format": FORMAT, "photostyle": version("photostyle"), **facts}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:24]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, read again only when the file has changed; of a folder, of the
    names and bytes of the files in it.

    Raises:
        ImageError: it is not there, or cannot be read.
    """
    try:
        return content_sha256(path, lambda file: _sha256(*file_stamp(file)))
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from None


@functools.lru_cache(maxsize=100_000)
def _sha256(path: str, size: int, changed: int) -> str:
    return file_sha256(Path(path))


@dataclass(frozen=True)
class Folder:
    """An output folder and the records in it."""

    path: Path

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for this process, and clears away what a killed one left unfinished.

        Raises:
            OutputError: another process holds it, or it cannot be written.
        """
        try:
            (self.path / RECORDS).mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK, timeout=0)
            lock.acquire()
        except Timeout:
            raise OutputError(
                f"--out {self.path} is in use by another photostyle; let it finish, or choose "
                "another folder."
            ) from None
        except OSError as error:
            raise OutputError(
                f"--out {self.path} cannot be written: {error.strerror or error}."
            ) from None
        try:
            self._clear()
            yield
        finally:
            self._clear()  # processes that were ended had no time for it
            lock.release()

    def _clear(self) -> None:
        for path in self.path.rglob(UNFINISHED):
            path.unlink(missing_ok=True)

    def record(self, key: str) -> Record | None:
        """What is known of the job with that key, or None; a damaged record counts as none."""
        try:
            data = read_json(self._record_path(key))
        except Unreadable:
            return None
        return data if _is_record(data, key) else None

    def plan(self) -> dict[str, Any] | None:
        """What `campaign.Plan` says of itself in this folder; None where there is no such."""
        try:
            plan = read_json(self.path / PLAN)
        except Unreadable:
            return None
        return plan if _is_plan(plan) else None

    def names(self) -> Iterator[str]:
        """Of all jobs that were planned or done here."""
        yield from (job["name"] for job in (self.plan() or {"jobs": ()})["jobs"])
        yield from (str(record.get("name", "")) for record in self._records())

    def used(self) -> bool:
        """Whether jobs were planned or done here."""
        return self.plan() is not None or next(self._records(), None) is not None

    def _records(self) -> Iterator[Record]:
        keys = (path.stem for path in (self.path / RECORDS).glob("*.json"))
        yield from (record for key in keys if (record := self.record(key)))

    def done(self, key: str) -> bool:
        """Whether the job is done and its picture is still what it was."""
        record = self.record(key)
        if not record or record["state"] != "done":
            return False
        try:
            return sha256_of(self.path / record["picture"]) == str(record["sha256"])
        except ImageError:
            return False

    def failed(self, key: str) -> bool:
        record = self.record(key)
        return bool(record and record["state"] == "failed")

    def note(self, key: str, facts: Mapping[str, Any]) -> Record:
        """Writes the record of a job: the last thing that is done for it.

        Raises:
            OutputError: the folder cannot be written.
        """
        record = {"key": key, **facts}
        if record["state"] == "done":
            record["sha256"] = sha256_of(self.path / record["picture"])
        write_text(self._record_path(key), json_text(record))
        return record

    def _record_path(self, key: str) -> Path:
        return self.path / RECORDS / f"{key}.json"


def _is_plan(plan: Any) -> bool:
    """Whether a document is what `Plan.to_json` writes."""
    try:
        jobs = [(j["key"], j["name"], *j["files"], dict(j["labels"])) for j in plan["jobs"]]
        words = [plan["title"], *(name for name, _ in plan["axes"])]
        for *own, labels in jobs:
            words += [*own, *labels, *labels.values()]
        whole = isinstance(plan["columns"], int) and plan["columns"] >= 0
        return bool(jobs) and whole and all(isinstance(word, str) for word in words)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _is_record(data: Any, key: str) -> bool:
    """Whether a document has what every record has."""
    if not isinstance(data, dict) or data.get("key") != key:
        return False
    needed = {"done": ("picture", "sha256"), "failed": ("reason",)}
    words = needed.get(str(data.get("state")), ("state that there is not",))
    return all(isinstance(data.get(word), str) for word in words)


def write_text(path: Path, text: str) -> None:
    """A text file, whole or not at all.

    Raises:
        OutputError: the folder cannot be written.
    """
    from photostyle.images.saving import atomic_path  # loads torch

    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def check_name(name: str) -> str | None:
    """What is wrong with a job's name as a path below the output folder, or None."""
    path = PurePosixPath(name)
    if not name or name != name.strip() or path.is_absolute() or "\\" in name or ":" in name[:2]:
        return f"{shown(name)} is no name for a result; write words, or a path below --out"
    if any(not part or part.startswith(".") for part in name.split("/")):
        return f"{shown(name)} would leave the output folder, or hide in it"
    parts = [part.encode(errors="surrogatepass") for part in path.parts]
    if any(ord(c) < 32 for c in name) or max(map(len, parts)) > 200:
        return f"{shown(name)} is too long, or has control characters in it"
    if folded(path.parts[0]) == RECORDS:
        return f"{shown(name)} lies in the folder of records, {RECORDS}; choose another name"
    if reserved(name):
        return f"{shown(name)} is what the folder's own files are called; choose another name"
    return None


def reserved(name: str) -> bool:
    """Whether a picture of that name would lie where the folder's own files do."""
    return bool(_OWN.fullmatch(folded(name)))
