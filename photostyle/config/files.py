"""Configurations from TOML and JSON, checked name by name."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from photostyle.config.config import Config, hint, stages
from photostyle.config.options import Stage, text
from photostyle.config.presets import preset
from photostyle.config.solves import Solve
from photostyle.documents import Unreadable, named, parse_json, parse_toml, read_text, shown
from photostyle.errors import OptionError


def from_dict(data: Mapping[str, Any], source: str = "the configuration") -> Config:
    """The Config that `to_dict` wrote; what is left out comes from its preset.

    Raises:
        OptionError: unknown names or unfit values; the message names `source`.
    """
    try:
        if not isinstance(data, Mapping):
            raise OptionError(f"it must be a table of options, not {shown(data)}.")
        return _from_tables(dict(data))
    except OptionError as error:
        raise OptionError(f"{source}: {error.as_typed}") from None


def _from_tables(tables: dict[str, Any]) -> Config:
    config = preset(text(tables.pop("preset", "photoreal"), "preset"))
    known = dict(stages())
    for stage, table in tables.items():
        if stage not in known:
            raise OptionError(f"[{named(stage)}] is no stage; choose from {', '.join(known)}.")
        if not isinstance(table, Mapping):
            raise OptionError(f"{stage} must be a table of options, not {shown(table)}.")
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
        words = read_text(path)
        data = parse_json(words) if path.suffix.lower() == ".json" else parse_toml(words)
    except Unreadable as error:
        raise OptionError(f"--config {path}: {error}.") from None
    return from_dict(data, f"--config {path}")


def _renamed(cls: type[Stage], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = {f.name: f for f in dataclasses.fields(cls)}
    for name in table:
        if name not in names:
            raise OptionError(f"{where} has no option {named(name)}{hint(name, names)}")
    values = dict(table)
    if "solves" in values:
        values["solves"] = _solves(values["solves"], where)
    return values


def _solves(rows: Any, where: str) -> tuple[Solve, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise OptionError(f"{where} solves must be a list of tables.")
    return tuple(Solve(**_renamed(Solve, row, f"{where} solves")) for row in rows)
