"""`compare_fast`: a trained network against the optimisation that it replaces."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import dataclasses
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from photostyle.brief import Brief
from photostyle.encoders.base import Encoder
from photostyle.errors import ModelError, OptionError
from photostyle.feedforward.style_model import StyleModel, load_model
from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.photograph import Photograph, seen_photograph
from photostyle.images.picture import fit_size, image_size, paths_of, resize
from photostyle.images.sheets import drawn_sheet
from photostyle.images.shown import Picture
from photostyle.jobs.comparing import Comparison, compare_with_gatys, hardware, table, times
from photostyle.objective.features import configured_encoder, least_side
from photostyle.places import expanded
from photostyle.runtime.device import resolve_device
from photostyle.runtime.updates import Progress, Update, Watched
from photostyle.views import as_picture

PathLike = str | os.PathLike[str]

#: Iterations after which the optimisation is looked at; pixels that a row of the sheet is high.
COUNTS, HEIGHT = (50, 100, 300, 500), 256


@dataclass(frozen=True, eq=False)
class Rivals(Brief):
    """A network beside the optimisation that it replaces, under the objective of its training.

    Attributes:
        comparisons: one for each content and size. style: 1×3×h×w as it was learned.
        setting: what was compared, in a sentence. machine: in a few words.
    """

    comparisons: tuple[Comparison, ...]
    style: Tensor = field(repr=False)
    setting: str
    machine: str
    made_of: tuple[Path, ...] = field(default=(), repr=False)

    def rows(self) -> list[dict[str, Any]]:
        """One row for each content and size; fit for `pandas.DataFrame`."""
        return [_row(one) for one in self.comparisons]

    def table(self) -> list[str]:
        """Objectives, seconds and speed-up as lines of Markdown tables."""
        found = self.comparisons
        return [self.setting, *table(found), "", *times(found, self.machine)]

    def sheet(self) -> Picture:
        """Style, contents and what both made of them."""
        rows = [
            [
                ("style", self.style),
                (one.name, one.content),
                (f"network {one.network.total:.3g}", one.network.image),
                *((f"Gatys {n}: {r.total:.3g}", r.image) for n, r in sorted(one.gatys.items())),
            ]
            for one in self.comparisons
        ]
        picture = as_picture(drawn_sheet(rows, HEIGHT))
        return dataclasses.replace(picture, made_of=self.made_of)

    def _repr_png_(self) -> bytes:
        return self.sheet()._repr_png_()


def compare_fast(
    contents: PictureLike | Sequence[PictureLike],
    model: PathLike | StyleModel,
    style: PictureLike | None = None,
    *,
    encoder: str | None = None,
    size: int | Sequence[int] = 256,
    iterations: Sequence[int] = COUNTS,
    search: Literal["wolfe", "plain"] = "wolfe",
    seed: int = 0,
    device: str = "auto",
    progress: Progress = False,
) -> Rivals:
    """A trained network against the optimisation that it replaces, on photographs.

    Args:
        contents: photographs in any form; see `stylize`.
        model: the network's file, as `train` writes it, or a loaded one.
        style: its style picture; without it, the file that it learned.
        encoder: of its training; without it, the one that it learned with.
        size: long sides in pixels, one or several.
        iterations: of the optimisation, after which it is looked at.
        search: line search of its L-BFGS: wolfe, as in the solves here, or plain, none, as in the
            code of the time.
        seed: of the noise that it starts from.
        device: auto, cpu, cuda, cuda:N or mps.
        progress: True for a bar, or a function of an `Update`, told of every iteration.

    Raises:
        InputError: a picture, network, encoder or option that cannot be used, or of another
            training.
    """
    sizes = sorted({size} if isinstance(size, int) else set(size))
    counts = sorted(set(iterations))
    for name, numbers in (("size", sizes), ("iterations", counts)):
        if not numbers or numbers[0] < 1:
            raise OptionError(f"--{name}: give whole numbers from 1.")
    place = resolve_device(device)
    network = model if isinstance(model, StyleModel) else load_model(expanded(model), place)
    name = "network" if isinstance(model, StyleModel) else str(model)
    own = Path(network.info.style) if style is None else style
    learnt = seen_photograph(picture_of(own, "The style"), "The style")
    picture, weight, judge = _training_inputs(network, name, learnt, encoder, place)
    photos = [seen_photograph(picture_of(x, "A content"), "A content") for x in listed(contents)]
    found = []
    with Watched(progress) as watched:
        for photo, fitted in _sized(photos, sizes, least_side(judge, network.info.config.encoder)):
            title = Path(photo.called).stem if photo.path else photo.called

            def tell(done: int, title: str = title) -> None:
                watched.teller.tell(Update(title, "", done, counts[-1]))

            content = resize(photo.image, fitted).to(place)
            found.append(compare_with_gatys(
                network, judge, picture, content, title, iterations=counts, seed=seed,
                progress=tell, search=search, weight=weight,
            ))  # fmt: skip
    setting = (
        f"{hardware(place)}; encoder {judge.name}; the training's objective; Gatys: L-BFGS "
        f"on pixels from noise, clipped, {search}, seed {seed}"
    )
    read = [] if isinstance(model, StyleModel) else [expanded(model)]
    made_of = (*paths_of([*photos, learnt]), *read)
    return Rivals(tuple(found), picture.cpu(), setting, hardware(place), made_of)


def _row(one: Comparison) -> dict[str, Any]:
    height, width = image_size(one.content)
    row: dict[str, Any] = {
        "content": one.name, "size": [width, height], "network": one.network.total,
        "network_seconds": one.network.seconds, "equals_iterations": one.equal,
    }  # fmt: skip
    for count, run in sorted(one.gatys.items()):
        row |= {f"gatys_{count}": run.total, f"gatys_{count}_seconds": run.seconds}
    return row


def _sized(
    photos: Sequence[Photograph], sizes: Sequence[int], least: int
) -> list[tuple[Photograph, tuple[int, int]]]:
    """The photographs with every height and width to compare them at; where one is smaller than
    two of the sizes, it has but one."""
    found: dict[tuple[int, tuple[int, int]], Photograph] = {}
    for side, (number, photo) in itertools.product(sizes, enumerate(photos)):
        height, width = fit_size(image_size(photo.image), side)
        if min(height, width) < least:
            raise OptionError(
                f"--size {side} makes {photo.called} {width}×{height} pixels, and the encoder "
                f"needs {least} a side; give a larger size, or a less elongated photograph."
            )
        found[number, (height, width)] = photo
    return [(photo, size) for (_, size), photo in found.items()]


def _training_inputs(
    model: StyleModel, name: str, style: Photograph, encoder: str | None, device: torch.device
) -> tuple[Tensor, Tensor | None, Encoder]:
    """The style at the size at which it was learned with its weights, and the encoder; all the very
    same.

    Raises:
        ModelError: they are not those of the training.
    """
    info = model.info
    if style.sha256 != info.style_sha256:
        raise ModelError(
            f"{style.called} is not the style of {name}, which learned {info.style}; give that "
            "with --style."
        )
    taps = info.config.encoder
    if encoder:
        taps = dataclasses.replace(taps, encoder=encoder)
    found, _ = configured_encoder(taps, device)
    if found.fingerprint != info.encoder_sha256:
        raise ModelError(
            f"encoder {found.name} is not the one that {name} was trained with, "
            f"{info.encoder}; give --encoder."
        )
    size = fit_size(image_size(style.image), info.config.train.style_size)
    return resize(style.image, size).to(device), style.weight_at(size), found
