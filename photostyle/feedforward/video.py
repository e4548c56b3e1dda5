"""Videos through OpenCV: frames in and out as images, with their rate and size."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from photostyle.errors import ImageError, OutputError
from photostyle.images.saving import atomic_path

#: Suffixes of videos that are read, and what they become: containers that OpenCV writes itself.
VIDEO_SUFFIXES = {
    ".mp4": ".mp4",
    ".m4v": ".mp4",
    ".mov": ".mp4",
    ".mkv": ".mp4",
    ".webm": ".mp4",
    ".mpg": ".mp4",
    ".mpeg": ".mp4",
    ".mts": ".mp4",
    ".m2ts": ".mp4",
    ".3gp": ".mp4",
    ".wmv": ".mp4",
    ".avi": ".avi",
}
CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
#: Pixels a side from which OpenCV's encoders are sound: it crashes on narrower ones.
LEAST_SIDE = 16
#: Where a file does not say.
USUAL_RATE = 25.0


class VideoReader:
    """The frames of a video.

    Attributes:
        rate: frames per second. size: (height, width), upright.
        expected: frames that the file says it has, 0 where it does not.

    Raises:
        ImageError: the file is missing, no video, has no frame, or frames under `LEAST_SIDE`.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ImageError(f"{path} does not exist; check the name and the folder.")
        self._capture = cv2.VideoCapture(str(path))
        found, frame = self._capture.read() if self._capture.isOpened() else (False, None)
        if not found or frame is None:
            self._capture.release()
            raise ImageError(f"{path} has no frame that can be read; give a video.")
        self._first: Any = frame
        self.size: tuple[int, int] = frame.shape[0], frame.shape[1]
        if min(self.size) < LEAST_SIDE:
            self._capture.release()
            raise ImageError(
                f"{path} has frames of {frame.shape[1]}×{frame.shape[0]} pixels; videos need at "
                f"least {LEAST_SIDE} a side."
            )
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate = rate if 0.0 < rate < 1000.0 else USUAL_RATE
        self.expected = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    def batches(self, count: int) -> Iterator[Tensor]:
        """All frames in order, so many at a time; N×3×H×W in [0, 1]."""
        frames: list[Tensor] = []
        while (frame := self._next()) is not None:
            rgb = torch.from_numpy(np.ascontiguousarray(frame[..., ::-1]))  # H×W×3, BGR before
            frames.append(rgb.permute(2, 0, 1)[None].float().div(255))
            if len(frames) == count:
                yield torch.cat(frames)
                frames = []
        if frames:
            yield torch.cat(frames)

    def _next(self) -> Any:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        found, frame = self._capture.read()
        return frame if found else None


class VideoWriter:
    """A video under way: whole at its path, or not there at all.

    The codecs know even sizes only: an odd height or width grows by a copy of its last row or
    column.

    Args:
        path: ends in one of `CODECS`.
        rate: frames per second. size: (height, width).

    Attributes:
        count: frames written so far.

    Raises:
        OutputError: the video cannot be written.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        self.path, self.rate, self.size = path, rate, size
        self.count = 0
        self._stack = ExitStack()

    def __enter__(self) -> "VideoWriter":
        self._temporary = self._stack.enter_context(atomic_path(self.path))
        codec = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
        even = (self.size[1] + self.size[1] % 2, self.size[0] + self.size[0] % 2)
        self._writer = cv2.VideoWriter(str(self._temporary), codec, self.rate, even)
        if not self._writer.isOpened():
            self._stack.close()
            raise OutputError(
                f"{self.path} cannot be written: OpenCV has no encoder for {self.path.suffix} of "
                f"{even[0]}×{even[1]} pixels."
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.release()
        if error is None and self._written() < self.count:
            error = OutputError(
                f"{self.path} cannot be written: not all frames arrived; is the disk full?"
            )
            self._stack.__exit__(type(error), error, None)
            raise error
        self._stack.__exit__(kind, error, trace)

    def write(self, images: Tensor) -> None:
        """Appends N×3×H×W frames in [0, 1]."""
        height, width = self.size
        whole = pad(images, (0, width % 2, 0, height % 2), mode="replicate")
        frames = whole.mul(255).round().byte().permute(0, 2, 3, 1).numpy()  # N×H×W×3
        for frame in frames:
            self._writer.write(np.ascontiguousarray(frame[..., ::-1]))
            self.count += 1

    def _written(self) -> int:
        """Frames that are in the file: OpenCV's writer tells of no failure."""
        capture = cv2.VideoCapture(str(self._temporary))
        try:
            return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        finally:
            capture.release()
