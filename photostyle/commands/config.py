"""`photostyle config`: the configuration that the options make, as TOML."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command, add_options, configured


def register(commands: Any) -> None:
    add_options(
        add_command(commands, "config", "print the configuration as TOML and stop", _config)
    )


def _config(arguments: argparse.Namespace) -> int:
    print(configured(arguments).to_toml(), end="")
    return 0
