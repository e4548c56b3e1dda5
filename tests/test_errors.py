"""Sentences on options: with keywords for Python, as typed for the command line."""

import copy
import pickle

import pytest

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
