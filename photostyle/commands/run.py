"""`photostyle run` and `replay`: one photograph in the light of another."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import INTERRUPTED, add_command, add_options, configured
from photostyle.config.config import Config
from photostyle.errors import OptionError

if TYPE_CHECKING:
    from photostyle.result import Result


def register(commands: Any) -> None:
    _add_run(add_command(commands, "run", "style one photograph after another", _run))
    _add_replay(add_command(commands, "replay", "run a result's manifest again", _replay))


def _add_run(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument("--content", required=True, type=Path, help="photograph to be changed")
    files.add_argument(
        "--style", required=True, type=Path, nargs="+", metavar="STYLE",
        help="photograph or painting to take after; several are blended (see --style-blend)",
    )  # fmt: skip
    files.add_argument(
        "--content-mask",
        type=Path,
        help="label picture of the content's regions, or a folder of masks, or polygons",
    )
    files.add_argument("--style-mask", type=Path, help="the same of the style's")
    _add_outputs(files)
    add_options(parser)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=Path, help="result picture, or the .json beside it"
    )
    _add_outputs(files)


def _add_outputs(files: Any) -> None:
    files.add_argument(
        "--out", type=Path, default=Path("result.png"),
        help="result picture, .png .jpg .tif or .webp (default: %(default)s); its manifest (.json) "
        "and its local maps (.grade.safetensors) are written beside it",
    )  # fmt: skip
    files.add_argument(
        "--heatmap",
        type=Path,
        help="also write where the result is no local affine map of the content",
    )
    files.add_argument(
        "--stain-map",
        type=Path,
        help="also write where like colours of the content came out unlike",
    )
    files.add_argument(
        "--preview", type=Path, help="also write content and style under the colours of their "
        "regions",
    )  # fmt: skip
    files.add_argument(
        "--sheet", type=Path, help="also write content, style and result side by side"
    )


def _run(arguments: argparse.Namespace) -> int:
    config = configured(arguments)
    masks = (arguments.content_mask, arguments.style_mask)
    return _stylize(arguments, config, arguments.content, arguments.style, *masks, None)


def _replay(arguments: argparse.Namespace) -> int:
    from photostyle.result import load_recipe  # loads torch

    recipe = load_recipe(arguments.manifest)
    recipe.verify()
    files = recipe.inputs
    others = (files.content_mask, files.style_mask, files.start)
    paths = [file.path if file else None for file in others]
    styles = [file.path for file in files.styles]
    return _stylize(arguments, recipe.config, files.content.path, styles, *paths)


def _stylize(
    arguments: argparse.Namespace,
    config: Config,
    content: Path,
    styles: list[Path],
    content_mask: Path | None,
    style_mask: Path | None,
    start: Path | None,
) -> int:
    from photostyle.images.saving import alpha_note, check_output
    from photostyle.pipeline import stylize
    from photostyle.result import manifest_path
    from photostyle.runtime.progress import Progress

    inputs = [p for p in (content, *styles, content_mask, style_mask, start) if p is not None]
    outputs = [p for p in _outputs(arguments) if p is not None]
    for path in outputs:
        check_output(path, inputs)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise OptionError(
            "--out, --sheet, --heatmap, --stain-map and --preview: two of them are one file; "
            "name them apart."
        )
    with Progress() as progress:
        result = stylize(
            content, styles, config,
            content_mask=content_mask, style_mask=style_mask, listener=progress, start=start,
        )  # fmt: skip
    result.save(arguments.out)
    print(f"{arguments.out} ({_state(result)}; manifest: {manifest_path(arguments.out)})")
    if note := alpha_note(arguments.out, result.metadata):
        print(note, file=sys.stderr)
    if arguments.sheet:
        _write_sheet(arguments.sheet, content, styles, result)
    if arguments.preview:
        _write_preview(arguments.preview, content, styles[0], result)
    if arguments.heatmap or arguments.stain_map:
        _write_maps(arguments.heatmap, arguments.stain_map, content, result)
    return INTERRUPTED if result.interrupted else 0


def _state(result: "Result") -> str:
    seconds = sum(result.seconds.values())
    size = f"{result.image.shape[3]}×{result.image.shape[2]}"
    scores = (
        f"structure kept {result.scores.structure:.3f}, style taken {result.scores.style_taken:.0%}"
    )
    return f"{size}, {'interrupted after ' if result.interrupted else ''}{seconds:.0f} s, {scores}"


def _write_sheet(path: Path, content: Path, styles: list[Path], result: "Result") -> None:
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import load_image
    from photostyle.images.sheets import contact_sheet

    pictures = [("content", photograph(load_image(content)).shown)]
    pictures += [("style", photograph(load_image(style)).shown) for style in styles]
    contact_sheet([[*pictures, ("result", result.image)]], path)
    print(path)


def _outputs(arguments: argparse.Namespace) -> tuple[Path | None, ...]:
    maps = (arguments.heatmap, arguments.stain_map)
    return arguments.out, arguments.sheet, *maps, arguments.preview


def _write_preview(path: Path, content: Path, style: Path, result: "Result") -> None:
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import load_image
    from photostyle.images.sheets import contact_sheet
    from photostyle.segmentation.preview import colours_of, preview_row

    colours = colours_of([region.name for region in result.masks.regions])
    shown = [photograph(load_image(path)).shown for path in (content, style)]
    title = result.config.segmentation.segmenter
    contact_sheet([preview_row(shown[0], shown[1], result.masks, colours, title)], path)
    print(path)


def _write_maps(heat: Path | None, stains: Path | None, content: Path, result: "Result") -> None:
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import image_size, load_image
    from photostyle.images.saving import save_image
    from photostyle.metrics import heatmap
    from photostyle.result import beside_content
    from photostyle.smoothness import stain_map

    photo = photograph(load_image(content))
    image, full, masks = beside_content(result, photo, image_size(result.image))
    if heat:
        save_image(heat, heatmap(image, full))
        print(heat)
    if stains:
        save_image(stains, stain_map(image, full, masks))
        print(stains)
