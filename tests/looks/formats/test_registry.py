"""Formats by suffix and name, and what they cannot hold."""

from pathlib import Path

import pytest

from photostyle.errors import InputError, LutError, OptionError
from photostyle.looks.formats.registry import FORMATS, export_lut, format_of, read_lut, write_lut
from photostyle.looks.lut import Lut
from tests.looks.readers import evening, photograph


@pytest.mark.parametrize("suffix", [".cube", ".CUBE", ".png", ".tif", ".clf"])
def test_what_is_exported_is_what_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    lut = export_lut(path, evening, size=33, title="Evening")
    rgb = photograph()
    assert (read_lut(path).apply(rgb) - lut.apply(rgb)).abs().max() < 1e-4
    assert (lut.apply(rgb) - evening(rgb)).abs().max() < 1 / 255


def test_every_suffix_belongs_to_one_format() -> None:
    suffixes = [suffix for form in FORMATS for suffix in form.suffixes]
    assert len(suffixes) == len({*suffixes})
    assert len({form.name for form in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(("name", "size"), [("cube", 33), ("hald", 36), ("xmp", 32), ("3dl", 33)])
def test_a_format_has_its_own_sizes(tmp_path: Path, name: str, size: int) -> None:
    form = next(form for form in FORMATS if form.name == name)
    assert export_lut(tmp_path / f"a{form.suffixes[0]}", evening, name=name).lattice.size == size


@pytest.mark.parametrize("suffix", [".png", ".xmp", ".3dl", ".itx", ".spi3d", ".cub"])
@pytest.mark.parametrize("given", ["linear", "log"])
def test_formats_without_curves_refuse_what_needs_them(
    tmp_path: Path, suffix: str, given: str
) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(LutError, match=f"no curves .* which {given} input needs"):
        export_lut(path, evening, input=given)
    with pytest.raises(LutError, match="no curves"):
        write_lut(path, Lut.of(evening, 5, given))
    assert not path.exists()


@pytest.mark.parametrize(
    ("file", "options", "error", "words"),
    [
        ("a.jpg", {}, LutError, "no suffix of a look-up table; there are .cube"),
        ("a", {}, LutError, "no suffix"),
        ("a.png", {"name": "cube"}, OptionError, "should end in .cube, as cube files do"),
        ("a.cube", {"name": "aces"}, OptionError, "no format 'aces'; there are cube, hald, xmp"),
        ("a.cube", {"size": 1}, OptionError, "size 1 is none; give 2 to 256"),
        ("a.cube", {"size": 300}, OptionError, "size 300 is none"),
        ("a.cube", {"input": "adobe"}, OptionError, "no encoding 'adobe'"),
        ("a.cube", {"output": "adobe"}, OptionError, "no encoding 'adobe'"),
        ("a.vf", {}, LutError, ".vf is read, not written"),
    ],
)
def test_what_cannot_be_exported(
    tmp_path: Path, file: str, options: dict, error: type[InputError], words: str
) -> None:
    with pytest.raises(error, match=words):
        export_lut(tmp_path / file, evening, **options)
    assert not [*tmp_path.iterdir()]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    export_lut(tmp_path / "a.xmp", evening, size=5)
    with pytest.raises(LutError, match=r"\.xmp is written, not read"):
        read_lut(tmp_path / "a.xmp")
    with pytest.raises(OptionError, match="no encoding 'film'"):
        read_lut(tmp_path / "a.cube", "film")
    with pytest.raises(LutError, match="no suffix"):
        read_lut(tmp_path / "a.doc")


def test_a_format_is_found_by_name_or_suffix() -> None:
    assert format_of(Path("a.tif")).name == "hald"
    assert format_of(Path("a.tif"), "hald").name == "hald"
