"""Pictures as people have them: every kind gives its values, unfit ones a sentence."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from photostyle.errors import ImageError
from photostyle.images.exif import read_exif
from photostyle.images.given import picture_of
from photostyle.images.picture import Photo, load_image

RNG = np.random.default_rng(3)
BYTES = RNG.integers(0, 256, (50, 60, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (50, 60, 3), np.uint16)
FLOATS = RNG.random((50, 60, 3))


def values(photo: Photo) -> np.ndarray:
    return photo.image[0].permute(1, 2, 0).numpy()


CASES: dict[str, tuple[Any, np.ndarray, int]] = {
    "uint8": (BYTES, BYTES / 255, 8),
    "uint16": (DEEP, DEEP / 65535, 16),
    "big-endian": (DEEP.astype(">u2"), DEEP / 65535, 16),
    "float64": (FLOATS, FLOATS, 16),
    "float32": (FLOATS.astype(np.float32), FLOATS.astype(np.float32), 16),
    "float16": (FLOATS.astype(np.float16), FLOATS.astype(np.float16), 16),
    "rounding": (FLOATS * (1 + 2e-6), FLOATS, 16),
    "grey": (BYTES[..., 0], BYTES[..., :1].repeat(3, 2) / 255, 8),
    "turned": (BYTES[::-1, ::-1], BYTES[::-1, ::-1] / 255, 8),
    "PIL": (Image.fromarray(BYTES), BYTES / 255, 8),
    "PIL grey": (Image.fromarray(BYTES[..., 0]), BYTES[..., :1].repeat(3, 2) / 255, 8),
    "PIL 16 bits": (Image.fromarray(DEEP[..., 0]), DEEP[..., :1].repeat(3, 2) / 65535, 16),
    "PIL float": (
        Image.fromarray(FLOATS[..., 0].astype(np.float32)), FLOATS[..., :1].repeat(3, 2), 16,
    ),
    "tensor": (torch.from_numpy(FLOATS).permute(2, 0, 1), FLOATS, 16),
    "batch of one": (torch.from_numpy(FLOATS).float().permute(2, 0, 1)[None], FLOATS, 16),
    "half": (torch.from_numpy(FLOATS).permute(2, 0, 1).bfloat16(), FLOATS, 16),
    "byte tensor": (torch.from_numpy(BYTES).permute(2, 0, 1), BYTES / 255, 8),
    "with gradient": (torch.from_numpy(FLOATS).permute(2, 0, 1).requires_grad_(), FLOATS, 16),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_values_and_depth_of_every_kind(kind: str) -> None:
    given, expected, depth = CASES[kind]
    photo = picture_of(given, "The content")
    assert photo.image.dtype == torch.float32
    assert np.abs(values(photo) - expected).max() <= (4e-3 if kind == "half" else 3e-6)
    assert photo.metadata.bit_depth == depth
    assert photo.path is None
    assert len(photo.sha256) == 64


def test_floats_come_out_as_they_went_in() -> None:
    given = FLOATS.astype(np.float32)
    photo = picture_of(given, "The content")
    assert (values(photo) == given).all()
    photo.image.zero_()
    assert given.any()  # what was given is not touched


def test_path_and_photo_are_the_file(tmp_path: Path) -> None:
    Image.fromarray(BYTES).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        photo = picture_of(path, "The content")
        assert (values(photo) == values(load_image(path))).all()
        assert photo.path == tmp_path / "a.png"
        assert picture_of(photo, "The content") is photo


def test_alpha_is_kept() -> None:
    plane = RNG.integers(0, 256, (50, 60, 1), np.uint8)
    stacked = np.concatenate([BYTES, plane], axis=2)
    for given in (stacked, Image.fromarray(stacked), torch.from_numpy(stacked).permute(2, 0, 1)):
        photo = picture_of(given, "The content")
        assert photo.metadata.alpha is not None
        assert np.abs(photo.metadata.alpha - plane[..., 0] / 255).max() < 1e-6
        assert np.abs(values(photo) - BYTES / 255).max() < 1e-6


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_pil_image_means_what_its_file_means(form: str) -> None:
    """Orientation and profile count, each once."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(BYTES).save(file, form, exif=exif, icc_profile=srgb)
    with Image.open(file) as opened:
        photo = picture_of(opened, "The content")
    assert (values(photo) == np.rot90(BYTES, -1) / np.float32(255)).all()
    assert photo.metadata.icc_profile


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "YCbCr", "HSV"])
def test_pil_modes(mode: str) -> None:
    flat = Image.new("RGB", (60, 50), (255, 255, 255)).convert("L" if mode == "LA" else "RGB")
    photo = picture_of(flat.convert(mode), "The content")
    assert values(photo).shape == (50, 60, 3)
    assert values(photo).min() > 0.98


