"""The measure of noise, on noise that is known, and what smoothing takes and leaves."""

import math

import pytest
import torch
from torch import Tensor

from photostyle.color.grain import DEVIATIONS, LEAST, MOST, grain_variance, smoothed

SIZE = 200, 300


def scene(noise: float) -> Tensor:
    """Waves and edges under white noise, 1×3×H×W."""
    y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    picture = 0.5 + 0.1 * torch.sin(x / 25.0) + 0.2 * (y > 120)
    generator = torch.Generator().manual_seed(1)
    return picture.expand(1, 3, *SIZE) + noise * torch.randn(1, 3, *SIZE, generator=generator)


@pytest.mark.parametrize("noise", [0.001, 0.002])
def test_the_variance_follows_the_noise(noise: float) -> None:
    assert math.isclose(grain_variance(scene(noise)), (DEVIATIONS * noise) ** 2, rel_tol=0.15)


def test_the_variance_is_bounded() -> None:
    assert grain_variance(scene(0.05)) == MOST
    assert grain_variance(scene(0.0)) == LEAST
    assert grain_variance(torch.ones(1, 3, 40, 40)) == LEAST  # nothing but clipped pixels
    assert LEAST <= grain_variance(torch.rand(1, 3, 1, 1)) <= MOST


def test_noise_in_the_dark_is_not_hidden_by_a_clipped_half() -> None:
    half = scene(0.002)
    half[:, :, :, :150] = 1.0
    assert math.isclose(grain_variance(half), (DEVIATIONS * 0.002) ** 2, rel_tol=0.2)


def test_smoothing_takes_noise_and_leaves_edges() -> None:
    noisy, clean = scene(0.002), scene(0.0)
    rows = slice(60, 160)
    smooth = smoothed(noisy, rows, grain_variance(noisy))
    left = (smooth - clean[0, :, rows]).std() / (noisy - clean).std()
    assert left < 0.5
    step = smooth[:, 121 - 60] - smooth[:, 120 - 60]
    assert math.isclose(float(step.mean()), 0.2, abs_tol=0.01)
