"""`photostyle compare leak`: what is left of a photograph that is styled again and again."""

import argparse
import sys
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import add_command, noted_photograph
from photostyle.config.config import Config
from photostyle.config.files import load_config
from photostyle.config.presets import preset
from photostyle.errors import OptionError
from photostyle.places import check_places, expanded


def register(kinds: Any, name: str) -> None:
    parser = add_command(kinds, name, "what is left of a photograph styled again and again", _leak)
    parser.add_argument("content", metavar="CONTENT", type=expanded, help="photograph")
    parser.add_argument("--style", required=True, nargs="+", type=expanded,
                        help="one style for all rounds, or two that take turns")  # fmt: skip
    parser.add_argument(
        "--presets", default="wavelet,color", metavar="NAMES",
        help="methods with commas, each a preset, preset=NETWORK or a configuration file, such as "
        "wavelet,artflow=flow.safetensors,mine.toml (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=20, help="(default: 20)")
    parser.add_argument("--size", type=int, default=256, help="long side (default: 256)")
    parser.add_argument("--sheet", type=expanded, help="also write curves and pictures")
    parser.add_argument("--csv", type=expanded, help="also write every round's scores")


def _leak(arguments: argparse.Namespace) -> int:
    from photostyle.images.picture import reduced
    from photostyle.images.saving import atomic_path
    from photostyle.images.sheets import contact_sheet
    from photostyle.jobs.leaking import leak, leak_rows, rounds_csv, table

    for name, least in (("rounds", 1), ("size", 48)):
        if getattr(arguments, name) < least:
            raise OptionError(
                f"--{name} is {getattr(arguments, name)}; it must be at least {least}."
            )
    methods = _methods(arguments.presets)
    _check_outputs(arguments)
    content, *styles = (
        reduced(image, arguments.size)
        for image in (noted_photograph(x).image for x in (arguments.content, *arguments.style))
    )
    leaks = {}
    for name, config in methods.items():

        def tell(number: int, name: str = name) -> None:
            print(f"{name}: round {number} of {arguments.rounds}", file=sys.stderr, flush=True)

        leaks[name] = leak(content, styles, config, arguments.rounds, tell)
    rows = table(leaks)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for first, *rest in rows:
        cells = [w.rjust(n) for w, n in zip(rest, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    if arguments.csv:
        with atomic_path(arguments.csv) as temporary:
            temporary.write_text(rounds_csv(leaks), encoding="utf-8")
    if arguments.sheet:
        contact_sheet(leak_rows(content, styles, leaks, 260), arguments.sheet, height=260)
    return 0


def _check_outputs(arguments: argparse.Namespace) -> None:
    from photostyle.images.saving import check_output

    named = [expanded(part) for x in arguments.presets.split(",") for part in x.split("=") if part]
    places = [path for path in (arguments.sheet, arguments.csv) if path]
    check_places(places, [arguments.content, *arguments.style, *named])
    if arguments.sheet:
        check_output(arguments.sheet, [])


def _methods(words: str) -> dict[str, Config]:
    """The configurations by what they are called.

    Raises:
        OptionError: no such preset, or one twice.
    """
    found: dict[str, Config] = {}
    for word in words.split(","):
        name, _, model = (part.strip() for part in word.partition("="))
        label = Path(name).stem
        if label in found:
            raise OptionError(f"--presets {words}: {label} is there twice; give each once.")
        file = Path(name).suffix.lower() in (".toml", ".json")
        base = load_config(expanded(name)) if file else preset(name)
        found[label] = base.with_options({"model": model} if model else {})
    return found
