"""`photostyle apply`: a trained style on pictures, folders and videos."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from photostyle.commands.arguments import BAD_INPUT, INTERRUPTED, add_command

if TYPE_CHECKING:
    from photostyle.errors import ImageError
    from photostyle.feedforward.applying import Job


def register(commands: Any) -> None:
    parser = add_command(commands, "apply", "apply a trained style to pictures and videos", _apply)
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=Path, help="pictures, videos, folders of them"
    )
    parser.add_argument("--model", required=True, type=Path, help="network, from photostyle train")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of results")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument(
        "--batch", type=int, help="pictures of one size, or frames, at once (default: 8 on a GPU)"
    )
    parser.add_argument(
        "--memory", type=int, metavar="MIB",
        help="MiB for the network's maps; larger pictures go through in strips, with the same "
        "result (default: half of what is free)",
    )  # fmt: skip


def _apply(arguments: argparse.Namespace) -> int:
    from photostyle.api.networks import apply

    with _Telling() as telling:
        applied = apply(
            arguments.inputs, arguments.model, out=arguments.out, device=arguments.device,
            batch=arguments.batch, memory=arguments.memory, listener=telling,
        )  # fmt: skip
    if applied.interrupted:
        say(f"Stopped; {len(applied.done)} of {applied.total} files are done, each whole.")
        return INTERRUPTED
    if not applied.failed:
        return 0
    if applied.total == 1:
        raise next(iter(applied.failed.values()))
    for error in applied.failed.values():
        print(error, file=sys.stderr)
    say(f"{len(applied.failed)} of {applied.total} files could not be styled.")
    return BAD_INPUT


def say(sentence: str) -> None:
    print(f"photostyle: {sentence}", file=sys.stderr)


class _Telling:
    """Names the results as they are done; a bar for each video."""

    def __enter__(self) -> Self:
        self._bar: Any = None
        return self

    def __exit__(self, *reason: object) -> None:
        self._close()

    def begins(self, job: "Job") -> None:
        from tqdm import tqdm

        self._bar = tqdm(unit="frame", desc=job.source.name)

    def frames(self, job: "Job", done: int, expected: int) -> None:
        self._bar.total = expected or None
        self._bar.update(done - self._bar.n)

    def ends(self, job: "Job", error: "ImageError | None", frames: int) -> None:
        self._close()
        if error is None:
            print(f"{job.target}{f' ({frames} frames, without sound)' if job.video else ''}")

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
