"""Training: the network's weights are the canvas, crops the contents, one style for all.

Source: Johnson, Alahi, Fei-Fei 2016, section 3; a step of 1e-3, as there. Unlike theirs, it is
Muon's on the kernels (see `descent`) and falls along a cosine: short trainings end lower for both.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from photostyle.config.training import TERMS, TrainConfig, TrainingConfig
from photostyle.encoders.base import Encoder
from photostyle.errors import SolveError
from photostyle.feedforward.batch import BatchObjective
from photostyle.feedforward.data import CropBatch, Skipped
from photostyle.feedforward.descent import Descent
from photostyle.feedforward.distributed import Processes
from photostyle.objective.objective import build_objective
from photostyle.runtime.device import fast_bfloat16
from photostyle.runtime.steps import TrainStep
from photostyle.segmentation.masks import counted
from photostyle.segmentation.scene import Scene

#: What helps where numbers are no longer finite; another training, so no --resume.
REMEDY = "train anew with a smaller --learning-rate, or with --precision float32."

#: Where the cosine schedule ends, as a share of where it begins.
LAST_RATE = 0.01


class Learned(Protocol):
    """What a training lowers.

    Attributes:
        names: of its terms.
    """

    @property
    def names(self) -> Sequence[str]: ...

    def __call__(self, images: Tensor, contents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Total and weighted terms of what the network made of the contents."""
        ...


@dataclass
class TrainState:
    """All that changes while a network is trained; what a checkpoint holds.

    Attributes:
        step: steps that are done. kept: those that the last checkpoint has, 0 without one.
        skipped: files that could not be used, with the reason.
        losses: (step, total, terms) that were written down.
    """

    network: nn.Module
    descent: Descent
    step: int = 0
    kept: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    losses: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)

    def note(self, files: Iterable[Skipped]) -> None:
        self.skipped.update(files)


def new_state(network: nn.Module, config: TrainConfig) -> TrainState:
    return TrainState(network, Descent(network, config.optimizer))


def style_objective(
    style: Tensor, encoder: Encoder, config: TrainingConfig, weight: Tensor | None = None
) -> BatchObjective:
    """The objective of the training: of `style`, 1×3×h×w of h×w weights, over square crops."""
    content = style.new_full((1, 3, config.train.size, config.train.size), 0.5)
    one, other = (x.new_ones(1, *x.shape[2:]) for x in (content, style))
    scene = Scene(content, style, one, counted(other, weight), weights=(None, weight))
    return BatchObjective(
        build_objective(scene, encoder, config.encoder, config.objective, TERMS, None)
    )


def learning_rate(config: TrainConfig, step: int) -> float:
    """Of the 0-based step."""
    if config.schedule == "constant":
        return config.learning_rate
    fall = 0.5 + 0.5 * math.cos(math.pi * step / config.steps)
    return config.learning_rate * (LAST_RATE + (1.0 - LAST_RATE) * fall)


def mixed_precision(config: TrainConfig, device: torch.device) -> bool:
    """Whether maps are bfloat16 where that suffices; "auto" is where it is also faster."""
    return config.precision == "mixed" or (config.precision == "auto" and fast_bfloat16(device))


def train(
    state: TrainState,
    objective: Learned,
    batches: Iterable[CropBatch],
    config: TrainConfig,
    processes: Processes,
) -> Iterator[TrainStep]:
    """Trains on, from the state's step, for as long as there are batches, a TrainStep each.

    The state is whole between any two steps.

    Raises:
        SolveError: the objective is not finite; the state is that of the step before.
    """
    began = time.monotonic()
    device = processes.device
    state.network.train()
    forward = _forward(processes.wrapped(state.network), objective, device,
                       mixed_precision(config, device))  # fmt: skip
    for batch in batches:
        contents = batch.images.to(device, memory_format=torch.channels_last, non_blocking=True)
        rate = learning_rate(config, state.step)
        total, terms = forward(contents)
        if not math.isfinite(total.item()):
            raise SolveError(f"The objective is not finite at step {state.step + 1}; {REMEDY}")
        state.descent.clear()
        total.backward()  # type: ignore[no-untyped-call]
        state.descent.step(rate)
        state.step += 1
        state.note(batch.skipped)
        values = {name: value.item() for name, value in terms.items()}
        yield TrainStep(state.step, config.steps, total.item(), values, rate,
                        time.monotonic() - began)  # fmt: skip


def _forward(
    network: Callable[[Tensor], Tensor],
    objective: Learned,
    device: torch.device,
    mixed: bool,
) -> Callable[[Tensor], tuple[Tensor, dict[str, Tensor]]]:
    # On a CPU the network's few channels lose more time to conversions than they gain.
    whole = mixed and device.type != "cpu"

    def forward(contents: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with torch.autocast(device.type, torch.bfloat16, enabled=whole):
            images = network(contents)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            return objective(images, contents)

    return forward
