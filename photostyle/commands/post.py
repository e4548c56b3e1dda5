"""`photostyle post`: finished pictures through post-processing operations."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command
from photostyle.commands.running import add_running, running_options, tell, told
from photostyle.config.rendering import DEPTHS
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
    files.add_argument(
        "--bit-depth",
        choices=DEPTHS,
        help="bits of each channel in the results' files: 8, 16 or keep (default: keep)",
    )
    add_running(parser)


def _post(arguments: argparse.Namespace) -> int:
    from photostyle.api.many import post

    runs = post(
        arguments.inputs, [arguments.operation, *arguments.then], content=arguments.content,
        bit_depth=arguments.bit_depth, out=arguments.out, progress=tell,
        **running_options(arguments),
    )  # fmt: skip
    return told(runs)
