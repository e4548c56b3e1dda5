"""Canvases: what they show, what they cost, and how they reach another size."""

import pytest
import torch
from torch import Tensor

from photostyle.images.picture import resize
from photostyle.metrics import departure
from photostyle.optimize.canvas import (
    ROUGHNESS,
    AffineGridCanvas,
    PaintedCanvas,
    PixelCanvas,
    build_canvas,
)


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    """A smooth picture with some grain."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 8, generator=generator)
    grain = torch.rand(1, 3, height, width, generator=generator)
    return 0.9 * resize(coarse, (height, width)) + 0.1 * grain


@pytest.mark.parametrize("name", ["pixels", "affine-grid"])
def test_begins_with_its_start(name: str) -> None:
    content, start = picture(24, 32), picture(24, 32, seed=1)
    canvas = build_canvas(name, start, content, 1e4)
    torch.testing.assert_close(canvas.image().detach(), start, atol=1e-6, rtol=0)
    assert sum(p.item() for p in canvas.penalties().values()) == 0
    torch.testing.assert_close(canvas.render(start, content), start, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["pixels", "affine-grid"])
def test_gradient_reaches_every_parameter(name: str) -> None:
    canvas = build_canvas(name, picture(24, 32, seed=1), picture(24, 32), 1e4)
    grads = torch.autograd.grad(canvas.image().square().sum(), canvas.parameters)
    assert all(grad.abs().sum() > 0 for grad in grads)
    assert all(p.is_contiguous() for p in canvas.parameters)


def test_pixels_own_their_memory() -> None:
    start = picture(24, 32)
    canvas = PixelCanvas(start, start)
    with torch.no_grad():
        canvas.parameters[0].zero_()
    assert start.sum() > 0


def test_rough_grid_costs_in_step_with_the_photorealism_weight() -> None:
    content = picture(24, 32)
    costs = []
    for weight in (1e3, 1e5):
        canvas = build_canvas("affine-grid", content, content, weight)
        with torch.no_grad():
            canvas.parameters[0][..., 3] = 0.1
        costs.append(canvas.penalties()["roughness"].item())
    assert costs[1] == pytest.approx(100 * costs[0], rel=1e-5)
    assert costs[0] > 0
    assert ROUGHNESS > 0


@pytest.mark.parametrize("name", ["pixels", "affine-grid"])
def test_larger_rendering_agrees_with_the_small_picture(name: str) -> None:
    """A warm light falling from the left, put on at half size, rendered at full size."""
    content = picture(96, 128)
    small = resize(content, (48, 64))
    canvas = build_canvas(name, small, small, 1e4)
    with torch.no_grad():
        if isinstance(canvas, AffineGridCanvas):
            canvas.parameters[0][:, 3] = torch.linspace(0.2, -0.2, 16)
            canvas.parameters[0][:, 7] = torch.linspace(0.1, 0.0, 16)
        else:
            light = torch.linspace(1.2, 0.7, 64) * torch.tensor([1.0, 0.9, 0.8]).view(1, 3, 1, 1)
            canvas.parameters[0].mul_(light)
    full = canvas.render(content, content)
    assert full.shape == content.shape
    error = resize(full, (48, 64)) - canvas.image().detach().clamp(0, 1)
    assert error.square().mean() < 0.01**2  # 40 dB
    assert departure(full, content).mean() < 0.02


def test_painted_pixels_reach_another_size_as_pixels() -> None:
    content, start = picture(24, 32), picture(24, 32, seed=1)
    canvas = build_canvas("pixels", start, content, 1e4, "pixels")
    assert isinstance(canvas, PaintedCanvas)
    large = picture(48, 64, seed=2)
    assert torch.equal(canvas.render(large, large), resize(start, (48, 64)))
