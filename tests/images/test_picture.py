"""Loading with its refusals, the image contract, sizes and resampling."""

import hashlib
import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photostyle.errors import ImageError, OptionError
from photostyle.images.picture import check_image, fit_size, load_image, resize
from tests.images.pictures import LAYOUTS, noise, pixels, png, tiff_header

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_eight_bit_rgb_is_exact(tmp_path: Path, suffix) -> None:
    path, array = tmp_path / f"a{suffix}", noise()
    Image.fromarray(array).save(path, lossless=True)
    photo = load_image(str(path))
    assert np.array_equal(pixels(photo), array)
    assert photo.image.dtype == torch.float32
    assert photo.image.is_contiguous()
    assert photo.path == path
    assert photo.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    meta = photo.metadata
    assert (meta.bit_depth, meta.alpha, meta.exif, meta.icc_profile) == (8, None, None, None)


def damaged(name):
    def write(path):
        data = io.BytesIO()
        Image.fromarray(noise(64, 64)).save(data, name)
        path.write_bytes(data.getvalue()[: len(data.getvalue()) // 2])

    return write


def bomb(data):
    return lambda path: path.write_bytes(data)


REFUSED = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (Path.mkdir, "is a folder"),
    "pipe": (os.mkfifo, "a pipe"),
    "text": (lambda path: path.write_text("hello"), "is not a picture"),
    "empty": (Path.touch, "zero bytes"),
    "half a JPEG": (damaged("JPEG"), "damaged"),
    "half a PNG": (damaged("PNG"), "damaged"),
    "half a TIFF": (damaged("TIFF"), "damaged"),
    "large PNG": (bomb(png(2, depth=8, size=(12001, 10000))), "120 megapixels"),
    "large 16-bit PNG": (bomb(png(2, size=(12001, 10000))), "120 megapixels"),
    "huge PNG": (bomb(png(2, depth=8, size=(60000, 60000))), "120 megapixels"),
    "large TIFF": (bomb(tiff_header(12001, 10000, 8)), "120 megapixels"),
    "large 16-bit TIFF": (bomb(tiff_header(12001, 10000, 16)), "120 megapixels"),
    "not too large PNG": (bomb(png(2, depth=8, size=(12000, 10000))), "damaged"),
    "float TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.float32)), "floating-point"),
    "half-float TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.float16)), "floating"),
    "signed TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.int16)), "signed"),
    "32-bit TIFF": (lambda p: tifffile.imwrite(p, np.ones((4, 4), np.uint32)), "32-bit"),
    "drawing": (lambda p: Image.new("RGB", (4, 4)).save(p, "EPS"), "drawing"),
    "raw": (lambda p: tifffile.imwrite(p, noise(), subfiletype=1), "raw file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_sentence_with_the_file(tmp_path: Path, name) -> None:
    write, text = REFUSED[name]
    path = tmp_path / "picture.png"
    write(path)
    with pytest.raises(ImageError, match=text) as caught:
        load_image(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith(".")
    assert "\n" not in message


def test_no_permission(tmp_path: Path, monkeypatch) -> None:
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root is refused nothing
    with pytest.raises(ImageError, match=r"a\.png cannot be read: Permission denied"):
        load_image(tmp_path / "a.png")


def files_to_cut():
    eight, deep = Image.fromarray(noise(40, 50)), noise(40, 50, bits=16)
    for suffix, options in {"JPEG": {}, "PNG": {}, "WEBP": {}, "TIFF": {}}.items():
        file = io.BytesIO()
        eight.save(file, suffix, **options)
        yield suffix, file.getvalue()
    for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg"):
        file = io.BytesIO()
        eight.save(file, "TIFF", compression=name)
        yield f"TIFF {name}", file.getvalue()
    yield "PNG 16", cv2.imencode(".png", deep)[1].tobytes()
    yield "TIFF 16 LZW", cv2.imencode(".tif", deep)[1].tobytes()
    for name in ("rgb", "strips", "deflated", "tiled"):
        file = io.BytesIO()
        tifffile.imwrite(file, deep, **LAYOUTS[name])
        yield f"TIFF 16 {name}", file.getvalue()


@pytest.mark.parametrize(("name", "data"), [pytest.param(*f, id=f[0]) for f in files_to_cut()])
def test_never_half_a_picture(tmp_path: Path, name, data) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    whole = load_image(path).image
    ends = {*range(1, len(data), len(data) // 17), *range(len(data) - 20, len(data))}
    refused = 0
    for end in sorted(ends):
        path.write_bytes(data[:end])
        try:
            part = load_image(path).image
        except ImageError:
            refused += 1
        else:
            assert torch.equal(part, whole), end
    assert refused >= 17


# The contract, sizes and resampling


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((1, 3, 4, 4), np.float32), "ndarray"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.float64), "float64"),
        (torch.zeros(3, 4, 4), "shape"),
        (torch.zeros(1, 1, 4, 4), "shape"),
        (torch.zeros(1, 3, 0, 4), "shape"),
        (torch.full((1, 3, 4, 4), -1e-6), r"\[0, 1\]"),
        (torch.full((1, 3, 4, 4), 1.001), r"\[0, 1\]"),
        (torch.tensor([0.5, float("nan"), 0.2]).view(1, 3, 1, 1), "nan"),
        (torch.tensor([0.5, float("inf"), 0.2]).view(1, 3, 1, 1), "inf"),
    ],
)
def test_check_image(image, text) -> None:
    with pytest.raises(ImageError, match=text) as caught:
        check_image(image, "The content")
    assert str(caught.value).startswith("The content")


def test_check_image_takes_the_bounds() -> None:
    check_image(torch.tensor([0.0, 0.5, 1.0]).view(1, 3, 1, 1).requires_grad_(), "x")


@given(st.tuples(st.integers(1, 20000), st.integers(1, 20000)), st.integers(1, 20000))
def test_fit_size(size, long_side) -> None:
    height, width = fit_size(size, long_side)
    assert max(height, width) == min(long_side, max(size))
    assert 1 <= height <= size[0]
    assert 1 <= width <= size[1]
    scale = min(1.0, long_side / max(size))
    assert abs(height - size[0] * scale) <= 0.5 or height == 1
    assert abs(width - size[1] * scale) <= 0.5 or width == 1


def test_fit_size_refuses_nothing_to_fit() -> None:
    with pytest.raises(OptionError, match="at least 1 pixel, not 0"):
        fit_size((4, 4), 0)


def area_matrix(before, after):
    """Rows of the share that every source pixel has in each target pixel."""
    edges = np.arange(after + 1)[:, None] * before / after
    covered = np.clip(edges - np.arange(before), 0, 1)
    return np.diff(covered, axis=0) * after / before


@given(SIZES, SIZES, st.integers(0, 2**32 - 1))
def test_resize(before, after, seed) -> None:
    image = torch.from_numpy(np.random.default_rng(seed).random((1, 3, *before), np.float32))
    result = resize(image, after)
    assert result.shape == (1, 3, *after)
    assert result.dtype == torch.float32
    assert result.min() >= 0
    assert result.max() <= 1
    if after[0] <= before[0] and after[1] <= before[1]:
        rows, columns = area_matrix(before[0], after[0]), area_matrix(before[1], after[1])
        assert np.abs(rows @ image[0].numpy() @ columns.T - result[0].numpy()).max() < 1e-5
        assert (result.mean((2, 3)) - image.mean((2, 3))).abs().max() < 1e-5


@given(SIZES, SIZES, st.floats(0, 1, width=32))
def test_resize_keeps_a_plain_colour(before, after, value) -> None:
    assert (resize(torch.full((1, 3, *before), value), after) - value).abs().max() < 1e-5


def test_resize_enlarges_like_torch_and_clamps() -> None:
    image = torch.rand(1, 3, 9, 13, generator=torch.Generator().manual_seed(1)).round()
    second = torch.nn.functional.interpolate(image, (30, 41), mode="bicubic", align_corners=False)
    assert second.max() > 1.01
    assert (resize(image, (30, 41)) - second.clamp(0, 1)).abs().max() < 1e-4


def test_resize_takes_one_channel_and_leaves_its_input_alone() -> None:
    alpha = torch.rand(1, 1, 8, 8, requires_grad=True)
    assert resize(alpha, (4, 4)).shape == (1, 1, 4, 4)
    same = resize(alpha, (8, 8))
    assert torch.equal(same, alpha)
    assert not resize(alpha, (4, 4)).requires_grad


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_resize_stays_on_its_device() -> None:
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(resize(image.cuda(), (5, 12)).cpu(), resize(image, (5, 12)))
