"""`photostyle weights`: the published VGG weights, listed, fetched and verified."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import FAILED, INTERRUPTED, add_command

if TYPE_CHECKING:
    from photostyle.encoders.registry import Entry


def register(commands: Any) -> None:
    parser = add_command(commands, "weights", "get the papers' VGG networks", _list)
    parts = parser.add_subparsers(
        required=True, metavar="list|fetch|verify|where", parser_class=type(parser)
    )
    add_command(parts, "list", "say which weights there are, and which are here", _list)
    fetch = add_command(parts, "fetch", "download weights into the cache", _fetch)
    fetch.add_argument("name", metavar="NAME", help="vgg19, vgg16, vgg19-caffe or vgg16-caffe")
    fetch.add_argument(
        "--from", dest="source", metavar="URL|FILE|DIR",
        help="a mirror's address, or the published file or its folder where you have it "
        "(default: torch's cache, then PHOTOSTYLE_WEIGHTS_URL, then the published address)",
    )  # fmt: skip
    fetch.add_argument(
        "--sha256", metavar="HEX",
        help="how the file's SHA-256 begins, at least 8 digits (default: as published)",
    )  # fmt: skip
    verify = add_command(parts, "verify", "check that cached weights are undamaged", _verify)
    verify.add_argument("name", metavar="NAME", nargs="?", help="only these (default: all)")
    add_command(parts, "where", "print the folders in which weights are looked for", _where)


def _list(arguments: argparse.Namespace) -> int:
    from photostyle.encoders import cache
    from photostyle.encoders.registry import ENTRIES

    for entry in ENTRIES.values():
        path = cache.find(entry)
        state = f"in {cache.place(path)}" if path else f"not here ({entry.megabytes} MB)"
        print(f"{entry.name:12} {state}: {cache.origin(entry) or entry.about}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    from photostyle.encoders.fetch import fetch, sha256_start
    from photostyle.encoders.registry import entry_of

    entry = entry_of(arguments.name)
    expected = sha256_start(arguments.sha256) if arguments.sha256 is not None else None
    try:
        path = fetch(entry, _say, arguments.source, expected)
    except KeyboardInterrupt:
        _say("stopped; the same command goes on from there.")
        return INTERRUPTED
    print(path)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from photostyle.encoders.registry import ENTRIES, entry_of

    entries = [entry_of(arguments.name)] if arguments.name else list(ENTRIES.values())
    states = [state for entry in entries for state in _states(entry)]
    if not states:
        names = ", ".join(entry.name for entry in entries)
        wanted = arguments.name or "NAME"
        print(f"{names}: not on this machine; `photostyle weights fetch {wanted}` gets one.")
        return FAILED if arguments.name else 0
    return FAILED if "damaged" in states else 0


def _states(entry: "Entry") -> list[str]:
    """Of every copy on this machine, each printed."""
    from photostyle.encoders import cache

    copies = (
        (cache.cached_path(entry), cache.check(entry)),
        (cache.torch_folder() / entry.file, cache.check_torch(entry)),
    )
    found = [(path, state) for path, state in copies if state != "absent"]
    for path, state in found:
        hint = f"; `{entry.command}` gets it again" if state == "damaged" else ""
        print(f"{entry.name}: {path} is {state}{hint}")
    return [state for _, state in found]


def _where(arguments: argparse.Namespace) -> int:
    from photostyle.encoders import cache

    print(cache.weights_folder())
    print(cache.torch_folder())
    return 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
