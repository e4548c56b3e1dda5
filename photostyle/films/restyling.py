"""A film changed frame by frame, decoding and encoding beside the work, and what became of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.packet import Packet

from photostyle.brief import Brief
from photostyle.films.colours import Pixels
from photostyle.films.containers import check_target
from photostyle.films.reading import FilmReader, Frame
from photostyle.films.working import Behind, ahead
from photostyle.films.writing import FilmWriter
from photostyle.images.saving import atomic_path

#: H×W×3 of uint8 (or uint16, white at 65535) to the same, or floats in [0, 1].
Change = Callable[[Pixels], Pixels]
#: Told frames done, and how many there are, 0 where that is not known.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FilmReport(Brief):
    """What became of a film.

    Attributes:
        frames_read: that could be decoded. frames_written: all of these, unless interrupted.
        frames_expected: in an undamaged file, as far as that is known.
        damaged: the file is broken somewhere, so that frames are missing or not as they were.
        interrupted: Ctrl-C ended it; the file is whole up to there.
        notes: sentences on what could not be kept.
    """

    source: Path
    target: Path
    frames_read: int
    frames_written: int
    frames_expected: int
    damaged: bool
    interrupted: bool
    notes: tuple[str, ...]

    @property
    def damage(self) -> str | None:
        """A sentence on what is broken, None where nothing is."""
        if not self.damaged:
            return None
        some = "" if self.frames_read < self.frames_expected else ", some of them only in part"
        return (
            f"{self.source} is damaged: {self.frames_read} of {self.frames_expected} frames could "
            f"be read{some}; they are in {self.target}."
        )


def restyle(
    source: Path,
    target: Path,
    change: Change,
    *,
    codec: str = "h264",
    quality: int | None = None,
    progress: Progress | None = None,
) -> FilmReport:
    """Changes a film's frames one by one; sound, subtitles, times, tags and all else stay.

    Frames have the film's size as shown, in its own primaries and transfer. What is written has its
    size, pixel aspect, position, depth and colour tags. Where the film is broken, all frames that
    can be read are changed.

    Args:
        target: ends in a suffix of `CONTAINERS` that takes the codec; whole when it appears there.
        codec: one of `CODECS`. quality: as for `encoding.encoder`.

    Raises:
        ImageError: the source is no film, or has no frame that can be read.
        OptionError, OutputError: the codec, the quality or the place do not do.
        KeyboardInterrupt: before any frame was written; then there is no file.
    """

    def each(frames: list[Pixels]) -> Iterator[Pixels]:
        return map(change, frames)

    return restyle_batches(source, target, each, codec=codec, quality=quality, progress=progress)


def restyle_batches(
    source: Path,
    target: Path,
    change: Callable[[list[Pixels]], Iterable[Pixels]],
    *,
    batch: int = 1,
    codec: str = "h264",
    quality: int | None = None,
    progress: Progress | None = None,
) -> FilmReport:
    """`restyle` with a change that takes so many frames at once."""
    check_target(target, codec)
    with (
        FilmReader(source) as reader,
        atomic_path(target) as temporary,
        FilmWriter(temporary, reader, codec, quality, target) as writer,
    ):
        interrupted = _pass_on(reader, writer, change, batch, progress)
    expected = reader.expected()
    notes = _notes(source, target, reader, writer)
    return FilmReport(
        source, target, reader.read, writer.written, max(expected, reader.read),
        (reader.damaged or reader.read < expected) and not interrupted, interrupted, notes,
    )  # fmt: skip


def _pass_on(
    reader: FilmReader,
    writer: FilmWriter,
    change: Callable[[list[Pixels]], Iterable[Pixels]],
    batch: int,
    progress: Progress | None,
) -> bool:
    """Reads, changes and writes; whether Ctrl-C ended it."""

    def write(item: "tuple[Pixels, Frame] | Packet[Any]") -> None:
        if isinstance(item, tuple):
            writer.write(item[0], item[1].beside)
        else:
            writer.copy(item)

    done = 0
    with Behind(write) as line:
        try:
            with ahead(reader.items()) as items:
                for group in _grouped(items, batch):
                    frames = [item for item in group if isinstance(item, Frame)]
                    changed = iter(change([frame.pixels for frame in frames]) if frames else ())
                    for item in group:
                        line.put((next(changed), item) if isinstance(item, Frame) else item)
                    done += len(frames)
                    if progress is not None and frames:
                        progress(done, reader.info.expected)
        except KeyboardInterrupt:
            if not done:
                raise
            return True
    return False


def _grouped(
    items: "Iterable[Frame | Packet[Any]]", batch: int
) -> "Iterator[list[Frame | Packet[Any]]]":
    """Lists of items in order, each with so many frames, the last perhaps with fewer."""
    group: list[Frame | Packet[Any]] = []
    frames = 0
    for item in items:
        group.append(item)
        frames += isinstance(item, Frame)
        if frames == batch:
            yield group
            group, frames = [], 0
    if group:
        yield group


def _notes(source: Path, target: Path, reader: FilmReader, writer: FilmWriter) -> tuple[str, ...]:
    notes = []
    if reader.info.alpha:
        notes.append(f"{source}: the transparency of its frames is left out.")
    if writer.left_out:
        names = ", ".join(writer.left_out)
        notes.append(f"{source}: {target.suffix} files do not take its {names}; .mkv takes most.")
    if writer.lost:
        notes.append(f"{source}: {writer.lost} broken packets beside the pictures are left out.")
    return tuple(notes)
