"""A stream's samples and R'G'B': matrix, range and depth undone and done again, nothing more.

What comes out is display-referred R'G'B' in the stream's own primaries and transfer: an HDR film
stays as it is coded. References: ITU-T H.273, sections 8.1 to 8.3; ITU-R BT.601, BT.709, BT.2020.
"""

from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

Pixels = npt.NDArray[Any]

#: Chroma is interpolated at full precision; without it libswscale is off by a level or two.
_EXACT = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
#: H.273's codes of matrices, and libswscale's.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
#: From here a film that names no matrix is taken for BT.709, as players do.
_HD = (1024, 576)
#: White in libswscale's 16-bit R'G'B', which counts in 256ths of 8-bit levels.
_WHITE = 255 * 256


@dataclass(frozen=True)
class Colours:
    """How a stream codes colour, as H.273's numbers; 2 (range: 0) stands for "not said".

    Attributes:
        range: 1 limited, 2 full.
    """

    range: int
    primaries: int
    transfer: int
    matrix: int

    @staticmethod
    def of(frame: VideoFrame) -> "Colours":
        return Colours(
            int(frame.color_range), int(frame.color_primaries), int(frame.color_trc),
            int(frame.colorspace),
        )  # fmt: skip


@dataclass(frozen=True)
class Coding:
    """Colours with what is not said filled in, for one pixel format.

    Attributes:
        rgb: the samples are R'G'B' themselves. full: they use the full range. bits: of a sample.
    """

    rgb: bool
    matrix: Colorspace
    full: bool
    bits: int

    @staticmethod
    def of(colours: Colours, form: str, size: tuple[int, int]) -> "Coding":
        """`size`: (height, width)."""
        layout = av.VideoFormat(form, 16, 16)
        rgb = layout.is_rgb or layout.has_palette
        large = size[1] > _HD[0] or size[0] > _HD[1]
        usual = Colorspace.ITU709 if large else Colorspace.ITU601
        full = rgb or colours.range == _FULL or (not colours.range and form.startswith("yuvj"))
        bits = max(component.bits for component in layout.components)
        return Coding(rgb, _MATRICES.get(colours.matrix, usual), full, 8 if bits <= 8 else bits)

    @property
    def deep(self) -> bool:
        """Whether the samples need 16-bit arrays."""
        return self.bits > 8

    @property
    def scales(self) -> bool:
        """Whether libswscale's 16-bit white is not at 65535."""
        return self.deep and not self.rgb


class ToPixels:
    """Decoded frames as R'G'B' arrays; for one thread."""

    def __init__(self, coding: Coding, size: tuple[int, int]) -> None:
        self.coding, self.size = coding, size
        self._reformatter = VideoReformatter()
        white = (1 << 16) - (1 << (16 - min(coding.bits, 16))) if coding.full else _WHITE
        self._gain = 65535 / white

    def __call__(self, frame: VideoFrame) -> tuple[Pixels, VideoFrame]:
        """
        Returns:
            H×W×3, uint8, or uint16 with white at 65535 where the samples have more than 8 bits;
            and a frame of the same size in R'G'B' with all else that rides along with the given.
        """
        coding = self.coding
        shown = self._reformatter.reformat(
            frame, self.size[1], self.size[0], "rgb48le" if coding.deep else "rgb24",
            src_colorspace=coding.matrix, dst_colorspace=coding.matrix,
            src_color_range=_FULL if coding.full else _LIMITED, dst_color_range=_FULL,
            interpolation=_EXACT, threads=1,
        )  # fmt: skip
        pixels: Pixels = shown.to_ndarray()  # shares memory
        return scaled(pixels, self._gain) if coding.scales else pixels.copy(), shown


class FromPixels:
    """R'G'B' arrays as frames of an encoder's pixel format; for one thread."""

    def __init__(self, coding: Coding, form: str) -> None:
        self.coding, self.form = coding, form
        self._reformatter = VideoReformatter()

    def __call__(self, pixels: Pixels, beside: VideoFrame) -> VideoFrame:
        """
        Args:
            pixels: H×W×3, uint8, uint16 with white at 65535, or floats in [0, 1].
            beside: the frame in R'G'B' that they were made from; what rides along with it goes on,
                its samples are lost.
        """
        coding = self.coding
        deep = as_depth(pixels, coding.deep)
        levels = scaled(deep, _WHITE / 65535) if coding.scales else deep
        form = "rgb48le" if coding.deep else "rgb24"
        frame = beside
        if beside.format.name == form and (beside.height, beside.width) == pixels.shape[:2]:
            frame.to_ndarray()[:] = levels
        else:
            frame = VideoFrame.from_numpy_buffer(np.ascontiguousarray(levels), form)
        return self._reformatter.reformat(
            frame, format=self.form, src_colorspace=coding.matrix, dst_colorspace=coding.matrix,
            src_color_range=_FULL, dst_color_range=_FULL if coding.full else _LIMITED,
            interpolation=_EXACT, threads=1,
        )  # fmt: skip


def as_depth(pixels: Pixels, deep: bool) -> Pixels:
    """Pixels of any of the three types as uint16 (`deep`) or uint8, to the nearest level."""
    kind = np.uint16 if deep else np.uint8
    white = 1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
    gain = np.iinfo(kind).max / white
    return pixels if pixels.dtype == kind else scaled(pixels, gain, kind)


def scaled(pixels: Pixels, gain: float, kind: type = np.uint16) -> Pixels:
    """H×W×3 times a number, to the nearest level of a type, what is too large at its largest."""
    flat = pixels.reshape(pixels.shape[0], -1)  # H×3W; OpenCV takes numbers for a colour otherwise
    depth = cv2.CV_16U if kind is np.uint16 else cv2.CV_8U
    return np.asarray(cv2.multiply(flat, gain, dtype=depth)).reshape(pixels.shape)  # type: ignore[call-overload]
