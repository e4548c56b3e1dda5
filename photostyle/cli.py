"""The command line. Each command is a module of `commands`; what they raise ends here.

Imports no torch until a command runs, so that help is there at once.
"""

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from photostyle.commands import (
    apply,
    batch,
    compare,
    config,
    export,
    info,
    look,
    post,
    render,
    report,
    run,
    segment,
    serve,
    sweep,
    train,
    weights,
)
from photostyle.commands.arguments import BAD_INPUT, FAILED, INTERRUPTED
from photostyle.commands.helping import FIRST
from photostyle.errors import InputError, JobsError, OptionError, PhotostyleError
from photostyle.runtime.stopping import interrupt, minded
from photostyle.runtime.streams import standard_streams

COMMANDS = (
    run, serve, segment, sweep, batch, post, report, compare, info, render, look, train, apply,
    export, weights, config,
)  # fmt: skip

#: What commands were called before, and are called now.
RENAMED = {"compare-fast": "compare fast"}

#: Names of files and values may hold what a terminal would obey.
_CONTROLS = {n: repr(chr(n))[1:-1] for n in (*range(32), *range(127, 160))}

NO_MEMORY = "There is not enough memory; try a smaller --size, --batch or --memory."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit code: 0, 1 (failed), 2 (bad input) or 130 (Ctrl-C, SIGTERM
    or a closed terminal)."""
    # OpenMP reads it as torch comes. Left to itself a thread that waits for its share of each
    # operation spins, which on a machine with other work keeps from running what it waits for.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with standard_streams(), minded(interrupt):
        return _run(list(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> int:
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
        return code
    except JobsError as error:  # a line for each mistake
        return _complain(error.as_typed, BAD_INPUT, lines=True)
    except InputError as error:
        return _complain(error.as_typed, BAD_INPUT)
    except PhotostyleError as error:
        return _complain(error.as_typed, FAILED)
    except MemoryError:
        return _complain(NO_MEMORY, FAILED)
    except RuntimeError as error:
        # torch's own kinds, of a GPU's and of the machine's memory; told apart without torch.
        if type(error).__name__ != "OutOfMemoryError" and "can't allocate memory" not in str(error):
            raise
        return _complain(NO_MEMORY, FAILED)
    except KeyboardInterrupt:
        return _complain("Stopped before there was a result; nothing was written.", INTERRUPTED)


def _complain(sentence: str, code: int, lines: bool = False) -> int:
    kept = {"\n": "\n"} if lines else {}
    words = sentence.translate(_CONTROLS | str.maketrans(kept))
    print(f"photostyle: {words}", file=sys.stderr)
    return code


def _dispatch(argv: list[str]) -> int:
    if not argv:
        print(FIRST)
        return 0
    if now := RENAMED.get(argv[0]):
        raise OptionError(f"{argv[0]} is now `photostyle {now}`, with the same options.")
    if os.path.isfile(argv[0]):
        raise OptionError(
            f"{argv[0]} is a file, where a command is needed, such as `photostyle run "
            "--content PHOTO --style STYLE`; --help lists them all."
        )
    arguments, unknown = _parser().parse_known_args(compare.explicit(argv))
    if unknown:
        raise OptionError(f"{unknown[0]} is no option{_hint(unknown[0], arguments.known)}")
    code: int = arguments.command(arguments)
    return code


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word.split("=")[0], known, n=1)
    return f"; did you mean {near[0]}?" if near else "; --help lists them all."


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
    for module in COMMANDS:
        module.register(commands)
    return parser
