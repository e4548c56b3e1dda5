"""Where jobs run: in this process, in processes of this machine, or on a Ray cluster.

All give the same: units of jobs in, records out as they come. A unit is a chain of jobs that one
place does in order. Whoever does a job writes its result and its record, so nothing that is
finished is lost with the process that waits for it. Imports no torch.
"""

import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from photostyle.errors import PhotostyleError
from photostyle.jobs.jobs import Folder, Job, Record
from photostyle.runtime.stopping import end_with_parent, leave_to_others
from photostyle.runtime.streams import standard_streams

Unit = tuple[Job, ...]

#: The signal by which a worker is asked to end, as Ctrl-C is its parent's; None on Windows.
ASK: int | None = getattr(signal, "SIGUSR1", None)
#: Seconds in which a film that was ended is written.
PATIENCE = 60.0


class Executor(Protocol):
    """Does units of jobs."""

    @property
    def workers(self) -> int:
        """How many jobs run at a time, 0 where it does not know."""

    def run(self, units: Sequence[Unit], folder: Path) -> Iterator[Record]:
        """Every job's record, in the order in which they end."""


def do(job: Job, folder: Path, memory: Any) -> Record:
    """Does one job and writes its record, of a failure too."""
    try:
        facts = {"state": "done", **job.run(folder, memory)}
    except PhotostyleError as error:
        facts = failure(error.as_typed)
    except MemoryError:
        facts = failure("The machine's memory is not enough; try a smaller --size.")
    except Exception as error:  # one job's fault must not stop the others
        facts = failure(f"{type(error).__name__}: {error}", traceback.format_exc())
    facts = {"name": job.name, "labels": [list(label) for label in job.labels], **facts}
    return Folder(folder).note(job.key, facts)


def failure(reason: str, trace: str = "") -> Record:
    return {"state": "failed", "reason": reason, **({"trace": trace} if trace else {})}


@dataclass(frozen=True)
class InProcess:
    """One after the other, here."""

    workers: int = 1

    def run(self, units: Sequence[Unit], folder: Path) -> Iterator[Record]:
        from photostyle.runtime.memory import Memory

        memory = Memory()
        for unit in units:
            for job in unit:
                yield do(job, folder, memory)


@dataclass(frozen=True)
class Processes:
    """So many processes, each with its share of the CPU's threads and a GPU of its own where there
    are several. A process that dies fails the job it was at, and another takes its place."""

    workers: int

    def run(self, units: Sequence[Unit], folder: Path) -> Iterator[Record]:
        waiting = list(reversed(units))
        count = min(self.workers, len(units))
        spread = not any(_names_a_gpu(job) for unit in units for job in unit)
        workers: list[_Worker] = []
        try:
            while waiting or any(worker.unit for worker in workers):
                while waiting and len(workers) < count:
                    workers.append(_Worker(folder, _place(len(workers), count, spread)))
                for worker in workers:
                    if worker.unit is None and waiting:
                        worker.give(waiting.pop())
                ready = wait([worker.link for worker in workers if worker.unit])
                for worker in [w for w in workers if w.link in ready]:
                    yield worker.take()
                    if worker.dead:
                        if worker.unit:  # the rest of its chain
                            waiting.append(worker.unit)
                        workers[workers.index(worker)] = _Worker(folder, worker.place)
        finally:
            for worker in workers:
                worker.ask()
            for worker in workers:
                worker.stop()


class _Worker:
    """A process, and the jobs it still has to do."""

    def __init__(self, folder: Path, place: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self.folder, self.place, self.dead, self.asked = folder, place, False, False
        self.unit: Unit | None = None
        self.link, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, folder, place), daemon=True)
        self.process.start()
        other.close()

    def give(self, unit: Unit) -> None:
        self.unit = unit
        self.link.send(unit)

    def take(self) -> Record:
        """The record that is there, or a failure when the process is gone."""
        assert self.unit
        job, rest = self.unit[0], self.unit[1:]
        self.unit = rest or None
        try:
            record: Record = self.link.recv()
            return record
        except (EOFError, ConnectionError):
            self.dead = True
            self.process.join()
        known = Folder(self.folder).record(job.key)
        if known and known["state"] == "done":  # it died after the job
            return known
        reason = f"Its process ended with code {self.process.exitcode}, for want of memory perhaps."
        facts = {"name": job.name, "labels": [list(x) for x in job.labels], **failure(reason)}
        return Folder(self.folder).note(job.key, facts)

    def ask(self) -> None:
        """Asks a job that keeps what it has done to end, as Ctrl-C does in one process."""
        if ASK is None or self.unit is None or self.process.pid is None:
            return
        if getattr(self.unit[0], "keeps_parts", False) and self.process.is_alive():
            os.kill(self.process.pid, ASK)
            self.asked = True

    def stop(self) -> None:
        if self.asked:
            self.process.join(PATIENCE)
        self.process.kill()
        self.process.join()
        self.link.close()


def _names_a_gpu(job: Job) -> bool:
    """Whether it asks for one GPU by its number, which it must then see under that number."""
    config = getattr(job, "config", None)
    return config is not None and str(config.optimize.device).startswith("cuda:")


def _place(number: int, count: int, spread: bool = True) -> dict[str, str]:
    """Environment of a worker: its threads, and its GPU where there are several to spread over."""
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1) // count)
    place = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    gpus = _gpus() if spread else []
    return {**place, "CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if len(gpus) > 1 else place


def _gpus() -> list[str]:
    """The names under which this process may use GPUs."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [word for word in given.split(",") if word]
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]


def _work(link: Connection, folder: Path, place: dict[str, str]) -> None:
    """The life of a worker: units in, records out, until the other end is gone."""
    os.environ.update(place)  # before torch is imported, and looks
    leave_to_others()
    if ASK is not None:
        signal.signal(ASK, signal.default_int_handler)
    from photostyle.runtime.memory import Memory

    end_with_parent()
    memory = Memory()
    with standard_streams(), suppress(EOFError, ConnectionError, KeyboardInterrupt):
        while True:
            for job in link.recv():
                link.send(do(job, folder, memory))
