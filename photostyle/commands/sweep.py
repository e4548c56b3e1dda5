"""`photostyle sweep`: one pair under every combination of some values."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command, add_options
from photostyle.commands.running import add_format, add_running, configure_with, execute
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(
        commands, "sweep", "style one pair under many combinations of values", _sweep
    )
    files = parser.add_argument_group("files")
    files.add_argument("--content", type=expanded, help="photograph to be changed")
    files.add_argument("--style", type=expanded, help="photograph to take after")
    files.add_argument(
        "--content-mask", type=expanded, help="label picture of the content's regions"
    )
    files.add_argument("--style-mask", type=expanded, help="label picture of the style's regions")
    axes = parser.add_argument_group("what varies")
    axes.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="an axis: "
        "any option, preset, or a file role such as content_mask; a list (100,1000), "
        "equal ratios (1e2..1e7:log6), equal distances (0..1:lin5); layers are "
        "joined by +; may be given several times",
    )
    axes.add_argument(
        "--zip", action="store_true", help="walk the axes together instead of crossing them"
    )
    axes.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a value of every cell"
    )
    axes.add_argument(
        "--warm-start",
        action="store_true",
        help="begin each cell of a row with the result of the one before it",
    )
    add_format(axes)
    add_running(parser)
    add_options(parser)


def _sweep(arguments: argparse.Namespace) -> int:
    from photostyle.errors import OptionError
    from photostyle.jobs.axes import FILES, parse_axis, parse_setting
    from photostyle.jobs.sweep import Sweep

    settings = dict(parse_setting(text) for text in arguments.set)
    sweep = Sweep(
        axes=[parse_axis(text) for text in arguments.grid],
        files={name: getattr(arguments, name) for name in FILES},
        configure=configure_with(arguments),
        settings=settings,
        zipped=arguments.zip,
        warm_start=arguments.warm_start,
        suffix=f".{arguments.format}",
    )
    if not sweep.axes:
        raise OptionError(
            "--grid is missing: a sweep varies something, such as style_weight=100,1000."
        )
    plan = sweep.plan()
    _check_files(plan)
    return execute(plan, arguments)


def _check_files(plan: Any) -> None:
    """A file that no cell could read shows before the first one runs."""
    from photostyle.images.picture import load_image

    for path in dict.fromkeys(p for job in plan.jobs for p in (job.content, job.style)):
        load_image(path)
    for job in plan.jobs:
        assert job.key  # reads masks and weights
