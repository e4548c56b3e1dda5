"""A trained style on many files: pictures, then videos, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from photostyle.brief import Brief
from photostyle.errors import ImageError
from photostyle.feedforward.applying import Job, Stylist, apply_pictures, apply_video
from photostyle.feedforward.style_model import StyleModel
from photostyle.films.restyling import FilmReport


@dataclass
class Applied(Brief):
    """What became of files.

    Attributes:
        done: results, in the order in which they were made. failed: why a file was not read.
        total: how many files there are.
        damaged: results of videos that are broken somewhere.
        notes: sentences for the user, on what could not be read or kept.
        interrupted: stopped early; what is done is whole.
        begun: of a video that was stopped in its midst; its result holds the frames until then.
    """

    total: int
    done: list[Path] = field(default_factory=list)
    failed: dict[Path, ImageError] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False
    begun: FilmReport | None = None


class FileListener(Protocol):
    """Watches files go by. What its calls raise stops the work."""

    def begins(self, job: Job) -> None:
        """A video begins."""

    def frames(self, job: Job, done: int, expected: int) -> None:
        """So many frames of a video are done, of as many; 0 where that is not known."""

    def note(self, sentence: str) -> None:
        """Something for the user."""

    def ends(self, job: Job, error: ImageError | None, frames: int) -> None:
        """A file is done, a video with its frames, or cannot be read."""


@dataclass(frozen=True)
class Manner:
    """How files are styled.

    Attributes:
        batch: pictures of one size, or frames, at once.
        memory: bytes for the network's maps, as for `stylised`.
        codec, quality: of videos, as for `apply_video`.
    """

    batch: int
    memory: int | None
    codec: str = "h264"
    quality: int | None = None


def apply_files(
    model: StyleModel | Stylist, jobs: Sequence[Job], manner: Manner, listener: FileListener
) -> Applied:
    """Styles files; one that cannot be read does not stop the others, Ctrl-C does.

    Raises:
        OptionError: the quality does not do.
        OutputError: a result cannot be written.
    """
    work = _Work(model, manner, listener, Applied(len(jobs)))
    try:
        work.pictures([job for job in jobs if not job.video])
        for job in jobs:
            if job.video:
                work.video(job)
    except KeyboardInterrupt:
        work.applied.interrupted = True
    return work.applied


@dataclass
class _Work:
    """Styles files one kind after the other, and notes what becomes of them."""

    model: StyleModel | Stylist
    manner: Manner
    listener: FileListener
    applied: Applied

    def pictures(self, jobs: Sequence[Job]) -> None:
        manner = self.manner
        found = apply_pictures(
            self.model, jobs, batch=manner.batch, memory=manner.memory, tell=self._note
        )
        for job, error in found:
            self._ended(job, error)

    def video(self, job: Job) -> None:
        self.listener.begins(job)

        def progress(done: int, expected: int) -> None:
            self.listener.frames(job, done, expected)

        try:
            report = apply_video(self.model, job, progress=progress, **vars(self.manner))
        except ImageError as error:
            self._ended(job, error)
            return
        self._ended(job, None, report.frames_written)
        self._judge(report)

    def _judge(self, report: FilmReport) -> None:
        """Says what a video lacks; goes no further where Ctrl-C ended it."""
        for sentence in (*report.notes, *([report.damage] if report.damage else [])):
            self._note(sentence)
        if report.damaged:
            self.applied.damaged.append(report.target)
        if report.interrupted:
            self.applied.done.remove(report.target)
            self.applied.begun = report
            raise KeyboardInterrupt

    def _note(self, sentence: str) -> None:
        self.applied.notes.append(sentence)
        self.listener.note(sentence)

    def _ended(self, job: Job, error: ImageError | None, frames: int = 0) -> None:
        if error is None:
            self.applied.done.append(job.target)
        else:
            self.applied.failed[job.source] = error
        self.listener.ends(job, error, frames)
