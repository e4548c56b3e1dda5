"""`photostyle batch`: the photographs of a folder, or many pairs."""

import argparse
from typing import Any

from photostyle.commands.arguments import (
    add_command,
    add_options,
    add_side_files,
    chosen,
    given_options,
)
from photostyle.commands.helping import keep_back
from photostyle.commands.running import add_format, add_running, running_options, tell, told
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(commands, "batch", "style a folder of photographs, or many pairs", _batch)
    files = parser.add_argument_group("files")
    files.add_argument(
        "inputs",
        nargs="*",
        type=expanded,
        metavar="PHOTOGRAPHS",
        help="with --style: photographs, folders of them (searched to the bottom), or globs; "
        "without: one jobs.yaml or jobs.csv with content, style, content_mask, style_mask, name "
        "and any option for each job",
    )
    files.add_argument(
        "--style", type=expanded, nargs="+", action="extend", metavar="STYLE",
        help="what all photographs take after; several are blended (see --style-blend)",
    )  # fmt: skip
    files.add_argument(
        "--content-mask",
        type=expanded,
        help="label picture of the one photograph's regions; for several a folder of masks with "
        "the photographs' names",
    )
    files.add_argument("--style-mask", type=expanded, help="label picture of the style's regions")
    files.add_argument(
        "--pairs",
        type=expanded,
        metavar="DIR",
        help="folder with content/ and style/, "
        "and content_mask/ and style_mask/ if wanted: equal names make a pair; a "
        "single style serves all",
    )
    add_format(files, keep=True)
    keep_back(
        add_side_files(
            files,
            "folder for manifests, colour maps and heat maps, in place of the results'; or none, "
            "and they are not written",
        )
    )
    add_running(parser)
    add_options(parser)


def _batch(arguments: argparse.Namespace) -> int:
    from photostyle.api.batches import batch

    given: Any = batch  # which of its forms is meant is told apart there
    runs = given(
        arguments.inputs or None, arguments.style, pairs=arguments.pairs,
        content_mask=arguments.content_mask, style_mask=arguments.style_mask, out=arguments.out,
        config=chosen(arguments), format=arguments.format, side_files=arguments.side_files,
        progress=tell, **given_options(arguments), **running_options(arguments),
    )  # fmt: skip
    return told(runs)
