"""Where the jobs of a sweep, batch or post run, and what comes of them."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from PIL import Image

from photostyle.brief import Brief
from photostyle.config.config import Config
from photostyle.config.keywords import Base, Options, RenderOptions, configured
from photostyle.documents import shown
from photostyle.errors import OptionError, OutputError, keywords_in
from photostyle.films.containers import VIDEO_SUFFIXES
from photostyle.images.formats.table import usual
from photostyle.images.saving import FORMATS
from photostyle.images.shown import png_of
from photostyle.jobs.campaign import Plan, Summary, carry_out, missing
from photostyle.jobs.estimate import estimate
from photostyle.jobs.executors import Executor, InProcess, Processes
from photostyle.jobs.jobs import Folder
from photostyle.jobs.outputs import check_outputs
from photostyle.jobs.report import Report, results
from photostyle.jobs.sweep import Configure
from photostyle.places import expanded
from photostyle.runtime.updates import Progress, Update, Watched

if TYPE_CHECKING:
    from collections.abc import Callable


class Running(TypedDict, total=False):
    """How many jobs are done, and where.

    Attributes:
        jobs: processes at a time, each with its share of the CPU, and a GPU of its own where there
            are several; 1 stays in this process.
        executor: local, or ray for a Ray cluster. address: of its head. gpus: of Ray, for each job.
        retry_failed: also do what failed before.
        link: report.html points at the pictures beside it instead of carrying them in itself.
        plan: only tell what there is to do; see `Runs.estimate`.
    """

    jobs: int
    executor: Literal["local", "ray"]
    address: str | None
    gpus: float
    retry_failed: bool
    link: bool
    plan: bool


class RunningOptions(Running, Options, total=False):
    """Every option of a run, and those of where the runs take place."""


class RenderingOptions(Running, RenderOptions, total=False):
    """The options of rendering, and those of where it takes place for many pictures."""


@dataclass(frozen=True)
class Runs(Brief):
    """What came of many runs: a folder that holds pictures, tables, a sheet and a page.

    Attributes:
        folder: of the results.
        summary: how many are done; None where they were only planned, or stopped early.
        files: tables, sheets and page that were written; report.html is the last.
        estimate: where they were only planned: how long it will take, in a few lines.
        interrupted: stopped early; the same call goes on from there.
    """

    folder: Path
    summary: Summary | None = None
    files: tuple[Path, ...] = field(default=(), repr=False)
    estimate: str = ""
    interrupted: bool = False

    @property
    def pictures(self) -> list[Path]:
        """The finished pictures, in order."""
        return results(self.folder) or []

    @property
    def failed(self) -> dict[str, str]:
        """The reason of each job that failed, by its name."""
        records = self.summary.failed if self.summary else ()
        return {str(r["name"]): keywords_in(str(r["reason"])) for r in records}

    def rows(self) -> list[dict[str, Any]]:
        """One row for each job: its name, state, values and scores, as in scores.json; fit for
        `pandas.DataFrame`."""
        table = self.folder / "scores.json"
        rows: list[dict[str, Any]] = json.loads(table.read_text("utf-8")) if self.files else []
        return rows

    def _repr_png_(self) -> bytes | None:
        sheet = self.folder / "sheet.png"
        if not self.files or not sheet.exists():
            return None
        with Image.open(sheet) as picture:
            return png_of(picture.convert("RGB"), 1400)


def parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of `Running`, and those of the runs themselves."""
    where = {name: value for name, value in options.items() if name in Running.__annotations__}
    return where, {name: value for name, value in options.items() if name not in where}


def configuring(config: Base | None, options: Mapping[str, Any]) -> Configure:
    """(preset or None, values) → Config: the common options under a job's own."""
    own = ("config", *Running.__annotations__)
    named = config is None or isinstance(config, str)
    base = configured(config, options, own)  # mistakes show before any job is made

    def configure(preset: str | None, values: Mapping[str, Any]) -> Config:
        if preset is not None and not named:
            raise OptionError(
                "--preset and --config: give one of them; a file can name its own preset."
            )
        found = base if preset is None else configured(preset, options, own)
        return found.with_options(values)

    return configure


