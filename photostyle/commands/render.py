"""`photostyle render`: a finished run delivered again."""

import argparse
import sys
from typing import Any

from photostyle.commands.arguments import (
    add_command,
    add_options,
    given_options,
    noted_image,
    read_files,
)
from photostyle.config.config import Config
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
    from photostyle.beside import grade_path, manifest_path
    from photostyle.finish.delivery import Grade, deliver, fitting_metadata, size_note
    from photostyle.images.saving import check_output, lost_note, save_image
    from photostyle.result import load_recipe

    recipe = load_recipe(arguments.manifest)
    recipe.verify(encoder=False)
    read = [file.path for _, file in recipe.inputs.named()]
    read += [arguments.manifest, manifest_path(arguments.manifest), grade_path(arguments.manifest)]
    check_output(arguments.out, [*read, *read_files(arguments, recipe.config)])
    photo = noted_image(recipe.inputs.content.path)
    # The run's own strength is not kept: 0.7 of a result means 0.7, whatever it was before.
    options = Config().with_options(given_options(arguments)).render
    grade = Grade.load(grade_path(arguments.manifest))
    image = deliver(photo, grade, options)
    if note := size_note(photo, grade, options):
        print(note, file=sys.stderr)
    save_image(arguments.out, image, fitting_metadata(photo, image))
    if note := lost_note(arguments.out, photo.metadata):
        print(note, file=sys.stderr)
    print(f"{arguments.out} ({image.shape[3]}×{image.shape[2]})")
    return 0
