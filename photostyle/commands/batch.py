"""`photostyle batch`: many pairs."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command, add_options
from photostyle.commands.running import add_format, add_running, configure_with, execute
from photostyle.errors import OptionError
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
    from photostyle.jobs.batch import Batch

    if (arguments.jobs_file is None) == (arguments.pairs is None):
        raise OptionError("batch takes a jobs file or --pairs DIR; give one of them.")
    batch = Batch(arguments.out, configure_with(arguments), f".{arguments.format}")
    if arguments.pairs:
        plan = batch.from_pairs(arguments.pairs)
    else:
        plan = batch.from_file(arguments.jobs_file)
    return execute(plan, arguments)
