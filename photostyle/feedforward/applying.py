"""Styling files: which go where, pictures one by one or in batches, and videos frame by frame."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from photostyle.errors import ImageError, OptionError, OutputError
from photostyle.feedforward.marks import is_marked, mark_video, marked
from photostyle.feedforward.style_model import StyleModel
from photostyle.feedforward.tiling import MOST_ON_CPU, stylised, usual_memory
from photostyle.films.colours import Pixels
from photostyle.films.containers import VIDEO_SUFFIXES, check_codec, written_suffix
from photostyle.films.restyling import FilmReport, Progress, restyle_batches
from photostyle.films.tensors import image_of, pixels_of
from photostyle.images.listing import PICTURES, files_below
from photostyle.images.photograph import framed, seen_photograph
from photostyle.images.picture import Photo, load_image, shown_only
from photostyle.images.saving import FORMATS, lost_note, save_image
from photostyle.places import check_not_foreign, check_places, identity

#: Bytes for the network's maps below which nothing is tried.
LEAST_MEMORY = 16 * 2**20


@dataclass(frozen=True)
class Job:
    """A file to be styled, and where its result goes."""

    source: Path
    target: Path

    @property
    def video(self) -> bool:
        return self.source.suffix.lower() in VIDEO_SUFFIXES


class Stylist(Protocol):
    """Whatever else styles pictures."""

    def styled(self, images: Tensor, memory: int | None) -> Tensor:
        """N×3×H×W pictures in [0, 1] in its style, on the CPU."""
        ...


def plan(
    inputs: Sequence[Path], out: Path, codec: str = "h264", others: Sequence[Path] = ()
) -> list[Job]:
    """The files among the inputs and below their folders, and their places below `out`.

    Args:
        codec: of videos, one of `CODECS`.
        others: further files that are read.

    Raises:
        OptionError: an input that is not there, a folder without pictures and videos, two files
            that would go to one place, or an unknown codec.
        OutputError: a result would lie where an input does, or another file that `apply` has not
            made, or `out` cannot take files.
    """
    if out.is_file():
        raise OutputError(f"--out {out} is a file; give a folder.")
    check_codec(codec)
    jobs = [job for given in inputs for job in _jobs(given, out, codec)]
    jobs = list(dict.fromkeys(jobs))
    sources = {identity(job.source): job.source for job in jobs}
    taken: dict[Hashable, Path] = {}
    for job in jobs:
        place = identity(job.target)
        if other := taken.get(place):
            raise OptionError(
                f"{other} and {job.source} would both become {job.target}; style them apart."
            )
        taken[place] = job.source
        if source := sources.get(place):
            raise OutputError(f"--out {out} is where {source} lies; give another folder.")
    check_places([job.target for job in jobs], others)
    for job in jobs:
        check_not_foreign(job.target, is_marked)
    return jobs


def _jobs(given: Path, out: Path, codec: str) -> Iterator[Job]:
    if given.is_dir():
        files = files_below(given, (*PICTURES, *VIDEO_SUFFIXES))
        files = [path for path in files if out.resolve() not in path.resolve().parents]
        if not files:
            raise OptionError(f"{given} holds no picture and no video; give a folder that does.")
        for path in files:
            yield Job(path, _target(out / path.relative_to(given), codec))
    elif given.exists():
        yield Job(given, _target(out / given.name, codec))
    else:
        raise OptionError(f"{given} does not exist; give pictures, videos or folders of them.")


def _target(path: Path, codec: str) -> Path:
    """The result's name: the source's, in a format that can be written."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        written = written_suffix(suffix, codec)
        return path if written == suffix else path.with_suffix(written)
    return path if suffix in FORMATS else path.with_suffix(".png")


