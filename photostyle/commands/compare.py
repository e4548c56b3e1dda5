"""`photostyle compare`: the scores of any pictures, ours or other tools'."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command, noted_image, noted_photograph
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.metrics import Scores

#: Scores in the order of the table: their headings, and how they are written.
COLUMNS = {
    "structure": ("structure", ".3f"), "edges": ("edges", ".3f"), "colour": ("ΔE", ".2f"),
    "style_taken": ("style", ".0%"), "smoothness": ("gain", ".2f"), "stain": ("stain", ".2f"),
}  # fmt: skip


def register(commands: Any) -> None:
    parser = add_command(
        commands, "compare", "print the scores of results, whoever made them", _compare
    )
    parser.epilog = "compare fast: a trained network against the optimisation it replaces."
    parser.add_argument("results", metavar="RESULT", nargs="+", type=expanded, help="pictures")
    parser.add_argument("--content", required=True, type=expanded, help="what they were made of")
    parser.add_argument("--style", required=True, type=expanded, help="what they were made after")
    parser.add_argument(
        "--content-mask", type=expanded, help="label picture of the content's regions"
    )
    parser.add_argument("--style-mask", type=expanded, help="label picture of the style's regions")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _compare(arguments: argparse.Namespace) -> int:
    from photostyle.api.judging import compare

    content, style = map(noted_photograph, (arguments.content, arguments.style))
    results = {str(path): noted_image(path) for path in arguments.results}
    scores = compare(
        results, content, style,
        content_mask=arguments.content_mask, style_mask=arguments.style_mask,
    )  # fmt: skip
    if arguments.json:
        print(json.dumps({name: vars(s) for name, s in scores.items()}, indent=1))
    else:
        print(_table(scores))
    return 0


def _table(scores: "dict[str, Scores]") -> str:
    rows = [["", *(heading for heading, _ in COLUMNS.values())]]
    rows += [
        [name, *(format(getattr(s, field), form) for field, (_, form) in COLUMNS.items())]
        for name, s in scores.items()
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        [row[0].ljust(widths[0]), *(w.rjust(n) for w, n in zip(row[1:], widths[1:], strict=True))]
        for row in rows
    )
    return "\n".join("  ".join(line).rstrip() for line in lines)
