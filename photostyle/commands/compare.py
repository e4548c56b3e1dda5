"""`photostyle compare`: the scores of pictures, of methods, and of a network."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from photostyle.commands import compare_fast, compare_leak, compare_methods
from photostyle.commands.arguments import add_command, noted_image, noted_photograph
from photostyle.documents import aligned
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.metrics import Scores

#: Scores in the order of the table: their headings, and how they are written.
COLUMNS = {
    "structure": ("structure", ".3f"), "edges": ("edges", ".3f"), "colour": ("ΔE", ".2f"),
    "style_taken": ("style", ".0%"), "smoothness": ("gain", ".2f"), "stain": ("stain", ".2f"),
}  # fmt: skip
#: What can be compared; `photostyle compare RESULT …` is of pictures.
PICTURES, METHODS, FAST, LEAK = "pictures", "methods", "fast", "leak"


def register(commands: Any) -> None:
    summary = "compare results, methods, or a network with what it replaces"
    parser = add_command(commands, "compare", summary, _compare)
    pictures = "[pictures] RESULT … --content CONTENT --style STYLE"
    parser.usage = f"%(prog)s {pictures} | methods … | fast … | leak …"
    parser.epilog = "A picture called methods, fast or leak is given as ./methods."
    kinds = parser.add_subparsers(required=True, metavar="WHAT", prog=parser.prog)
    _register_pictures(kinds)
    compare_methods.register(kinds, METHODS)
    compare_fast.register(kinds, FAST)
    compare_leak.register(kinds, LEAK)


def explicit(argv: list[str]) -> list[str]:
    """The command line with what is compared said, where it is pictures and is not."""
    kinds = (PICTURES, METHODS, FAST, LEAK, "-h", "--help")
    if argv[:1] != ["compare"] or (argv[1:] and argv[1] in kinds):
        return argv
    return ["compare", PICTURES, *argv[1:]]


def _register_pictures(kinds: Any) -> None:
    parser = add_command(
        kinds, PICTURES, "print the scores of results, whoever made them", _compare
    )
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
        print("\n".join(_table(scores)))
    return 0


def _table(scores: "dict[str, Scores]") -> list[str]:
    rows = [["", *(heading for heading, _ in COLUMNS.values())]]
    rows += [
        [name, *(format(getattr(s, field), form) for field, (_, form) in COLUMNS.items())]
        for name, s in scores.items()
    ]
    return aligned(rows)
