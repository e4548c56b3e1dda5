"""Jobs on several machines: Ray, from the extra `cluster`.

A machine that sees the output folder writes there itself; from any other the files are sent back.
Inputs that a machine does not see are sent to it. A machine that is lost costs what it was at:
Ray gives that to another.
"""

import functools
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photostyle.errors import ImageError, OptionError
from photostyle.images.saving import atomic_path
from photostyle.jobs.executors import Unit, do
from photostyle.jobs.jobs import RECORDS, Folder, Record, sha256_of
from photostyle.jobs.stylejob import StyleJob
from photostyle.runtime.memory import Memory
from photostyle.runtime.stopping import interrupt, minded

#: How often a unit is begun again when its machine is lost.
RETRIES = 10
TOKEN = ".token"

Files = dict[str, bytes]


@dataclass(frozen=True)
class OnRay:
    """Attributes:
    address: of the cluster's head; None begins one on this machine, or joins the one that
        RAY_ADDRESS names.
    gpus: asked for by every job, part of one included.
    """

    address: str | None = None
    gpus: float = 0.0
    workers: int = 0

    def run(self, units: Sequence[Unit], folder: Path) -> Iterator[Record]:
        """See `executors.Executor`.

        Raises:
            OptionError: Ray is not installed, or the cluster cannot be reached.
        """
        ray = _ray(self.address)
        token = secrets.token_hex(16)
        with atomic_path(folder / RECORDS / TOKEN) as temporary:
            temporary.write_text(token, encoding="ascii")
        task = ray.remote(num_cpus=1, num_gpus=self.gpus, max_retries=RETRIES)(_unit)
        parcels = {path: ray.put(path.read_bytes()) for path in _all_files(units)}
        hashes = {path: sha256_of(path) for path in parcels}
        waiting = [
            task.remote(unit, folder.resolve(), token, {p: [parcels[p]] for p in used}, hashes)
            for unit, used in ((unit, _all_files([unit])) for unit in units)
        ]
        with minded(interrupt):  # Ray has an answer of its own
            while waiting:
                ready, waiting = ray.wait(waiting, num_returns=1)
                for records, files in ray.get(ready):
                    yield from _received(records, files, folder)


def _ray(address: str | None) -> Any:
    try:
        import ray
    except ImportError:
        raise OptionError(
            "--executor ray needs Ray; install it with pip install 'photostyle[cluster]'."
        ) from None
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise OptionError(f"--address {address}: no Ray cluster answers there ({first}).") from None
    return ray


def _all_files(units: Sequence[Unit]) -> list[Path]:
    """What may be sent along; folders must be seen by every machine."""
    paths = dict.fromkeys(path for unit in units for job in unit for path in job.files())
    return [path for path in paths if path.is_file()]


def _received(records: list[Record], files: Files, folder: Path) -> Iterator[Record]:
    """Puts what was sent back into the folder, records last."""
    for name, data in files.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(data)
    for record in records:
        if files:
            facts = {k: v for k, v in record.items() if k not in ("key", "sha256")}
            yield Folder(folder).note(record["key"], facts)
        else:
            yield record


def _unit(
    unit: Unit,
    folder: Path,
    token: str,
    parcels: Mapping[Path, list[Any]],
    hashes: Mapping[Path, str],
) -> tuple[list[Record], Files]:
    """On the machine that Ray chose: the records, and the files where the folder is not seen."""
    with tempfile.TemporaryDirectory(prefix="photostyle-") as scratch:
        copies = _unpacked(parcels, hashes, Path(scratch))
        jobs = [job.with_files(copies) if copies and isinstance(job, StyleJob) else job
                for job in unit]  # fmt: skip
        if _sees(folder, token):
            return [_once(job.key, job, folder) for job in jobs], {}
        away = Path(scratch) / "out"
        (away / RECORDS).mkdir(parents=True)
        records = [do(job, away, _memory()) for job in jobs]
        made = (p for p in away.rglob("*") if p.is_file() and p.parent.name != RECORDS)
        return records, {p.relative_to(away).as_posix(): p.read_bytes() for p in made}


def _once(key: str, job: Any, folder: Path) -> Record:
    """A machine may be lost between the result and its report; the result counts."""
    known = Folder(folder)
    record = known.record(key) if known.done(key) else None
    return record or do(job, folder, _memory())


def _sees(folder: Path, token: str) -> bool:
    try:
        return (folder / RECORDS / TOKEN).read_text(encoding="ascii") == token
    except OSError:
        return False


def _unpacked(
    parcels: Mapping[Path, list[Any]], hashes: Mapping[Path, str], scratch: Path
) -> dict[Path, Path]:
    """Copies of the files that are not here, or not the same here."""
    import ray

    copies = {}
    for number, (path, [parcel]) in enumerate(parcels.items()):
        if not _same(path, hashes[path]):
            copies[path] = scratch / f"{number}-{path.name}"
            copies[path].write_bytes(ray.get(parcel))
    return copies


def _same(path: Path, sha256: str) -> bool:
    try:
        return sha256_of(path) == sha256
    except ImageError:
        return False


@functools.cache
def _memory() -> Memory:
    """One for each of Ray's processes."""
    return Memory()
