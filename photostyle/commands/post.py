"""`photostyle post`: finished pictures through post-processing operations."""

import argparse
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import add_command
from photostyle.commands.running import add_running, execute, pictures_in


def register(commands: Any) -> None:
    parser = add_command(commands, "post", "post-process finished pictures", _post)
    files = parser.add_argument_group("files")
    files.add_argument(
        "operation",
        metavar="OP",
        help="bilateral, guided, joint-bilateral, affine or "
        "median, with parameters if wanted: bilateral:d=9,sigma_color=0.1",
    )
    files.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=Path, help="pictures, or folders of pictures"
    )
    files.add_argument(
        "--then",
        action="append",
        default=[],
        metavar="OP",
        help="another operation after that; may be given several times",
    )
    files.add_argument(
        "--content",
        type=Path,
        help="the photograph that the pictures were made of, "
        "or a folder of photographs with the pictures' names; without it, the one "
        "that a picture's manifest names",
    )
    add_running(parser)


def _post(arguments: argparse.Namespace) -> int:
    from photostyle.images.saving import FORMATS, check_output
    from photostyle.jobs.campaign import Plan
    from photostyle.jobs.chains import parse_operation, post_jobs

    chain = tuple(parse_operation(text) for text in (arguments.operation, *arguments.then))
    pictures = [path for given in arguments.inputs for path in pictures_in(given)]
    jobs = post_jobs(pictures, chain, arguments.content, tuple(FORMATS))
    for job in jobs:
        check_output(arguments.out / f"{job.name}{job.suffix}", job.files())
    return execute(Plan(" → ".join(map(str, chain)), tuple(jobs)), arguments)
