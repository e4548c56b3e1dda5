"""The optimisation loop: a canvas, an objective and an optimiser in, Steps out.

Progress bars, traces and cancellation listen to the Steps; the loop knows none of them. Stopping
at any Step, or at the end, leaves the best picture so far in the canvas.
"""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from photostyle.errors import SolveError
from photostyle.images.picture import image_size
from photostyle.optimize.canvas import Canvas
from photostyle.runtime.steps import Step

Objective = Callable[[Tensor], tuple[Tensor, dict[str, Tensor]]]

#: Root mean square of the very first move of L-BFGS, in units of the parameters.
FIRST_MOVE = 0.01
#: L-BFGS pairs kept; more gained nothing in our measurements and each costs two pictures.
HISTORY = 20
#: The loop stops early when this many iterations in a row improve the total by less than
#: `CONVERGED` of itself each.
PATIENCE, CONVERGED = 3, 1e-6


@dataclass(frozen=True)
class _Evaluation:
    at: list[Tensor]
    total: Tensor
    terms: dict[str, Tensor]
    grads: list[Tensor]

    @property
    def finite(self) -> bool:
        return math.isfinite(self.total.item()) and all(
            bool(g.isfinite().all()) for g in self.grads
        )


@dataclass
class _Evaluator:
    """Objective with gradient, remembering its last points.

    `torch.optim.LBFGS` evaluates the point it stands on again at the start of every iteration;
    looking it up saves about a third of the calls.
    """

    canvas: Canvas
    objective: Objective
    calls: int = 0
    recent: list[_Evaluation] = field(default_factory=list)
    best: _Evaluation | None = None

    def __call__(self) -> _Evaluation:
        parameters = self.canvas.parameters
        for known in self.recent:
            if all(torch.equal(p, k) for p, k in zip(parameters, known.at, strict=True)):
                return known
        total, terms = self.objective(self.canvas.image())
        penalties = self.canvas.penalties()
        total = sum(penalties.values(), total)
        terms = {**terms, **penalties}
        # Contiguous, as LBFGS views them flat.
        grads = [g.detach().contiguous() for g in torch.autograd.grad(total, parameters)]
        values = {name: value.detach() for name, value in terms.items()}
        at = [p.detach().clone() for p in parameters]
        found = _Evaluation(at, total.detach(), values, grads)
        self.calls += 1
        self.recent = [*self.recent[-2:], found]
        if found.finite and (self.best is None or found.total < self.best.total):
            self.best = found
        return found

    @torch.no_grad()
    def preview(self) -> Tensor:
        return self.canvas.image().clamp(0.0, 1.0)

    def restore_best(self) -> None:
        if self.best is not None:
            with torch.no_grad():
                for parameter, value in zip(self.canvas.parameters, self.best.at, strict=True):
                    parameter.copy_(value)


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
    if not evaluate().finite:
        raise SolveError("The objective is not finite at the starting picture.")
    size = image_size(canvas.image())

    last, idle = evaluate().total.item(), 0
    try:
        for iteration in range(1, iterations + 1):
            advance()
            now = evaluate()
            total = now.total.item()
            idle = idle + 1 if abs(last - total) <= CONVERGED * abs(last) else 0
            last = total
            stopped = "converged" if idle >= PATIENCE else ""
            if not now.finite:
                assert evaluate.best is not None
                now, stopped = evaluate.best, "not finite"
            terms = {name: value.item() for name, value in now.terms.items()}
            yield Step(iteration, iterations, size, now.total.item(), terms, evaluate.calls,
                       time.monotonic() - began, evaluate.preview, stopped)  # fmt: skip
            if stopped:
                return
    finally:
        evaluate.restore_best()


def _closure(evaluate: _Evaluator) -> Callable[[], Tensor]:
    def closure() -> Tensor:
        found = evaluate()
        for parameter, grad in zip(evaluate.canvas.parameters, found.grads, strict=True):
            parameter.grad = grad.clone()
        return found.total

    return closure


def _lbfgs(evaluate: _Evaluator, _: float) -> Callable[[], None]:
    method = torch.optim.LBFGS(
        evaluate.canvas.parameters,
        max_iter=1,
        max_eval=25,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )
    closure = _closure(evaluate)
    group = method.param_groups[0]

    def advance() -> None:
        # LBFGS's own first step, 1/|gradient|₁, moves a picture by nothing visible, and the line
        # search would spend five calls on growing it.
        first = not method.state[method._params[0]].get("n_iter")
        group["lr"] = _first_rate(evaluate().grads) if first else 1.0
        method.step(closure)  # type: ignore[no-untyped-call]

    return advance


def _first_rate(grads: list[Tensor]) -> float:
    flat = torch.cat([g.reshape(-1) for g in grads])
    rms, norm = flat.square().mean().sqrt().item(), flat.abs().sum().item()
    return FIRST_MOVE / rms / min(1.0, 1.0 / norm) if rms > 0 and math.isfinite(norm) else 1.0


def _adam(evaluate: _Evaluator, learning_rate: float) -> Callable[[], None]:
    method = torch.optim.Adam(evaluate.canvas.parameters, lr=learning_rate)
    closure = _closure(evaluate)

    def advance() -> None:
        method.step(closure)

    return advance
