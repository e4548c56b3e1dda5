"""`photostyle segment`: the regions of a picture, or those that two have in common."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command, add_options, given_options, read_files
from photostyle.config.config import Config
from photostyle.config.stages import SEGMENTERS
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.api.regions import Regions


def register(commands: Any) -> None:
    parser = add_command(
        commands, "segment", "write the regions of a picture, or of two that pair up", _segment
    )
    files = parser.add_argument_group("files")
    files.add_argument("content", metavar="IMAGE", type=expanded, help="photograph to be changed")
    files.add_argument("--style", type=expanded, help="photograph to take after")
    files.add_argument("--content-mask", type=expanded, help="masks of IMAGE, to be written again")
    files.add_argument("--style-mask", type=expanded, help="masks of the style")
    files.add_argument(
        "--out", type=expanded, required=True,
        help="folder for the label pictures (content-labels.png, style-labels.png), preview.png "
        "and regions.txt",
    )  # fmt: skip
    files.add_argument(
        "--against", metavar="|".join(SEGMENTERS), choices=SEGMENTERS,
        help="also show what this segmenter makes of them, as a second row of the preview",
    )  # fmt: skip
    add_options(parser, stages=("segmentation",), presets=False)


def _segment(arguments: argparse.Namespace) -> int:
    from photostyle.api.regions import check_regions
    from photostyle.api.styling import segment

    paths = [p for p in (arguments.content, arguments.style) if p is not None]
    masks = (arguments.content_mask, arguments.style_mask)
    given = [p for p in masks if p is not None]
    options = given_options(arguments)
    read = read_files(arguments, Config().with_options(options))
    check_regions(arguments.out, len(paths), [*paths, *given, *read])

    def found_by(options: dict[str, Any]) -> "Regions":
        return segment(
            arguments.content, arguments.style, content_mask=masks[0], style_mask=masks[1],
            **options,
        )  # fmt: skip

    found, others = found_by(options), []
    for note in found.notes:
        print(note, file=sys.stderr)
    if arguments.against:
        others.append(found_by({**options, "segmenter": arguments.against}))
    written = found.save(arguments.out, others)
    print("\n".join([*found.table(), *map(str, written)]))
    return 0
