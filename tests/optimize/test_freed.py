"""What a stage needs no more is gone when the next one begins, though results keep every Step."""

import weakref
from typing import Any

import pytest
import torch

from photostyle import pipeline
from photostyle.config.presets import preset
from photostyle.encoders.base import Encoder
from photostyle.matting.product import LaplacianOperator
from photostyle.objective.objective import Objective
from photostyle.runtime.steps import Step
from photostyle.runtime.watching import Silent


class Held(Silent):
    """Keeps every step, as a page does."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, solve: int, count: int, step: Step) -> None:
        self.steps.append(step)


def test_objective_laplacian_and_encoder_are_gone_after_the_solves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[str, weakref.ref[Any]] = {}

    def watched(kind: type) -> None:
        init = kind.__init__

        def noted(self: Any, *args: Any, **named: Any) -> None:
            init(self, *args, **named)
            made[kind.__name__] = weakref.ref(self)

        monkeypatch.setattr(kind, "__init__", noted)

    for kind in (Objective, LaplacianOperator, Encoder):
        watched(kind)
    optimise, finished, alive = pipeline.optimise, pipeline.finished, []

    def solved(*args: Any) -> torch.Tensor:
        image = optimise(*args)
        alive.append({name: ref() is not None for name, ref in made.items()})
        return image

    def after(*args: Any) -> Any:
        alive.append({name: ref() is not None for name, ref in made.items()})
        return finished(*args)

    monkeypatch.setattr(pipeline, "optimise", solved)
    monkeypatch.setattr(pipeline, "finished", after)
    pictures = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    config = preset("dpst").with_options(
        {"size": 64, "iterations": 2, "encoder": "builtin", "device": "cpu", "segmenter": "none"}
    )
    held = Held()
    result = pipeline.stylize(*pictures, config, listener=held)
    assert held.steps
    assert held.steps[-1].preview().shape == result.image.shape
    assert alive == [
        {"Objective": False, "LaplacianOperator": False, "Encoder": True},
        {"Objective": False, "LaplacianOperator": False, "Encoder": False},
    ]
