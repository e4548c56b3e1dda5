"""`photostyle compare-fast`: a trained network against the optimisation that it replaces."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photostyle.commands.arguments import add_command, noted_photograph
from photostyle.errors import ModelError, OptionError
from photostyle.places import expanded

if TYPE_CHECKING:
    import torch

    from photostyle.feedforward.style_model import StyleModel
    from photostyle.images.picture import Photo


def register(commands: Any) -> None:
    parser = add_command(
        commands, "compare-fast", "compare a network with the optimisation it replaces", run
    )
    parser.prog = "photostyle compare fast"
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def run(arguments: argparse.Namespace) -> int:
    from photostyle.feedforward.style_model import load_model
    from photostyle.images.picture import resize
    from photostyle.images.saving import check_output
    from photostyle.jobs.comparing import (
        compare_with_gatys,
        hardware,
        table,
        times,
    )
    from photostyle.objective.features import least_side
    from photostyle.runtime.device import resolve_device

    counts = _whole_numbers("--iterations", arguments.iterations)
    sizes = _whole_numbers("--size", arguments.size)
    device = resolve_device(arguments.device)
    model = load_model(arguments.model, device)
    if arguments.sheet:
        own = arguments.style or Path(model.info.style)
        named = [expanded(arguments.encoder)] if arguments.encoder else []
        check_output(arguments.sheet, [*arguments.contents, own, arguments.model, *named])
    style, weight, encoder = _training_inputs(arguments, model, device)
    least = least_side(encoder, model.info.config.encoder)
    found = []
    photos = [noted_photograph(path) for path in arguments.contents]
    for photo, size in _sized(photos, sizes, least):
        content = resize(photo.image, size).to(device)
        with _bar(Path(photo.called).name, max(counts)) as bar:
            found.append(
                compare_with_gatys(
                    model,
                    encoder,
                    style,
                    content,
                    Path(photo.called).stem,
                    iterations=counts,
                    seed=arguments.seed,
                    progress=lambda _: bar.update(),
                    search=arguments.search,
                    weight=weight,
                )
            )
    print(f"{hardware(device)}; encoder {encoder.name}; the training's objective; Gatys: L-BFGS "
          f"on pixels from noise, clipped, {arguments.search}, seed {arguments.seed}")  # fmt: skip
    print("\n".join([*table(found), "", *times(found, hardware(device))]))
    if arguments.sheet:
        _write_sheet(arguments.sheet, style, found)
        print(arguments.sheet)
    return 0


def _sized(
    photos: "Sequence[Photo]", sizes: list[int], least: int
) -> "list[tuple[Photo, tuple[int, int]]]":
    """The photographs with every height and width to compare them at; where one is smaller than
    two of the sizes, it has but one."""
    from photostyle.images.picture import fit_size, image_size

    found: dict[tuple[int, tuple[int, int]], Photo] = {}
    for side, (number, photo) in itertools.product(sizes, enumerate(photos)):
        height, width = fit_size(image_size(photo.image), side)
        if min(height, width) < least:
            raise OptionError(
                f"--size {side} makes {photo.path} {width}×{height} pixels, and the encoder needs "
                f"{least} a side; give a larger size, or a less elongated photograph."
            )
        found[number, (height, width)] = photo
    return [(photo, size) for (_, size), photo in found.items()]


def _training_inputs(
    arguments: argparse.Namespace, model: "StyleModel", device: "torch.device"
) -> tuple[Any, Any, Any]:
    """The style at the size at which it was learned with its weights, and the encoder; all the very
    same."""
    from dataclasses import replace

    from photostyle.images.picture import fit_size, image_size, resize
    from photostyle.objective.features import configured_encoder

    info = model.info
    photo = noted_photograph(arguments.style or Path(info.style))
    if photo.sha256 != info.style_sha256:
        raise ModelError(
            f"{photo.path} is not the style of {arguments.model}, which learned {info.style}; give "
            "that with --style."
        )
    taps = info.config.encoder
    if arguments.encoder:
        taps = replace(taps, encoder=arguments.encoder)
    encoder, _ = configured_encoder(taps, device)
    if encoder.fingerprint != info.encoder_sha256:
        raise ModelError(
            f"encoder {encoder.name} is not the one that {arguments.model} was trained with, "
            f"{info.encoder}; give --encoder."
        )
    size = fit_size(image_size(photo.image), info.config.train.style_size)
    return resize(photo.image, size).to(device), photo.weight_at(size), encoder


def _whole_numbers(name: str, words: str) -> list[int]:
    try:
        numbers = [int(word) for word in words.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise OptionError(f"{name} is {words!r}; give whole numbers from 1, with commas.")
    return sorted(set(numbers))


def _bar(name: str, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(desc=name, total=total, unit="it")


def _write_sheet(path: Path, style: Any, comparisons: list[Any]) -> None:
    from photostyle.images.sheets import contact_sheet

    rows = [
        [
            ("style", style),
            (one.name, one.content),
            (f"network {one.network.total:.3g}", one.network.image),
            *((f"Gatys {n}: {r.total:.3g}", r.image) for n, r in sorted(one.gatys.items())),
        ]
        for one in comparisons
    ]
    contact_sheet(rows, path, height=256)
