"""`photostyle compare methods`: several presets on one pair."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import (
    FAILED,
    INTERRUPTED,
    add_command,
    add_options,
    given_options,
)
from photostyle.commands.helping import USUAL, presets_told
from photostyle.errors import OptionError
from photostyle.places import expanded


def register(kinds: Any, name: str) -> None:
    parser = add_command(
        kinds, name, "several presets on one pair: time, calls, memory and scores", _methods
    )
    parser.add_argument(
        "content", metavar="CONTENT", type=expanded, help="photograph to be changed"
    )
    parser.add_argument(
        "style", metavar="STYLE", type=expanded, help="photograph or painting to take after"
    )
    parser.add_argument(
        "--presets", required=True, metavar="NAME,NAME,…",
        help="the methods: presets, see below, or files of options (.toml, .json); fast needs "
        "--model",
    )  # fmt: skip
    parser.add_argument(
        "--content-mask", type=expanded, help="label picture of the content's regions"
    )
    parser.add_argument("--style-mask", type=expanded, help="label picture of the style's regions")
    parser.add_argument(
        "--judge", metavar="ENCODER",
        help="whose statistics paintings are judged by (default: the best that is here and that "
        "none of the methods optimised)",
    )  # fmt: skip
    parser.add_argument(
        "--sheet", type=expanded, help="also write content, style and all results, labelled"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_options(parser, presets=False, usual=(*USUAL, "model", "iterations"))
    parser.epilog = presets_told("--presets")


def _methods(arguments: argparse.Namespace) -> int:
    from photostyle.api.methods import compare_methods
    from photostyle.images.saving import check_output
    from photostyle.runtime.progress import Progress

    pair = arguments.content, arguments.style
    masks = arguments.content_mask, arguments.style_mask
    options = given_options(arguments)
    bases = _bases(arguments.presets)
    if arguments.sheet:
        named = [*bases, options.get("model"), options.get("encoder"), arguments.judge]
        read = [*pair, *masks, *(expanded(x) for x in named if x is not None)]
        check_output(arguments.sheet, [path for path in read if path is not None])
    with Progress() as progress:
        found = compare_methods(
            *pair, bases, content_mask=masks[0], style_mask=masks[1], judge=arguments.judge,
            listener=progress, **options,
        )  # fmt: skip
    if arguments.json:
        print(json.dumps(found.rows(), indent=1))
    elif found.methods:
        print("\n".join(found.table()))
    for name, reason in found.failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    if arguments.sheet and found.methods:
        found.sheet().save(arguments.sheet)
        print(arguments.sheet, file=sys.stderr if arguments.json else sys.stdout)
    if found.interrupted:
        print("Stopped; the methods until then are told.", file=sys.stderr)
        return INTERRUPTED
    return FAILED if found.failed else 0


def _bases(words: str) -> list[str | Path]:
    """Presets by name, and files of options."""
    names = [word.strip() for word in words.split(",")]
    if not all(names):
        raise OptionError(
            f"--presets {words!r}: give names with commas between them, such as photoreal,color."
        )
    suffixes = (".toml", ".json")
    return [expanded(name) if name.lower().endswith(suffixes) else name for name in names]
