"""`photostyle segment`: the regions of a picture, or those that two have in common."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import (
    add_command,
    add_options,
    given_options,
    noted_image,
    read_files,
)
from photostyle.config.config import Config
from photostyle.config.stages import SEGMENTERS
from photostyle.documents import Unreadable, read_text
from photostyle.places import check_not_foreign, check_places, expanded

if TYPE_CHECKING:
    from photostyle.images.picture import Photo
    from photostyle.segmentation.masks import Masks
    from photostyle.segmentation.segmenter import Segmented

LABELS = ("content-labels.png", "style-labels.png")
PREVIEW, TABLE = "preview.png", "regions.txt"
#: How the table begins.
TITLE = "regions by"


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
        help=f"folder for the label pictures ({', '.join(LABELS)}), {PREVIEW} and {TABLE}",
    )  # fmt: skip
    files.add_argument(
        "--against", metavar="|".join(SEGMENTERS), choices=SEGMENTERS,
        help="also show what this segmenter makes of them, as a second row of the preview",
    )  # fmt: skip
    add_options(parser, stages=("segmentation",), presets=False)


def _segment(arguments: argparse.Namespace) -> int:
    from photostyle.segmentation.labels import write_labels
    from photostyle.segmentation.preview import colours_of, legend

    config = Config().with_options(given_options(arguments))
    paths = [p for p in (arguments.content, arguments.style) if p is not None]
    masks = [p for p in (arguments.content_mask, arguments.style_mask) if p is not None]
    outputs = [arguments.out / name for name in (*LABELS[: len(paths)], PREVIEW)]
    _check(arguments.out, [*paths, *masks, *read_files(arguments, config)], outputs)
    photos = [noted_image(path) for path in paths]
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
    table = [f"{TITLE} {made.used}", *_table(paired, len(photos)), *paired.warnings]
    text = [*table, "", "colours of the label pictures", *legend(colours)]
    _write_text(arguments.out / TABLE, text)
    print("\n".join(table))
    print("\n".join(str(path) for path in (*outputs, arguments.out / TABLE)))
    return 0


def _check(out: Path, inputs: list[Path], pictures: list[Path]) -> None:
    """Sees to it, before any work, that only what an earlier call wrote here is replaced: label
    pictures that were painted in since are the user's."""
    from photostyle.images.sheets import is_sheet
    from photostyle.segmentation.labels import is_written

    table = out / TABLE
    check_places([*pictures, table], inputs)
    for path in pictures[:-1]:
        check_not_foreign(path, is_written)
    check_not_foreign(pictures[-1], is_sheet)
    check_not_foreign(table, _is_table)


def _is_table(path: Path) -> bool:
    try:
        return read_text(path).startswith(TITLE)
    except Unreadable:
        return False


def _made(
    arguments: argparse.Namespace, config: Config, photos: "list[Photo]"
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
    if len(photos) == 1:
        return segment_alone(images[0], drawings[0], wishes)
    return segment_pair(images[0], images[1], drawings, wishes)


def _row(photos: "list[Photo]", masks: "Masks", made: "Segmented") -> list[tuple[str, Any]]:
    from photostyle.segmentation.preview import colours_of, preview_row

    colours = colours_of([region.name for region in masks.regions])
    images = photos[0].image, photos[-1].image
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
