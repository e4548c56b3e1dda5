"""Whatever the three standard streams are: the work is done, and what is said is said as well as
it can be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photostyle.runtime.streams import LETTERS, NAMES

COMMAND = [sys.executable, "-m", "photostyle"]
RUN = "run --content c.png --style s.png --size 64 --iterations 1 --encoder builtin --device cpu"
NARROW = ["cp437", "cp932", "cp1252", "ascii:strict", "latin-1", "utf-16"]
#: The C locale as it is where Python does not make UTF-8 of it.
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams")
    rng = np.random.default_rng(0)
    for name in ("c.png", "s.png"):
        pixels = rng.integers(0, 256, (56, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / name)
    return path


def shell(folder: Path, script: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The script in bash, with $photostyle for the command."""
    words = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", script.replace("$photostyle", words)],
        cwd=folder, capture_output=True, timeout=300, env={**os.environ, **more},
    )  # fmt: skip


@pytest.mark.parametrize("encoding", NARROW)
def test_help_in_any_letters(folder: Path, encoding: str) -> None:
    done = shell(folder, "$photostyle run --help-all", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert done.stderr == b""
    text = done.stdout.decode(encoding.partition(":")[0])
    assert "--alpha-beta" in text
    known = {"cp437": "α/?", "cp932": "α/β", "utf-16": "α/β"}
    assert known.get(encoding, "?/?") in text


def test_a_run_with_its_bars_in_few_letters(folder: Path) -> None:
    done = shell(folder, f"$photostyle {RUN} --out few.png", PYTHONIOENCODING="ascii:strict")
    assert done.returncode == 0, done.stderr
    assert b"64x56" in done.stdout  # × in ASCII
    assert b"load ..." in done.stderr
    assert b"optimise 1/1" in done.stderr
    assert (folder / "few.json").exists()


def test_the_plain_locale(folder: Path) -> None:
    done = shell(folder, f"$photostyle {RUN} --preset color --out plain.png", **PLAIN)
    assert done.returncode == 0, done.stderr
    assert b"64x56" in done.stdout


def test_names_that_are_no_utf8_are_said_byte_for_byte(folder: Path) -> None:
    done = shell(folder, f"$photostyle {RUN} --preset color --out $'caf\\xe9.png'")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"caf\xe9.png (64\xc3\x9756")
    assert (folder / os.fsdecode(b"caf\xe9.json")).exists()


@pytest.mark.parametrize(
    "script",
    [
        "$photostyle config | head -n 1",
        "$photostyle --help | head -n 1",
        "$photostyle run --help | true",
        "$photostyle config --preset disco 2>&1 >/dev/null | true",
        "$photostyle segment c.png --segmenter none --out regions 2>/dev/null | head -n 1",
    ],
)
def test_a_pipe_that_nobody_reads_ends_quietly(folder: Path, script: str) -> None:
    done = shell(folder, f"{script}; echo ${{PIPESTATUS[0]}}")
    lines = done.stdout.split()
    assert int(lines[-1]) == (2 if "disco" in script else 0)
    assert done.stderr == b""


def test_work_goes_on_when_the_reader_is_gone(folder: Path) -> None:
    words = f"{RUN} --preset color --out gone.png --sheet sheet.png --stain-map stains.png"
    done = shell(folder, f"($photostyle {words}; echo $? >code) 2>&1 | head -c 1")
    assert done.stdout == b"l"
    assert (folder / "code").read_text().strip() == "0"
    for name in ("gone.json", "sheet.png", "stains.png"):
        assert (folder / name).exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(folder: Path, closed: str) -> None:
    assert shell(folder, f"$photostyle config {closed}").returncode == 0
    assert shell(folder, f"$photostyle config --preset disco {closed}").returncode == 2


def test_a_run_without_streams(folder: Path) -> None:
    before = (folder / "c.png").read_bytes()
    done = shell(
        folder, f"$photostyle {RUN} --preset color --out mute.png --sheet mutes.png <&- >&- 2>&-"
    )
    assert done.returncode == 0
    assert (done.stdout, done.stderr) == (b"", b"")
    assert json.loads((folder / "mute.json").read_text())["picture"] == "mute.png"
    for name in ("mute.png", "mutes.png"):
        with Image.open(folder / name) as picture:  # nothing that was said is in it
            picture.load()
    assert (folder / "c.png").read_bytes() == before


def test_workers_without_streams(folder: Path) -> None:
    grid = f"sweep {RUN.removeprefix('run')} --preset color --grid strength=0,1 --jobs 2"
    done = shell(folder, f"$photostyle {grid} --out sweep <&- >&- 2>&-")
    assert done.returncode == 0
    states = json.loads((folder / "sweep/scores.json").read_text())
    assert [row["state"] for row in states] == ["done", "done"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_full_disk_is_no_closed_pipe(folder: Path) -> None:
    done = shell(folder, "$photostyle config >/dev/full")
    assert done.returncode == 2
    assert done.stderr == (
        b"photostyle: Standard output cannot be written: No space left on device.\n"
    )


def test_names_cannot_speak_to_the_terminal(folder: Path) -> None:
    done = shell(folder, "$photostyle compare $'a\\x1b[2J\\nb' --content c.png --style s.png")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("3×4 → é …", "ascii", b"3x4 -> e ..."),
        ("é", "cp1252", b"\xe9"),
        ("日本", "cp437", b"??"),
        ("日本", "cp932", "日本".encode("cp932")),
        ("a\udce9b", "utf-16-le", "a?b".encode("utf-16-le")),
        ("\ud800", "utf-8", b"?"),
    ],
)
def test_letters_are_written_as_well_as_can_be(text: str, encoding: str, written: bytes) -> None:
    assert text.encode(encoding, LETTERS) == text.encode(encoding, NAMES) == written


def test_bytes_of_names_are_for_programs_alone() -> None:
    assert "a\udce9b".encode("utf-8", NAMES) == b"a\xe9b"
    assert "a\udce9b".encode("utf-8", LETTERS) == b"a?b"
