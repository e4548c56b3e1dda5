"""Help that fits on a screen: the options that matter; the rest by stage where it is asked for."""

import argparse
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any

from photostyle.config.presets import SUMMARIES

#: What most people turn, of all that the configuration has.
USUAL = (
    "size", "output_size", "photoreal_weight", "strength", "luminance", "color", "protect",
    "encoder", "segmenter", "device",
)  # fmt: skip
FIRST = """\
Begin with two photographs:

  photostyle run --content PHOTO --style STYLE --out result.png

`photostyle run --help` has the options that matter, `photostyle --help` all commands."""


def presets_told(option: str = "--preset") -> str:
    """A sentence for each preset, for the end of a help."""
    width = max(map(len, SUMMARIES))
    lines = [f"presets ({option}):"]
    for name, sentence in SUMMARIES.items():
        lines += textwrap.wrap(
            sentence, 96, initial_indent=f"  {name:{width}}  ", subsequent_indent=" " * (width + 4)
        )
    return "\n".join([*lines, "", "--help-all has every option, by the stage that reads it."])


class Wide(argparse.RawDescriptionHelpFormatter):
    """Help of a hundred columns, where the terminal has them or nobody knows."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size((100, 40)).columns
        super().__init__(prog, max_help_position=30, width=min(columns, 100) - 2)


class HelpAll(argparse.Action):
    """Prints the help with the options that are otherwise kept back."""

    def __init__(self, option_strings: Sequence[str], dest: str, **words: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **words)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for action in parser._actions:
            action.help = getattr(action, "whole_help", action.help)
        parser.epilog = None
        parser.print_help()
        parser.exit()


def keep_back(action: argparse.Action) -> None:
    """Leaves an option out of the short help; --help-all has it."""
    action.whole_help = action.help  # type: ignore[attr-defined]
    action.help = argparse.SUPPRESS


def one_line_usage(parser: argparse.ArgumentParser) -> None:
    """The usage as what must be given, and that there are options."""
    needed = [a for a in parser._actions if a.required and a.option_strings]
    placed = [a for a in parser._actions if not a.option_strings]
    words = [f"{a.option_strings[0]} {a.metavar or a.dest.upper()}" for a in needed]
    words += [str(a.metavar or a.dest.upper()) for a in placed]
    parser.usage = " ".join(["%(prog)s", *words, "[options]"])
