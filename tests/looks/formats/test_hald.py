"""HaldCLUT: ours in ffmpeg's filter, plates of other programs in ours, and wrong ones."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from photostyle.errors import LutError
from photostyle.images.saving import read_manifest
from photostyle.looks.formats import hald
from photostyle.looks.lattice import Lattice
from photostyle.looks.lut import Lut
from tests.looks.readers import by_ffmpeg, evening, photograph


def plate(level: int) -> np.ndarray:
    """The identity n³×n³×3 in [0, 1] by the definition, pixel by pixel."""
    nodes, side = level**2, level**3
    at = np.arange(side * side)
    red, green, blue = at % nodes, at // nodes % nodes, at // nodes**2
    return np.stack([red, green, blue], axis=-1).reshape(side, side, 3) / (nodes - 1)


def bent(pixels: np.ndarray) -> np.ndarray:
    return evening(torch.from_numpy(pixels.transpose(2, 0, 1))).numpy().transpose(1, 2, 0)


def test_ffmpeg_reads_ours(tmp_path: Path) -> None:
    hald.write(tmp_path / "a.png", Lut.of(evening, 36))
    rgb = photograph()
    for how in ("trilinear", "tetrahedral"):
        found = by_ffmpeg(rgb, "haldclut", f"interp={how}", tmp_path / "a.png")
        assert np.abs(found - evening(rgb).numpy()).max() < 1 / 255
    same = by_ffmpeg(rgb, "haldclut", "interp=trilinear", tmp_path / "a.png") - rgb.numpy()
    assert np.abs(same).max() > 0.2


def test_the_identity_is_the_plate_of_the_definition(tmp_path: Path) -> None:
    hald.write(tmp_path / "a.tif", Lut(Lattice.identity(16)))
    found = tifffile.imread(tmp_path / "a.tif")
    assert found.dtype == np.uint16
    assert np.array_equal(found, np.rint(plate(4) * 65535))


@pytest.mark.parametrize("level", [2, 3, 4, 6])
def test_plates_of_eight_bits(tmp_path: Path, level: int) -> None:
    levels = np.rint(bent(plate(level)) * 255).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    lut = hald.read(tmp_path / "a.png")
    assert lut.lattice.size == level**2
    wanted = Lattice.of(evening, level**2).values
    assert np.abs(lut.lattice.values - wanted).max() <= 0.5 / 255 + 1e-6


def test_plates_of_sixteen_bits(tmp_path: Path) -> None:
    hald.write(tmp_path / "a.png", Lut.of(evening, 64, title="Evening"))
    lut = hald.read(tmp_path / "a.png")
    assert lut.title == "Evening"
    wanted = Lattice.of(evening, 64).values
    assert np.abs(lut.lattice.values - wanted).max() <= 0.5 / 65535 + 1e-6
    rgb = photograph()
    assert (lut.apply(rgb) - evening(rgb)).abs().max() < 1 / 255


def test_the_encodings_are_in_the_file(tmp_path: Path) -> None:
    hald.write(tmp_path / "a.png", Lut.of(evening, 16, "rec709", "linear"))
    assert "Rec.709" in json.loads(read_manifest(tmp_path / "a.png") or "")["encodings"]
    lut = hald.read(tmp_path / "a.png")
    assert (lut.input, lut.output) == ("rec709", "linear")
    assert hald.read(tmp_path / "a.png", "srgb").input == "srgb"


@pytest.mark.parametrize(("size", "fitted"), [(17, 16), (33, 36), (65, 64), (2, 4), (256, 256)])
def test_sizes(size: int, fitted: int) -> None:
    assert hald.fitted_size(size) == fitted


def test_another_size_and_domain_is_resampled(tmp_path: Path) -> None:
    lut = Lut(Lattice.of(lambda rgb: rgb / 2, 5, (-1, 0, 0), (1, 2, 1)))
    hald.write(tmp_path / "a.png", lut)
    rgb = photograph()
    assert (hald.read(tmp_path / "a.png").apply(rgb) - rgb / 2).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(512, 511), (500, 500), (1, 1), (4913, 4913), (64, 128)])
def test_other_pictures_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(LutError, match=rf"{size[0]}×{size[1]} pixels and no HaldCLUT") as error:
        hald.read(tmp_path / "a.png")
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("data", [b"", b"no picture", None])
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "a.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(LutError, match=r"a\.png .*\.$"):
        hald.read(path)


def test_a_cut_plate_is_refused(tmp_path: Path) -> None:
    hald.write(tmp_path / "a.png", Lut.of(evening, 16))
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:800])
    with pytest.raises(LutError, match="damaged"):
        hald.read(tmp_path / "a.png")
