"""The optimisation loop: a canvas, an objective and an optimiser in, Steps out.

Progress bars, traces and cancellation listen to the Steps; the loop knows none of them. Stopping
at any Step, or at the end, leaves the best picture so far in the canvas. A GPU is waited for once
a call of the objective: all that the host decides and reports comes in one transfer.
"""

import math
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial

import torch
from torch import Tensor

from photostyle.errors import SolveError
from photostyle.images.picture import image_size
from photostyle.optimize.canvas import Canvas
from photostyle.optimize.lbfgs import Asked, Evaluation, Lbfgs
from photostyle.runtime.steps import Step

Objective = Callable[[Tensor], tuple[Tensor, dict[str, Tensor]]]

#: The loop stops early when this many iterations in a row improve the total by less than
#: `CONVERGED` of itself each.
PATIENCE, CONVERGED = 3, 1e-6


class _Evaluator:
    """Objective with gradient over the canvas's parameters, laid flat one after the other."""

    def __init__(self, canvas: Canvas, objective: Objective) -> None:
        self.canvas, self.objective = canvas, objective
        self.calls = 0
        self.size = (0, 0)
        self.here = _flat([p.detach() for p in canvas.parameters]).clone()
        self.last = self.best = self(self.here)

    def __call__(self, at: Tensor, asked: Asked | tuple[()] = ()) -> Evaluation:
        self.move(at)
        image = self.canvas.image()
        self.size = image_size(image)
        total, terms = self.objective(image)
        penalties = self.canvas.penalties()
        total = sum(penalties.values(), total)
        terms = {**terms, **penalties}
        gradient = _flat(torch.autograd.grad(total, self.canvas.parameters)).detach()
        slopes = [(gradient if g is None else g).dot(d) for g, d in asked]
        numbers = [total.detach(), gradient.isfinite().all(), *slopes]
        value, usable, *rest = torch.stack(
            [x.detach().to(total.dtype) for x in (*numbers, *terms.values())]
        ).tolist()
        values = dict(zip(terms, rest[len(slopes) :], strict=True))
        value = value if usable else math.nan
        found = Evaluation(at, gradient, value, values, tuple(rest[: len(slopes)]))
        self.calls += 1
        self.last = found
        if self.calls > 1 and found.finite and found.value < self.best.value:
            self.best = found
        return found

    @torch.no_grad()
    def move(self, at: Tensor) -> None:
        """Brings the canvas to a point."""
        if at is self.here:
            return
        for parameter, part in zip(self.canvas.parameters, self.parts(at), strict=True):
            parameter.copy_(part)
        self.here = at

    def parts(self, flat: Tensor) -> list[Tensor]:
        """A flat tensor in the shapes of the parameters."""
        shapes = [p.shape for p in self.canvas.parameters]
        pieces = torch.split(flat, [shape.numel() for shape in shapes])
        return [piece.view(shape) for piece, shape in zip(pieces, shapes, strict=True)]


@torch.no_grad()
def _preview(canvas: Canvas) -> Tensor:
    """A function of the canvas alone: the steps that a run keeps would keep its objective as well,
    with all its targets."""
    return canvas.image().clamp(0.0, 1.0)


def _flat(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])


def minimise(
    canvas: Canvas,
    objective: Objective,
    *,
    optimizer: str,
    iterations: int,
    learning_rate: float = 0.02,
) -> Generator[Step, None, None]:
    """Lowers the objective over the canvas's parameters, yielding a Step per iteration.

    L-BFGS with strong-Wolfe line search, or Adam. A loss or gradient that is not finite ends the
    loop at the best iterate, and the last Step says so.

    Args:
        optimizer: "lbfgs" or "adam".
        iterations: at most so many; fewer when the total no longer moves.
        learning_rate: Adam's step, in units of the parameters.

    Raises:
        SolveError: the objective is not finite where it starts.
    """
    if iterations == 0:
        return  # what it starts from is the best there is
    began = time.monotonic()
    evaluate = _Evaluator(canvas, objective)
    advance = {"lbfgs": _lbfgs, "adam": _adam}[optimizer](evaluate, learning_rate)
    if not evaluate.best.finite:
        raise SolveError("The objective is not finite at the starting picture.")

    last, idle = evaluate.best.value, 0
    try:
        for iteration in range(1, iterations + 1):
            now = advance()
            idle = idle + 1 if abs(last - now.value) <= CONVERGED * abs(last) else 0
            last = now.value
            stopped = "converged" if idle >= PATIENCE else ""
            if not evaluate.last.finite:
                now, stopped = evaluate.best, "not finite"
            evaluate.move(now.at)
            yield Step(iteration, iterations, evaluate.size, now.value, now.terms, evaluate.calls,
                       time.monotonic() - began, partial(_preview, canvas), stopped)  # fmt: skip
            if stopped:
                return
    finally:
        evaluate.move(evaluate.best.at)


def _lbfgs(evaluate: _Evaluator, _: float) -> Callable[[], Evaluation]:
    return Lbfgs(evaluate, evaluate.best).advance


def _adam(evaluate: _Evaluator, learning_rate: float) -> Callable[[], Evaluation]:
    parameters = evaluate.canvas.parameters
    method = torch.optim.Adam(parameters, lr=learning_rate)

    def advance() -> Evaluation:
        gradients = evaluate.parts(evaluate.last.gradient)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        method.step()
        return evaluate(_flat([p.detach() for p in parameters]))

    return advance
