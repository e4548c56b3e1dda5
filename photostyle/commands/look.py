"""`photostyle look`: looks that are fitted once, kept, shown and put on whole shoots."""

import argparse
from typing import Any

from photostyle.commands import look_tables
from photostyle.commands.arguments import (
    add_command,
    add_options,
    configured,
    given_options,
    noted_image,
    read_files,
)
from photostyle.commands.running import (
    FrameBar,
    add_film,
    add_running,
    film_options,
    running_options,
    told,
)
from photostyle.places import expanded

HOW = ("auto", "semantic", "none")


def register(commands: Any) -> None:
    summary = "fit, learn, apply and show looks that are kept as files"
    parser = commands.add_parser(
        "look", help=summary, description=summary.capitalize() + ".", allow_abbrev=False
    )
    own = parser.add_subparsers(required=True, metavar="fit|from-pair|from-lut|apply|show|export")
    _register_fit(own)
    _register_pair(own)
    _register_apply(own)
    _register_show(own)
    look_tables.register(own)


def _register_fit(commands: Any) -> None:
    parser = add_command(commands, "fit", "fit one look over one photograph or many", _fit)
    files = parser.add_argument_group("files")
    files.add_argument("--style", type=expanded, required=True, help="photograph to take after")
    files.add_argument("--content", type=expanded, required=True, nargs="+", metavar="CONTENT",
                       help="photographs, or folders of them, to fit it on")  # fmt: skip
    _add_masks(files)
    files.add_argument("--style-mask", type=expanded, help="masks of the style")
    files.add_argument(
        "--out", type=expanded, required=True, help="look to write, such as night.look"
    )
    add_options(parser, without=("output_size", "deliver", "strength", "luminance", "color",
                                 "protect"))  # fmt: skip


def _register_pair(commands: Any) -> None:
    parser = add_command(
        commands, "from-pair", "learn a look from one picture before and after", _from_pair
    )
    parser.add_argument("before", metavar="BEFORE", type=expanded, help="picture as it was")
    parser.add_argument("after", metavar="AFTER", type=expanded, help="the same, changed")
    parser.add_argument(
        "--content-mask", type=expanded, help="masks of both, for a map of each region"
    )
    parser.add_argument(
        "--out", type=expanded, required=True, help="look to write, such as mine.look"
    )


def _register_apply(commands: Any) -> None:
    summary = "put a look on pictures and films, at their own size"
    parser = add_command(commands, "apply", summary, _apply)
    files = parser.add_argument_group("files")
    files.add_argument("look", metavar="LOOK", type=expanded, help="look, from photostyle look fit")
    files.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=expanded, help="pictures, films, folders of them"
    )
    _add_masks(files)
    regions = parser.add_argument_group("regions, where the look has some")
    regions.add_argument(
        "--segmenter", choices=HOW, default="auto", help="auto: the masks given, else the kind of "
        "network that the look was fitted with, where it is on this machine, else the look of the "
        "whole; semantic: a network in any case; none: the look of the whole (default: auto)",
    )  # fmt: skip
    for name, words in (("--segmenter-model", "network of semantic"),
                        ("--segmenter-groups", "table of classes that share their light"),
                        ("--palette", "colours of the masks, if not the usual nine")):  # fmt: skip
        regions.add_argument(name, help=words)
    add_film(parser.add_argument_group("films"))
    add_options(parser, stages=("render",), presets=False, without=("output_size", "deliver"))
    add_running(parser)


def _register_show(commands: Any) -> None:
    parser = add_command(commands, "show", "draw what a look does, as one picture", _show)
    parser.add_argument(
        "look", metavar="LOOK", type=expanded, help="look, from photostyle look fit"
    )
    parser.add_argument(
        "--out", type=expanded, help="picture to write (default: LOOK's name, .show.png)"
    )
    parser.add_argument("--content", type=expanded, help="photograph to show it on, in place of "
                        "the example's city")  # fmt: skip


def _add_masks(files: Any) -> None:
    files.add_argument(
        "--content-mask", type=expanded, help="masks of the photograph, or a folder of masks with "
        "the photographs' names",
    )  # fmt: skip


def _fit(arguments: argparse.Namespace) -> int:
    from photostyle.api.files import pictures_at
    from photostyle.jobs.looking import masks_of
    from photostyle.looks.fitting import fit_look
    from photostyle.looks.look import check_suffix
    from photostyle.places import check_place
    from photostyle.runtime.progress import Progress

    config = configured(arguments)
    contents = [path for given in arguments.content for path in pictures_at(given)]
    masks = masks_of(contents, arguments.content_mask)
    check_suffix(arguments.out)
    given = [mask for mask in masks if mask is not None]
    read = [*contents, arguments.style, *given, *read_files(arguments, config)]
    check_place(arguments.out, [*read, *([arguments.style_mask] if arguments.style_mask else [])])
    with Progress() as progress:
        look = fit_look(
            arguments.style, contents, config, content_masks=given or None,
            style_mask=arguments.style_mask, listener=progress,
        )  # fmt: skip
    look.save(arguments.out)
    kinds = f"{len(look.regions)} regions and the whole" if look.regions else "the whole"
    print(f"{arguments.out} ({kinds}, fitted on {len(contents)} "
          f"{'photograph' if len(contents) == 1 else 'photographs'})")  # fmt: skip
    return 0


def _from_pair(arguments: argparse.Namespace) -> int:
    from photostyle.images.picture import image_size
    from photostyle.looks.look import check_suffix
    from photostyle.looks.pairs import learn_look
    from photostyle.places import check_place
    from photostyle.segmentation.formats import Drawing
    from photostyle.segmentation.segmenter import Wishes, segment_alone

    check_suffix(arguments.out)
    mask = [arguments.content_mask] if arguments.content_mask else []
    check_place(arguments.out, [arguments.before, arguments.after, *mask])
    before, after = noted_image(arguments.before), noted_image(arguments.after)
    masks = None
    if arguments.content_mask:
        drawing = Drawing(arguments.content_mask, image_size(before.image), before.path)
        masks, _ = segment_alone(before.image, drawing, Wishes("labels"))
    learnt = learn_look(before, after, masks)
    learnt.look.save(arguments.out)
    print(f"{arguments.out}: {learnt}")
    return 0


def _apply(arguments: argparse.Namespace) -> int:
    from photostyle.api.looking import apply_look

    with FrameBar() as bar:
        runs = apply_look(
            arguments.look, arguments.inputs, out=arguments.out,
            content_mask=arguments.content_mask, segmenter=arguments.segmenter,
            segmenter_model=arguments.segmenter_model, segmenter_groups=arguments.segmenter_groups,
            palette=arguments.palette, progress=bar.told, **film_options(arguments),
            **running_options(arguments), **given_options(arguments),
        )  # fmt: skip
    return told(runs)


def _show(arguments: argparse.Namespace) -> int:
    from photostyle.images.saving import check_output
    from photostyle.images.sheets import is_sheet, save_sheet
    from photostyle.looks.look import Look
    from photostyle.looks.shown import show_look
    from photostyle.places import check_not_foreign

    out = arguments.out or arguments.look.with_suffix(".show.png")
    inputs = [path for path in (arguments.look, arguments.content) if path is not None]
    check_output(out, inputs)
    if not arguments.out:
        check_not_foreign(out, is_sheet)
    photo = noted_image(arguments.content).image if arguments.content else None
    save_sheet(show_look(Look.load(arguments.look), photo), out)
    print(out)
    return 0
