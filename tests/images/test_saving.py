"""Writing: exact round trips, what travels along, and nothing half done."""

import io
import os
import stat
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms, PngImagePlugin

from photostyle.errors import ImageError, OutputError
from photostyle.images.picture import Metadata, load_image
from photostyle.images.profiles import srgb_profile
from photostyle.images.saving import (
    FORMATS,
    atomic_path,
    lost_note,
    read_manifest,
    save_image,
)
from tests.images.pictures import noise, pixels

#: What Pillow reads, as a second opinion.
BY_PILLOW = [
    suffix for suffix, form in FORMATS.items() if form.module not in ("heif", "jxl", "vfx")
]


def tensor(array):
    levels = np.iinfo(array.dtype).max
    return torch.from_numpy(array.astype(np.float32) / levels).permute(2, 0, 1)[None]  # 1×3×H×W


@pytest.fixture
def exif() -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x8298], tags[0x0112] = "Maker", "© José".encode("latin-1"), 1
    tags[0x011A] = 72.0
    tags.get_ifd(0x8769).update({0x9003: "2020:01:02 03:04:05", 0x829A: 0.004, 0xA001: 1})
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.25)})
    return tags.tobytes()


def tags_of(data):
    tags = Image.Exif()
    tags.load(data)
    nested = {ifd: tags.get_ifd(ifd) for ifd in (0x8769, 0x8825)}
    return {tag: tags[tag] for tag in tags if tag not in nested} | nested


# Round trips


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".PNG"])
@pytest.mark.parametrize("bits", [8, 16])
def test_exact_round_trip(tmp_path: Path, bits, suffix) -> None:
    array = noise(bits=bits)
    save_image(tmp_path / f"a{suffix}", tensor(array), Metadata(bit_depth=bits))
    photo = load_image(tmp_path / f"a{suffix}")
    assert photo.metadata.bit_depth == bits
    assert np.array_equal(pixels(photo), array)
    second = cv2.imread(str(tmp_path / f"a{suffix}"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(second[..., ::-1], array)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_exact_round_trip_with_alpha(tmp_path: Path, bits, suffix) -> None:
    array = noise(channels=4, bits=bits)
    alpha = array[..., 3].astype(np.float32) / (2**bits - 1)
    metadata = Metadata(bit_depth=bits, alpha=alpha)
    save_image(tmp_path / f"a{suffix}", tensor(array[..., :3]), metadata)
    photo = load_image(tmp_path / f"a{suffix}")
    assert np.array_equal(pixels(photo), array[..., :3])
    assert np.array_equal(photo.metadata.alpha, alpha)


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_as_tifffile_and_pillow_read_it(tmp_path: Path, bits) -> None:
    array = noise(300, 500, bits=bits)
    save_image(tmp_path / "a.tif", tensor(array), Metadata(bit_depth=bits))
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), array)
    with Image.open(tmp_path / "a.tif") as image:
        assert np.array_equal(np.asarray(image), array >> (bits - 8))


def test_sixteen_bits_are_eight_where_the_format_has_no_more(tmp_path: Path) -> None:
    for suffix in (".jpg", ".webp"):
        save_image(tmp_path / f"a{suffix}", tensor(noise()), Metadata(bit_depth=16))
        assert load_image(tmp_path / f"a{suffix}").metadata.bit_depth == 8


def test_values_are_rounded_not_cut(tmp_path: Path) -> None:
    values = torch.tensor([0.4, 0.6, 99.6, 254.4, 254.6]) / 255
    save_image(tmp_path / "a.png", values.expand(1, 3, 2, 5))
    assert pixels(load_image(tmp_path / "a.png"))[0, :, 0].tolist() == [0, 1, 100, 254, 255]


@pytest.mark.parametrize(("suffix", "error"), [(".jpg", 2), (".jpeg", 2), (".webp", 3)])
def test_lossy_formats_are_close(tmp_path: Path, suffix, error) -> None:
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    image = torch.from_numpy(np.stack(np.broadcast_arrays(ramp, ramp[:, None], ramp[::-1])))[None]
    save_image(tmp_path / f"a{suffix}", image)
    assert (load_image(tmp_path / f"a{suffix}").image - image).abs().mean() < error / 255


