"""`photostyle render`: a finished run delivered again."""

import argparse
import sys
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import add_command, add_options, given_options


def register(commands: Any) -> None:
    parser = add_command(
        commands, "render", "deliver a result at another strength or size", _render
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=Path, help="result picture, or the .json beside it"
    )
    files.add_argument("--out", type=Path, required=True, help="picture to write")
    add_options(parser, stages=("render",), presets=False)


def _render(arguments: argparse.Namespace) -> int:
    from photostyle.api.styling import render
    from photostyle.images.saving import check_output
    from photostyle.result import load_recipe

    content = load_recipe(arguments.manifest).inputs.content.file("content")
    check_output(arguments.out, [content, arguments.manifest])
    picture = render(arguments.manifest, **given_options(arguments))
    for note in picture.notes:
        print(note, file=sys.stderr)
    picture.save(arguments.out)
    print(f"{arguments.out} ({picture.image.shape[3]}×{picture.image.shape[2]})")
    return 0
