"""The options as the page shows and sends them, and the command line that would do the same.
Imports no torch."""

import shlex
import types
import typing
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from photostyle.config.config import options, stages
from photostyle.config.keywords import plain_value
from photostyle.config.options import flag, quoted
from photostyle.config.presets import PRESETS, SUMMARIES
from photostyle.config.rendering import strengths
from photostyle.encoders.registry import ENTRIES
from photostyle.images.formats.table import Format, read_suffixes, usual, written
from photostyle.web.limits import SWEEP_VALUES
from photostyle.web.refusing import Refused

#: What most people turn, of what needs a solve.
USUAL = (
    "photoreal_weight", "style_weight", "size", "segmenter", "regions", "init", "swd_weight",
    "drift_weight", "content_weight", "edge_softness", "postprocess", "encoder", "device",
)  # fmt: skip
#: What is chosen after a solve, and never needs one.
AFTERWARDS = ("output_size", "output_space", "strength", "luminance", "color", "protect")
#: Presets that need a file which no page can name.
WITHOUT = ("fast", "wct", "artflow")
#: Chosen on the page in other ways.
_OWN_WAY = ("correspond", "palette", "bit_depth")


def encoders() -> tuple[str, ...]:
    """Encoders by their names; a page can name no file."""
    return ("auto", "builtin", *ENTRIES)


def _of_files(name: str) -> tuple[str, ...] | None:
    return encoders() if name == "encoder" else None


@cache
def told() -> dict[str, Any]:
    """All options with their help and limits, and the presets with their values."""
    rows = []
    for stage, f, kind in options():
        if f.metadata["file"] and f.name != "encoder":
            continue
        rows.append({
            "name": f.name, "flag": flag(f.name), "stage": stage, "help": f.metadata["help"],
            "kind": _kind(kind), "optional": isinstance(kind, types.UnionType),
            "choices": _of_files(f.name) or f.metadata["choices"], "low": f.metadata["low"],
            "high": f.metadata["high"], "usual": f.name in USUAL,
            "own": f.name in (*_OWN_WAY, *AFTERWARDS),
        })  # fmt: skip
    values = {
        name: {
            row["name"]: getattr(getattr(config, row["stage"]), row["name"]) for row in rows
        }
        for name, config in PRESETS.items() if name not in WITHOUT
    }  # fmt: skip
    summaries = {name: SUMMARIES[name] for name in values}
    titles = {name: (cls.__doc__ or "").strip().split("\n")[0] for name, cls in stages()}
    order = {name: place for place, name in enumerate(USUAL)}
    return {
        "options": rows, "presets": values, "summaries": summaries, "stages": titles,
        "usual": list(order), "sweep": SWEEP_VALUES, "reads": read_suffixes(),
        "writes": [
            {"form": form, "name": kind.name, "depths": kind.depths}
            for form, kind in _written().items()
        ],
    }  # fmt: skip


def _written() -> dict[str, Format]:
    """Formats that are written on this machine, by their usual suffixes without the dot."""
    return {suffix: kind for suffix in usual() if not (kind := written()[f".{suffix}"]).missing}


def depths_of(form: object, depth: object) -> tuple[str, int]:
    """A format and its bits per channel, as a page names them.

    Raises:
        Refused: no format that is written here, or it does not hold so many bits.
    """
    known = _written()
    kind = known.get(form) if isinstance(form, str) else None
    if kind is None:
        raise Refused(f"Results are kept as {', '.join(known)}.")
    if depth not in kind.depths:
        bits = " or ".join(map(str, kind.depths))
        raise Refused(f"{kind.name} holds {bits} bits a channel.")
    return str(form), int(str(depth))


def _kind(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if typing.get_origin(kind) is tuple:
        return "numbers" if typing.get_args(kind)[0] is float else "words"
    return {int: "int", float: "float"}.get(kind, "str")


def checked(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a page sends them, ready for `with_options`.

    Raises:
        Refused: an option that is not offered, or a preset that is not there.
        OptionError: a value that does not fit.
    """
    if not isinstance(preset, str) or preset not in PRESETS or preset in WITHOUT:
        raise Refused("There is no such preset here.")
    known = {row["name"]: row for row in told()["options"]}
    for name, value in values.items():
        if name not in known:
            raise Refused(f"{flag(str(name)[:60])} is not offered on the page.")
        if name == "encoder" and value not in encoders():
            raise Refused(f"--encoder: choose from {', '.join(encoders())}.")
    plain = {name: plain_value(name, value) for name, value in values.items()}
    PRESETS[preset].with_options(plain)
    return plain


def fitting(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Options of rendering without strengths of regions that a result does not have: they were
    named otherwise when it was made, or have since been paired with others."""
    if not values.get("strength"):
        return dict(values)
    parts = [
        f"{value:g}" if name is None else f"{quoted(name)}={value:g}"
        for name, value in strengths(str(values["strength"])) if name is None or name in names
    ]  # fmt: skip
    return {**values, "strength": ",".join(parts) or "1"}


def command_line(
    preset: str, values: Mapping[str, Any], names: Mapping[str, str | None], out: str
) -> str:
    """The command that does what a session does.

    Args:
        names: of the files by their options: content, style, content-mask, style-mask.
    """
    words = ["photostyle", "run", "--preset", preset]
    for option, name in names.items():
        words += [f"--{option}", name] if name else []
    fields = {f.name for _, f, _ in options()}
    for name, value in values.items():
        if name in fields and value is not None:
            words += [flag(name), _word(value)]
    return shlex.join([*words, "--out", out])


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ",".join(map(_word, value)) if isinstance(value, list | tuple) else str(value)
