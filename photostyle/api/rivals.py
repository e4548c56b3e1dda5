"""`compare_fast`: a trained network against the optimisation that it replaces."""

from __future__ import annotations  # help() has the names of kinds, not their lists

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
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
from photostyle.runtime.updates import Progress, Watched
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
    contents: PictureLike | Sequence[PictureLike], model: PathLike | StyleModel,
    style: PictureLike | None = None, *, encoder: str | None = None,
    size: int | Sequence[int] = 256, iterations: Sequence[int] = COUNTS,
    search: Literal["wolfe", "plain"] = "wolfe", seed: int = 0, device: str = "auto",
    progress: Progress = False,
) -> Rivals:  # fmt: skip
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
    sizes = _numbers("size", [size] if isinstance(size, int) else size)
    counts = _numbers("iterations", iterations)
    place = resolve_device(device)
    trained = _trained(model, style, encoder, place)
    photos = [seen_photograph(picture_of(x, "A content"), "A content") for x in listed(contents)]
    race = functools.partial(
        compare_with_gatys, trained.network, trained.judge, trained.style, weight=trained.weight,
        iterations=counts, seed=seed, search=search,
    )  # fmt: skip
    found = []
    with Watched(progress) as watched:
        for photo, fitted in _sized(photos, sizes, trained.least):
            content, title = resize(photo.image, fitted).to(place), _title(photo)
            found.append(race(content, title, progress=_telling(watched, title, counts[-1])))
    setting = (
        f"{hardware(place)}; encoder {trained.judge.name}; the training's objective; Gatys: L-BFGS "
        f"on pixels from noise, clipped, {search}, seed {seed}"
    )
    made_of = (*paths_of(photos), *trained.made_of)
    return Rivals(tuple(found), trained.style.cpu(), setting, hardware(place), made_of)


def _numbers(name: str, given: Iterable[int]) -> list[int]:
    numbers = sorted(set(given))
    if not numbers or numbers[0] < 1:
        raise OptionError(f"--{name}: give whole numbers from 1.")
    return numbers


def _title(photo: Photograph) -> str:
    return Path(photo.called).stem if photo.path else photo.called


def _telling(watched: Watched, title: str, total: int) -> Callable[[int], None]:
    return lambda done: watched.teller.counted(title, done, total)


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


@dataclass(frozen=True, eq=False)
class _Trained:
    """A network with what it was trained on: its style 1×3×h×w as it was learned, the weights of
    the style's pixels, and the encoder. `made_of` are the files that were read."""

    network: StyleModel
    style: Tensor
    weight: Tensor | None
    judge: Encoder
    made_of: tuple[Path, ...]

    @property
    def least(self) -> int:
        """The shortest side that the encoder takes."""
        return least_side(self.judge, self.network.info.config.encoder)


def _trained(
    model: PathLike | StyleModel, style: PictureLike | None, encoder: str | None,
    device: torch.device,
) -> _Trained:  # fmt: skip
    """The network with style and encoder of its training, the very same.

    Raises:
        ModelError: they are not those of the training.
    """
    loaded = isinstance(model, StyleModel)
    network = model if isinstance(model, StyleModel) else load_model(expanded(model), device)
    name, info = "network" if loaded else str(model), network.info
    own = Path(info.style) if style is None else style
    learnt = seen_photograph(picture_of(own, "The style"), "The style")
    if learnt.sha256 != info.style_sha256:
        raise ModelError(
            f"{learnt.called} is not the style of {name}, which learned {info.style}; give that "
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
    size = fit_size(image_size(learnt.image), info.config.train.style_size)
    read = [] if isinstance(model, StyleModel) else [expanded(model)]
    picture, weight = resize(learnt.image, size).to(device), learnt.weight_at(size)
    return _Trained(network, picture, weight, found, (*paths_of([learnt]), *read))
