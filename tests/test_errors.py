"""Sentences on options: with keywords for Python, as typed for the command line."""

import copy
import pickle
from pathlib import Path

import pytest
from PIL import Image

import photostyle
from photostyle.cli import main
from photostyle.errors import OptionError, SolveError

SAID = {
    "--photoreal-weight is 'big'; it must be a number.": "photoreal_weight is 'big'; it must be a "
    "number.",
    "--alpha-beta and --content-weight: give one of them.": "alpha_beta and content_weight: give "
    "one of them.",
    "It needs a network; give --model FILE, as `photostyle train --method fast` writes it.": "It "
    "needs a network; give model=FILE, as `photostyle train --method fast` writes it.",
    "--from takes a mirror.": "--from takes a mirror.",
    "out/--odd--name.png is a folder; give another --out.": "out/--odd--name.png is a folder; give "
    "another out.",
}


@pytest.mark.parametrize("typed", SAID)
def test_python_reads_keywords_and_the_command_line_options(typed: str) -> None:
    for error in (OptionError(typed), pickle.loads(pickle.dumps(OptionError(typed)))):
        assert str(error) == f"{error}" == SAID[typed]
        assert error.as_typed == typed
    assert str(copy.copy(SolveError(typed))) == SAID[typed]


def test_one_mistake_from_python_and_from_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(OptionError, match=r"^photoreal_weight is 'much'; it must be a finite num"):
        photostyle.stylize("a.png", "b.png", photoreal_weight="much")  # type: ignore[arg-type]
    words = "run --content a.png --style b.png --photoreal-weight much"
    assert main(words.split()) == 2
    assert capsys.readouterr().err.startswith("photostyle: --photoreal-weight is 'much'; it must")


def test_a_mistake_inside_another_sentence_is_typed_as_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = "sweep --content a.png --style b.png --grid style_weight=1,much --out o"
    assert main(words.split()) == 2
    assert "--grid style_weight=1,much: --style-weight is 'much'" in capsys.readouterr().err
    with pytest.raises(OptionError, match=r"^grid style_weight=1,much: style_weight is 'much'"):
        photostyle.sweep("a.png", "b.png", {"style_weight": "1,much"}, out="o")


@pytest.mark.parametrize(
    "words",
    [
        "run --content a.png --style b.png --out r.png",
        "segment a.png --style b.png --out o",
        "sweep --content a.png --style b.png --grid size=64,80 --out o",
        "batch a.png --style b.png --out o",
        "look fit --content a.png --style b.png --out a.look",
        "run --content f.mp4 --style b.png --out f2.mp4",
    ],
)
@pytest.mark.parametrize("given", ["content", "style"])
def test_a_mask_without_its_partner_is_one_sentence_everywhere(
    words: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "m.png"):
        Image.new("RGB", (64, 64), (90, 120, 200)).save(name)
    (tmp_path / "f.mp4").touch()
    assert main([*words.split(), f"--{given}-mask", "m.png"]) == 2
    missing = {"content": "style", "style": "content"}[given]
    said = f"--{missing}-mask is missing: masks come in pairs, and --{given}-mask was given."
    assert capsys.readouterr().err.endswith(f"{said}\n")


def test_shares_are_read_as_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    words = "apply a.png --model n.safetensors --out o --style b.png --style-blend"
    assert main([*words.split(), "0.5,much"]) == 2
    assert "--style-blend is 'much'; it must be a number." in capsys.readouterr().err
