"""`photostyle post`: finished pictures through post-processing operations."""

import argparse
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import add_command
from photostyle.commands.running import add_running, execute
from photostyle.errors import OptionError
from photostyle.places import expanded


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
        "inputs", metavar="INPUT", nargs="+", type=expanded, help="pictures, or folders of pictures"
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
        type=expanded,
        help="the photograph that the pictures were made of, "
        "or a folder of photographs with the pictures' names; without it, the one "
        "that a picture's manifest names",
    )
    add_running(parser)


def _post(arguments: argparse.Namespace) -> int:
    from photostyle.images.saving import FORMATS
    from photostyle.jobs.campaign import Plan
    from photostyle.jobs.chains import parse_operation, post_jobs

    chain = tuple(parse_operation(text) for text in (arguments.operation, *arguments.then))
    pictures = [path for given in arguments.inputs for path in _pictures(given)]
    jobs = post_jobs(pictures, chain, arguments.content, tuple(FORMATS))
    return execute(Plan(" → ".join(map(str, chain)), tuple(jobs)), arguments)


def _pictures(given: Path) -> list[Path]:
    from photostyle.images.listing import pictures_in
    from photostyle.jobs.report import results

    if not given.is_dir():
        return [given]
    found = results(given)
    if found is None:
        found = pictures_in(given)
    if not found:
        raise OptionError(f"{given}: there is no picture in this folder.")
    return found
