"""Films read: their properties, their frames in order, and everything else that they hold."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from photostyle.errors import ImageError
from photostyle.films.colours import Coding, Colours, Pixels, ToPixels
from photostyle.films.containers import stated_end
from photostyle.films.turning import Turn

#: Where a file does not say.
_USUAL_RATE = Fraction(25)
#: Tries to read on where a container breaks.
_READ_ON = 100
#: Bytes between two packets that are no loss: the heads of blocks and clusters.
_BETWEEN = 200
#: What a film may end before its time without counting as cut, in frames and in share.
_EARLY = 3, 0.02


@dataclass(frozen=True)
class FilmInfo:
    """What a film's picture stream says of itself.

    Attributes:
        size: (height, width) as shown. stored: as coded.
        turn, matrix: how stored frames are set upright, and the display matrix that says so.
        aspect: of a stored pixel, width by height; None where not said.
        colours, coding: as tagged, and as read. form: libav's pixel format.
        codec: libav's name of it. rate: frames per second on average.
        time_base: seconds of a unit of time stamps.
        expected: frames that the file says it has, 0 where it does not.
        interlaced: frames are two fields each.
    """

    size: tuple[int, int]
    stored: tuple[int, int]
    turn: Turn
    matrix: tuple[int, ...] | None
    aspect: Fraction | None
    colours: Colours
    coding: Coding
    form: str
    codec: str
    rate: Fraction
    time_base: Fraction
    expected: int
    interlaced: bool

    @property
    def bits(self) -> int:
        """Of a sample: 8, or what of 9 to 16 the stream has."""
        return self.coding.bits

    @property
    def alpha(self) -> bool:
        """Whether frames are transparent somewhere."""
        return any(part.is_alpha for part in av.VideoFormat(self.form, 16, 16).components)


@dataclass(frozen=True)
class Frame:
    """A picture of a film.

    Attributes:
        pixels: H×W×3 as shown, uint8, or uint16 with white at 65535 for more than 8 bits.
        beside: a frame with its time stamps and what else rides along, in R'G'B' as stored.
    """

    pixels: Pixels
    beside: VideoFrame


class FilmReader:
    """A film under way.

    Attributes:
        info: its properties. streams: all of the file's, in order; picture: the one that is read.
        read: frames so far. damaged: whether something broke on the way.

    Raises:
        ImageError: the file is missing, no film, has no picture stream, or no frame that can be
            read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read, self.damaged = 0, False
        self._packets = self._skipped = self._failed = 0
        self._end: Fraction | None = None
        self._begin: int | None = None
        self._read_to: int | None = None
        self._passed_over = False
        self.container = _opened(path)
        try:
            self.picture = _picture(path, self.container)
            self._counted = self.picture.frames > 0
            self._ahead: list[Packet[Any] | VideoFrame] = []
            self._items = self._decoded()
            first = self._first()
            self.info = _info(self.container, self.picture, first)
            self._lag = self._decoding_lag(first)
            self._start = (self.picture.start_time or 0) * self.info.time_base
        except BaseException:
            self.container.close()
            raise
        self._to_pixels = ToPixels(self.info.coding, self.info.stored)

    def __enter__(self) -> "FilmReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    @property
    def streams(self) -> list[Stream]:
        return list(self.container.streams)

    def cover(self, stream: Stream) -> bytes | None:
        """The file of a cover picture, None where the stream is none; before any item is taken."""
        if not stream.disposition & Disposition.attached_pic:
            return None
        packets = (item for item in self._ahead if isinstance(item, Packet))
        return next((bytes(p) for p in packets if p.stream.index == stream.index), None)

    def items(self) -> Iterator["Frame | Packet[Any]"]:
        """The frames, and between them the packets of all other streams, as the file has them."""
        for item in self._all():
            if isinstance(item, VideoFrame):
                self.read += 1
                pixels, beside = self._to_pixels(item)
                if self._lag and beside.pts is not None:
                    beside.pts -= self._lag
                yield Frame(self.info.turn.upright(pixels), beside)
            else:
                yield item

    def frames(self) -> Iterator[Pixels]:
        """The frames alone, H×W×3 as shown."""
        return (self.shown(frame) for frame in self.stored_frames())

    def stored_frames(self) -> Iterator[VideoFrame]:
        """The frames alone, as they are stored."""
        for item in self._all():
            if isinstance(item, VideoFrame):
                self.read += 1
                yield item

    def near(self, share: float) -> Pixels | None:
        """A frame about that share of its length into the film, where one can be had there."""
        start, length = self.container.start_time or 0, self.container.duration or 0
        try:
            self.container.seek(start + int(share * length))
        except av.FFmpegError:
            return None
        self._ahead.clear()
        frame = next(self.stored_frames(), None)
        return None if frame is None else self.shown(frame)

    def shown(self, frame: VideoFrame) -> Pixels:
        """H×W×3 of a stored frame, as shown."""
        return self.info.turn.upright(self._to_pixels(frame)[0])

    def expected(self) -> int:
        """Frames that an undamaged file would have had; right once all are read."""
        said = self.info.expected - self._skipped
        short = self._packets < said if self._counted else self._ended_early()
        if not (self.damaged or short):
            return self.read
        return max(said, self.read + self._failed)

    def _ended_early(self) -> bool:
        """Whether the stream ended before the file says that it does."""
        length = (self._end or self._start) - self._start
        missing = self.info.expected - round(length * self.info.rate)
        return missing > max(_EARLY[0], _EARLY[1] * self.info.expected)

    def _all(self) -> "Iterator[Packet[Any] | VideoFrame]":
        while self._ahead:
            yield self._ahead.pop(0)
        yield from self._items

    def _first(self) -> VideoFrame:
        """Reads up to the first frame, which tells more than the file's head."""
        for item in self._items:
            self._ahead.append(item)
            if isinstance(item, VideoFrame):
                return item
        raise ImageError(f"{self.path} has no frame that can be read; give a video.")

    def _decoding_lag(self, first: VideoFrame) -> int:
        """By what AVI files come late: they know the order of decoding only, and libav takes its
        delay for the first frame's time."""
        if self.container.format.name != "avi" or first.pts is None or self._begin is None:
            return 0
        return max(0, first.pts - self._begin)

    def _decoded(self) -> "Iterator[Packet[Any] | VideoFrame]":
        for packet in self._demuxed():
            if packet is not None and packet.stream.index != self.picture.index:
                yield packet
                continue
            if packet is not None:
                self._packets += 1
                self._begin = packet.dts if self._begin is None else self._begin
                self._skipped += packet.is_discard
                self.damaged = self.damaged or packet.is_corrupt
            for frame in self._decode(packet):
                self.damaged = self.damaged or frame.is_corrupt
                self._note_end(frame)
                yield frame

    def _decode(self, packet: "Packet[Any] | None") -> list[VideoFrame]:
        try:
            return self.picture.decode(packet)
        except (av.FFmpegError, ValueError):
            # A recording of a broadcast begins anywhere: what comes before the first whole picture
            # is no damage there.
            if packet is not None and (self._counted or self._end is not None):
                self.damaged = True
                self._failed += 1
            return []

    def _note_end(self, frame: VideoFrame) -> None:
        stamp = frame.pts if frame.pts is not None else frame.dts
        unit = frame.time_base or self.picture.time_base or Fraction(0)  # the last frames have none
        start = (stamp or 0) * unit
        end = start + (frame.duration or 0) * unit
        if self._passed_over and self._end is not None and start > self._end:
            self.damaged = True
        self._end = end if self._end is None else max(self._end, end)

    def _note_place(self, packet: "Packet[Any]") -> None:
        """Matroska files are read past what is broken without a word; but bytes are left out."""
        place = packet.pos
        if place is None or place < 0 or not self.container.format.name.startswith("matroska"):
            return
        if self._read_to is not None and place > self._read_to + _BETWEEN:
            self._passed_over = True
        self._read_to = max(self._read_to or 0, place + packet.size)

    def _demuxed(self) -> "Iterator[Packet[Any] | None]":
        """All packets, and None at the end; a container that breaks is read on from there as long
        as it gives any."""
        for _ in range(_READ_ON):
            before = self._packets
            try:
                for packet in self.container.demux():
                    if packet.size:
                        self._note_place(packet)
                        yield packet
                break
            except (av.FFmpegError, ValueError):
                self.damaged = True
                if before == self._packets:
                    break
        yield None


