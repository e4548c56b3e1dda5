"""Formats through OpenColorIO: there and back, and what it does not take, in a sentence."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.errors import LutError
from photostyle.looks.encodings import from_srgb, to_srgb
from photostyle.looks.formats import ocio
from photostyle.looks.formats.registry import FORMATS
from photostyle.looks.lattice import Lattice, Shaper
from photostyle.looks.lut import Lut
from tests.looks.readers import by_ocio, evening, photograph

LEVEL = 1 / 255
SAYING = {suffix for form in FORMATS if form.says for suffix in form.suffixes}
CURVED = [suffix for suffix, (_, curved) in ocio.WRITTEN.items() if curved]


@pytest.mark.parametrize("suffix", sorted(ocio.WRITTEN))
def test_there_and_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    ocio.write(path, Lut.of(evening, 33, output="rec709", title="Evening"))
    rgb = photograph()
    shown = to_srgb(torch.from_numpy(by_ocio(rgb, path)), "rec709").numpy()
    assert np.abs(shown - evening(rgb).numpy()).max() < 1.2 * LEVEL
    again = ocio.read(path) if suffix in SAYING else ocio.read(path, output="rec709")
    assert again.output == "rec709"
    assert (again.apply(rgb) - evening(rgb)).abs().max() < 1.2 * LEVEL


@pytest.mark.parametrize("suffix", CURVED)
@pytest.mark.parametrize("given", ["linear", "log"])
def test_there_and_back_with_curves(tmp_path: Path, suffix: str, given: str) -> None:
    path = tmp_path / f"a{suffix}"
    ocio.write(path, Lut.of(evening, 33, given))
    rgb = photograph()
    found = by_ocio(from_srgb(rgb, given), path)
    assert np.abs(found - evening(rgb).numpy()).max() < 1.2 * LEVEL
    again = ocio.read(path) if suffix in SAYING else ocio.read(path, given)
    assert again.input == given
    assert (again.apply(rgb) - evening(rgb)).abs().max() < 1.2 * LEVEL


def test_a_domain_goes_through(tmp_path: Path) -> None:
    lut = Lut(Lattice.of(evening, 33, (-0.5, 0, 0), (1.5, 1, 2)))
    rgb = photograph()
    for suffix in (".clf", ".csp", ".spi3d"):
        ocio.write(tmp_path / f"a{suffix}", lut)
        found = by_ocio(rgb, tmp_path / f"a{suffix}")
        assert np.abs(found - lut.apply(rgb).numpy()).max() < LEVEL


FOREIGN = Shaper(np.float32([[0.2, 0, 0], [0.5, 0.2, 1], [0.8, 1, 0.5]]), (0, 0, 0), (1, 1, 1))


def test_foreign_curves_go_through_as_clf(tmp_path: Path) -> None:
    lut = Lut(Lattice.of(evening, 33), FOREIGN)
    ocio.write(tmp_path / "a.clf", lut)
    rgb = photograph()
    assert np.abs(by_ocio(rgb, tmp_path / "a.clf") - lut.apply(rgb).numpy()).max() < 1e-5
    assert (ocio.read(tmp_path / "a.clf").apply(rgb) - lut.apply(rgb)).abs().max() < 3 * LEVEL


@pytest.mark.parametrize("suffix", [".csp", ".lut"])
def test_foreign_curves_are_refused_where_they_would_come_out_wrong(
    tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(LutError, match=r"rise from 0 to 1, and this table's do not; take .clf"):
        ocio.write(tmp_path / f"a{suffix}", Lut(Lattice.of(evening, 5), FOREIGN))
    assert not [*tmp_path.iterdir()]


def test_curves_alone_are_read(tmp_path: Path) -> None:
    lines = [
        "Version 1",
        "From 0.0 1.0",
        "Length 3",
        "Components 1",
        "{",
        "0.0",
        "0.25",
        "1.0",
        "}",
    ]
    (tmp_path / "a.spi1d").write_text("\n".join(lines) + "\n")
    rgb = photograph()
    curve = Shaper(np.float32([[0] * 3, [0.25] * 3, [1] * 3]))
    found = ocio.read(tmp_path / "a.spi1d").apply(rgb)
    assert (found - curve.apply(rgb)).abs().max() < LEVEL


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.spi3d"
    for gain in (1.0, 0.5):
        ocio.write(path, Lut(Lattice.of(lambda rgb, gain=gain: rgb * gain, 3)))
        assert ocio.read(path).lattice.values.max() == pytest.approx(gain)


@pytest.mark.parametrize("suffix", sorted([*ocio.WRITTEN, *ocio.READ]))
@pytest.mark.parametrize("data", [b"no table\n", b"\0\1\2\xff" * 99, b"", None])
def test_what_is_no_table(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, data: bytes | None
) -> None:
    path = tmp_path / f"a{suffix}"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(LutError) as error:
        ocio.read(path)
    text = str(error.value)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text
    assert capfd.readouterr() == ("", "")


def test_a_file_that_ends_within_its_description(tmp_path: Path) -> None:
    path = tmp_path / "a.csp"
    ocio.write(path, Lut.of(evening, 5))
    path.write_bytes(path.read_bytes()[:70])  # at which OpenColorIO would look for its end forever
    with pytest.raises(LutError, match="damaged or incomplete"):
        ocio.read(path)


@pytest.mark.parametrize("size", [1, 300, 5000])
def test_sizes_that_are_none_are_told(tmp_path: Path, size: int) -> None:
    head = f"SPILUT 1.0\n3 3\n{size} {size} {size}\n"
    (tmp_path / "a.spi3d").write_text(f"{head}0 0 0 0 0 0\n")
    with pytest.raises(LutError, match=rf"a.spi3d is no table .* '{size} {size} {size}'\.$"):
        ocio.read(tmp_path / "a.spi3d")


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    ocio.write(tmp_path / "a.spi3d", Lut(Lattice.identity(2)))
    text = (tmp_path / "a.spi3d").read_text().replace("1.000000", "nan")
    (tmp_path / "a.spi3d").write_text(text)
    with pytest.raises(LutError, match="NaN"):
        ocio.read(tmp_path / "a.spi3d")


def test_without_opencolorio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PyOpenColorIO", None)
    path = tmp_path / "a.3dl"
    with pytest.raises(LutError, match=r"pip install 'photostyle\[ocio\]'\.$"):
        ocio.write(path, Lut.of(evening, 5))
    assert not path.exists()
    path.write_text("x")
    with pytest.raises(LutError, match=r"pip install 'photostyle\[ocio\]'\.$"):
        ocio.read(path)
