"""Lattices and shapers against SciPy's interpolators and the functions that they were made of."""

import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator

from photostyle.looks.lattice import Lattice, Shaper, nodes

LOW, HIGH = (-0.1, 0.0, 0.2), (1.2, 1.0, 0.9)


def colours(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, count, generator=torch.Generator().manual_seed(seed))


def bent(rgb: torch.Tensor) -> torch.Tensor:
    r, g, b = rgb
    return torch.stack([r * r, 0.7 * g + 0.2 * b * r, (0.2 + b.clamp(min=0)) ** 0.8])


def random_lattice(size: int) -> Lattice:
    values = np.random.default_rng(1).random((size, size, size, 3), np.float32)
    return Lattice(values, LOW, HIGH)


@pytest.mark.parametrize("size", [2, 5, 17])
@pytest.mark.parametrize("count", [1, 1001, 70001])
def test_a_lattice_is_read_as_scipy_reads_it(size: int, count: int) -> None:
    lattice = random_lattice(size)
    axes = [np.linspace(a, b, size) for a, b in zip(LOW, HIGH, strict=True)]
    rgb = colours(count) * 1.6 - 0.3  # beyond the ends, too
    inside = np.clip(rgb.numpy().T, LOW, HIGH)
    wanted = RegularGridInterpolator(axes, lattice.values)(inside)
    assert np.abs(lattice.apply(rgb).numpy().T - wanted).max() < 2e-5


def test_the_axes_are_red_green_blue() -> None:
    given = Lattice.of(lambda rgb: torch.stack([rgb[2], 0.5 * rgb[0], rgb[1] * 0]), 3)
    assert given.values[2, 0, 0].tolist() == [0, 0.5, 0]  # red
    assert given.values[0, 0, 1].tolist() == [0.5, 0, 0]  # half blue


def test_the_identity_changes_nothing_and_goes_with_anything() -> None:
    rgb = colours(500)
    assert (Lattice.identity(9).apply(rgb) - rgb).abs().max() < 1e-6
    lattice = random_lattice(9)
    again = Lattice.of(lattice.apply, 9, LOW, HIGH)
    assert np.abs(again.values - lattice.values).max() < 1e-5


def test_the_shape_of_a_picture_and_its_type_stay() -> None:
    rgb = colours(24).reshape(3, 4, 6).double()
    out = random_lattice(5).apply(rgb)
    assert out.shape == rgb.shape
    assert out.dtype == torch.float64
    assert torch.equal(out[:, 1, 2], random_lattice(5).apply(rgb[:, 1, 2]))


def test_a_smooth_function_is_kept() -> None:
    rgb = colours(5000)
    assert (Lattice.of(bent, 33).apply(rgb) - bent(rgb)).abs().max() < 1 / 255


def test_a_shaper_is_read_as_numpy_reads_it() -> None:
    values = np.random.default_rng(2).random((7, 3), np.float32)
    shaper = Shaper(values, LOW, HIGH)
    rgb = colours(1000) * 1.6 - 0.3
    for channel in range(3):
        steps = np.linspace(LOW[channel], HIGH[channel], 7)
        wanted = np.interp(rgb[channel].numpy(), steps, values[:, channel])
        assert np.abs(shaper.apply(rgb)[channel].numpy() - wanted).max() < 1e-5


def test_a_shaper_of_a_function() -> None:
    shaper = Shaper.of(torch.sqrt, 5)
    assert np.allclose(shaper.values[:, 1], np.sqrt([0, 0.25, 0.5, 0.75, 1]))


def test_nodes_run_from_low_to_high() -> None:
    found = nodes(3, LOW, HIGH)
    assert np.allclose(found[0, 0, 0], LOW)
    assert np.allclose(found[2, 2, 2], HIGH)
    assert np.allclose(found[1, 0, 2], [0.55, 0.0, 0.9])


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 2, 3, 3), (2, 2, 2), (2, 2, 2, 4)])
def test_other_shapes_are_no_lattice(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="N×N×N×3"):
        Lattice(np.zeros(shape, np.float32))


def test_ends_must_rise() -> None:
    with pytest.raises(ValueError, match="rise"):
        Lattice(np.zeros((2, 2, 2, 3), np.float32), (0, 0, 1), (1, 1, 1))