def _opened(path: Path) -> InputContainer:
    if not path.is_file():
        raise ImageError(f"{path} does not exist; check the name and the folder.")
    try:
        container = av.open(
            os.path.abspath(path),  # "a:b.mp4" alone would name a protocol
            metadata_errors="surrogateescape",
            options={"protocol_whitelist": "file"},  # a playlist of that name opens nothing
        )
    except (av.FFmpegError, ValueError) as error:
        raise ImageError(
            f"{path} is no video, or is damaged so that no frame can be read; give another copy."
        ) from error
    name = container.format.name
    if name.endswith("_pipe") or name in ("image2", "gif", "apng"):
        container.close()
        raise ImageError(
            f"{path} is a picture ({name.removesuffix('_pipe')}) and no video; give it the suffix "
            "of its format."
        )
    return container


def _picture(path: Path, container: InputContainer) -> VideoStream:
    """The stream that is the film: a cover picture is none."""
    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not films:
        raise ImageError(f"{path} has sound, perhaps, but no pictures; give a video.")
    best = container.streams.best("video")
    stream = best if best in films and isinstance(best, VideoStream) else films[0]
    if stream.codec_context is None:
        raise ImageError(f"{path} is coded in a way that is not read; convert it to H.264 first.")
    return stream


def _info(container: InputContainer, stream: VideoStream, frame: VideoFrame) -> FilmInfo:
    matrix = _matrix(frame)
    turn = Turn.of(matrix)
    stored = frame.height, frame.width
    colours = Colours.of(frame)
    rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
    return FilmInfo(
        size=stored[::-1] if turn.swaps else stored,
        stored=stored,
        turn=turn,
        matrix=matrix,
        aspect=stream.sample_aspect_ratio or None,
        colours=colours,
        coding=Coding.of(colours, frame.format.name, stored),
        form=frame.format.name,
        codec=stream.codec_context.name,
        rate=rate if 0 < rate < 1000 else _USUAL_RATE,
        time_base=stream.time_base or 1 / rate,
        expected=_expected(container, stream, rate),
        interlaced=frame.interlaced_frame,
    )


def _matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    carried: Any = frame.side_data
    data = carried.get("DISPLAYMATRIX")
    return None if data is None else tuple(np.frombuffer(bytes(data), np.int32).tolist())


def _expected(container: InputContainer, stream: VideoStream, rate: Fraction) -> int:
    """Frames by the file's own count, else by its length."""
    if stream.frames:
        # AVI files count frames that were dropped at recording, as entries without bytes.
        empty = sum(entry.size == 0 for entry in stream.index_entries)
        return max(0, stream.frames - empty)
    if stream.duration and stream.time_base:
        return round(stream.duration * stream.time_base * rate)
    end = stated_end(stream.metadata) or (container.duration or 0) / av.time_base
    if container.format.name.startswith("matroska"):  # its times are counted from 0
        end -= float((stream.start_time or 0) * (stream.time_base or 0))
    return max(0, round(end * float(rate)))
