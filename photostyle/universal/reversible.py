"""Steps that can be undone, differentiated without keeping what went into them.

A chain of invertible steps needs to keep its last output alone: backwards, each step's input is its
inverse's output, computed again (Gomez et al. 2017, "The Reversible Residual Network"). So the
memory of a training step does not grow with the number of flows.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Step(Protocol):
    """An invertible map of N×C×h×w with weights."""

    def __call__(self, x: Tensor) -> Tensor: ...

    def inverse(self, y: Tensor) -> Tensor:
        """What `forward` gave y for."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]: ...


def through(steps: Sequence[Step], x: Tensor, *, back: bool = False, saving: bool = True) -> Tensor:
    """x under all steps, or, `back`, under their inverses from the last to the first.

    Args:
        saving: nothing between the steps is kept for the gradient.
    """
    pairs: list[tuple[Step, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = [
        (step, step.inverse, step) if back else (step, step, step.inverse) for step in steps
    ]
    if back:
        pairs.reverse()
    if not (saving and torch.is_grad_enabled()):
        for _, do, _ in pairs:
            x = do(x)
        return x
    weights = [w for step, _, _ in pairs for w in step.parameters()]
    result: Tensor = _Chain.apply(pairs, x, *weights)
    return result


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pairs: Any, x: Tensor, *weights: Tensor) -> Tensor:
        with torch.no_grad():
            for _, do, _ in pairs:
                x = do(x)
        ctx.pairs = pairs
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (y,), (gradient,) = ctx.saved_tensors, gradients
        found: list[list[Tensor | None]] = []
        for step, do, undo in reversed(ctx.pairs):
            with torch.no_grad():
                x = undo(y)
            weights = [w for w in step.parameters() if w.requires_grad]
            with torch.enable_grad():
                x.requires_grad_(True)
                again = do(x)
            gradient, *mine = torch.autograd.grad(again, [x, *weights], gradient, allow_unused=True)
            taken = iter(mine)
            found.append([next(taken) if w.requires_grad else None for w in step.parameters()])
            y = x.detach()
        return None, gradient, *(g for part in reversed(found) for g in part)
