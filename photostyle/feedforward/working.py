"""A trained style on many files: pictures, then videos, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from photostyle.brief import Brief
from photostyle.errors import ImageError
from photostyle.feedforward.applying import Job, apply_pictures, apply_video
from photostyle.feedforward.style_model import StyleModel


@dataclass
class Applied(Brief):
    """What became of files.

    Attributes:
        done: results, in the order in which they were made. failed: why a file was not read.
        total: how many files there are.
        interrupted: stopped early; what is done is whole.
    """

    total: int
    done: list[Path] = field(default_factory=list)
    failed: dict[Path, ImageError] = field(default_factory=dict)
    interrupted: bool = False


class FileListener(Protocol):
    """Watches files go by. What its calls raise stops the work."""

    def begins(self, job: Job) -> None:
        """A video begins."""

    def frames(self, job: Job, done: int, expected: int) -> None:
        """So many frames of a video are done, of as many; 0 where that is not known."""

    def ends(self, job: Job, error: ImageError | None, frames: int) -> None:
        """A file is done, a video with its frames, or cannot be read."""


def apply_files(
    model: StyleModel, jobs: Sequence[Job], batch: int, memory: int | None, listener: FileListener
) -> Applied:
    """Styles files; one that cannot be read does not stop the others, Ctrl-C does.

    Args:
        batch: pictures of one size, or frames, at once.
        memory: bytes for the network's maps, as for `stylised`.

    Raises:
        OutputError: a result cannot be written.
    """
    applied = Applied(len(jobs))

    def ended(job: Job, error: ImageError | None, frames: int = 0) -> None:
        if error is None:
            applied.done.append(job.target)
        else:
            applied.failed[job.source] = error
        listener.ends(job, error, frames)

    try:
        pictures = [job for job in jobs if not job.video]
        for job, error in apply_pictures(model, pictures, batch=batch, memory=memory):
            ended(job, error)
        for job in jobs:
            if job.video:
                ended(job, *_video(model, job, batch, memory, listener))
    except KeyboardInterrupt:
        applied.interrupted = True
    return applied


def _video(
    model: StyleModel, job: Job, batch: int, memory: int | None, listener: FileListener
) -> tuple[ImageError | None, int]:
    listener.begins(job)

    def progress(done: int, expected: int) -> None:
        listener.frames(job, done, expected)

    try:
        return None, apply_video(model, job, batch=batch, memory=memory, progress=progress)
    except ImageError as error:
        return error, 0
