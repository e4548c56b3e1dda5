"""The command line. Options and their help come from the fields of the configuration.

Imports no torch until a command runs, so that help is there at once.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from photostyle import config as configs
from photostyle.config import Config
from photostyle.errors import InputError, OptionError, PhotostyleError
from photostyle.options import flag, parse

if TYPE_CHECKING:
    from photostyle.result import Result

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130  # exit codes


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code: 0, 1 (failed), 2 (bad input) or 130 (Ctrl-C)."""
    try:
        return _dispatch(list(sys.argv[1:] if argv is None else argv))
    except InputError as error:
        return _complain(str(error), BAD_INPUT)
    except PhotostyleError as error:
        return _complain(str(error), FAILED)
    except MemoryError:
        return _complain("The machine's memory is not enough; try a smaller --size.", FAILED)
    except KeyboardInterrupt:
        return _complain("Stopped before there was a picture; nothing was written.", INTERRUPTED)


def _complain(sentence: str, code: int) -> int:
    print(f"photostyle: {sentence}", file=sys.stderr)
    return code


def _dispatch(argv: list[str]) -> int:
    parser = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        raise OptionError(f"{unknown[0]} is no option{_hint(unknown[0], arguments.known)}.")
    code: int = arguments.command(arguments)
    return code


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word.split("=")[0], known, n=1)
    return f"; did you mean {near[0]}?" if near else "; --help lists them all"


class _Parser(argparse.ArgumentParser):
    """argparse that leaves as an OptionError, in one sentence, without the usage in front."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message}.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="photostyle",
        description="Photorealistic style transfer: the light, colour and mood of one photograph "
        "on another.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"photostyle {version('photostyle')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_run(_command(commands, "run", "style one photograph after another", _run))
    _add_replay(_command(commands, "replay", "run a result's manifest again", _replay))
    _add_render(
        _command(commands, "render", "deliver a result at another strength or size", _render)
    )
    shown = _command(commands, "config", "print the configuration as TOML and stop", _config)
    _add_options(shown)
    return parser


def _command(commands: Any, name: str, summary: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    parser.set_defaults(command=run, known=parser._option_string_actions)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument("--content", required=True, type=Path, help="photograph to be changed")
    files.add_argument("--style", required=True, type=Path, help="photograph to take after")
    files.add_argument("--content-mask", type=Path, help="label picture of the content's regions")
    files.add_argument("--style-mask", type=Path, help="label picture of the style's regions")
    _add_outputs(files)
    _add_options(parser)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=Path, help="result picture, or the .json beside it"
    )
    _add_outputs(files)


def _add_render(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("files")
    files.add_argument(
        "manifest", metavar="RESULT", type=Path, help="result picture, or the .json beside it"
    )
    files.add_argument("--out", type=Path, required=True, help="picture to write")
    _add_options(parser, stages=("render",), presets=False)


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
        "--sheet", type=Path, help="also write content, style and result side by side"
    )


def _add_options(
    parser: argparse.ArgumentParser, stages: tuple[str, ...] | None = None, presets: bool = True
) -> None:
    """Options for the configuration's fields, of some stages or of all."""
    if presets:
        general = parser.add_argument_group("configuration")
        general.add_argument(
            "--preset", help=f"configuration to begin with: {', '.join(configs.PRESETS)} "
            "(default: photoreal)",
        )  # fmt: skip
        general.add_argument(
            "--config", type=Path, help="TOML or JSON file of options; in place of --preset"
        )
    groups: dict[str, Any] = {}
    for stage, f, _ in configs.options():
        if stages and stage not in stages:
            continue
        default = getattr(getattr(Config(), stage), f.name)
        group = groups.setdefault(stage, None) or parser.add_argument_group(stage)
        groups[stage] = group
        group.add_argument(
            flag(f.name), dest=f"option_{f.name}", metavar=_metavar(f.metadata["choices"], f.name),
            help=f"{f.metadata['help']} {_default(default)}".replace("%", "%%").strip(),
        )  # fmt: skip


def _metavar(choices: tuple[str, ...] | None, name: str) -> str:
    return "|".join(choices) if choices else name.rpartition("_")[2].upper()


def _default(value: Any) -> str:
    if value is None:
        return ""
    shown = ",".join(value) if isinstance(value, tuple) else f"{value}"
    return f"(default: {shown})"


