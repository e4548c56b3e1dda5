"""`photostyle apply`: a trained style on pictures, folders and videos."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import BAD_INPUT, FAILED, INTERRUPTED, add_command
from photostyle.errors import ImageError, OptionError
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.feedforward.applying import Job
    from photostyle.feedforward.style_model import StyleModel
    from photostyle.films.restyling import FilmReport


def register(commands: Any) -> None:
    parser = add_command(commands, "apply", "apply a trained style to pictures and videos", _apply)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        type=expanded,
        help="pictures, videos, folders of them",
    )
    parser.add_argument(
        "--model", required=True, type=expanded, help="network, from photostyle train"
    )
    parser.add_argument(
        "--out", required=True, type=expanded, metavar="DIR", help="folder of results"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument(
        "--batch", type=int, help="pictures of one size, or frames, at once (default: 8 on a GPU)"
    )
    parser.add_argument(
        "--memory", type=int, metavar="MIB",
        help="MiB for the network's maps; larger pictures go through in strips, with the same "
        "result (default: half of what is free)",
    )  # fmt: skip
    parser.add_argument("--codec", default="h264", metavar="h264|h265|prores|ffv1",
                        help="of videos; where the file's own container does not take it, the "
                        "result is a .mov or .mkv (default: h264)")  # fmt: skip
    parser.add_argument("--quality", type=int, help="of videos: constant rate factor of h264 and "
                        "h265, 0 is lossless, 51 worst (default: 17, 19)")  # fmt: skip


def _apply(arguments: argparse.Namespace) -> int:
    from photostyle.feedforward.applying import plan
    from photostyle.feedforward.style_model import load_model
    from photostyle.feedforward.tiling import usual_memory
    from photostyle.runtime.device import resolve_device

    for name in ("batch", "memory"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise OptionError(f"--{name} is {value}; it must be at least 1.")
    device = resolve_device(arguments.device)
    model = load_model(arguments.model, device)
    jobs = plan(arguments.inputs, arguments.out, arguments.codec, [arguments.model])
    batch = arguments.batch or (8 if device.type == "cuda" else 1)
    memory = arguments.memory * 2**20 if arguments.memory else usual_memory(device)
    coding = {"codec": arguments.codec, "quality": arguments.quality}
    work = _Work(model, batch, memory, coding, alone=len(jobs) == 1)
    try:
        work.pictures([job for job in jobs if not job.video])
        work.videos([job for job in jobs if job.video])
    except KeyboardInterrupt:
        print(f"photostyle: Stopped; {len(work.done)} of {len(jobs)} files are done, each whole."
              f"{work.begun}", file=sys.stderr)  # fmt: skip
        return INTERRUPTED
    if not work.failed:
        return FAILED if work.damaged else 0
    if work.alone:
        raise work.failed[0]
    print(f"photostyle: {len(work.failed)} of {len(jobs)} files could not be styled.",
          file=sys.stderr)  # fmt: skip
    return BAD_INPUT


@dataclass
class _Work:
    """What is applied and how, and what became of the files.

    Attributes:
        batch: pictures or frames at once. memory: bytes for the network's maps.
        coding: of videos, keywords of `apply_video`.
        alone: there is but one file, whose error is the command's own.
        done: results. failed: what could not be read, and why. damaged: videos that are broken
        somewhere. begun: a sentence on the video that Ctrl-C ended.
    """

    model: "StyleModel"
    batch: int
    memory: int | None
    coding: dict[str, Any]
    alone: bool
    done: list[Path] = field(default_factory=list)
    failed: list[ImageError] = field(default_factory=list)
    damaged: int = 0
    begun: str = ""

    def pictures(self, jobs: "Sequence[Job]") -> None:
        from tqdm import tqdm

        from photostyle.feedforward.applying import apply_pictures

        def tell(note: str) -> None:
            tqdm.write(note, file=sys.stderr)

        found = apply_pictures(self.model, jobs, batch=self.batch, memory=self.memory, tell=tell)
        for job, error in tqdm(found, total=len(jobs), unit="img", disable=len(jobs) < 2):
            self._note(job, error, "")

    def videos(self, jobs: "Sequence[Job]") -> None:
        from tqdm import tqdm

        for job in jobs:
            with tqdm(unit="frame", desc=job.source.name) as bar:
                try:
                    report, error = self._video(job, bar), None
                except ImageError as found:
                    report, error = None, found
            self._note(job, error, f" ({frames(report.frames_written)})" if report else "")
            if report:
                self._judge(report)

    def _video(self, job: "Job", bar: Any) -> "FilmReport":
        from photostyle.feedforward.applying import apply_video

        def progress(done: int, expected: int) -> None:
            bar.total = expected if expected >= done else None
            bar.update(done - bar.n)

        return apply_video(
            self.model, job, batch=self.batch, memory=self.memory, progress=progress, **self.coding
        )

    def _judge(self, report: "FilmReport") -> None:
        """Says what a video lacks; goes no further where Ctrl-C ended it."""
        for sentence in (*report.notes, *([report.damage] if report.damage else [])):
            print(f"photostyle: {sentence}", file=sys.stderr)
        self.damaged += report.damaged
        if report.interrupted:
            self.done.remove(report.target)
            self.begun = f" {report.target} holds the first {frames(report.frames_written)}."
            raise KeyboardInterrupt

    def _note(self, job: "Job", error: ImageError | None, facts: str) -> None:
        if error is None:
            self.done.append(job.target)
            print(f"{job.target}{facts}")
        else:
            self.failed.append(error)
            if not self.alone:
                print(error, file=sys.stderr)


def frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
