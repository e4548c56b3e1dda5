"""`photostyle train`: a network for one style."""

import argparse
import sys
from typing import Any

from photostyle.commands.arguments import INTERRUPTED, add_command, add_options, given_options
from photostyle.config.training import WITHOUT, TrainingConfig
from photostyle.places import expanded


def register(commands: Any) -> None:
    parser = add_command(commands, "train", "train a network for one style", _train)
    files = parser.add_argument_group("files")
    files.add_argument(
        "--style",
        type=expanded,
        help="painting or photograph to learn; of --method artflow, a folder of styles",
    )
    files.add_argument(
        "--data", type=expanded, metavar="FOLDER",
        help="folder of pictures to learn on, searched to the bottom; without it, generated scenes",
    )  # fmt: skip
    files.add_argument(
        "--out", required=True, type=expanded,
        help="the network, .safetensors; a checkpoint, previews and losses are written beside it",
    )  # fmt: skip
    files.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint beside --out"
    )
    add_options(parser, presets=False, base=TrainingConfig(), without=WITHOUT)


def _train(arguments: argparse.Namespace) -> int:
    from photostyle.api.networks import train
    from photostyle.runtime.progress import TrainingProgress

    done = train(
        arguments.style, arguments.data, out=arguments.out, resume=arguments.resume,
        watch=lambda session: TrainingProgress(
            session.config.train, session.state.step, shown=session.processes.leads
        ),
        **given_options(arguments, TrainingConfig),
    )  # fmt: skip
    if done.interrupted:
        kept = f"{done.checkpoint} keeps step {done.kept}, and --resume goes on"
        if done.leads:
            sentence = f"Stopped; {kept if done.kept else 'no checkpoint was written yet'}."
            print(sentence, file=sys.stderr, flush=True)
        return INTERRUPTED
    if done.leads:
        print(f"{done.network} ({done.steps} steps)")
    return 0
