"""`photostyle apply`: a trained style on pictures, folders and videos."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import BAD_INPUT, INTERRUPTED, add_command
from photostyle.errors import ImageError, OptionError

if TYPE_CHECKING:
    from photostyle.feedforward.applying import Job
    from photostyle.feedforward.style_model import StyleModel


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
    from photostyle.device import resolve_device
    from photostyle.feedforward.applying import plan
    from photostyle.feedforward.style_model import load_model
    from photostyle.feedforward.tiling import usual_memory

    for name in ("batch", "memory"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise OptionError(f"--{name} is {value}; it must be at least 1.")
    device = resolve_device(arguments.device)
    model = load_model(arguments.model, device)
    jobs = plan(arguments.inputs, arguments.out)
    batch = arguments.batch or (8 if device.type == "cuda" else 1)
    memory = arguments.memory * 2**20 if arguments.memory else usual_memory(device)
    failed: list[ImageError] = []
    done: list[Path] = []
    try:
        _pictures(model, [job for job in jobs if not job.video], batch, memory, done, failed)
        _videos(model, [job for job in jobs if job.video], batch, memory, done, failed)
    except KeyboardInterrupt:
        print(f"photostyle: Stopped; {len(done)} of {len(jobs)} files are done, each whole.",
              file=sys.stderr)  # fmt: skip
        return INTERRUPTED
    if len(failed) == len(jobs) == 1:
        raise failed[0]
    if failed:
        print(f"photostyle: {len(failed)} of {len(jobs)} files could not be styled.",
              file=sys.stderr)  # fmt: skip
    return BAD_INPUT if failed else 0


def _pictures(
    model: "StyleModel",
    jobs: Sequence["Job"],
    batch: int,
    memory: int | None,
    done: list[Path],
    failed: list[ImageError],
) -> None:
    """Styles pictures; notes what is `done` and what `failed`."""
    from tqdm import tqdm

    from photostyle.feedforward.applying import apply_pictures

    found = apply_pictures(model, jobs, batch=batch, memory=memory)
    for job, error in tqdm(found, total=len(jobs), unit="img", disable=not jobs):
        if error is None:
            done.append(job.target)
            print(job.target)
        else:
            failed.append(error)
            print(error, file=sys.stderr)


def _videos(
    model: "StyleModel",
    jobs: Sequence["Job"],
    batch: int,
    memory: int | None,
    done: list[Path],
    failed: list[ImageError],
) -> None:
    """The same with videos."""
    from tqdm import tqdm

    from photostyle.feedforward.applying import apply_video

    for job in jobs:
        with tqdm(unit="frame", desc=job.source.name) as bar:

            def progress(done: int, expected: int, bar: Any = bar) -> None:
                bar.total = expected or None
                bar.update(done - bar.n)

            try:
                count = apply_video(model, job, batch=batch, memory=memory, progress=progress)
            except ImageError as error:
                failed.append(error)
                print(error, file=sys.stderr)
                continue
        done.append(job.target)
        print(f"{job.target} ({count} frames, without sound)")
