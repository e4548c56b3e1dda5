"""Raw files that are written here, checked against rawpy's own rendering."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile

from photostyle.cli import main
from photostyle.errors import ImageError
from photostyle.images.formats.table import format_of
from photostyle.images.picture import load_image
from tests.images.pictures import noise, tiff
from tests.images.spaces import patches, standard

#: XYZ to a camera whose primaries are sRGB's, and the light that it took for white.
MATRIX = [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570]
NEUTRAL = (0.5, 1.0, 0.7)


def fractions(values):
    return tuple(n for v in values for n in (round(v * 10000), 10000))


def dng(light, mosaic=True, turn=1, matrix=MATRIX):
    """A DNG of 14-bit sensor values of light H×W×3 in the camera's primaries."""
    sensor = np.rint(light * np.array(NEUTRAL) * 16383).astype(np.uint16)
    tags = [
        (271, 2, 6, "Maker", True), (272, 2, 6, "Model", True), (274, 3, 1, turn, True),
        (306, 2, 20, "2024:05:06 07:08:09", True), (50706, 1, 4, b"\1\4\0\0", True),
        (50707, 1, 4, b"\1\1\0\0", True), (50708, 2, 12, "Maker Model", True),
        (50717, 4, 1, 16383, True), (50721, 10, 9, fractions(matrix), True),
        (50728, 5, 3, fractions(NEUTRAL), True), (50778, 3, 1, 21, True),
    ]  # fmt: skip
    if mosaic:
        pattern = np.array([[0, 1], [1, 2]])
        y, x = np.mgrid[: light.shape[0], : light.shape[1]]
        sensor = np.take_along_axis(sensor, pattern[y % 2, x % 2][..., None], axis=2)[..., 0]
        tags += [(33421, 3, 2, (2, 2), True), (33422, 1, 4, b"\0\1\1\2", True)]
    else:
        tags += [(50714, 3, 3, (0, 0, 0), True)]
    file = io.BytesIO()
    tifffile.imwrite(file, sensor, photometric=32803 if mosaic else 34892, extratags=tags,
                     planarconfig="contig" if not mosaic else None, metadata=None)  # fmt: skip
    return file.getvalue()


def smooth(height=96, width=128):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x / width, y / height, 0.3 + 0 * x], axis=-1) * 0.8 + 0.05


def own_rendering(data, color=rawpy.ColorSpace.ProPhoto, gamma=(1.8, 16)):
    with rawpy.imread(io.BytesIO(data)) as raw:
        return raw.postprocess(
            use_camera_wb=True, output_bps=16, output_color=color, gamma=gamma,
            highlight_mode=rawpy.HighlightMode.Blend,
        )  # fmt: skip


@pytest.mark.parametrize("mosaic", [True, False], ids=["bayer", "linear"])
def test_a_dng_is_developed_as_by_rawpy(tmp_path: Path, mosaic) -> None:
    data = dng(smooth(), mosaic)
    (tmp_path / "a.tif").write_bytes(data)
    assert format_of(data).name == "camera raw"
    photo = load_image(tmp_path / "a.tif")
    assert photo.metadata.bit_depth == 16
    assert photo.metadata.space.name == "ProPhoto RGB"
    values = (photo.image if photo.wide is None else photo.wide)[0].permute(1, 2, 0).numpy()
    found = standard("prophoto").of_srgb(values) * 65535
    assert np.abs(found - own_rendering(data)).max() < 8
    srgb = own_rendering(data, rawpy.ColorSpace.sRGB, (2.4, 12.92)) / 65535
    inside = ((values > 0.02) & (values < 0.98)).all(axis=-1)
    assert np.abs(values - srgb)[inside].max() < 0.03  # it is made lighter by its own histogram


def test_greys_are_grey_by_the_cameras_white(tmp_path: Path) -> None:
    grey = np.linspace(0.05, 0.9, 128)[None, :, None] * np.ones((96, 1, 3))
    (tmp_path / "a.dng").write_bytes(dng(grey))
    image = load_image(tmp_path / "a.dng").image[0, :, 8:-8, 8:-8]
    assert (image.amax(dim=0) - image.amin(dim=0)).max() < 0.02


def test_exif_and_orientation_are_taken_over(tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(dng(smooth(), turn=6))
    photo = load_image(tmp_path / "a.dng")
    assert photo.image.shape[2:] == (128, 96)
    assert b"Maker" in photo.metadata.exif
    assert b"2024:05:06" in photo.metadata.exif


def test_a_run_ends_in_sixteen_bit_prophoto(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.dng").write_bytes(dng(patches().clip(0.02, 1)))
    Path("s.tif").write_bytes(tiff(noise(64, 80), photometric="rgb"))
    words = "run --content c.dng --style s.tif --preset color --size 64 --strength 0 --out r.tif"
    assert main(words.split()) == 0
    with tifffile.TiffFile("r.tif") as file:
        page = file.pages[0]
        assert page.dtype == np.uint16
        assert page.tags[34675].value == standard("prophoto").profile
        found = page.asarray()
    truth = own_rendering(Path("c.dng").read_bytes())
    assert np.abs(found.astype(int) - truth).max() < 8


def test_a_raw_file_of_an_unknown_camera(tmp_path: Path) -> None:
    (tmp_path / "a.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(4000))
    with pytest.raises(ImageError, match=r"LibRaw does not know|damaged") as caught:
        load_image(tmp_path / "a.raf")
    assert str(caught.value).count("\n") == 0
    data = dng(smooth())
    (tmp_path / "a.dng").write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError):
        load_image(tmp_path / "a.dng")


def test_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.dng").write_bytes(dng(smooth()))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "rawpy" else sys)
    with pytest.raises(ImageError, match=r'raw file, .*pip install "photostyle\[raw\]"'):
        load_image(tmp_path / "a.dng")


def test_plain_tiffs_are_none() -> None:
    for data in (tiff(noise(), photometric="rgb"), b"II*\0", b"MM\0*" + bytes(20)):
        assert format_of(data).name == "TIFF"
    loop = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 330, 4, 1, 8, 8)
    assert format_of(loop).name == "TIFF"


def test_a_file_that_is_cut_is_one_sentence(tmp_path: Path) -> None:
    """LibRaw itself writes to the terminal; nothing of that is seen."""
    data = dng(smooth())
    (tmp_path / "a.dng").write_bytes(data[: len(data) // 2])
    command = [sys.executable, "-m", "photostyle", "info", str(tmp_path / "a.dng")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "a.dng is damaged or incomplete (Input/output error)" in line
