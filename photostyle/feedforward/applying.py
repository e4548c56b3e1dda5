"""Styling files: which go where, pictures one by one or in batches, and videos frame by frame."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from photostyle.errors import ImageError, OptionError, OutputError
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import stylised
from photostyle.feedforward.video import VIDEO_SUFFIXES, VideoReader, VideoWriter
from photostyle.images.hashing import PICTURES, files_below
from photostyle.images.photograph import framed, photograph
from photostyle.images.picture import Photo, load_image
from photostyle.images.saving import FORMATS, check_place, save_image


@dataclass(frozen=True)
class Job:
    """A file to be styled, and where its result goes."""

    source: Path
    target: Path

    @property
    def video(self) -> bool:
        return self.source.suffix.lower() in VIDEO_SUFFIXES


def plan(inputs: Sequence[Path], out: Path) -> list[Job]:
    """The files among the inputs and below their folders, and their places below `out`.

    Raises:
        OptionError: an input that is not there, a folder without pictures and videos, or two
            files that would go to one place.
        OutputError: a result would lie where its source does, or `out` cannot take files.
    """
    if out.is_file():
        raise OutputError(f"--out {out} is a file; give a folder.")
    jobs = [job for given in inputs for job in _jobs(given, out)]
    taken: dict[Path, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.target, job.source)
        if other != job.source:
            raise OptionError(
                f"{other} and {job.source} would both become {job.target}; style them apart."
            )
        if job.target.exists() and job.target.samefile(job.source):
            raise OutputError(f"--out {out} is where {job.source} lies; give another folder.")
    check_place(jobs[0].target, [])
    return jobs


def _jobs(given: Path, out: Path) -> Iterator[Job]:
    if given.is_dir():
        files = files_below(given, (*PICTURES, *VIDEO_SUFFIXES))
        files = [path for path in files if out.resolve() not in path.resolve().parents]
        if not files:
            raise OptionError(f"{given} holds no picture and no video; give a folder that does.")
        for path in files:
            yield Job(path, _target(out / path.relative_to(given)))
    elif given.exists():
        yield Job(given, _target(out / given.name))
    else:
        raise OptionError(f"{given} does not exist; give pictures, videos or folders of them.")


def _target(path: Path) -> Path:
    """The result's name: the source's, in a format that can be written."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return path.with_suffix(VIDEO_SUFFIXES[suffix])
    return path if suffix in FORMATS else path.with_suffix(".png")


def apply_pictures(
    model: StyleModel, jobs: Iterable[Job], *, batch: int, memory: int | None
) -> Iterator[tuple[Job, ImageError | None]]:
    """Styles pictures; each job as it is done, with the error where it could not be read.

    Args:
        batch: pictures of one size that go through the network at once.
        memory: bytes for the network's maps, as for `stylised`.
    """
    waiting: list[tuple[Job, Photo]] = []
    for job in jobs:
        try:
            photo = photograph(load_image(job.source))
        except ImageError as error:
            yield job, error
            continue
        if waiting and photo.image.shape != waiting[0][1].image.shape:
            yield from _flushed(model, waiting, memory)
            waiting = []
        waiting.append((job, photo))
        if len(waiting) == batch:
            yield from _flushed(model, waiting, memory)
            waiting = []
    yield from _flushed(model, waiting, memory)


def _flushed(
    model: StyleModel, waiting: Sequence[tuple[Job, Photo]], memory: int | None
) -> Iterator[tuple[Job, None]]:
    if not waiting:
        return
    images = torch.cat([photo.image for _, photo in waiting])
    results = styled(model, images, memory)
    for (job, photo), result in zip(waiting, torch.split(results, 1), strict=True):
        save_image(job.target, framed(result, photo), photo.metadata)
        yield job, None


def styled(model: StyleModel, images: Tensor, memory: int | None) -> Tensor:
    """N×3×H×W pictures in the model's style, on the CPU."""
    device = next(model.network.parameters()).device
    return stylised(model.network, images.to(device), memory).cpu()


def apply_video(
    model: StyleModel,
    job: Job,
    *,
    batch: int,
    memory: int | None,
    progress: Callable[[int, int], None],
) -> int:
    """Styles a video, every frame for itself; keeps frame rate and size, not the sound.

    Args:
        progress: is told the frames done, and how many there are (0 where that is not known).

    Returns:
        The frames written.

    Raises:
        ImageError: the video has no frame that can be read.
        OutputError: the result cannot be written.
    """
    with VideoReader(job.source) as reader:
        frames = reader.batches(batch)
        with VideoWriter(job.target, reader.rate, reader.size) as writer:
            for images in frames:
                writer.write(styled(model, images, memory))
                progress(writer.count, reader.expected)
    return writer.count
