"""What `sweep`, `batch` and `post` share: where jobs run, and what is done with a plan."""

import argparse
import sys
from typing import TYPE_CHECKING, Any, Self

from photostyle.commands.arguments import FAILED, INTERRUPTED
from photostyle.images.formats.table import usual
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.api.running import Runs
    from photostyle.runtime.updates import Update

EXECUTORS = ("local", "ray")


#: What `--out` is of most.
RESULTS = "folder of the results and reports; run again, only what is missing or changed is done"


def add_running(parser: argparse.ArgumentParser, out: str = RESULTS) -> None:
    files = parser.add_argument_group("output")
    files.add_argument("--out", type=expanded, required=True, help=out)
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


def add_format(parser: Any, *, keep: bool = False) -> None:
    """`keep` offers the contents' own."""
    parser.add_argument(
        "--format",
        choices=(*usual(), *(["keep"] if keep else [])),
        default="png",
        help=("of the results, or keep, each photograph's own" if keep else "of the results")
        + " (default: %(default)s)",
    )


def running_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The keywords of `api.running.Running` that the options ask for."""
    names = ("jobs", "executor", "address", "gpus", "retry_failed", "link", "plan")
    return {name: getattr(arguments, name) for name in names}


def told(runs: "Runs") -> int:
    """Tells what came of many runs; gives the exit code."""
    if runs.estimate:
        print(runs.estimate)
        return 0
    if runs.files:
        print(runs.files[-1])
    if runs.interrupted:
        say(
            "Stopped; what is finished is kept, and the same command goes on from here."
            if runs.files
            else "Stopped before the first job."
        )
        return INTERRUPTED
    assert runs.summary  # of what was carried out to its end
    for record in runs.summary.failed:
        say(f"failed: {record['name']}: {record['reason']}")
    print(runs.summary)
    return FAILED if runs.summary.failed or runs.summary.damaged else 0


def tell(update: "Update") -> None:
    """Progress of many runs: a line for each job that is done."""
    say(update.note)


class FrameBar:
    """A bar for each film, with the time that is left; lines go above it."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def show(self, what: str, done: int, expected: int) -> None:
        """So many frames are done, of as many; 0 where that is not known."""
        from tqdm import tqdm

        if self._bar is None or what != self._what:
            self.close()
            self._bar, self._what = tqdm(unit="frame", desc=what, initial=max(0, done - 1)), what
        self._bar.total = expected if expected >= done else None
        self._bar.update(done - self._bar.n)

    def told(self, update: "Update") -> None:
        """A `progress` function: of frames, or with a line."""
        if update.note:
            self.close()
            say(update.note)
        else:
            self.show(update.stage, update.done, update.total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def add_codec(parser: Any) -> None:
    parser.add_argument("--codec", default="h264", metavar="h264|h265|prores|ffv1",
                        help="of videos; where the file's own container does not take it, the "
                        "result is a .mov or .mkv (default: h264)")  # fmt: skip
    parser.add_argument("--quality", type=int, help="of videos: constant rate factor of h264 and "
                        "h265, 0 is lossless, 51 worst (default: 17, 19)")  # fmt: skip


def add_film(films: Any) -> None:
    """How a film is kept steady, and written."""
    films.add_argument("--consistency", default="shot", metavar="shot|whole|frame",
                       help="what has a look, or is measured, of its own: each shot, the whole "
                       "film, or every frame (default: shot)")  # fmt: skip
    films.add_argument("--key-frames", type=int, default=1, metavar="N", help="looks of a shot, or "
                       "whatever else is found of it, on as many parts of it, with smooth changes "
                       "between them (default: 1)")  # fmt: skip
    add_codec(films)


def film_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The keywords that the options of `add_film` ask for."""
    names = ("consistency", "key_frames", "codec", "quality")
    return {name: getattr(arguments, name) for name in names}


def frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
