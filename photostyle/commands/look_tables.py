"""`photostyle look export` and `from-lut`: looks in the files of other programs."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command
from photostyle.errors import LookError, OptionError
from photostyle.places import check_not_foreign, check_places, expanded

if TYPE_CHECKING:
    from photostyle.images.picture import Photo
    from photostyle.looks.look import Look
    from photostyle.looks.lut import Lut
    from photostyle.segmentation.masks import Masks

#: Names of `looks.encodings` and of the formats in `looks.formats.registry` that are written.
ENCODINGS = ("srgb", "rec709", "linear", "log")


def register(commands: Any) -> None:
    _register_export(commands)
    _register_from_lut(commands)


def _register_export(commands: Any) -> None:
    parser = add_command(
        commands, "export", "write a look as look-up table, and say how much of it that carries",
        _export,
    )  # fmt: skip
    parser.add_argument(
        "look", metavar="LOOK", type=expanded, help="look, from photostyle look fit"
    )
    parser.add_argument("--format", help="cube, hald, xmp, or through OpenColorIO 3dl, clf, csp "
                        "and others; without it, what --out says, or cube")  # fmt: skip
    parser.add_argument("--out", type=expanded, help="table to write (default: LOOK's name with "
                        "the format's suffix)")  # fmt: skip
    parser.add_argument("--size", type=int, default=33, help="nodes along a side of the table "
                        "(default: %(default)s)")  # fmt: skip
    _add_encodings(parser, "srgb")
    parser.add_argument("--by-region", action="store_true", help="also a table for each region, "
                        "and its masks on every photograph")  # fmt: skip
    parser.add_argument(
        "--content", type=expanded, nargs="+", metavar="CONTENT", help="photographs, or folders of "
        "them, to measure on (default: those that the look was fitted on)",
    )  # fmt: skip
    parser.add_argument("--content-mask", type=expanded, help="masks of the photograph, or a "
                        "folder of masks with the photographs' names")  # fmt: skip


def _register_from_lut(commands: Any) -> None:
    parser = add_command(
        commands, "from-lut", "make a look of another program's look-up table", _from_lut
    )
    parser.add_argument("table", metavar="FILE", type=expanded, help=".cube, HaldCLUT (.png, .tif) "
                        "or whatever else OpenColorIO reads")  # fmt: skip
    parser.add_argument(
        "--out", type=expanded, required=True, help="look to write, such as film.look"
    )
    _add_encodings(parser, None)


def _add_encodings(parser: argparse.ArgumentParser, default: str | None) -> None:
    words = default or "what our own files say, else srgb"
    for name, what in (("--input", "values that are looked up"), ("--output", "values it gives")):
        parser.add_argument(name, choices=ENCODINGS, default=default,
                            help=f"encoding of the {what} (default: {words})")  # fmt: skip


def _export(arguments: argparse.Namespace) -> int:
    from photostyle.looks.exporting import honesty, mask_places, region_places, write_masks
    from photostyle.looks.formats.registry import write_lut
    from photostyle.looks.look import Look

    look = Look.load(arguments.look)
    if arguments.by_region and not look.regions:
        raise LookError(f"{arguments.look} has no regions; leave --by-region out.")
    out = arguments.out or arguments.look.with_suffix(_suffix(arguments.format))
    files = region_places(out, look.regions if arguments.by_region else ())
    pairs = _pairs(arguments, look)
    _check(arguments, out, files.values(), pairs)
    lut = _table(out, look, None, arguments)
    regions = {name: _table(path, look, name, arguments) for name, path in files.items()}
    told = honesty(look, lut, _noted(_loaded(pairs, look)), regions)  # bad photographs show early
    masks_of = mask_places(out, told.compared) if regions else []
    _check(arguments, out, [path for places in masks_of for path in places.values()], pairs)
    for path, table in ((out, lut), *((files[name], one) for name, one in regions.items())):
        write_lut(path, table, arguments.format)
        print(path)
    if not pairs:
        print("Nothing to measure on: the photographs of the fit are not where they were; give "
              "some with --content.", file=sys.stderr)  # fmt: skip
        return 0
    written = told.save(out)
    for (photo, masks), places in zip(_loaded(pairs, look), masks_of, strict=False):
        written += write_masks(look, photo, masks, places) if masks else []
    print(*written, told, sep="\n")
    return 0


def _check(
    arguments: argparse.Namespace,
    out: Path,
    others: Iterable[Path],
    pairs: Sequence[tuple[Path, Path | None]],
) -> None:
    """Sees to it that a table and what is written with it replace nothing that is read, and no file
    of the user's that was not named."""
    from photostyle.looks.exporting import is_ours, places

    unnamed = [*others, *places(out), *([] if arguments.out else [out])]
    read = [path for pair in pairs for path in pair if path is not None]
    check_places(dict.fromkeys([out, *unnamed]), [arguments.look, *read])
    for path in unnamed:
        check_not_foreign(path, lambda path: is_ours(path, out))


def _suffix(name: str | None) -> str:
    """The usual suffix of a format.

    Raises:
        OptionError: there is no such format, or it is not written.
    """
    from photostyle.looks.formats.registry import FORMATS

    known = {form.name: form.suffixes[0] for form in FORMATS if form.write is not None}
    if (name or "cube") not in known:
        raise OptionError(
            f"--format {name}: there is no such format; choose from {', '.join(known)}."
        )
    return known[name or "cube"]


def _table(path: Path, look: "Look", region: str | None, arguments: argparse.Namespace) -> "Lut":
    from photostyle.looks.formats.registry import made_lut

    title = look.title if region is None else f"{look.title}, {region}"
    return made_lut(
        path, look.colour_map(region), size=arguments.size, input=arguments.input,
        output=arguments.output, title=title, name=arguments.format,
    )  # fmt: skip


def _pairs(arguments: argparse.Namespace, look: "Look") -> list[tuple[Path, Path | None]]:
    """The photographs to measure on, each with its mask, where there is one."""
    from photostyle.api.files import pictures_at
    from photostyle.jobs.looking import masks_of
    from photostyle.looks.exporting import fitted_files

    given = [path for one in arguments.content or () for path in pictures_at(one)]
    paths = given or fitted_files(look)
    return list(zip(paths, masks_of(paths, arguments.content_mask), strict=True))


def _loaded(
    pairs: Sequence[tuple[Path, Path | None]], look: "Look"
) -> "Iterator[tuple[Photo, Masks | None]]":
    """One after the other, as they may be many and large."""
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import load_image
    from photostyle.looks.regions import regions_for

    for path, mask in pairs:
        photo = photograph(load_image(path))
        yield photo, regions_for(look, photo, mask)[0]


def _noted(
    loaded: "Iterator[tuple[Photo, Masks | None]]",
) -> "Iterator[tuple[Photo, Masks | None]]":
    """The same, told what there is to say of each."""
    for photo, masks in loaded:
        for note in photo.notes:
            print(note, file=sys.stderr)
        yield photo, masks


def _from_lut(arguments: argparse.Namespace) -> int:
    from photostyle.looks.formats.registry import read_lut
    from photostyle.looks.look import Look, check_suffix
    from photostyle.looks.provenance import about_table
    from photostyle.places import check_place

    check_suffix(arguments.out)
    check_place(arguments.out, [arguments.table])
    lut = read_lut(arguments.table, arguments.input, arguments.output)
    Look(lut, about=about_table(arguments.table)).save(arguments.out)
    size = lut.lattice.size
    print(f"{arguments.out} ({size}×{size}×{size}, {lut.input} to {lut.output})")
    return 0
