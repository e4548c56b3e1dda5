"""Small films made with PyAV, and what a film holds, read back with PyAV alone."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

Tags = tuple[int, int, int, int]


def picture(number: int, size: tuple[int, int] = (48, 64), deep: bool = False) -> np.ndarray:
    """A frame of soft colours that move; H×W×3, uint8 or uint16."""
    y, x = np.mgrid[: size[0], : size[1]]
    parts = [x / size[1], y / size[0], 0.5 + 0.4 * np.sin((x + y + 3 * number) / 9)]
    levels = np.stack(parts, axis=-1) * 0.8 + 0.1
    return np.rint(levels * (65535 if deep else 255)).astype(np.uint16 if deep else np.uint8)


def clip(
    path: Path,
    frames: int = 12,
    *,
    size: tuple[int, int] = (48, 64),
    codec: str = "libx264",
    form: str = "yuv420p",
    rate: int = 25,
    times: list[int] | None = None,
    unit: Fraction | None = None,
    sound: str | None = None,
    subtitles: list[tuple[int, int, str]] | None = None,
    degrees: int | None = None,
    aspect: Fraction | None = None,
    tags: Tags | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    chapters: list[Any] | None = None,
    attachment: bytes | None = None,
    mimetype: str = "text/plain",
) -> Path:
    """Writes a film.

    Args:
        times: of the frames, in `unit`; without, at the rate.
        subtitles: (start, length, text) in milliseconds, for Matroska.
        degrees: to be turned counter-clockwise when shown.
        tags: range, primaries, transfer, matrix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unit = unit or Fraction(1, rate)
    deep = form.rstrip("lbe").endswith(("10", "12", "16"))
    with av.open(str(path), "w", options=container or {}) as file:
        file.metadata.update(metadata or {})
        if chapters:
            file.set_chapters(chapters)
        stream = file.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = size
        stream.pix_fmt = form
        context = stream.codec_context
        context.time_base = unit
        if aspect:
            context.sample_aspect_ratio = aspect
        if tags:
            context.color_range, context.color_primaries = tags[:2]
            context.color_trc, context.colorspace = tags[2:]
        if degrees is not None:
            stream.set_display_rotation(degrees)
        voice = file.add_stream(sound, rate=8000) if sound else None
        if voice:
            voice.metadata["language"] = "deu"
            voice.layout = "mono"
        text = file.add_mux_stream("subrip") if subtitles else None
        if attachment:
            file.add_attachment("note.txt", mimetype, attachment)
        for n in range(frames):
            shown = picture(n, size, deep)
            frame = av.VideoFrame.from_ndarray(shown, "rgb48le" if deep else "rgb24")
            frame = frame.reformat(
                format=form, src_color_range=2, dst_color_range=tags[0] if tags else 1,
                src_colorspace=tags[3] if tags else 5, dst_colorspace=tags[3] if tags else 5,
            )  # fmt: skip
            frame.pts, frame.time_base = (times[n] if times else n), unit
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if voice:
            _speak(file, voice, frames / rate)
        for start, length, line in subtitles or ():
            packet = av.Packet(line.encode())
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = length
            file.mux(packet)
    return path


def _speak(file: Any, voice: Any, seconds: float) -> None:
    size = voice.codec_context.frame_size or 800
    for n in range(int(seconds * 8000) // size):
        wave = np.sin(np.arange(size) / 7 + n) * 0.3
        form = voice.codec_context.format.name
        levels = wave.astype(np.float32) if form.startswith("flt") else (wave * 32767).astype("i2")
        frame = av.AudioFrame.from_ndarray(levels[None], form, "mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, n * size, Fraction(1, 8000)
        file.mux(voice.encode(frame))
    file.mux(voice.encode(None))


def facts(path: Path) -> dict[str, Any]:
    """What a film's picture stream says, and when its frames are shown, in seconds."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = list(file.decode(stream))
        return {
            "codec": stream.codec_context.name,
            "form": stream.pix_fmt,
            "size": (stream.height, stream.width),
            "aspect": stream.sample_aspect_ratio,
            "tags": (
                stream.color_range, stream.color_primaries, stream.color_trc, stream.colorspace
            ),
            "rotation": frames[0].rotation,
            "times": [round(float(f.pts * f.time_base), 6) for f in frames],
            "end": round((file.duration or 0) / av.time_base, 3),
        }  # fmt: skip


def packets(path: Path, kind: str) -> list[tuple[bytes, float]]:
    """Bytes and time in seconds of all packets of the first stream of a kind."""
    with av.open(str(path)) as file:
        stream = next(s for s in file.streams if s.type == kind)
        return [
            (bytes(p), round(float(p.pts * p.time_base), 6)) for p in file.demux(stream) if p.size
        ]


def frames_of(path: Path) -> list[np.ndarray]:
    """Decoded frames as uint8 R'G'B', by libswscale's own choice of matrix."""
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
