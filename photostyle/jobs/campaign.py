"""Carrying out a plan: what is missing is done, what is done is kept, what fails is noted."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photostyle.brief import Brief
from photostyle.documents import json_text
from photostyle.jobs.executors import Executor, Unit
from photostyle.jobs.jobs import PLAN, Folder, Job, Record, write_text


@dataclass(frozen=True)
class Plan(Brief):
    """Jobs that belong together.

    Attributes:
        title: of the report.
        jobs: in the order in which they are shown.
        axes: (name, labels of its values) of a sweep; the jobs are their combinations, the last
            axis running fastest, unless `columns` is 0.
        columns: of the sheet; 0 leaves it to the sheet.
    """

    title: str
    jobs: tuple[Job, ...]
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    columns: int = 0

    def to_json(self) -> str:
        jobs = [{"key": j.key, "name": j.name, "labels": [list(x) for x in j.labels],
                 "files": [str(path) for path in j.files()]} for j in self.jobs]  # fmt: skip
        data = {"title": self.title, "axes": self.axes, "columns": self.columns, "jobs": jobs}
        return json_text(data)


@dataclass(frozen=True)
class Summary(Brief):
    """How a plan went: how many jobs it has, and which were done before, now, or not at all; and
    which of the done ones are of films that are broken somewhere."""

    jobs: int
    before: int
    now: int
    failed: tuple[Record, ...]
    damaged: tuple[Record, ...] = ()

    def __str__(self) -> str:
        jobs = "1 job" if self.jobs == 1 else f"{self.jobs} jobs"
        return f"{jobs}: {self.now} done now, {self.before} done before, {len(self.failed)} failed"


def missing(plan: Plan, folder: Folder, retry_failed: bool) -> list[Job]:
    """The jobs that have no result yet, each once; failed ones only where they shall be retried."""
    jobs = {job.key: job for job in plan.jobs}
    return [
        job for key, job in jobs.items()
        if not folder.done(key) and (retry_failed or not folder.failed(key))
    ]  # fmt: skip


def chains(jobs: Sequence[Job]) -> list[Unit]:
    """The jobs as units: a job that begins with another's result follows it on the same place."""
    units: list[list[Job]] = []
    for job in jobs:
        start = getattr(job, "start", None)
        if units and start is not None and units[-1][-1].key == start.key:
            units[-1].append(job)
        else:
            units.append([job])
    return [tuple(unit) for unit in units]


def carry_out(
    plan: Plan,
    folder: Path,
    executor: Executor,
    *,
    retry_failed: bool,
    say: Callable[[str], None],
) -> Summary:
    """Does what is missing, telling of each job as it ends.

    Raises:
        OutputError: the folder is in use, or cannot be written.
        KeyboardInterrupt: Ctrl-C; what was finished stays.
    """
    home = Folder(folder)
    with home.locked():
        write_text(folder / PLAN, plan.to_json())
        todo = missing(plan, home, retry_failed)
        keys = {job.key for job in plan.jobs}
        before = sum(home.done(key) for key in keys)
        now = 0
        for sentence, record in _told(executor.run(chains(todo), folder), len(todo)):
            say(sentence)
            now += record["state"] == "done"
    records = [r for key in dict.fromkeys(j.key for j in plan.jobs) if (r := home.record(key))]
    failed = tuple(r for r in records if r["state"] == "failed")
    damaged = tuple(r for r in records if r["state"] == "done" and r.get("damaged"))
    return Summary(len(keys), before, now, failed, damaged)


def _told(records: Iterator[Record], count: int) -> Iterator[tuple[str, Record]]:
    began = time.monotonic()
    said: set[str] = set()
    for number, record in enumerate(records, start=1):
        left = (time.monotonic() - began) / number * (count - number)
        rest = f"; {clock(left)} left" if number < count else ""
        remarks = [note for note in record.get("remarks", ()) if note not in said]
        said.update(remarks)
        sentence = f"[{number}/{count}] {record['name']}: {_outcome(record)}{rest}"
        yield "\n".join([sentence, *remarks]), record


def _outcome(record: Record) -> str:
    if record["state"] == "failed":
        return f"failed: {record['reason']}"
    scores: dict[str, Any] | None = record.get("scores")
    said = [f"{record['seconds']:.1f} s"]
    if scores:
        said += [f"structure {scores['structure']:.3f}", f"style {scores['style_taken']:.0%}"]
    return ", ".join([*said, *record.get("warnings", ())])


def clock(seconds: float) -> str:
    """65 → 1:05, 3661 → 1:01:01."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
