"""`photostyle apply`: a trained style on pictures, folders and videos."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import (
    BAD_INPUT,
    FAILED,
    INTERRUPTED,
    add_command,
    given_options,
)
from photostyle.commands.running import FrameBar, add_codec, frames, say
from photostyle.places import expanded

if TYPE_CHECKING:
    from photostyle.errors import ImageError
    from photostyle.feedforward.applying import Job


def register(commands: Any) -> None:
    parser = add_command(commands, "apply", "apply a trained style to pictures and videos", _apply)
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        type=expanded,
        help="pictures, videos, folders of them",
    )
    parser.add_argument(
        "--model", required=True, type=expanded, help="network, from photostyle train"
    )
    parser.add_argument(
        "--out", required=True, type=expanded, metavar="DIR", help="folder of results"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument(
        "--batch", type=int, help="pictures of one size, or frames, at once (default: 8 on a GPU)"
    )
    parser.add_argument(
        "--memory", type=int, metavar="MIB",
        help="MiB for the network's maps; larger pictures go through in strips, with the same "
        "result (default: half of what is free, on a CPU at most 512)",
    )  # fmt: skip
    styles = parser.add_argument_group("network for any style")
    styles.add_argument("--style", nargs="+", type=expanded, help="one picture, or several")
    styles.add_argument("--style-blend", dest="option_style_blend", metavar="SHARES",
                        help="of several, such as 0.7,0.3")  # fmt: skip
    styles.add_argument("--transfer", choices=("adain", "wct"),
                        help="of each channel mean and deviation, or all covariances (default: "
                        "as trained)")  # fmt: skip
    styles.add_argument("--alpha", type=float, default=1.0,
                        help="share of the change, 0 to 1 (default: 1)")  # fmt: skip
    add_codec(parser)


def _apply(arguments: argparse.Namespace) -> int:
    from photostyle.api.networks import apply

    with _Telling() as telling:
        applied = apply(
            arguments.inputs, arguments.model, out=arguments.out, device=arguments.device,
            batch=arguments.batch, memory=arguments.memory, codec=arguments.codec,
            quality=arguments.quality, listener=telling, style=arguments.style,
            transfer=arguments.transfer, alpha=arguments.alpha,
            style_blend=given_options(arguments).get("style_blend"),
        )  # fmt: skip
    if applied.interrupted:
        done = f"Stopped; {len(applied.done)} of {applied.total} files are done, each whole."
        film = applied.begun
        _say(
            f"{done} {film.target} holds the first {frames(film.frames_written)}." if film else done
        )
        return INTERRUPTED
    if not applied.failed:
        return FAILED if applied.damaged else 0
    if applied.total == 1:
        raise next(iter(applied.failed.values()))
    for error in applied.failed.values():
        print(error.as_typed, file=sys.stderr)
    _say(f"{len(applied.failed)} of {applied.total} files could not be styled.")
    return BAD_INPUT


def _say(sentence: str) -> None:
    say(f"photostyle: {sentence}")


class _Telling(FrameBar):
    """Names the results as they are done; a bar for each video."""

    def begins(self, job: "Job") -> None:
        self.close()

    def frames(self, job: "Job", done: int, expected: int) -> None:
        self.show(job.source.name, done, expected)

    def note(self, sentence: str) -> None:
        from tqdm import tqdm

        tqdm.write(sentence, file=sys.stderr)

    def ends(self, job: "Job", error: "ImageError | None", count: int) -> None:
        self.close()
        if error is None:
            print(f"{job.target}{f' ({frames(count)})' if job.video else ''}")
