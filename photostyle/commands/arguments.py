"""What the commands share: the options made from the configuration's fields, and their values."""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from photostyle.config.config import Config, Staged, options
from photostyle.config.files import load_config
from photostyle.config.options import flag, parse
from photostyle.config.presets import PRESETS, preset
from photostyle.errors import OptionError

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
) -> None:
    """Options for the configuration's fields.

    Args:
        stages: only those of these stages; None for all.
        base: whose values are the defaults; Config() without it.
        without: fields that are left out.
    """
    base = base or Config()
    if presets:
        general = parser.add_argument_group("configuration")
        general.add_argument(
            "--preset", help=f"configuration to begin with: {', '.join(PRESETS)} "
            "(default: photoreal)",
        )  # fmt: skip
        general.add_argument(
            "--config", type=Path, help="TOML or JSON file of options; in place of --preset"
        )
    groups: dict[str, Any] = {}
    for stage, f, _ in options(type(base)):
        if f.name in without or (stages and stage not in stages):
            continue
        default = getattr(getattr(base, stage), f.name)
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


def configured(arguments: argparse.Namespace) -> Config:
    """Preset, then configuration file, then options: the later wins."""
    base = chosen(arguments)
    config = preset(base) if isinstance(base, str) else base
    return config.with_options(given_options(arguments))


def chosen(arguments: argparse.Namespace) -> Config | str:
    """The preset's name, or the configuration of a file."""
    if arguments.config and arguments.preset:
        raise OptionError(
            "--preset and --config: give one of them; a file can name its own preset."
        )
    if arguments.config:
        return load_config(arguments.config)
    return arguments.preset or "photoreal"


def given_options(
    arguments: argparse.Namespace, configuration: type[Staged] = Config
) -> dict[str, Any]:
    """The values of the configuration's fields that stand on the command line."""
    fields = options(configuration)
    words = ((f, kind, getattr(arguments, f"option_{f.name}", None)) for _, f, kind in fields)
    return {f.name: parse(f, kind, text) for f, kind, text in words if text is not None}
