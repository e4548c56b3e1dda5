"""Configurations from TOML and JSON, checked name by name."""

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photostyle.config.config import Config, hint, stages
from photostyle.config.options import Stage, text
from photostyle.config.presets import preset
from photostyle.config.solves import Solve
from photostyle.errors import OptionError


def from_dict(data: Mapping[str, Any], source: str = "the configuration") -> Config:
    """The Config that `to_dict` wrote; what is left out comes from its preset.

    Raises:
        OptionError: unknown names or unfit values; the message names `source`.
    """
    try:
        return _from_tables(dict(data))
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from None


def _from_tables(tables: dict[str, Any]) -> Config:
    config = preset(text(tables.pop("preset", "photoreal"), "preset"))
    known = dict(stages())
    for stage, table in tables.items():
        if stage not in known:
            raise OptionError(f"[{stage}] is no stage; choose from {', '.join(known)}.")
        if not isinstance(table, Mapping):
            raise OptionError(f"{stage} must be a table of options, not {table!r}.")
        values = _renamed(known[stage], table, f"[{stage}]")
        changed = dataclasses.replace(getattr(config, stage), **values)
        config = dataclasses.replace(config, **{stage: changed})
    return config


def load_config(path: Path) -> Config:
    """Reads a .toml or .json configuration file.

    Raises:
        OptionError: the file is missing or unreadable, malformed, or names unknown options.
    """
    try:
        words = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise OptionError(f"--config {path}: cannot be read ({reason}).") from None
    try:
        data = json.loads(words) if path.suffix.lower() == ".json" else tomllib.loads(words)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionError(f"--config {path}: not well-formed ({error}).") from None
    if not isinstance(data, dict):
        raise OptionError(f"--config {path}: must hold a table of options.")
    return from_dict(data, f"--config {path}")


def _renamed(cls: type[Stage], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = {f.name: f for f in dataclasses.fields(cls)}
    for name in table:
        if name not in names:
            raise OptionError(f"{where} has no option {name}{hint(name, names)}")
    values = dict(table)
    if "solves" in values:
        values["solves"] = _solves(values["solves"], where)
    return values


def _solves(rows: Any, where: str) -> tuple[Solve, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise OptionError(f"{where} solves must be a list of tables.")
    return tuple(Solve(**_renamed(Solve, row, f"{where} solves")) for row in rows)
