"""What the commands share: the options made from the configuration's fields, and their values."""

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from photostyle.commands.helping import (
    USUAL,
    HelpAll,
    Wide,
    keep_back,
    one_line_usage,
    presets_told,
)
from photostyle.config.config import Config, Staged, option_files, options
from photostyle.config.files import load_config
from photostyle.config.options import flag, parse
from photostyle.config.presets import preset
from photostyle.errors import OptionError
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.images.photograph import Photograph
    from photostyle.images.picture import Photo

P = TypeVar("P", bound="Photo")

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130  # exit codes


def add_command(commands: Any, name: str, summary: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
    )
    parser.set_defaults(command=run, known=parser._option_string_actions)
    return parser


def add_options(
    parser: argparse.ArgumentParser,
    stages: tuple[str, ...] | None = None,
    presets: bool = True,
    base: Staged | None = None,
    without: Collection[str] = (),
    usual: Collection[str] | None = None,
) -> None:
    """Options for the configuration's fields.

    Args:
        stages: only those of these stages; None for all.
        presets: whether --preset and --config choose what to begin with.
        base: whose values are the defaults; Config() without it.
        without: fields that are left out.
        usual: fields that the help has, --help-all the rest; all where there are none; None for
            `USUAL` where there are presets.
    """
    base = base or Config()
    usual = (USUAL if presets else ()) if usual is None else usual
    general = parser.add_argument_group("configuration") if usual else None
    if general and presets:
        general.add_argument(
            "--preset", help="configuration to begin with, see below (default: photoreal)"
        )
        general.add_argument(
            "--config", type=expanded, help="TOML or JSON file of options; in place of --preset"
        )
    groups: dict[str, Any] = {}
    for stage, f, _ in options(type(base)):
        if f.name in without or (stages and stage not in stages):
            continue
        default = getattr(getattr(base, stage), f.name)
        group = groups.setdefault(stage, None) or parser.add_argument_group(stage)
        groups[stage] = group
        option = group.add_argument(
            flag(f.name), dest=f"option_{f.name}", metavar=_metavar(f.metadata["choices"], f.name),
            help=f"{f.metadata['help']} {_default(default)}".replace("%", "%%").strip(),
        )  # fmt: skip
        if usual and f.name not in usual:
            keep_back(option)
    if general:
        general.add_argument("--help-all", action=HelpAll, help="every option, and exit")
        parser.formatter_class = Wide
        parser.epilog = presets_told()
    one_line_usage(parser)


def add_side_files(parser: Any, help: str) -> argparse.Action:
    """The option that says where the files go that belong to results."""
    option: argparse.Action = parser.add_argument("--side-files", metavar="DIR|none", help=help)
    return option


def _metavar(choices: tuple[str, ...] | None, name: str) -> str:
    return "|".join(choices) if choices else name.rpartition("_")[2].upper()


def _default(value: Any) -> str:
    if value is None:
        return ""
    shown = ",".join(value) if isinstance(value, tuple) else f"{value}"
    return f"(default: {shown})"


def read_files(arguments: argparse.Namespace, config: Staged) -> list[Path]:
    """Files and folders that a command reads besides its pictures: --config, and what options of
    the configuration name."""
    named = [getattr(arguments, "config", None), *option_files(config).values()]
    return [path for path in named if isinstance(path, Path)]


def configured(arguments: argparse.Namespace) -> Config:
    """Preset, then configuration file, then options: the later wins."""
    base = chosen(arguments)
    config = preset(base) if isinstance(base, str) else load_config(base)
    return config.with_options(given_options(arguments))


def chosen(arguments: argparse.Namespace) -> Path | str:
    """The preset's name, or the file of the configuration."""
    if arguments.config and arguments.preset:
        raise OptionError(
            "--preset and --config: give one of them; a file can name its own preset."
        )
    return arguments.config or arguments.preset or "photoreal"


def given_options(
    arguments: argparse.Namespace, configuration: type[Staged] = Config
) -> dict[str, Any]:
    """The values of the configuration's fields that stand on the command line."""
    fields = options(configuration)
    words = ((f, kind, getattr(arguments, f"option_{f.name}", None)) for _, f, kind in fields)
    return {f.name: parse(f, kind, text) for f, kind, text in words if text is not None}


def noted_image(path: Path) -> "Photo":
    """The picture of a file, with what there is to say of it on the terminal."""
    from photostyle.images.picture import load_image

    return _noted(load_image(path))


def noted_photograph(path: Path) -> "Photograph":
    """What of the picture of a file is photograph, with what there is to say of it."""
    from photostyle.images.photograph import photograph
    from photostyle.images.picture import load_image

    return _noted(photograph(load_image(path)))


def _noted(photo: P) -> P:
    for note in photo.notes:
        print(note, file=sys.stderr)
    return photo
