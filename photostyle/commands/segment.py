"""`photostyle segment`: the regions of a picture, or those that two have in common."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command, add_options, given_options, read_files
from photostyle.config.config import Config
from photostyle.config.stages import SEGMENTERS
from photostyle.places import expanded

if TYPE_CHECKING:
<<<<<<< HEAD
    from photostyle.images.photograph import Photograph
    from photostyle.segmentation.masks import Masks
    from photostyle.segmentation.segmenter import Segmented

LABELS = ("content-labels.png", "style-labels.png")
PREVIEW, TABLE = "preview.png", "regions.txt"
=======
    from photostyle.api.regions import Regions
>>>>>>> main


def register(commands: Any) -> None:
    parser = add_command(
        commands, "segment", "write the regions of a picture, or of two that pair up", _segment
    )
    files = parser.add_argument_group("files")
    files.add_argument("content", metavar="IMAGE", type=expanded, help="photograph to be changed")
    files.add_argument("--style", type=expanded, help="photograph to take after")
    files.add_argument("--content-mask", type=expanded, help="masks of IMAGE, to be written again")
    files.add_argument("--style-mask", type=expanded, help="masks of the style")
    files.add_argument(
        "--out", type=expanded, required=True,
        help="folder for the label pictures (content-labels.png, style-labels.png), preview.png "
        "and regions.txt",
    )  # fmt: skip
    files.add_argument(
        "--against", metavar="|".join(SEGMENTERS), choices=SEGMENTERS,
        help="also show what this segmenter makes of them, as a second row of the preview",
    )  # fmt: skip
    add_options(parser, stages=("segmentation",), presets=False)


def _segment(arguments: argparse.Namespace) -> int:
<<<<<<< HEAD
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import load_image
    from photostyle.images.saving import check_output
    from photostyle.segmentation.labels import write_labels
    from photostyle.segmentation.preview import colours_of, legend
=======
    from photostyle.api.regions import check_regions
    from photostyle.api.styling import segment
>>>>>>> main

    paths = [p for p in (arguments.content, arguments.style) if p is not None]
<<<<<<< HEAD
    masks = [p for p in (arguments.content_mask, arguments.style_mask) if p is not None]
    outputs = [arguments.out / name for name in (*LABELS[: len(paths)], PREVIEW)]
    for path in outputs:
        check_output(path, [*paths, *masks])
    photos = [photograph(load_image(path)) for path in paths]
    paired, made = _made(arguments, config, photos)
    names = dict.fromkeys(name for labels in made.maps for name in labels.names)
    colours = colours_of(list(names))
    for path, labels in zip(outputs, made.maps, strict=False):
        write_labels(path, labels, colours)
    rows = [_row(photos, paired, made)]
    if arguments.against:
        other = config.with_options({"segmenter": arguments.against})
        rows.append(_row(photos, *_made(arguments, other, photos)))
    _write_preview(outputs[-1], rows)
    notes = [note for photo in photos for note in photo.notes]
    table = [f"regions by {made.used}", *_table(paired, len(photos)), *paired.warnings, *notes]
    text = [*table, "", "colours of the label pictures", *legend(colours)]
    _write_text(arguments.out / TABLE, text)
    print("\n".join(table))
    print("\n".join(str(path) for path in (*outputs, arguments.out / TABLE)))
    return 0


def _made(
    arguments: argparse.Namespace, config: Config, photos: "list[Photograph]"
) -> "tuple[Masks, Segmented]":
    from photostyle.loading import LEAST_SIDE
    from photostyle.objective.styles import fitted_image
    from photostyle.segmentation.segmenter import (
        Wishes,
        drawings_of,
        segment_alone,
        segment_pair,
    )

    images = [fitted_image(photo.image, config.image.size, LEAST_SIDE) for photo in photos]
    drawn = config.segmentation.segmenter in ("auto", "labels")
    masks = (arguments.content_mask, arguments.style_mask) if drawn else (None, None)
    drawings = drawings_of(masks[: len(photos)], photos)
    wishes = Wishes(**vars(config.segmentation))
    weights = [
        photo.weight_at((image.shape[2], image.shape[3]))
        for photo, image in zip(photos, images, strict=True)
    ]
    if len(photos) == 1:
        return segment_alone(images[0], drawings[0], wishes, weights[0])
    return segment_pair(images[0], images[1], drawings, wishes, (weights[0], weights[1]))


def _row(photos: "list[Photograph]", masks: "Masks", made: "Segmented") -> list[tuple[str, Any]]:
    from photostyle.segmentation.preview import colours_of, preview_row

    colours = colours_of([region.name for region in masks.regions])
    images = photos[0].shown, photos[-1].shown
    return preview_row(*images, masks, colours, made.used)[: 2 * len(photos)]


def _write_preview(path: Path, rows: list[list[tuple[str, Any]]]) -> None:
    from photostyle.images.sheets import contact_sheet

    contact_sheet(rows, path)


def _table(masks: "Masks", pictures: int) -> list[str]:
    """The mask doctor's table; of one picture only its own shares."""
    from photostyle.segmentation.pairing import describe

    lines = describe(masks)
    if pictures == 2:
        return lines
    width = lines[0].index("content") + len("content")
    return [line[:width] for line in lines if not line.startswith("(unpaired)")]


def _write_text(path: Path, lines: list[str]) -> None:
    from photostyle.images.saving import atomic_path

    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
=======
    masks = (arguments.content_mask, arguments.style_mask)
    given = [p for p in masks if p is not None]
    options = given_options(arguments)
    read = read_files(arguments, Config().with_options(options))
    check_regions(arguments.out, len(paths), [*paths, *given, *read])

    def found_by(options: dict[str, Any]) -> "Regions":
        return segment(
            arguments.content, arguments.style, content_mask=masks[0], style_mask=masks[1],
            **options,
        )  # fmt: skip

    found, others = found_by(options), []
    for note in found.notes:
        print(note, file=sys.stderr)
    if arguments.against:
        others.append(found_by({**options, "segmenter": arguments.against}))
    written = found.save(arguments.out, others)
    print("\n".join([*found.table(), *map(str, written)]))
    return 0
>>>>>>> main
