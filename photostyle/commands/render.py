"""`photostyle render`: a finished run delivered again, or a folder of them."""

import argparse
import sys
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import (
    add_command,
    add_options,
    add_side_files,
    given_options,
    read_files,
)
from photostyle.commands.running import add_running, running_options, tell, told
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(
        commands, "render", "deliver results at another strength, size or depth", _render
    )
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=expanded,
        help="result picture, or the .json beside it; or a folder of results, such as the --out of "
        "a batch",
    )  # fmt: skip
    add_side_files(files, "folder of the side files, where run or batch was given one")
    add_running(parser, "picture to write; for a folder of results another folder, where run again "
                "only what is missing or changed is done")  # fmt: skip
    add_options(parser, stages=("render",), presets=False)


def _render(arguments: argparse.Namespace) -> int:
    from photostyle.api.styling import render
    from photostyle.beside import SideFiles

    side = SideFiles.of(arguments.side_files).folder
    if not arguments.manifest.is_dir():
        return _one(arguments, side)
    return told(
        render(
            arguments.manifest, side_files=side, out=arguments.out, progress=tell,
            **given_options(arguments), **running_options(arguments),
        )
    )  # fmt: skip


def _one(arguments: argparse.Namespace, side: Path | None) -> int:
    from photostyle.api.styling import render
    from photostyle.beside import beside
    from photostyle.images.saving import check_output, lost_note
    from photostyle.result import load_recipe

    recipe = load_recipe(arguments.manifest, side)
    recipe.inputs.content.file("content")  # what is given in Python is not there
    read = [file.path for _, file in recipe.inputs.named() if file.path is not None]
    read += [arguments.manifest, *beside(arguments.manifest, recipe.side_files)]
    check_output(arguments.out, [*read, *read_files(arguments, recipe.config)])
    picture = render(arguments.manifest, side_files=side, **given_options(arguments))
    for note in picture.notes:
        print(note, file=sys.stderr)
    picture.save(arguments.out)
    if lost := lost_note(arguments.out, picture.metadata):
        print(lost, file=sys.stderr)
    print(f"{arguments.out} ({picture.image.shape[3]}×{picture.image.shape[2]})")
    return 0
