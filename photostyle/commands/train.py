"""`photostyle train`: a network for one style."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import (
    INTERRUPTED,
    add_command,
    add_options,
    given_options,
    read_files,
)
from photostyle.config.training import TrainingConfig
from photostyle.errors import OutputError
from photostyle.places import check_not_foreign, check_places, expanded

if TYPE_CHECKING:
    from photostyle.feedforward.session import Session

#: Options that have no part in a training.
WITHOUT = (
    "tile_size", "activations", "style_blend", "photoreal_weight", "swd_weight", "drift_weight",
    "plain_regions",
)  # fmt: skip


def register(commands: Any) -> None:
    parser = add_command(commands, "train", "train a network for one style", _train)
    files = parser.add_argument_group("files")
    files.add_argument(
        "--style", required=True, type=expanded, help="painting or photograph to learn"
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
    from photostyle.feedforward.distributed import joined
    from photostyle.feedforward.session import begin
    from photostyle.runtime.device import resolve_device

    config = TrainingConfig().with_options(given_options(arguments, TrainingConfig))
    _check_out(arguments.out, [arguments.style, *read_files(arguments, config)])
    with joined(resolve_device(config.train.device)) as processes:
        session = begin(
            arguments.style, arguments.data, arguments.out, config, processes,
            resume=arguments.resume,
        )  # fmt: skip
        return _run(session)


def _run(session: "Session") -> int:
    from photostyle.feedforward.checkpoint import checkpoint_path
    from photostyle.runtime.progress import TrainingProgress

    config, state = session.config.train, session.state
    with TrainingProgress(config, state.step, shown=session.processes.leads) as progress:
        for note in session.notes:
            progress.note(note)
        try:
            session.run(progress.step)
        except KeyboardInterrupt:
            kept = f"{checkpoint_path(session.out)} keeps step {state.kept}, and --resume goes on"
            progress.note(f"Stopped; {kept if state.kept else 'no checkpoint was written yet'}.")
            return INTERRUPTED
        if skipped := session.skipped():
            progress.note(skipped)
    if session.processes.leads:
        print(f"{session.out} ({state.step} steps)")
    return 0


def _check_out(path: Path, inputs: list[Path]) -> None:
    from photostyle.feedforward.checkpoint import checkpoint_path
    from photostyle.feedforward.session import is_losses, losses_path, preview_path
    from photostyle.images.sheets import is_sheet

    if path.suffix.lower() != ".safetensors":
        raise OutputError(f"--out {path} should end in .safetensors.")
    preview, losses = preview_path(path), losses_path(path)
    check_places([path, checkpoint_path(path), preview, losses], inputs)
    check_not_foreign(preview, is_sheet)
    check_not_foreign(losses, is_losses)