UNFIT = {
    "0 … 255": (BYTES.astype(np.float32), r"50×60×3 float32 .* 0 to 255; .*\[0, 1\].*x / 255"),
    "-1 … 1": (FLOATS * 2 - 1, r"values from -.* to .*; floats must lie in \[0, 1\]"),
    "NaN": (np.where(FLOATS > 0.9, np.nan, FLOATS), "NaN or infinite"),
    "infinite": (np.where(FLOATS > 0.9, np.inf, FLOATS), "NaN or infinite"),
    "int64": (BYTES.astype(np.int64), "50×60×3 int64, whose range is not known; give uint8"),
    "bool": (BYTES > 3, "bool, whose range is not known; give uint8"),
    "complex": (FLOATS + 1j, "complex128"),
    "words": (np.array([["a"]]), "give uint8"),
    "channels first": (BYTES.transpose(2, 0, 1), r"3×50×60 uint8; .*transpose\(1, 2, 0\)"),
    "two channels": (BYTES[..., :2], "50×60×2 uint8; give H×W, H×W×3 or H×W×4"),
    "one channel": (BYTES[..., :1], r"50×60×1 uint8; give H×W, as x\[..., 0\] is"),
    "a batch": (BYTES[None], r"1×50×60×3 uint8; give one picture"),
    "a row": (BYTES[0, 0], "3 uint8; give H×W"),
    "nothing in it": (BYTES[:0], "no pixels"),
    "channels last": (torch.from_numpy(BYTES), r"50×60×3 uint8; .*permute\(2, 0, 1\)"),
    "two tensors": (torch.rand(2, 3, 50, 60), r"2×3×50×60 float32; give one picture"),
    "grey tensor": (torch.rand(50, 60), r"expand\(3"),
    "tensor 0 … 255": (torch.rand(3, 50, 60) * 255, r"x / 255"),
    "int64 tensor": (torch.ones(3, 50, 60).long(), "int64, whose range is not known"),
    "integer PIL image": (Image.fromarray(BYTES[..., 0].astype(np.int32)), "mode I, whose range"),
    "None": (None, "is a NoneType; give a path, a PIL image"),
    "a list": ([1, 2], "is a list; give a path"),
    "bytes": (b"abc", "is a bytes; give a path"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_unfit_pictures_end_in_a_sentence(case: str) -> None:
    given, says = UNFIT[case]
    with pytest.raises(ImageError, match=f"^The content .*{says}") as caught:
        picture_of(given, "The content")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_cut_off_pil_image_is_refused(tmp_path: Path) -> None:
    Image.fromarray(BYTES).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    with (
        Image.open(io.BytesIO(data[: len(data) // 2])) as cut,
        pytest.raises(ImageError, match=r"The content, a PIL image .* cannot be used"),
    ):
        picture_of(cut, "The content")


def test_equal_values_have_equal_names() -> None:
    one, same, other = (
        picture_of(x, "x").sha256 for x in (BYTES, Image.fromarray(BYTES), BYTES[::-1])
    )
    assert one == same != other


def test_texts_of_a_pil_images_exif_stay_as_they_are() -> None:
    image = Image.new("RGB", (64, 64))
    image.getexif()[0x010E] = "Straße".encode().decode("latin-1")  # as Pillow reads them
    image.getexif().get_ifd(0x8769)[0xA434] = "50 mm ƒ/2".encode().decode("latin-1")
    before = dict(image.getexif())
    tags = read_exif(picture_of(image, "The picture").metadata.exif)
    assert tags[0x010E].encode("latin-1") == "Straße".encode()
    assert tags.get_ifd(0x8769)[0xA434] == "50 mm ƒ/2".encode()  # no text of ASCII, so bytes
    assert dict(image.getexif()) == before