def results_folder(out: str | os.PathLike[str]) -> Path:
    """The folder of results, before anything is written there.

    Raises:
        OutputError: it has a name that was meant for one of them, or is a file.
    """
    folder = expanded(out)
    if folder.is_file():
        raise OutputError(f"--out {folder} is a file; give a folder.")
    if folder.suffix.lower() in (*FORMATS, *VIDEO_SUFFIXES) and not folder.exists():
        raise OutputError(
            f"{folder} would be a file by its name, and a folder of results is made; give the "
            "name of a folder."
        )
    return folder


def carried_out(
    plan: Plan,
    out: Path,
    where: Mapping[str, Any],
    progress: Progress,
    read: Iterable[Path] = (),
    notes: Iterable[str] = (),
) -> Runs:
    """Does what is missing of a plan, or only tells of it; writes sheet, tables and page.

    Args:
        read: files that are read besides the jobs' own.
        notes: sentences for the user that are told first.

    Raises:
        OptionError: unfit options of where it runs.
        OutputError: the folder is in use, or cannot be written, or a file in it would be replaced
            that is read, or is none of ours.
    """
    executor, home = executor_of(where), Folder(out)
    check_outputs(plan, home, read)
    retry = bool(where.get("retry_failed", False))
    todo = missing(plan, home, retry)
    if where.get("plan", False):
        told = estimate(plan.jobs, todo, home, max(1, executor.workers))
        return Runs(out, estimate=told)
    summary, stopped = None, False
    with Watched(progress) as watched:
        for note in notes:
            watched.teller.tell(Update("jobs", note))
        try:
            summary = carry_out(
                plan, out, executor, retry_failed=retry, say=_saying(watched, len(todo))
            )
        except KeyboardInterrupt:
            stopped = True
    if stopped and results(out) is None:
        return Runs(out, interrupted=True)
    files = Report(out, embed=not where.get("link", False)).write()
    return Runs(out, summary, tuple(files), interrupted=stopped)


def _saying(watched: Watched, total: int) -> Callable[[str], None]:
    done = 0

    def say(sentence: str) -> None:
        nonlocal done
        done += 1
        outcome, *remarks = sentence.splitlines()
        watched.teller.tell(Update("jobs", outcome, done, total))
        for remark in remarks:
            watched.teller.tell(Update("jobs", remark))

    return say


def executor_of(where: Mapping[str, Any]) -> Executor:
    """The executor that the options ask for.

    Raises:
        OptionError: options that do not go together.
    """
    jobs, gpus = where.get("jobs", 1), where.get("gpus", 0.0)
    kind, address = where.get("executor", "local"), where.get("address")
    if not isinstance(jobs, int) or jobs < 1:
        raise OptionError(f"--jobs {shown(jobs)}: at least 1 runs at a time, a whole number.")
    if not isinstance(gpus, int | float) or gpus < 0:
        raise OptionError(f"--gpus {shown(gpus)}: give 0 or more for each job.")
    if kind not in ("local", "ray"):
        raise OptionError(f"--executor is {kind!r}; choose from local, ray.")
    if kind == "ray":
        if jobs > 1:
            raise OptionError(
                "--jobs belongs to --executor local; a Ray cluster shares out itself."
            )
        from photostyle.jobs.cluster import OnRay

        return OnRay(address, gpus)
    for option, value in (("address", address), ("gpus", gpus)):
        if value:
            raise OptionError(f"--{option} belongs to --executor ray; give both, or neither.")
    return InProcess() if jobs == 1 else Processes(jobs)


def prepared(
    options: Mapping[str, Any], out: str | os.PathLike[str], config: Base | None, form: str
) -> tuple[dict[str, Any], Path, Configure, str]:
    """Where the runs take place, their folder, configurations and suffix; what is unfit shows
    before anything is written.

    Raises:
        OptionError: an unfit option. OutputError: see `results_folder`.
    """
    where, values = parted(options)
    executor_of(where)
    if f".{form}" not in FORMATS:
        raise OptionError(f"--format is {form!r}; choose from {', '.join(usual())}.")
    return where, results_folder(out), configuring(config, values), f".{form}"


def read_files(*given: object) -> list[Path]:
    """Those of arguments that are paths; a configuration's name is none."""
    config, *others = given
    paths = [config] if isinstance(config, os.PathLike) else []
    return [expanded(x) for x in (*paths, *others) if isinstance(x, str | os.PathLike)]


def label_of(value: Any) -> str:
    """A value as it stands under a picture."""
    if isinstance(value, tuple):
        return "+".join(label_of(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
