"""`photostyle info`: what is seen of picture files."""

import argparse
import json
import sys
from typing import Any

from photostyle.commands.arguments import BAD_INPUT, add_command
from photostyle.errors import ImageError
from photostyle.kinds import LOOK, kind_of
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(commands, "info", "print what is seen of picture files", _info)
    parser.add_argument("files", metavar="FILE", nargs="+", type=expanded, help="pictures")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _info(arguments: argparse.Namespace) -> int:
    from photostyle.api.telling import info

    found, code = [], 0
    for file in arguments.files:
        try:
            found += info(file)
        except ImageError as error:  # one bad file hides none of the others
            shown = f"{file} is a look; `photostyle look show` shows it."
            print(
                f"photostyle: {shown if kind_of(file) == LOOK else error.as_typed}", file=sys.stderr
            )
            code = BAD_INPUT
    if arguments.json:
        print(json.dumps([facts.as_json() for facts in found], indent=1, ensure_ascii=False))
        return code
    for facts in found:
        print(facts.file)
        for heading, words in facts.rows():
            print(f"  {heading:9} {_printable(words)}")
    return code


def _printable(words: str) -> str:
    """Names of profiles may hold what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)