def apply_pictures(
    model: StyleModel | Stylist,
    jobs: Iterable[Job],
    *,
    batch: int,
    memory: int | None,
    tell: Callable[[str], None] = lambda note: None,
) -> Iterator[tuple[Job, ImageError | None]]:
    """Styles pictures; each job as it is done, with the error where it could not be read.

    `tell` is given the sentences that there are to say of a picture.

    Args:
        batch: pictures of one size that go through the network at once.
        memory: bytes for the network's maps, as for `stylised`.
    """
    waiting: list[tuple[Job, Photo]] = []
    for job in jobs:
        try:
            photo = seen_photograph(shown_only(load_image(job.source)), "The picture")
        except ImageError as error:
            yield job, error
            continue
        lost = lost_note(job.target, photo.metadata)
        for note in (*photo.notes, *([lost] if lost else [])):
            tell(note)
        if waiting and photo.image.shape != waiting[0][1].image.shape:
            yield from _flushed(model, waiting, memory, tell)
            waiting = []
        waiting.append((job, photo))
        del photo  # the result takes the place of its pixels
        if len(waiting) == batch:
            yield from _flushed(model, waiting, memory, tell)
            waiting = []
    yield from _flushed(model, waiting, memory, tell)


def _flushed(
    model: StyleModel | Stylist,
    waiting: Sequence[tuple[Job, Photo]],
    memory: int | None,
    tell: Callable[[str], None],
) -> Iterator[tuple[Job, None]]:
    """Styles and writes pictures of one size, whose own pixels are lost."""
    if not waiting:
        return
    images = [photo.image for _, photo in waiting]
    batch = images[0] if len(images) == 1 else torch.cat(images)
    results = styled(model, batch, memory, batch, tell)
    for (job, photo), result in zip(waiting, torch.split(results, 1), strict=True):
        save_image(job.target, framed(result, photo), marked(photo.metadata))
        yield job, None


def styled(
    model: StyleModel | Stylist,
    images: Tensor,
    memory: int | None,
    out: Tensor | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> Tensor:
    """N×3×H×W pictures in the model's style, on the CPU; fewer at once, and then in narrower
    strips, where a GPU's memory does not do. `out` is as for `stylised`, used on a CPU alone."""
    if not isinstance(model, StyleModel):
        return model.styled(images, memory)
    device = next(model.network.parameters()).device
    if device.type == "cpu":
        return stylised(model.network, images, memory, out)
    try:
        return stylised(model.network, images.to(device), memory).cpu()
    except torch.OutOfMemoryError:
        if len(images) == 1 and memory is not None and memory <= LEAST_MEMORY:
            raise
    # Outside the handler, which would hold on to all that was being worked on.
    tell("The device's memory did not do; less went through at once, with the same result.")
    if len(images) > 1:
        halves = torch.split(images, [len(images) // 2, len(images) - len(images) // 2])
        return torch.cat([styled(model, half, memory) for half in halves])
    room = memory or usual_memory(device) or MOST_ON_CPU
    return styled(model, images, max(LEAST_MEMORY, room // 2))


def apply_video(
    model: StyleModel | Stylist,
    job: Job,
    *,
    batch: int,
    memory: int | None,
    codec: str = "h264",
    quality: int | None = None,
    progress: Progress | None = None,
) -> FilmReport:
    """Styles a video, every frame for itself; all else that is in the file stays as it is.

    Args:
        codec, quality, progress: as for `films.restyling.restyle`.

    Raises:
        ImageError: the video has no frame that can be read.
        OptionError, OutputError: the codec, the quality or the place do not do.
        KeyboardInterrupt: before any frame was written.
    """

    def change(frames: list[Pixels]) -> list[Pixels]:
        images = torch.cat([image_of(frame) for frame in frames])
        results = torch.split(styled(model, images, memory), 1)
        return [pixels_of(result, frames[0].dtype) for result in results]

    report = restyle_batches(
        job.source, job.target, change, batch=batch, codec=codec, quality=quality,
        progress=progress,
    )  # fmt: skip
    mark_video(job.target)
    return report
