"""`photostyle compare`: the scores of any pictures, ours or other tools'."""

import argparse
import json
<<<<<<< HEAD
import sys
from pathlib import Path
=======
>>>>>>> main
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command, noted_image
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
<<<<<<< HEAD
    from photostyle.images.photograph import photograph, unframed
    from photostyle.images.picture import fit_size, image_size, load_image, resize
    from photostyle.metrics import LONG_SIDE, measure
    from photostyle.segmentation.masks import counted
    from photostyle.segmentation.segmenter import load_masks

    photos = [photograph(load_image(path)) for path in (arguments.content, arguments.style)]
    for note in (note for photo in photos for note in photo.notes):
        print(note, file=sys.stderr)
    content, style = (
        resize(photo.image, fit_size(image_size(photo.image), LONG_SIDE)) for photo in photos
    )
    mine, its = (
        photo.weight_at(image_size(x)) for photo, x in zip(photos, (content, style), strict=True)
    )
    files = arguments.content_mask, arguments.style_mask
    masks = load_masks(*files, content, style, (mine, its))
    own = counted(masks.content, mine)
    pictures = {
        str(path): unframed(load_image(path).image, photos[0]) for path in arguments.results
    }
    scores = {
        name: measure(image, content, style, own, masks.style, mine)
        for name, image in {"(content)": content, **pictures}.items()
    }
=======
    from photostyle.api.judging import compare

    content, style = noted_image(arguments.content), noted_image(arguments.style)
    results = {str(path): noted_image(path) for path in arguments.results}
    scores = compare(
        results, content, style,
        content_mask=arguments.content_mask, style_mask=arguments.style_mask,
    )  # fmt: skip
>>>>>>> main
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
