"""The table of formats, and the lists that are made of it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from photostyle.images.formats.table import FORMATS, KEPT, OTHERS, format_of, rows, usual, written
from photostyle.images.listing import PICTURES
from photostyle.images.picture import load_image
from tests.images.pictures import jpeg, noise, png, tiff, with_chunks

README = Path(__file__).resolve().parents[2] / "README.md"
START, END = "<!-- made of photostyle/images/formats/table.py -->\n", "<!-- end -->"


def listed():
    lines = ["| format | suffixes | bits written | keeps | needs |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows())]) + "\n"


def test_the_readme_lists_the_formats() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.partition(START)[2].partition(END)[0] == listed()


def test_the_help_lists_what_is_written() -> None:
    command = [sys.executable, "-m", "photostyle", "run", "--help"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    assert " ".join(f".{word}" for word in usual()) in re.sub(r"\s+", " ", said)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.module)
def test_every_format_has_its_file_with_what_the_table_says(form) -> None:
    module = form.loaded()
    assert callable(module.read)
    assert callable(module.check)
    assert hasattr(module, "write") == bool(form.depths)
    assert hasattr(module, "knows") == form.asks
    assert set(form.keeps) <= set(KEPT)
    assert {PICTURES.count(suffix) for suffix in form.suffixes} == {1}


def test_suffixes_are_told_apart() -> None:
    every = [suffix for form in (*FORMATS, OTHERS) for suffix in form.suffixes]
    assert len(set(every)) == len(every)
    assert set(written()) <= set(every)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("PNG", png(2, noise(bits=16))),
        ("JPEG", jpeg(noise())),
        ("TIFF", tiff(noise(), photometric="rgb")),
        ("Netpbm", b"P6\n31 23\n255\n" + noise().tobytes()),
    ],
)
def test_content_counts_and_not_the_suffix(tmp_path: Path, name, data) -> None:
    assert format_of(data).name == name
    (tmp_path / "a.webp").write_bytes(data)
    assert load_image(tmp_path / "a.webp").image.shape == (1, 3, 23, 31)


def test_the_table_loads_no_format() -> None:
    code = "import photostyle.images.formats.table, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_name_that_only_begins_alike_is_no_netpbm() -> None:
    assert format_of(b"P6x" + bytes(40)) is OTHERS
    assert format_of(with_chunks(np.zeros((2, 2, 3), np.uint8))).name == "PNG"