def _configured(arguments: argparse.Namespace) -> Config:
    """Preset, then configuration file, then options: the later wins."""
    if arguments.config and arguments.preset:
        raise OptionError(
            "--preset and --config: give one of them; a file can name its own preset."
        )
    if arguments.config:
        base = configs.load_config(arguments.config)
    else:
        base = configs.preset(arguments.preset or "photoreal")
    return base.with_options(_given(arguments))


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The values of the configuration's fields that stand on the command line."""
    words = (
        (f, kind, getattr(arguments, f"option_{f.name}", None)) for _, f, kind in configs.options()
    )
    return {f.name: parse(f, kind, text) for f, kind, text in words if text is not None}


def _config(arguments: argparse.Namespace) -> int:
    print(_configured(arguments).to_toml(), end="")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    config = _configured(arguments)
    masks = (arguments.content_mask, arguments.style_mask)
    return _stylize(arguments, config, arguments.content, arguments.style, *masks)


def _replay(arguments: argparse.Namespace) -> int:
    from photostyle.result import load_recipe  # loads torch

    recipe = load_recipe(arguments.manifest)
    recipe.verify()
    files = recipe.inputs
    masks = [file.path if file else None for file in (files.content_mask, files.style_mask)]
    return _stylize(arguments, recipe.config, files.content.path, files.style.path, *masks)


def _render(arguments: argparse.Namespace) -> int:
    from photostyle.delivery import Grade, deliver, fitting_metadata, size_note
    from photostyle.images import load_image
    from photostyle.result import grade_path, load_recipe
    from photostyle.saving import check_output, save_image

    recipe = load_recipe(arguments.manifest)
    recipe.verify(encoder=False)
    check_output(arguments.out, [recipe.inputs.content.path, arguments.manifest])
    photo = load_image(recipe.inputs.content.path)
    # The run's own strength is not kept: 0.7 of a result means 0.7, whatever it was before.
    options = Config().with_options(_given(arguments)).render
    image = deliver(photo, Grade.load(grade_path(arguments.manifest)), options)
    if note := size_note(photo, options):
        print(note, file=sys.stderr)
    save_image(arguments.out, image, fitting_metadata(photo, image))
    print(f"{arguments.out} ({image.shape[3]}×{image.shape[2]})")
    return 0


def _stylize(
    arguments: argparse.Namespace,
    config: Config,
    content: Path,
    style: Path,
    content_mask: Path | None,
    style_mask: Path | None,
) -> int:
    from photostyle.pipeline import stylize
    from photostyle.progress import Progress
    from photostyle.result import manifest_path
    from photostyle.saving import check_output

    inputs = [p for p in (content, style, content_mask, style_mask) if p is not None]
    outputs = [p for p in (arguments.out, arguments.sheet, arguments.heatmap) if p is not None]
    for path in outputs:
        check_output(path, inputs)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise OptionError(
            "--out, --sheet and --heatmap: two of them are one file; name them apart."
        )
    with Progress() as progress:
        result = stylize(
            content, style, config,
            content_mask=content_mask, style_mask=style_mask, listener=progress,
        )  # fmt: skip
    result.save(arguments.out)
    print(f"{arguments.out} ({_state(result)}; manifest: {manifest_path(arguments.out)})")
    if arguments.sheet:
        _write_sheet(arguments.sheet, content, style, result)
    if arguments.heatmap:
        _write_heatmap(arguments.heatmap, content, result)
    return INTERRUPTED if result.interrupted else 0


def _state(result: "Result") -> str:
    seconds = sum(result.seconds.values())
    size = f"{result.image.shape[3]}×{result.image.shape[2]}"
    scores = (
        f"structure kept {result.scores.structure:.3f}, style taken {result.scores.style_taken:.0%}"
    )
    return f"{size}, {'interrupted after ' if result.interrupted else ''}{seconds:.0f} s, {scores}"


def _write_sheet(path: Path, content: Path, style: Path, result: "Result") -> None:
    from photostyle.images import load_image
    from photostyle.sheets import contact_sheet

    pictures = [("content", load_image(content).image), ("style", load_image(style).image)]
    contact_sheet([[*pictures, ("result", result.image)]], path)
    print(path)


def _write_heatmap(path: Path, content: Path, result: "Result") -> None:
    from photostyle.images import image_size, load_image, resize
    from photostyle.metrics import heatmap
    from photostyle.saving import save_image

    full = resize(load_image(content).image, image_size(result.image))
    save_image(path, heatmap(result.image, full))
    print(path)
