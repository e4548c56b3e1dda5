""".cube: ours in other programs, others' in ours, and what is wrong with a file in one sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.errors import LutError, OutputError
from photostyle.looks.encodings import from_srgb, to_srgb
from photostyle.looks.formats import cube
from photostyle.looks.lattice import Lattice, Shaper
from photostyle.looks.lut import Lut
from tests.looks.readers import by_ffmpeg, by_ocio, evening, photograph

LEVEL = 1 / 255
#: A whole file of two nodes a side: the result is the colour's (b, r, g).
ROWS = [f"{b} {r} {g}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]
WHOLE = ["LUT_3D_SIZE 2", *ROWS]
SOME = torch.rand(3, 50, generator=torch.Generator().manual_seed(3))


def written(path: Path, lines: list[str], end: str = "\n", code: str = "utf-8") -> Path:
    path.write_bytes((end.join(lines) + end).encode(code))
    return path


def turned(rgb: torch.Tensor) -> torch.Tensor:
    return rgb[[2, 0, 1]]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "night.cube"
    cube.write(path, Lut.of(evening, 33, title="Night"))
    return path


@pytest.mark.parametrize("how", ["trilinear", "tetrahedral"])
def test_ffmpeg_reads_ours(night: Path, how: str) -> None:
    rgb = photograph()
    wanted = evening(rgb).numpy()
    found = by_ffmpeg(rgb, "lut3d", f"file={night}:interp={how}")
    assert np.abs(found - wanted).max() < LEVEL
    assert np.abs(rgb.numpy() - wanted).max() > 0.2  # which is far from doing nothing


@pytest.mark.parametrize("best", [False, True])
def test_opencolorio_reads_ours(night: Path, best: bool) -> None:
    rgb = photograph()
    assert np.abs(by_ocio(rgb, night, best) - evening(rgb).numpy()).max() < LEVEL


@pytest.mark.parametrize("given", ["rec709", "linear", "log"])
@pytest.mark.parametrize("output", ["srgb", "rec709"])
def test_opencolorio_reads_ours_of_other_encodings(tmp_path: Path, given: str, output: str) -> None:
    rgb = photograph()
    cube.write(tmp_path / "a.cube", Lut.of(evening, 33, given, output))
    found = by_ocio(from_srgb(rgb, given), tmp_path / "a.cube")
    shown = to_srgb(torch.from_numpy(found), output).numpy()
    assert np.abs(shown - evening(rgb).numpy()).max() < 1.5 * LEVEL
    again = cube.read(tmp_path / "a.cube")
    assert (again.input, again.output) == (given, output)
    assert (again.apply(rgb) - evening(rgb)).abs().max() < 1.5 * LEVEL


def test_ours_is_read_as_it_was(night: Path) -> None:
    lut = Lut.of(evening, 33, title="Night")
    again = cube.read(night)
    assert again.title == "Night"
    assert np.abs(again.lattice.values - lut.lattice.values).max() < 1e-6


def test_the_encodings_are_written_for_people_too(tmp_path: Path) -> None:
    cube.write(tmp_path / "a.cube", Lut.of(evening, 5, "log", "rec709"))
    text = (tmp_path / "a.cube").read_text(encoding="utf-8")
    assert "Cineon" in text
    assert "gamma 2.4" in text


def test_encodings_that_are_given_win(night: Path) -> None:
    assert cube.read(night, output="rec709").output == "rec709"
    assert cube.read(night, output="rec709").input == "srgb"


@pytest.mark.parametrize(
    ("lines", "end", "code"),
    [
        (WHOLE, "\n", "utf-8"),
        (WHOLE, "\r\n", "utf-8"),
        (WHOLE, "\r", "utf-8"),
        (WHOLE, "\r\n", "utf-8-sig"),
        (WHOLE, "\n", "utf-16"),
        (["# ©", "", 'TITLE "Été"', "lut_3d_size\t2", "", *ROWS[:3], "# half", *ROWS[3:], ""], "\n",
         "latin-1"),
        ([*ROWS, "LUT_3D_SIZE 2"], "\n", "utf-8"),
        (["LUT_3D_SIZE 2", *(f"  {row.replace('1', '1.0e+0')}\t" for row in ROWS)], "\n", "utf-8"),
    ],
)  # fmt: skip
def test_files_of_other_programs(tmp_path: Path, lines: list[str], end: str, code: str) -> None:
    lut = cube.read(written(tmp_path / "a.cube", lines, end, code))
    assert (lut.apply(SOME) - turned(SOME)).abs().max() < 1e-6


def test_a_domain_is_honoured(tmp_path: Path) -> None:
    lines = [WHOLE[0], "DOMAIN_MIN -0.5 0 0.25", "DOMAIN_MAX 1.5 1 0.75", *ROWS]
    path = written(tmp_path / "a.cube", lines)
    rgb = photograph()
    low, high = np.array([-0.5, 0, 0.25]), np.array([1.5, 1, 0.75])
    place = (rgb.numpy() - low[:, None, None]) / (high - low)[:, None, None]
    wanted = turned(torch.from_numpy(place.clip(0, 1))).numpy()
    assert np.abs(cube.read(path).apply(rgb).numpy() - wanted).max() < 1e-5
    assert np.abs(by_ocio(rgb, path) - wanted).max() < 1e-5
    cube.write(tmp_path / "b.cube", cube.read(path))
    assert np.abs(by_ocio(rgb, tmp_path / "b.cube") - wanted).max() < 1e-5


def test_an_input_range_is_honoured(tmp_path: Path) -> None:
    lines = ["LUT_3D_SIZE 2", "LUT_3D_INPUT_RANGE 0.0 2.0", *ROWS]
    lut = cube.read(written(tmp_path / "a.cube", lines))
    assert (lut.apply(SOME) - turned(SOME) / 2).abs().max() < 1e-6


def test_curves_alone(tmp_path: Path) -> None:
    rows = [f"{x * x:.6f} {x:.6f} {1 - x:.6f}" for x in np.linspace(0, 1, 64)]
    path = written(tmp_path / "a.cube", ['TITLE "Curves"', "LUT_1D_SIZE 64", *rows])
    lut = cube.read(path)
    assert lut.title == "Curves"
    r, g, b = SOME
    assert (lut.apply(SOME) - torch.stack([r * r, g, 1 - b])).abs().max() < 2e-4
    assert np.abs(lut.apply(SOME).numpy() - by_ocio(SOME, path)).max() < 1e-5


def test_curves_that_go_beyond_white_or_nowhere(tmp_path: Path) -> None:
    path = written(tmp_path / "a.cube", ["LUT_1D_SIZE 2", "-0.5 0.3 0", "2 0.3 1"])
    r, _, b = SOME
    wanted = torch.stack([2.5 * r - 0.5, torch.full_like(r, 0.3), b])
    assert (cube.read(path).apply(SOME) - wanted).abs().max() < 1e-5


def test_curves_into_a_lattice(tmp_path: Path) -> None:
    curve = [f"{x:.6f} {x * x:.6f} {x:.6f}" for x in np.linspace(0, 1, 100)]
    lines = ["LUT_1D_SIZE 100", "LUT_1D_INPUT_RANGE 0 2", "LUT_3D_SIZE 2",
             "LUT_3D_INPUT_RANGE 0 1", *curve, *ROWS]  # fmt: skip
    path = written(tmp_path / "a.cube", lines)
    values = SOME * 2
    r, g, b = SOME
    found = cube.read(path).look_up(values)
    assert (found - turned(torch.stack([r, g * g, b]))).abs().max() < 2e-4
    assert np.abs(found.numpy() - by_ocio(values, path)).max() < 1e-5


def test_curves_into_a_lattice_of_another_domain_are_written(tmp_path: Path) -> None:
    shaper = Shaper(np.float32([[0.2, 0, 0], [0.5, 2, 1], [2, 2.5, 3]]), (0, 0, 0), (2, 2, 2))
    lattice = Lattice.of(evening, 9, (0.1, 0, 0), (2, 3, 3))
    lut = Lut(lattice, shaper)
    cube.write(tmp_path / "a.cube", lut)
    values = SOME * 2
    wanted = lut.look_up(values)
    assert (cube.read(tmp_path / "a.cube").look_up(values) - wanted).abs().max() < 1e-5
    assert np.abs(by_ocio(values, tmp_path / "a.cube") - wanted.numpy()).max() < 1e-5


def test_curves_of_a_range_for_each_channel_are_refused(tmp_path: Path) -> None:
    shaper = Shaper(np.eye(3, dtype=np.float32), (0, 0, 0), (1, 2, 1))
    with pytest.raises(LutError, match=r"one range .* write it as .csp or .clf"):
        cube.write(tmp_path / "a.cube", Lut(Lattice.identity(), shaper))
    assert not [*tmp_path.iterdir()]


def many(count: int) -> list[str]:
    return ["0.1 0.2 0.3"] * count


BAD: dict[str, tuple[list[str], str]] = {
    "missing lines": (WHOLE[:-2], "6 lines of values, where LUT_3D_SIZE 2 needs 8"),
    "no lines": (WHOLE[:1], "0 lines of values"),
    "too many lines": ([*WHOLE, *ROWS], "line 10: there are more lines of values than the 8"),
    "too many before the size": ([*ROWS, *ROWS, WHOLE[0]], "16 lines of values"),
    "NaN": (["LUT_3D_SIZE 2", *ROWS[:4], "nan 0 0", *ROWS[5:]], "line 6: 'nan 0 0' is not 3"),
    "infinity": (["LUT_3D_SIZE 2", *ROWS[:7], "0 -inf 0"], "line 9: '0 -inf 0'"),
    "too large": (["LUT_3D_SIZE 2", *ROWS[:7], "0 1e30 0"], "over a million"),
    "size of 1": (["LUT_3D_SIZE 1", "0 0 0"], "line 1: LUT_3D_SIZE is 1; .* from 2 to 256"),
    "size of 300": (["LUT_3D_SIZE 300", *many(9)], "LUT_3D_SIZE is 300"),
    "size of many digits": (["LUT_3D_SIZE 9" + "0" * 5000], "from 2 to 256"),
    "size below zero": (["LUT_3D_SIZE -2", *many(8)], "LUT_3D_SIZE is -2"),
    "broken size": (["LUT_3D_SIZE 2.5", *many(8)], "LUT_3D_SIZE is 2.5"),
    "size without number": (["LUT_3D_SIZE", *many(8)], "LUT_3D_SIZE is missing"),
    "size twice": (["LUT_3D_SIZE 2", *WHOLE], "line 2: LUT_3D_SIZE is there twice"),
    "curves of 70000": (["LUT_1D_SIZE 70000", *many(9)], "from 2 to 65536"),
    "no size": (ROWS, "no line LUT_3D_SIZE"),
    "text in numbers": (["LUT_3D_SIZE 2", *ROWS[:7], "0 one 0"], "line 9: '0 one 0'"),
    "a decimal comma": (["LUT_3D_SIZE 2", "0,5 0,5 0,5", *ROWS[1:]], "line 2: '0,5 0,5 0,5'"),
    "an underscore": (["LUT_3D_SIZE 2", "1_0 0 0", *ROWS[1:]], "line 2"),
    "two numbers": (["LUT_3D_SIZE 2", "0 0", *ROWS[1:]], "line 2: '0 0' is not 3 finite numbers"),
    "four numbers": (["LUT_3D_SIZE 2", "0 0 0 1", *ROWS[1:]], "line 2"),
    "an unknown word": (["LUT_4D_SIZE 2", *WHOLE], "line 1: 'LUT_4D_SIZE' is neither"),
    "video range": (["LUT_IN_VIDEO_RANGE", *WHOLE], "video range"),
    "a domain that falls": (["DOMAIN_MIN 0 1 0", "DOMAIN_MAX 1 1 1", *WHOLE], "DOMAIN_MIN 0 1 0"),
    "a domain of two": (["DOMAIN_MAX 1 1", *WHOLE], "line 1: '1 1' is not 3 finite numbers"),
    "a domain of NaN": (["DOMAIN_MAX 1 nan 1", *WHOLE], "line 1: '1 nan 1'"),
    "a range that falls": (["LUT_3D_INPUT_RANGE 1 0", *WHOLE], "LUT_3D_INPUT_RANGE 1 0"),
    "another text": (["<html>", "<body>"], "line 1: '<html>' is not 3 finite numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    lines, words = BAD[name]
    path = written(tmp_path / "a.cube", lines)
    with pytest.raises(LutError, match=words) as error:
        cube.read(path)
    one_sentence(error.value, path)


def one_sentence(error: Exception, path: Path) -> None:
    text = str(error)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text.removeprefix(str(path))) < 300


def nothing(path: Path) -> None:
    pass


def blank(path: Path) -> None:
    path.write_bytes(b"")


def white(path: Path) -> None:
    path.write_bytes(b"\r\n \t\n")


def binary(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def letters(path: Path) -> None:
    path.write_bytes(bytes(range(128, 256)) * 50)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(300 << 20)  # sparse


def cut_utf16(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, "does not exist"), (Path.mkdir, "is no file"), (blank, "is empty"),
        (white, "is empty"), (binary, "is no text"), (letters, "is not 3 finite numbers"),
        (huge, "more than the 256 MB"), (cut_utf16, "is not 3 finite"),
    ],
)  # fmt: skip
def test_no_table_at_all(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    path = tmp_path / "a.cube"
    make(path)
    with pytest.raises(LutError, match=words) as error:
        cube.read(path)
    one_sentence(error.value, path)


def test_a_title_keeps_to_its_line(tmp_path: Path) -> None:
    cube.write(tmp_path / "a.cube", Lut.of(evening, 3, title='a "b"\nLUT_3D_SIZE 7'))
    assert cube.read(tmp_path / "a.cube").lattice.size == 3


def test_no_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        cube.write(tmp_path / "file" / "a.cube", Lut.of(evening, 3))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
