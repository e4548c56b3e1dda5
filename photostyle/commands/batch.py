"""`photostyle batch`: many pairs."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command, add_options, chosen, given_options
from photostyle.commands.running import add_format, add_running, running_options, tell, told
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(
        commands, "batch", "style many pairs, from a jobs file or from folders", _batch
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "jobs_file",
        nargs="?",
        type=expanded,
        metavar="JOBS",
        help="jobs.yaml or "
        "jobs.csv: content, style, content_mask, style_mask, name and any option for "
        "each job",
    )
    files.add_argument(
        "--pairs",
        type=expanded,
        metavar="DIR",
        help="folder with content/ and style/, "
        "and content_mask/ and style_mask/ if wanted: equal names make a pair; a "
        "single style serves all",
    )
    add_format(files)
    add_running(parser)
    add_options(parser)


def _batch(arguments: argparse.Namespace) -> int:
    from photostyle.api.many import batch

    runs = batch(
        arguments.jobs_file, pairs=arguments.pairs, out=arguments.out, config=chosen(arguments),
        format=arguments.format, progress=tell,
        **given_options(arguments), **running_options(arguments),
    )  # fmt: skip
    return told(runs)
