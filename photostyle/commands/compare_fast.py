"""`photostyle compare fast`: a trained network against the optimisation that it replaces."""

import argparse
from pathlib import Path
from typing import Any

from photostyle.commands.arguments import add_command, noted_photograph
from photostyle.errors import OptionError
from photostyle.places import expanded


def register(kinds: Any, name: str) -> None:
    parser = add_command(kinds, name, "a trained network and the optimisation it replaces", _fast)
    parser.add_argument(
        "contents", metavar="CONTENT", nargs="+", type=expanded, help="photographs to compare on"
    )
    parser.add_argument(
        "--model", required=True, type=expanded, help="network, from photostyle train"
    )
    parser.add_argument("--style", type=expanded, help="its style picture (default: where it was)")
    parser.add_argument("--encoder", help="the encoder of its training (default: where it was)")
    parser.add_argument(
        "--size", default="256", help="long side in pixels, or several with commas (default: 256)"
    )
    parser.add_argument(
        "--iterations", default="50,100,300,500",
        help="iterations of the optimisation to look at (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--search", choices=("wolfe", "plain"), default="wolfe",
        help="line search of its L-BFGS: wolfe, as in the solves here, or plain, none, as in the "
        "code of the time, which takes more iterations (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the noise that it starts from")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--sheet", type=expanded, help="also write the pictures side by side")


def _fast(arguments: argparse.Namespace) -> int:
    from photostyle.api.rivals import compare_fast
    from photostyle.feedforward.style_model import load_model
    from photostyle.images.saving import check_output

    counts = _whole_numbers("--iterations", arguments.iterations)
    sizes = _whole_numbers("--size", arguments.size)
    style = arguments.style
    if arguments.sheet:
        own = style or Path(load_model(arguments.model).info.style)
        named = [expanded(arguments.encoder)] if arguments.encoder else []
        check_output(arguments.sheet, [*arguments.contents, own, arguments.model, *named])
    found = compare_fast(
        [noted_photograph(path) for path in arguments.contents], arguments.model,
        style and noted_photograph(style),
        encoder=arguments.encoder, size=sizes, iterations=counts, search=arguments.search,
        seed=arguments.seed, device=arguments.device, progress=True,
    )  # fmt: skip
    print("\n".join(found.table()))
    if arguments.sheet:
        found.sheet().save(arguments.sheet)
        print(arguments.sheet)
    return 0


def _whole_numbers(name: str, words: str) -> list[int]:
    try:
        numbers = [int(word) for word in words.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise OptionError(f"{name} is {words!r}; give whole numbers from 1, with commas.")
    return numbers
