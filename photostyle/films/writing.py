"""Films written: changed frames in place of the old ones, all else copied as it is."""

import contextlib
import errno
import io
import os
from pathlib import Path
from typing import Any

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from photostyle.errors import OutputError
from photostyle.films.colours import Coding, FromPixels, Pixels
from photostyle.films.containers import CONTAINERS, TURNING
from photostyle.films.encoding import encoder
from photostyle.films.reading import FilmReader

#: What a file says of itself, and no longer says truly.
_OUTDATED = {"encoder", "major_brand", "minor_version", "compatible_brands"}
#: Of a stream: its lengths, and what it was encoded by.
_OUTDATED_OF_STREAMS = ("DURATION", "BPS", "NUMBER_OF_", "_STATISTICS", "ENCODER", "VENDOR_ID")
#: Errors of the disk, against those of a packet that a container does not take.
_DISK = {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_BT709, _RGB, _LIMITED, _FULL = 1, 0, 1, 2


class FilmWriter:
    """A film under way beside the one that it is made from.

    Args:
        path: ends in the suffix of its container; may be written over.
        shown: the path to name in errors.

    Attributes:
        written: frames so far. left_out: names of streams that the container does not take.
        lost: packets of others that it did not take.

    Raises:
        OutputError: the place cannot be written, or frames are too small for the codec.
        OptionError: a quality that the codec does not have.
    """

    def __init__(
        self, path: Path, reader: FilmReader, codec: str, quality: int | None, shown: Path
    ) -> None:
        self._info, self._shown = reader.info, shown
        self.written, self.lost = 0, 0
        self._form = CONTAINERS[path.suffix.lower()]
        self._keeps_turn = self._form in TURNING
        info = reader.info
        size = info.stored if self._keeps_turn else info.size
        self._encoder = encoder(codec, info, size, quality)
        bits = av.VideoFormat(self._encoder.form, 16, 16).components[0].bits
        rgb = info.coding.rgb and codec == "ffv1"
        self._coding = Coding(rgb, info.coding.matrix, self._encoder.full, bits)
        self._from_pixels = FromPixels(self._coding, self._encoder.form)
        self._last: dict[int, int] = {}
        self._durations: dict[int, int] = {}
        try:
            self._container = _created(path, self._form, reader)
            self._streams, self.left_out = self._add_streams(reader, size)
            self._container.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(f"{shown} cannot be written as {codec}: {_reason(error)}.") from error

    def __enter__(self) -> "FilmWriter":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._mux(self._last_packets())
            self._container.close()
        except (av.FFmpegError, ValueError) as failure:
            if error is None:
                raise self._failed(failure) from failure

    def copy(self, packet: "Packet[Any]") -> None:
        """Appends a packet of another stream as it is.

        Raises:
            OutputError: the disk is full.
        """
        stream = self._streams.get(packet.stream.index)
        if stream is None:
            return
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.dts is not None and packet.time_base:
            self._in_order(packet, stream)
        packet.stream = stream
        try:
            self._container.mux_one(packet)
        except (av.FFmpegError, ValueError) as error:
            if getattr(error, "errno", None) in _DISK:
                raise self._failed(error) from error
            self.lost += 1

    def write(self, pixels: Pixels, beside: VideoFrame) -> None:
        """Appends a frame.

        Args:
            pixels: H×W×3 as shown, uint8, uint16 with white at 65535, or floats in [0, 1].
            beside: of the frame that it was made from; its samples are lost.

        Raises:
            OutputError: the disk is full.
        """
        turned = self._info.turn.stored(pixels) if self._keeps_turn else pixels
        stamp = self._stamp(beside)
        frame = self._from_pixels(turned, beside)
        frame.pict_type = PictureType.NONE  # for the encoder to choose
        frame.pts, frame.time_base = stamp, self._info.time_base
        self._durations[stamp] = beside.duration
        try:
            self._mux(self._picture.encode(frame))
        except (av.FFmpegError, ValueError) as error:
            raise self._failed(error) from error
        self.written += 1

    def _add_streams(
        self, reader: FilmReader, size: tuple[int, int]
    ) -> tuple[dict[int, Stream], list[str]]:
        """Streams of the new file by their numbers in the old, and those left out."""
        streams: dict[int, Stream] = {}
        left_out = []
        for old in reader.streams:
            if old.index == reader.picture.index:
                self._picture = self._add_picture(size)
                new: Stream = self._picture
            elif old.discard == Discard.all:  # a track of chapters, which are copied as such
                continue
            elif self._form == "matroska" and (cover := reader.cover(old)) is not None:
                self._attach(old, cover)  # what would be a second film otherwise
                continue
            elif _fits(old, self._form):
                new = _added(self._container, old)
                streams[old.index] = new
            else:
                left_out.append(_named(old))
                continue
            new.disposition = old.disposition
            outdated = _OUTDATED_OF_STREAMS
            new.metadata.update(
                {k: v for k, v in old.metadata.items() if not k.upper().startswith(outdated)}
            )
        return streams, left_out

    def _attach(self, old: Stream, cover: bytes) -> None:
        kind = "png" if old.codec_context.name == "png" else "jpeg"
        name = old.metadata.get("filename", f"cover.{kind}")
        self._container.add_attachment(name, f"image/{kind}", cover)

    def _add_picture(self, size: tuple[int, int]) -> VideoStream:
        info, chosen = self._info, self._encoder
        stream = self._container.add_stream(chosen.name, rate=info.rate, options=chosen.options)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.height, context.width = size
        context.pix_fmt = chosen.form
        context.time_base = stream.time_base = info.time_base
        if info.aspect:
            upright = info.turn.swaps and not self._keeps_turn
            context.sample_aspect_ratio = 1 / info.aspect if upright else info.aspect
        self._tag(context)
        if chosen.tag and self._form in ("mp4", "mov"):
            context.codec_tag = chosen.tag
        if self._form == "avi":
            context.max_b_frames = 0  # AVI has one time a frame, in order
        if info.interlaced and chosen.name != "libx265":
            context.flags |= Flags.interlaced_dct
        if self._keeps_turn and info.matrix:
            stream.set_display_matrix(info.matrix)
        return stream

    def _tag(self, context: Any) -> None:
        """Writes the film's colours; what it leaves unsaid stays so, but where R'G'B' becomes
        Y'CbCr."""
        info = self._info
        context.color_primaries = info.colours.primaries
        context.color_trc = info.colours.transfer
        if self._coding.rgb:
            context.colorspace, context.color_range = _RGB, _FULL
        elif info.coding.rgb:
            context.colorspace, context.color_range = int(self._coding.matrix), _LIMITED
        else:
            context.colorspace = info.colours.matrix
            said = info.colours.range or self._coding.full or info.coding.full
            context.color_range = (_FULL if self._coding.full else _LIMITED) if said else 0

    def _stamp(self, frame: VideoFrame) -> int:
        """The old frame's time, made to rise where a damaged film's goes back."""
        stamp = frame.pts if frame.pts is not None else frame.dts
        index = self._picture.index
        last = self._last.get(index)
        if stamp is None:
            step = max(1, round(1 / (self._info.rate * self._info.time_base)))
            stamp = 0 if last is None else last + step
        if last is not None:
            stamp = max(stamp, last + 1)
        self._last[index] = stamp
        return stamp

    def _in_order(self, packet: "Packet[Any]", stream: Stream) -> None:
        """Has the times of a stream's packets rise; damaged films' may not."""
        assert packet.dts is not None
        least = self._last.get(stream.index, packet.dts - 1) + (stream.type == "audio")
        if packet.dts < least:
            packet.dts = least
        if packet.pts is not None:
            packet.pts = max(packet.pts, packet.dts)
        self._last[stream.index] = packet.dts

    def _last_packets(self) -> "list[Packet[Any]]":
        packets = self._picture.encode(None)
        if self.written <= 2:  # libx265 leaves their times of decoding to chance
            for packet in packets:
                packet.dts = packet.pts
        return packets

    def _mux(self, packets: "list[Packet[Any]]") -> None:
        for packet in packets:
            duration = self._durations.pop(packet.pts or 0, 0)
            if duration and packet.time_base == self._info.time_base:
                packet.duration = duration
            self._container.mux_one(packet)

    def _failed(self, error: Exception) -> OutputError:
        return OutputError(f"{self._shown} cannot be written: {_reason(error)}.")


def _created(path: Path, form: str, reader: FilmReader) -> OutputContainer:
    said = reader.container.metadata
    options = {}
    if form in ("mp4", "mov") and any(key.startswith("com.") for key in said):
        options["movflags"] = "use_metadata_tags"  # a phone's place and model
    if form == "mpegts" and path.suffix.lower() in (".mts", ".m2ts"):
        options["mpegts_m2ts_mode"] = "1"
    container = av.open(
        os.path.abspath(path), "w", format=form, options=options,
        metadata_errors="surrogateescape",
    )  # fmt: skip
    container.metadata.update({k: v for k, v in said.items() if k.lower() not in _OUTDATED})
    container.set_chapters(reader.container.chapters())
    return container


def _added(container: OutputContainer, stream: Stream) -> Stream:
    return container.add_stream_from_template(stream, opaque=True)


def _fits(stream: Stream, form: str) -> bool:
    """Whether a container takes a stream, tried on a file in memory."""
    trial = av.open(io.BytesIO(), "w", format=form)
    try:
        copy = _added(trial, stream)
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    finally:
        _closed(trial)
    return True


def _named(stream: Stream) -> str:
    kinds = {"audio": "sound", "subtitle": "subtitles", "video": "second picture"}
    name = getattr(stream, "name", None)
    return f"{kinds.get(stream.type, stream.type)} stream{f' ({name})' if name else ''}"


def _closed(container: OutputContainer) -> None:
    with contextlib.suppress(av.FFmpegError, ValueError):
        container.close()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
