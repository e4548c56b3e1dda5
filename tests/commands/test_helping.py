"""Help: short where it is read, whole where it is asked for."""

import pytest

from photostyle.cli import main
from photostyle.commands.helping import USUAL
from photostyle.config.config import Config, options
from photostyle.config.options import flag
from photostyle.config.presets import PRESETS, SUMMARIES


@pytest.fixture(autouse=True)
def _a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "sweep", "batch"])
def test_the_short_help_has_what_matters(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = told([command, "--help"], capsys)
    usage, _, rest = text.partition("\n")
    assert usage.startswith(f"usage: photostyle {command} ")
    assert not rest.startswith(" ")  # the usage is one line
    for name in USUAL:
        assert f"\n  {flag(name)} " in text
    for name, sentence in SUMMARIES.items():
        assert f"  {name} " in text
        assert sentence[:40] in text
    assert "--tv-form" not in text
    assert len(text.splitlines()) < 100


def test_a_run_fits_on_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(told(["run", "--help"], capsys).splitlines()) <= 75


def test_the_long_help_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["run", "--help-all"], capsys)
    for _, field, _ in options(Config):
        assert f"\n  {flag(field.name)} " in text
    for word in ("--heatmap", "--stain-map", "--preview", "--content-mask", "==SUPPRESS=="):
        assert (word in text) == (word != "==SUPPRESS==")


def test_every_preset_has_its_sentence() -> None:
    assert list(SUMMARIES) == list(PRESETS)


def test_without_arguments_it_says_what_to_do_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "photostyle run --content PHOTO --style STYLE" in capsys.readouterr().out
