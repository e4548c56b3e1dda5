"""`photostyle render`: a finished run delivered again."""

import argparse
import sys
from typing import Any

from photostyle.commands.arguments import add_command, add_options, given_options, read_files
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(
        commands, "render", "deliver a result at another strength or size", _render
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=expanded, help="result picture, or the .json beside it"
    )
    files.add_argument("--out", type=expanded, required=True, help="picture to write")
    add_options(parser, stages=("render",), presets=False)


def _render(arguments: argparse.Namespace) -> int:
    from photostyle.api.styling import render
    from photostyle.beside import beside
    from photostyle.images.saving import check_output, lost_note
    from photostyle.result import load_recipe

    recipe = load_recipe(arguments.manifest)
    recipe.inputs.content.file("content")  # what is given in Python is not there
    read = [file.path for _, file in recipe.inputs.named() if file.path is not None]
    read += [arguments.manifest, *beside(arguments.manifest)]
    check_output(arguments.out, [*read, *read_files(arguments, recipe.config)])
    picture = render(arguments.manifest, **given_options(arguments))
    for note in picture.notes:
        print(note, file=sys.stderr)
    picture.save(arguments.out)
    if lost := lost_note(arguments.out, picture.metadata):
        print(lost, file=sys.stderr)
    print(f"{arguments.out} ({picture.image.shape[3]}×{picture.image.shape[2]})")
    return 0
