"""The loop: convergence, the best iterate, the number of calls, and what breaks."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from photostyle.errors import SolveError
from photostyle.optimize.canvas import PixelCanvas, build_canvas
from photostyle.optimize.loop import minimise


def bowl(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """An ill-conditioned quadratic with its minimum at 0.25."""
    scale = torch.linspace(1, 100, image.numel(), dtype=image.dtype).reshape(image.shape)
    near = (scale * (image - 0.25).square()).sum()
    far = (image.mean() - 0.25).square()
    return near + far, {"near": near, "far": far}


def start() -> Tensor:
    return torch.rand(1, 3, 8, 9, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("optimizer", "iterations"), [("lbfgs", 60), ("adam", 400)])
def test_reaches_the_minimum(optimizer: str, iterations: int) -> None:
    canvas = PixelCanvas(start(), start())
    steps = list(minimise(canvas, bowl, optimizer=optimizer, iterations=iterations))
    torch.testing.assert_close(canvas.image().detach(), torch.full((1, 3, 8, 9), 0.25), atol=2e-3,
                               rtol=0)  # fmt: skip
    assert steps[-1].total < 1e-3 * steps[0].total


def test_lbfgs_never_goes_up() -> None:
    steps = list(minimise(PixelCanvas(start(), start()), bowl, optimizer="lbfgs", iterations=30))
    assert all(b.total <= a.total for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_penalties_of_the_canvas_count(optimizer: str) -> None:
    canvas = build_canvas("affine-grid", start(), start(), 1e4)
    *_, last = minimise(canvas, bowl, optimizer=optimizer, iterations=5)
    assert last.terms["roughness"] > 0
    assert sum(last.terms.values()) == pytest.approx(last.total, rel=1e-5)


def test_preview_is_the_picture_of_its_step() -> None:
    canvas = PixelCanvas(start(), start())
    for step in minimise(canvas, bowl, optimizer="lbfgs", iterations=3):
        assert bowl(step.preview())[0].item() == pytest.approx(step.total, rel=1e-5)


def test_terms_add_up_to_the_total() -> None:
    for step in minimise(PixelCanvas(start(), start()), bowl, optimizer="lbfgs", iterations=5):
        assert sum(step.terms.values()) == pytest.approx(step.total, rel=1e-5)


def test_known_points_are_not_computed_again() -> None:
    """Plain torch.optim.LBFGS with one iteration a step calls at least twice an iteration."""
    calls = 0

    def counted(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        nonlocal calls
        calls += 1
        return bowl(image)

    steps = list(minimise(PixelCanvas(start(), start()), counted, optimizer="lbfgs", iterations=20))
    assert steps[-1].calls == calls
    assert calls < 1.6 * len(steps) + 5


def test_stops_when_nothing_moves() -> None:
    steps = list(minimise(PixelCanvas(start(), start()), bowl, optimizer="lbfgs", iterations=500))
    assert steps[-1].stopped == "converged"
    assert steps[-1].iteration < 500


def test_zero_iterations_leave_the_start() -> None:
    canvas = PixelCanvas(start(), start())
    assert list(minimise(canvas, bowl, optimizer="lbfgs", iterations=0)) == []
    assert torch.equal(canvas.image(), start())


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_loss_that_breaks_down_goes_back_to_the_best(optimizer: str) -> None:
    calls = 0

    def breaks(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        nonlocal calls
        calls += 1
        total, terms = bowl(image)
        return (total * math.nan, terms) if calls > 6 else (total, terms)

    canvas = PixelCanvas(start(), start())
    steps = list(minimise(canvas, breaks, optimizer=optimizer, iterations=50))
    assert steps[-1].stopped == "not finite"
    assert math.isfinite(steps[-1].total)
    assert bowl(canvas.image())[0].item() == pytest.approx(steps[-1].total, rel=1e-6)
    assert steps[-1].total == min(step.total for step in steps)


def test_loss_that_is_broken_from_the_start_is_refused() -> None:
    def broken(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return image.sum() * math.inf, {}

    with pytest.raises(SolveError, match="not finite"):
        list(minimise(PixelCanvas(start(), start()), broken, optimizer="lbfgs", iterations=3))


def test_stopping_early_leaves_the_best_picture() -> None:
    canvas = PixelCanvas(start(), start())
    loop = minimise(canvas, bowl, optimizer="lbfgs", iterations=50)
    step = next(itertools.islice(loop, 7, None))
    loop.close()
    assert bowl(canvas.image())[0].item() <= step.total * (1 + 1e-6)


def test_same_start_same_bytes() -> None:
    pictures = []
    for _ in range(2):
        canvas = build_canvas("pixels", start(), start(), 1e4)
        list(minimise(canvas, bowl, optimizer="lbfgs", iterations=10))
        pictures.append(canvas.image().detach())
    assert torch.equal(*pictures)
