"""`compare_methods` and the command: several presets on one pair."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.cli import main
from photostyle.encoders.untrained import untrained
from photostyle.encoders.weights import load_encoder
from photostyle.errors import OptionError
from photostyle.feedforward.style_model import build_network, save_model
from photostyle.images.given import picture_of
from photostyle.images.photograph import photograph
from photostyle.images.sheets import Cell, drawn_grid
from photostyle.jobs.methods import Judge, judge_of
from tests.feedforward.test_style_model import info

RNG = np.random.default_rng(3)
#: A soft content, and a style of stripes of many widths.
CONTENT = np.linspace(0.2, 0.8, 96)[None, :, None] * np.array([0.9, 0.7, 0.5]) * np.ones((72, 1, 1))
BARS = np.cumsum(RNG.random(170) < 0.3)[np.indices((72, 96)).sum(0)] % 2
STYLE = BARS[..., None] * np.array([0.9, 0.4, 0.2]) + 0.05
SHORT = {"size": 96, "iterations": 2, "encoder": "builtin"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, array in (("content.png", CONTENT), ("style.png", STYLE)):
        Image.fromarray((array * 255).astype(np.uint8)).save(name)
    save_model(Path("net.safetensors"), build_network(info().config.network), info())
    return tmp_path


def test_one_row_for_each_method_with_the_scores_of_its_kind() -> None:
    told: list[photostyle.Update] = []
    found = photostyle.compare_methods(
        CONTENT, STYLE, ["color", "gatys"], progress=told.append, **SHORT
    )
    color, gatys = found.rows()
    assert (color["method"], color["kind"], color["calls"]) == ("color", "photograph", 0)
    assert (gatys["method"], gatys["kind"]) == ("gatys", "painting")
    assert gatys["calls"] >= 2
    assert gatys["size"] == [96, 72]
    assert set(color) & {"structure", "stain", "style_taken"}
    assert "statistics" not in color
    assert "structure" not in gatys
    assert 0 <= gatys["statistics"] <= 1
    assert min(color["seconds"], gatys["seconds"]) > 0
    assert {update.stage for update in told} >= {"color", "gatys", "optimise"}
    assert found["color"].config.preset == "color"
    lines = found.table()
    assert lines[0].split()[:4] == ["seconds", "calls", "memory", "structure"]
    assert lines[1].split()[0] == "color"
    assert lines[1].split()[-1] == "–"
    assert "random VGG-19" in lines[-1]
    assert found.judge == "random VGG-19"


def test_the_sheet_has_them_all_and_leaves_the_inputs_alone(folder: Path) -> None:
    found = photostyle.compare_methods("content.png", "style.png", ["color"], **SHORT)
    height, width = found.sheet().image.shape[2:]
    assert width > 2 * 400
    assert height > 2 * 300
    with pytest.raises(photostyle.PhotostyleError, match="one of the inputs"):
        found.sheet().save("style.png")


def test_configs_have_the_names_that_they_are_given() -> None:
    found = photostyle.compare_methods(
        CONTENT, STYLE, {"all": "color", "half": photostyle.preset("color")}, **SHORT
    )
    assert [method.name for method in found.methods] == ["all", "half"]
    with pytest.raises(photostyle.PhotostyleError, match="color is there twice"):
        photostyle.compare_methods(CONTENT, STYLE, ["color", "color"])


def test_a_judge_knows_a_texture_from_its_colours() -> None:
    content, style = (photograph(picture_of(x, "It")) for x in (CONTENT, STYLE))
    for encoder in (untrained(), load_encoder("builtin")[0]):
        judge = Judge(encoder, content, style)
        shuffled = STYLE.reshape(-1, 3)[RNG.permutation(72 * 96)].reshape(STYLE.shape)
        worth = [
            judge.taken(picture_of(x, "It").image)
            for x in (CONTENT, shuffled, np.roll(STYLE, 8, axis=1), STYLE)
        ]
        assert worth[0] == 0.0
        assert worth[1] < 0.5 < 0.8 < worth[2]
        assert worth[3] == pytest.approx(1.0, abs=1e-3)


def test_nobody_is_judged_by_what_it_optimised() -> None:
    gatys = photostyle.preset("gatys").with_options({"encoder": "builtin"})
    assert judge_of(None, {"gatys": gatys}).name == "random VGG-19"
    with pytest.raises(OptionError, match="the encoder that gatys optimised"):
        judge_of("builtin", {"gatys": gatys})
    fast = photostyle.preset("fast")
    assert judge_of(None, {"none": replace(fast)}).name == "builtin"


def test_the_network_of_nothing_is_always_the_same() -> None:
    torch.manual_seed(5)
    first = untrained().fingerprint
    torch.manual_seed(6)
    assert untrained().fingerprint == first


def test_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "compare methods content.png style.png --presets color,fast --model net.safetensors"
    words = [*words.split(), "--size", "96", "--iterations", "2", "--sheet", "sheet.png"]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[1:3]] == ["color", "fast"]
    assert out[-1] == "sheet.png"
    assert "by encoder builtin" in out[-2]
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 800
    assert main([*words, "--json"]) == 0
    told = capsys.readouterr()
    assert [row["method"] for row in json.loads(told.out)] == ["color", "fast"]
    assert "sheet.png" in told.err


REFUSED = {
    "a network is missing": ("--presets color,fast", "needs a trained network; give --model FILE"),
    "unknown preset": ("--presets colour", "there is no such preset; choose from photoreal"),
    "twice": ("--presets color,color", "color is there twice"),
    "nothing": ("--presets ,", "give names with commas"),
    "sheet over the style": ("--presets color --sheet style.png", "style.png is one of the inputs"),
    "missing file of options": ("--presets no.toml", "no.toml"),
    "judge in its own cause": (
        "--presets gatys --encoder builtin --judge builtin",
        "--judge builtin is the encoder that gatys optimised",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    words, sentence = REFUSED[case]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["compare", "methods", "content.png", "style.png", *words.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("photostyle: ")
    assert sentence in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_picture_called_as_a_kind_of_comparison(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("content.png").rename("methods")
    words = "--content ./methods --style style.png"
    assert main(["compare", "./methods", *words.split()]) == 0
    assert main(["compare", "pictures", "methods", *words.split()]) == 0
    assert capsys.readouterr().out.count("(content)") == 2


def test_a_network_beside_the_optimisation(folder: Path) -> None:
    with pytest.raises(photostyle.PhotostyleError, match="is not the style of net"):
        photostyle.compare_fast(CONTENT, "net.safetensors", STYLE)


def test_a_grid_has_a_place_for_each_cell() -> None:
    cell = Cell(Image.new("RGB", (300, 200)), ("one", "two"))
    one, four = drawn_grid([cell], 1), drawn_grid([cell] * 4, 2, [cell])
    assert four.width > 2 * 300
    assert four.height > 2.9 * one.height
