"""L-BFGS with a strong Wolfe line search that asks the device for one thing a call: its numbers.

Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4, 3.5 and 3.6. torch's own waits
for the device twice for every pair that it keeps and three times for every call; here all that the
host decides comes with the value, and the pairs are worked on without leaving the device.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: Pairs kept; more gained nothing in our measurements and each costs two pictures.
HISTORY = 20
#: Root mean square of the very first move, in units of the parameters.
FIRST_MOVE = 0.01
#: Sufficient decrease and curvature.
DECREASE, CURVATURE = 1e-4, 0.9
#: Calls of one line search at most.
MOST_CALLS = 25
#: Of them without a finite value.
MOST_BROKEN = 5
#: Least sᵀy of a pair that is kept.
LEAST_CURVATURE = 1e-10


@dataclass(frozen=True)
class Evaluation:
    """What is known of a point.

    Attributes:
        at, gradient: flat.
        value: not finite where it or the gradient is not.
        terms: as they are reported.
        slopes: the products that were asked for.
    """

    at: Tensor
    gradient: Tensor
    value: float
    terms: dict[str, float]
    slopes: tuple[float, ...]

    @property
    def finite(self) -> bool:
        return math.isfinite(self.value)


#: Pairs (gradient, direction) whose products come with a value; None for the point's own gradient.
Asked = list[tuple[Tensor | None, Tensor]]
#: Takes a flat point.
Evaluate = Callable[[Tensor, Asked], Evaluation]


@dataclass(frozen=True)
class _Trial:
    """A point on the line."""

    step: float
    value: float
    slope: float
    found: Evaluation


class Lbfgs:
    """Goes from point to point.

    Args:
        evaluate: the function.
        start: where it begins.
    """

    def __init__(self, evaluate: Evaluate, start: Evaluation) -> None:
        self.evaluate, self.point = evaluate, start
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=HISTORY)  # s, y, 1 / sᵀy
        self.scale: Tensor | None = None

    def advance(self) -> Evaluation:
        """One iteration; the point it ends at, which is the one before where none is better."""
        here = self.point
        direction = self._direction(here.gradient)
        begin: list[_Trial] = []

        def probe(step: float) -> _Trial:
            # The slope at the start is not known before the first trial, which does not need it.
            asked: Asked = [(None, direction)]
            if not begin:
                asked.append((here.gradient, direction))
            found = self.evaluate(torch.add(here.at, direction, alpha=step), asked)
            if not begin:
                begin.append(_Trial(0.0, here.value, found.slopes[1], here))
            return _Trial(step, found.value, found.slopes[0], found)

        first = probe(1.0)
        best = _searched(begin[0], first, probe) if begin[0].slope < 0 else begin[0]
        if best.step > 0:
            self._keep(best.found, best.step * (best.slope - begin[0].slope))
        elif self.pairs:  # the pairs mislead: steepest descent is next
            self.pairs.clear()
            self.scale = None
        self.point = best.found
        return best.found

    def _direction(self, gradient: Tensor) -> Tensor:
        if self.scale is None:
            # The inverse gradient's length as torch has it moves a picture by nothing visible.
            rms = gradient.square().mean().sqrt().clamp(min=torch.finfo(gradient.dtype).tiny)
            return gradient * (-FIRST_MOVE / rms)
        out = -gradient
        shares = []
        for s, y, inverse in reversed(self.pairs):
            share = s.dot(out) * inverse
            shares.append(share)
            out.addcmul_(y, share, value=-1)
        out.mul_(self.scale)
        for (s, y, inverse), share in zip(self.pairs, reversed(shares), strict=True):
            out.addcmul_(s, share - y.dot(out) * inverse)
        return out

    def _keep(self, found: Evaluation, curvature: float) -> None:
        """Remembers the move from the last point."""
        if not curvature > LEAST_CURVATURE:
            return
        y = found.gradient - self.point.gradient
        s = found.at - self.point.at
        product = s.dot(y)
        self.pairs.append((s, y, 1 / product))
        self.scale = product / y.dot(y)


def _searched(start: _Trial, first: _Trial, probe: Callable[[float], _Trial]) -> _Trial:
    """A point with sufficient decrease and curvature, or the lowest that was found."""
    before, here = start, first
    for calls in range(1, MOST_CALLS):
        if not math.isfinite(here.value) or _too_high(here, start, before):
            return _zoomed(before, here, start, probe, MOST_CALLS - calls)
        if abs(here.slope) <= -CURVATURE * start.slope:
            return here
        if here.slope >= 0:
            return _zoomed(here, before, start, probe, MOST_CALLS - calls)
        least, most = here.step + 0.01 * (here.step - before.step), 10 * here.step
        step = min(max(_lowest(before, here), least), most)
        before, here = here, probe(step)
    return here if here.value < before.value else before


def _zoomed(
    low: _Trial,
    high: _Trial,
    start: _Trial,
    probe: Callable[[float], _Trial],
    calls: int,
) -> _Trial:
    """Between two points that bracket a good one, `low` the lower."""
    stuck, broken = False, 0
    for _ in range(calls):
        near, far = sorted((low.step, high.step))
        if near == far:
            break
        step = _lowest(low, high) if math.isfinite(high.value) else 0.5 * (near + far)
        # Twice at an end, it goes inwards.
        edge = 0.1 * (far - near)
        if min(step - near, far - step) < edge:
            if stuck or not near < step < far:
                step = near + edge if step - near < far - step else far - edge
            stuck = not stuck
        else:
            stuck = False
        here = probe(step)
        broken += not math.isfinite(here.value)
        if broken >= MOST_BROKEN:
            break
        if not math.isfinite(here.value) or _too_high(here, start, low):
            high = here
            continue
        if abs(here.slope) <= -CURVATURE * start.slope:
            return here
        if here.slope * (high.step - low.step) >= 0:
            high = low
        low = here
    return low


def _too_high(here: _Trial, start: _Trial, before: _Trial) -> bool:
    enough = start.value + DECREASE * here.step * start.slope
    return here.value > enough or (before.step > 0 and here.value >= before.value)


def _lowest(one: _Trial, other: _Trial) -> float:
    """Where the cubic through two points with their slopes is lowest; their middle where it has no
    minimum (equation 3.59)."""
    (a, b) = (one, other) if one.step <= other.step else (other, one)
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return 0.5 * (a.step + b.step)
    d2 = math.sqrt(square)
    bent = b.slope - a.slope + 2 * d2
    return b.step - (b.step - a.step) * ((b.slope + d2 - d1) / bent) if bent else b.step
