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
<<<<<<< HEAD
    from photostyle.finish.delivery import Grade, deliver, fitting_metadata, size_note
    from photostyle.images.photograph import framed, photograph
    from photostyle.images.picture import load_image
    from photostyle.images.saving import check_output, save_image
    from photostyle.result import grade_path, load_recipe

    recipe = load_recipe(arguments.manifest)
    recipe.verify(encoder=False)
    check_output(arguments.out, [recipe.inputs.content.path, arguments.manifest])
    photo = photograph(load_image(recipe.inputs.content.path))
    # The run's own strength is not kept: 0.7 of a result means 0.7, whatever it was before.
    options = Config().with_options(given_options(arguments)).render
    grade = Grade.load(grade_path(arguments.manifest))
    image = framed(deliver(photo, grade, options), photo)
    if note := size_note(photo, grade, options):
=======
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
>>>>>>> main
        print(note, file=sys.stderr)
    picture.save(arguments.out)
    if lost := lost_note(arguments.out, picture.metadata):
        print(lost, file=sys.stderr)
    print(f"{arguments.out} ({picture.image.shape[3]}×{picture.image.shape[2]})")
    return 0
