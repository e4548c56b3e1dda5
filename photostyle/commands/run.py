"""`photostyle run` and `replay`: one photograph in the light of another."""

import argparse
import sys
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import (
    FAILED,
    INTERRUPTED,
    add_command,
    add_options,
    add_side_files,
    configured,
    read_files,
)
from photostyle.commands.helping import keep_back
from photostyle.commands.running import FrameBar, add_film, film_options, frames, say
from photostyle.config.config import Config
from photostyle.errors import ImageError, OptionError
from photostyle.films.containers import VIDEO_SUFFIXES, written_suffix
from photostyle.images.formats.table import usual
from photostyle.places import expanded, identity

#: The usual result, of films with the suffix that they are written with.
RESULT = Path("result.png")


def register(commands: Any) -> None:
    _add_run(add_command(commands, "run", "style one photograph after another", _run))
    _add_replay(add_command(commands, "replay", "run a result's manifest again", _replay))


def _add_run(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "--content",
        required=True,
        type=expanded,
        help="photograph, or film (see --help-all), to be changed",
    )
    files.add_argument(
        "--style", required=True, type=expanded, nargs="+", action="extend", metavar="STYLE",
        help="photograph or painting to take after; several are blended (see --style-blend)",
    )  # fmt: skip
    files.add_argument(
        "--content-mask",
        type=expanded,
        help="label picture of the content's regions, or a folder of masks, or polygons",
    )
    files.add_argument("--style-mask", type=expanded, help="the same of the style's")
    _add_outputs(files)
    films = parser.add_argument_group("films")
    add_film(films)
    for option in films._group_actions:
        keep_back(option)
    add_options(parser)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=expanded, help="result picture, or the .json beside it"
    )
    _add_outputs(files)


def _add_outputs(files: Any) -> None:
    files.add_argument(
        "--out", type=expanded, default=RESULT,
        help=f"result picture, .{' .'.join(usual())} (default: %(default)s); its manifest (.json) "
        "and its colour maps (.grade.safetensors) are written beside it",
    )  # fmt: skip
    keep_back(
        add_side_files(
            files,
            "folder for the manifest and the colour maps, in place of the picture's; or none, and "
            "they are not written",
        )
    )
    keep_back(
        files.add_argument(
            "--heatmap",
            type=expanded,
            help="also write where the result is no local affine map of the content",
        )
    )
    keep_back(
        files.add_argument(
            "--stain-map",
            type=expanded,
            help="also write where like colours of the content came out unlike",
        )
    )
    keep_back(files.add_argument(
        "--preview", type=expanded, help="also write content and style under the colours of their "
        "regions",
    ))  # fmt: skip
    files.add_argument(
        "--sheet", type=expanded, help="also write content, style and result side by side"
    )


def _run(arguments: argparse.Namespace) -> int:
    config = configured(arguments)
    if arguments.content.suffix.lower() in VIDEO_SUFFIXES:
        return _stylize_film(arguments, config)
    if arguments.content.is_dir():
        raise ImageError(
            f"{arguments.content} is a folder, where a picture is needed; `photostyle batch` "
            "styles a folder."
        )
    masks = (arguments.content_mask, arguments.style_mask)
    return _stylize(arguments, config, arguments.content, arguments.style, *masks, None)


def _stylize_film(arguments: argparse.Namespace, config: Config) -> int:
    from photostyle.api.filming import stylize_film
    from photostyle.runtime.progress import Progress

    for name in ("sheet", "preview", "heatmap", "stain_map", "side_files"):
        if getattr(arguments, name):
            raise OptionError(f"--{name.replace('_', '-')}: films have none; leave it out.")
    out = arguments.out
    if out == RESULT:
        out = out.with_suffix(written_suffix(arguments.content.suffix, arguments.codec))

    class Told(Progress):
        """Stages of fits in lines, frames by a bar."""

        def stage(self, name: str, note: str) -> None:
            bar.close()
            super().stage(name, note)

    with FrameBar() as bar, Told() as listener:
        report = stylize_film(
            arguments.content, arguments.style, config, out=out, listener=listener,
            content_mask=arguments.content_mask, style_mask=arguments.style_mask,
            progress=bar.told, **film_options(arguments),
        )  # fmt: skip
    print(f"{out} ({frames(report.frames_written)})")
    for sentence in (*report.notes, *([report.damage] if report.damage else [])):
        say(sentence)
    if report.interrupted:
        say(f"Stopped; {out} holds the first {frames(report.frames_written)}.")
        return INTERRUPTED
    return FAILED if report.damaged else 0


def _replay(arguments: argparse.Namespace) -> int:
    from photostyle.result import load_recipe  # loads torch

    recipe = load_recipe(arguments.manifest)
    recipe.verify()
    files = recipe.inputs
    others = (files.content_mask, files.style_mask, files.start)
    paths = [file.path if file else None for file in others]
    styles = [file.file("style") for file in files.styles]
    content = files.content.file("content")
    return _stylize(arguments, recipe.config, content, styles, *paths)


def _stylize(
    arguments: argparse.Namespace,
    config: Config,
    content: Path,
    styles: list[Path],
    content_mask: Path | None,
    style_mask: Path | None,
    start: Path | None,
) -> int:
    from photostyle.api.styling import stylize
    from photostyle.beside import SideFiles, manifest_path
    from photostyle.images.saving import lost_note
    from photostyle.runtime.progress import Progress

    inputs = [p for p in (content, *styles, content_mask, style_mask, start) if p is not None]
    _check(arguments, [*inputs, *read_files(arguments, config)])
    with Progress() as progress:
        result = stylize(
            content, styles, config,
            content_mask=content_mask, style_mask=style_mask, listener=progress, start=start,
        )  # fmt: skip
    side = SideFiles.of(arguments.side_files)
    result.save(arguments.out, side)
    manifest = f"; manifest: {manifest_path(arguments.out, side.folder)}" if side.written else ""
    print(f"{arguments.out} ({result.state}{manifest})")
    if note := lost_note(arguments.out, result.metadata):
        print(note, file=sys.stderr)
    for path, view in (
        (arguments.sheet, result.sheet), (arguments.preview, result.preview),
        (arguments.heatmap, result.heatmap), (arguments.stain_map, result.stain_map),
    ):  # fmt: skip
        if path:
            view().save(path)
            print(path)
    return INTERRUPTED if result.interrupted else 0


def _check(arguments: argparse.Namespace, inputs: list[Path]) -> None:
    """Sees to it, before any work, that all that will be written can be, and costs the user
    nothing."""
    from photostyle.beside import SideFiles, beside, check_result
    from photostyle.images.saving import check_output

    if hasattr(arguments, "manifest"):
        inputs += [arguments.manifest, *beside(arguments.manifest)]
    outputs = [p for p in _outputs(arguments) if p is not None]
    for path in outputs:
        check_output(path, inputs)
    if len({identity(path) for path in outputs}) < len(outputs):
        raise OptionError(
            "--out, --sheet, --heatmap, --stain-map and --preview: two of them are one file; "
            "name them apart."
        )
    check_result(outputs[0], outputs[1:], inputs, SideFiles.of(arguments.side_files))


def _outputs(arguments: argparse.Namespace) -> tuple[Path | None, ...]:
    maps = (arguments.heatmap, arguments.stain_map)
    return arguments.out, arguments.sheet, *maps, arguments.preview
