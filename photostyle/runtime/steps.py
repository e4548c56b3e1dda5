"""What the loops yield, so that bars, pages and traces can listen without entering them."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from photostyle.brief import Brief


@dataclass(frozen=True)
class Step:
    """What the loop yields once per iteration.

    Attributes:
        iteration: 1-based; `iterations` is how many were asked for.
        size: (height, width) of the picture under work.
        total, terms: the weighted objective at this iterate and its parts.
        calls: objective calls so far.
        elapsed: seconds since the solve began.
        preview: gives the picture at this iterate, 1×3×H×W in [0, 1]; costs nothing until called.
        stopped: why the loop ends here ("converged", "not finite"), else "".
    """

    iteration: int
    iterations: int
    size: tuple[int, int]
    total: float
    terms: dict[str, float]
    calls: int
    elapsed: float
    preview: Callable[[], Tensor]
    stopped: str = ""

    def __repr__(self) -> str:
        size = f"{self.size[1]}×{self.size[0]}"
        ended = f", {self.stopped}" if self.stopped else ""
        return f"Step({self.iteration}/{self.iterations} at {size}, total {self.total:.4g}{ended})"


@dataclass(frozen=True)
class TrainStep(Brief):
    """What the loop yields once per step.

    Attributes:
        step: 1-based; `steps` is how many there will be.
        total, terms: the weighted objective's mean over this process's crops, and its parts.
        learning_rate: of this step. elapsed: seconds since this run of the loop began.
    """

    step: int
    steps: int
    total: float
    terms: dict[str, float]
    learning_rate: float
    elapsed: float


def reported(step: TrainStep, every: int) -> bool:
    """Whether a step's losses are told: the first's, so that one sees that it works, every so many
    steps', and the last's."""
    return step.step % every == 0 or step.step in (1, step.steps)
