"""What `sweep`, `batch` and `post` share: where jobs run, and what is done with a plan."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import FAILED, INTERRUPTED, configured
from photostyle.errors import OptionError

if TYPE_CHECKING:
    from photostyle.config.config import Config
    from photostyle.jobs.campaign import Plan
    from photostyle.jobs.executors import Executor

EXECUTORS = ("local", "ray")


def add_running(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("output")
    files.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder of the results and reports; "
        "run again, only what is missing or changed is done",
    )
    files.add_argument("--retry-failed", action="store_true", help="also do what failed before")
    files.add_argument(
        "--link",
        action="store_true",
        help="report.html points at the pictures beside it instead of carrying them in itself",
    )
    files.add_argument(
        "--plan",
        action="store_true",
        help="only tell what there is to do, and about how long it takes",
    )
    where = parser.add_argument_group("where jobs run")
    where.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes at a time, each "
        "with its share of the CPU, and a GPU of its own where there are several "
        "(default: %(default)s)",
    )
    where.add_argument(
        "--executor",
        choices=EXECUTORS,
        default="local",
        help="local processes, or a Ray cluster (default: %(default)s)",
    )
    where.add_argument(
        "--address",
        help="head of the Ray cluster, such as ray://host:10001; without "
        "it, the one that RAY_ADDRESS names, or a new one here",
    )
    where.add_argument(
        "--gpus",
        type=float,
        default=0.0,
        metavar="G",
        help="GPUs that Ray shall give each job (default: %(default)s)",
    )


def add_format(parser: Any) -> None:
    parser.add_argument(
        "--format",
        choices=("png", "jpg", "tif", "webp"),
        default="png",
        help="of the results (default: %(default)s)",
    )


def executor_of(arguments: argparse.Namespace) -> "Executor":
    """The executor that the options ask for."""
    if arguments.jobs < 1:
        raise OptionError(f"--jobs {arguments.jobs}: at least 1 runs at a time.")
    if arguments.gpus < 0:
        raise OptionError(f"--gpus {arguments.gpus:g}: give 0 or more for each job.")
    if arguments.executor == "ray":
        if arguments.jobs > 1:
            raise OptionError(
                "--jobs belongs to --executor local; a Ray cluster shares out itself."
            )
        from photostyle.jobs.cluster import OnRay

        return OnRay(arguments.address, arguments.gpus)
    for option in ("address", "gpus"):
        if getattr(arguments, option):
            raise OptionError(f"--{option} belongs to --executor ray; give both, or neither.")
    from photostyle.jobs.executors import InProcess, Processes

    return InProcess() if arguments.jobs == 1 else Processes(arguments.jobs)


def configure_with(arguments: argparse.Namespace) -> Any:
    """(preset or None, values) → Config: the command line's options under the values."""

    def configure(preset: str | None, values: Mapping[str, Any]) -> "Config":
        own = argparse.Namespace(**vars(arguments))
        if preset is not None:
            own.preset = preset
        return configured(own).with_options(values)

    return configure


def pictures_in(given: Path) -> list[Path]:
    """A file itself; of a folder its pictures, or those that jobs left in it.

    Raises:
        OptionError: a folder without pictures.
    """
    from photostyle.images.hashing import PICTURES
    from photostyle.jobs.report import results

    if not given.is_dir():
        return [given]
    found = results(given)
    if found is None:
        found = sorted(p for p in given.iterdir() if p.suffix.lower() in PICTURES)
        found = [p for p in found if not p.name.startswith(".")]
    if not found:
        raise OptionError(f"{given}: there is no picture in this folder.")
    return found


def execute(plan: "Plan", arguments: argparse.Namespace) -> int:
    """Does the plan, or only tells of it; writes sheet, tables and page; gives the exit code."""
    from photostyle.jobs.campaign import carry_out, missing
    from photostyle.jobs.jobs import Folder
    from photostyle.jobs.report import Report, results

    executor = executor_of(arguments)
    if arguments.plan:
        from photostyle.jobs.estimate import estimate

        home = Folder(arguments.out)
        todo = missing(plan, home, arguments.retry_failed)
        print(estimate(plan.jobs, todo, home, max(1, executor.workers)))
        return 0
    stopped = False
    try:
        summary = carry_out(
            plan, arguments.out, executor, retry_failed=arguments.retry_failed, say=_say
        )
    except KeyboardInterrupt:
        stopped = True
        if results(arguments.out) is None:
            _say("Stopped before the first job.")
            return INTERRUPTED
    paths = Report(arguments.out, embed=not arguments.link).write()
    print(paths[-1])
    if stopped:
        _say("Stopped; what is finished is kept, and the same command goes on from here.")
        return INTERRUPTED
    for record in summary.failed:
        _say(f"failed: {record['name']}: {record['reason']}")
    print(summary)
    return FAILED if summary.failed else 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
