import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator

from photostyle.matting.grid import (
    OPPONENT,
    apply_affine,
    brightness,
    grid_roughness,
    identity_grid,
    slice_grid,
)


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def noise(random, *shape):
    return torch.rand(*shape, generator=random, dtype=torch.float64)


def test_the_identity_grid_changes_nothing(random):
    image = noise(random, 1, 3, 20, 30)
    sliced = slice_grid(identity_grid().double(), brightness(image))
    torch.testing.assert_close(apply_affine(sliced, image), image)


def test_slicing_against_scipy(random):
    grid, guide = noise(random, 1, 12, 4, 5, 6), noise(random, 1, 1, 13, 17)
    axes = [np.linspace(0, 1, n) for n in (4, 5, 6)]
    y, x = np.meshgrid(np.linspace(0, 1, 13), np.linspace(0, 1, 17), indexing="ij")
    places = np.stack([guide[0, 0].numpy(), y, x], axis=-1)
    expected = [RegularGridInterpolator(axes, grid[0, c].numpy())(places) for c in range(12)]
    np.testing.assert_allclose(slice_grid(grid, guide)[0].numpy(), np.stack(expected), atol=1e-12)


def test_applying_against_one_matrix_per_pixel(random):
    coefficients, image = noise(random, 1, 12, 3, 4), noise(random, 1, 3, 3, 4)
    basis = OPPONENT.double().numpy()
    out = apply_affine(coefficients, image).numpy()
    for y, x in np.ndindex(3, 4):
        pixel = image[0, :, y, x].numpy()
        rows = coefficients[0, :, y, x].numpy().reshape(3, 4)
        change = rows[:, :3] @ (basis @ (pixel - 0.5)) + rows[:, 3]
        np.testing.assert_allclose(out[0, :, y, x], pixel + basis.T @ change, atol=1e-12)


def test_opponent_axes_are_orthonormal():
    torch.testing.assert_close(OPPONENT @ OPPONENT.T, torch.eye(3), atol=1e-6, rtol=0)
    assert (OPPONENT[1:] @ torch.ones(3)).abs().max() < 1e-6  # grey has no chroma


def test_roughness(random):
    grid = noise(random, 1, 12, 3, 4, 5)
    weight = torch.tensor([1.0] * 4 + [7.0] * 8).double().view(1, 12, 1, 1, 1)
    depth, height, width = (
        (weight * torch.from_numpy(np.diff(grid.numpy(), axis=axis) ** 2)).mean()
        for axis in (2, 3, 4)
    )
    torch.testing.assert_close(grid_roughness(grid, 7.0), 0.5 * depth + height + width)
    assert grid_roughness(torch.ones(1, 12, 3, 4, 5), 7.0) == 0
    assert grid_roughness(noise(random, 1, 12, 1, 1, 1), 7.0) == 0


def test_gradients(random):
    image = noise(random, 1, 3, 5, 6)
    grid = (noise(random, 1, 12, 2, 3, 3) - 0.5).requires_grad_(True)

    def function(grid):
        return apply_affine(slice_grid(grid, brightness(image)), image), grid_roughness(grid, 4.0)

    assert torch.autograd.gradcheck(function, grid)


def test_the_same_grid_renders_any_size(random):
    """Sampling a smooth picture at twice the size gives the same colours at the same places."""
    grid = noise(random, 1, 12, 4, 5, 6)
    y, x = torch.meshgrid(torch.linspace(0, 1, 33), torch.linspace(0, 1, 41), indexing="ij")
    large = torch.stack([x, y, (x + y) / 2])[None].double()
    small = large[..., ::2, ::2]
    rendered = [apply_affine(slice_grid(grid, brightness(i)), i) for i in (large, small)]
    torch.testing.assert_close(rendered[0][..., ::2, ::2], rendered[1])