def test_jpeg_keeps_the_colour_of_single_pixels(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 200
    save_image(tmp_path / "a.jpg", tensor(stripes))
    with Image.open(tmp_path / "a.jpg") as image:
        assert {part[1:3] for part in image.layer} == {(1, 1)}
    # Halved chroma would make every pixel the same purple, off by 100.
    assert np.abs(pixels(load_image(tmp_path / "a.jpg")) - stripes).mean() < 6


def test_alpha_follows_the_image_and_leaves_jpeg(tmp_path: Path) -> None:
    metadata = Metadata(alpha=np.full((10, 10), 0.2, np.float32))
    for suffix in (".png", ".tif", ".webp", ".jpg"):
        save_image(tmp_path / f"a{suffix}", torch.full((1, 3, 6, 14), 0.5), metadata)
    kept = [
        load_image(tmp_path / f"a{suffix}").metadata.alpha for suffix in (".png", ".tif", ".webp")
    ]
    assert all(np.array_equal(alpha, np.full((6, 14), np.float32(0.2))) for alpha in kept)
    assert load_image(tmp_path / "a.jpg").metadata.alpha is None


# What travels along


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", BY_PILLOW)
def test_exif_and_profile_travel(tmp_path: Path, exif, suffix, bits) -> None:
    metadata = Metadata(bit_depth=bits, exif=exif, icc_profile=srgb_profile())
    save_image(tmp_path / f"a{suffix}", tensor(noise()), metadata)
    photo = load_image(tmp_path / f"a{suffix}")
    kept, given = tags_of(photo.metadata.exif), tags_of(exif)
    assert kept == given
    assert kept[0x8298] == "© José"
    assert photo.metadata.icc_profile == srgb_profile()
    again = tmp_path / f"b{suffix}"
    save_image(again, photo.image, photo.metadata)
    assert tags_of(load_image(again).metadata.exif) == given
    with Image.open(again) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert profile.profile.xcolor_space.strip() == "RGB"


def test_exif_too_long_for_jpeg_is_left_out(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x010E] = "x" * 70000
    for suffix in (".jpg", ".png"):
        save_image(tmp_path / f"a{suffix}", tensor(noise()), Metadata(exif=tags.tobytes()))
    assert load_image(tmp_path / "a.jpg").metadata.exif is None
    assert load_image(tmp_path / "a.png").metadata.exif is not None


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("text", ['{"a": 1}', "", "Größe: 10\nπ ≈ 3", "x" * 2_000_000])
def test_manifest(tmp_path: Path, exif, text, suffix, bits) -> None:
    path = tmp_path / f"a{suffix}"
    save_image(path, tensor(noise()), Metadata(bit_depth=bits, exif=exif), manifest=text)
    if FORMATS[suffix].name in ("PNG", "TIFF"):
        assert read_manifest(path) == text
        assert torch.equal(load_image(path).image, tensor(noise()))
    else:
        assert read_manifest(path) is None
    save_image(path, tensor(noise()), Metadata(bit_depth=bits))
    assert read_manifest(path) is None


def test_manifest_is_not_taken_for_the_photographers_words(tmp_path: Path, exif) -> None:
    save_image(tmp_path / "a.tif", tensor(noise()), manifest="{}")
    photo = load_image(tmp_path / "a.tif")
    save_image(tmp_path / "b.jpg", photo.image, photo.metadata)
    save_image(tmp_path / "b.tif", photo.image, photo.metadata)
    assert read_manifest(tmp_path / "b.tif") is None
    assert photo.metadata.exif is None


def test_other_peoples_descriptions_are_no_manifest(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.tif", description="OLYMPUS DIGITAL CAMERA")
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "photostyle {}")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    assert read_manifest(tmp_path / "a.tif") is None
    assert read_manifest(tmp_path / "a.png") is None


@pytest.mark.parametrize("content", [None, b"", b"text"])
def test_read_manifest_of_no_picture(tmp_path: Path, content) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.png"):
        read_manifest(tmp_path / "a.png")


# Nothing half done


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01])
def test_broken_images_are_not_written(tmp_path: Path, value) -> None:
    image = torch.full((1, 3, 4, 4), 0.5)
    image[0, 1, 2, 3] = value
    with pytest.raises(ImageError, match=r"a\.png"):
        save_image(tmp_path / "a.png", image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".webp", ".jpg"])
def test_too_long_for_the_format(tmp_path: Path, suffix) -> None:
    with pytest.raises(OutputError, match=r"at most (16383|65500) pixels"):
        save_image(tmp_path / f"a{suffix}", torch.zeros(1, 3, 1, 70000))
    save_image(tmp_path / "a.tif", torch.zeros(1, 3, 1, 70000))
    assert load_image(tmp_path / "a.tif").image.shape[3] == 70000


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_failure_in_the_middle_leaves_the_old_file(tmp_path: Path, error) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    expected = OutputError if error is OSError else error

    def write() -> None:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            assert (temporary.parent, temporary.suffix) == (tmp_path, ".png")
            raise error("no space left")

    with pytest.raises(expected):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_of_the_system_leaves_the_old_file(tmp_path: Path, monkeypatch, step) -> None:
    def fail(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OutputError, match=r"a\.png cannot be written: No space left on device"):
        save_image(path, tensor(noise()))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_flushed_before_it_is_renamed(tmp_path: Path, monkeypatch) -> None:
    steps = []
    flush, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("flush"), flush(handle)))
    monkeypatch.setattr(os, "replace", lambda a, b: (steps.append("rename"), rename(a, b)))
    save_image(tmp_path / "a.png", tensor(noise()))
    assert steps[:2] == ["flush", "rename"]


def test_new_files_have_the_usual_rights_in_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.png"
    save_image(path, tensor(noise()))
    (tmp_path / "usual").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save_image(tmp_path / "link.png", tensor(noise()))
    assert (tmp_path / "link.png").is_symlink()
    assert np.array_equal(pixels(load_image(tmp_path / "real.png")), noise())


def test_long_names_fit(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    save_image(path, tensor(noise()))
    assert path.is_file()


@pytest.mark.parametrize(
    ("name", "level", "noted"),
    [("a.jpg", 0.5, True), ("a.jpeg", 1.0, False), ("a.png", 0.5, False), ("a.webp", 0.5, False)],
)
def test_lost_transparency_is_noted(name: str, level: float, noted: bool) -> None:
    alpha = np.full((4, 5), level, np.float32)
    note = lost_note(Path(name), Metadata(alpha=alpha))
    assert (note is not None) == noted


def test_nothing_is_noted_without_transparency() -> None:
    assert lost_note(Path("a.jpg"), Metadata()) is None
