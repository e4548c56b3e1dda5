"""Samples and R'G'B' against the formulas of ITU-T H.273."""

import av
import numpy as np
import pytest

from photostyle.films.colours import Coding, Colours, FromPixels, ToPixels, as_depth

#: (Kr, Kb) and H.273's number of a matrix.
MATRICES = {"601": (0.299, 0.114, 6), "709": (0.2126, 0.0722, 1), "2020": (0.2627, 0.0593, 9)}
SIDE = 64


def formula(rgb: np.ndarray, matrix: str, bits: int, full: bool) -> list[np.ndarray]:
    """Y', Cb, Cr of R'G'B' in [0, 1], as levels."""
    red, blue, _ = MATRICES[matrix]
    y = rgb @ np.array([red, 1 - red - blue, blue])
    cb = (rgb[..., 2] - y) / (2 * (1 - blue))
    cr = (rgb[..., 0] - y) / (2 * (1 - red))
    step = 2 ** (bits - 8)
    if full:
        white = 2**bits - 1
        return [y * white, cb * white + 128 * step, cr * white + 128 * step]
    return [(16 + 219 * y) * step, (128 + 224 * cb) * step, (128 + 224 * cr) * step]


def colours() -> np.ndarray:
    """SIDE×SIDE×3 in [0, 1]: a grey ramp above random colours."""
    rgb = np.random.default_rng(0).random((SIDE, SIDE, 3))
    rgb[:8] = np.linspace(0, 1, SIDE)[None, :, None]
    return rgb


def form_of(bits: int) -> str:
    return "yuv444p" if bits == 8 else f"yuv444p{bits}le"


def coding(matrix: str, bits: int, full: bool) -> Coding:
    tags = Colours(2 if full else 1, 2, 2, MATRICES[matrix][2])
    return Coding.of(tags, form_of(bits), (SIDE, SIDE))


def planes(frame: av.VideoFrame, bits: int) -> list[np.ndarray]:
    kind = np.uint8 if bits == 8 else np.uint16
    return [np.frombuffer(p, kind).reshape(SIDE, -1)[:, :SIDE] for p in frame.planes]


CASES = [(m, b, f) for m in MATRICES for b in (8, 10, 12) for f in (False, True)]


@pytest.mark.parametrize(("matrix", "bits", "full"), CASES)
def test_reading_equals_the_formula(matrix: str, bits: int, full: bool) -> None:
    rgb = colours()
    kind = np.uint8 if bits == 8 else np.uint16
    frame = av.VideoFrame(SIDE, SIDE, form_of(bits))
    levels = formula(rgb, matrix, bits, full)
    for plane, exact in zip(frame.planes, levels, strict=True):
        whole = np.zeros((SIDE, plane.line_size // kind().itemsize), kind)
        whole[:, :SIDE] = np.rint(exact)
        plane.update(whole.tobytes())
    pixels, _ = ToPixels(coding(matrix, bits, full), (SIDE, SIDE))(frame)
    white = np.iinfo(pixels.dtype).max
    assert pixels.dtype == kind
    error = np.abs(pixels / white - rgb) * (2**bits - 1)
    assert error.max() < 2.6  # what rounding Y', Cb and Cr leaves
    assert (pixels[0, -1] >= white - white / 2**bits).all()
    assert (pixels[0, 0] <= white / 2**bits).all()


@pytest.mark.parametrize(("matrix", "bits", "full"), CASES)
def test_writing_equals_the_formula(matrix: str, bits: int, full: bool) -> None:
    rgb = colours()
    kind = np.uint8 if bits == 8 else np.uint16
    pixels = np.rint(rgb * np.iinfo(kind).max).astype(kind)
    beside = av.VideoFrame(SIDE, SIDE, "rgb24" if bits == 8 else "rgb48le")
    frame = FromPixels(coding(matrix, bits, full), form_of(bits))(pixels, beside)
    exact = formula(pixels / np.iinfo(kind).max, matrix, bits, full)
    for plane, levels in zip(planes(frame, bits), exact, strict=True):
        assert np.abs(plane - np.minimum(levels, 2**bits - 1)).max() < (1.2 if bits == 8 else 2.5)


def test_pixels_of_any_depth_are_rounded_to_the_nearest_level() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(as_depth(levels, deep=True), levels.astype(np.uint16) * 257)
    near = np.minimum(levels.astype(np.uint32) * 257 + 100, 65535).astype(np.uint16)
    assert np.array_equal(as_depth(near, deep=False), levels)
    shares = (levels / 255).astype(np.float32)
    assert np.array_equal(as_depth(shares, deep=False), levels)
    outside = np.array([[[-1.0, 0.5, 2.0]]], np.float32)
    assert as_depth(outside, deep=False).ravel().tolist() == [0, 128, 255]


def test_a_film_that_says_nothing_is_read_as_players_do() -> None:
    nothing = Colours(0, 2, 2, 2)
    small, large = (Coding.of(nothing, "yuv420p", size) for size in ((480, 640), (720, 1280)))
    assert (int(small.matrix), int(large.matrix)) == (5, 1)  # BT.601 and BT.709
    assert not small.full
    assert Coding.of(nothing, "yuvj420p", (480, 640)).full
