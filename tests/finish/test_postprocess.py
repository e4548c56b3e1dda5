"""Post-processing against slow float64 references."""

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.finish.postprocess import (
    FIT_RIDGE,
    FULL_WEIGHT,
    bilateral,
    guided,
    loosened,
    smoothed_affine,
)


@pytest.fixture
def content() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 20, 23, generator=generator)


@pytest.fixture
def image(content: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    noise = torch.rand(content.shape, generator=generator)
    return (0.6 * content.flip(1) + 0.1 + 0.2 * noise).clamp(0, 1)


def reference_affine(image: Tensor, content: Tensor, radius: int, edge: float) -> np.ndarray:
    """Luan et al.'s post-processing, pixel by pixel."""
    v, c = (x[0].permute(1, 2, 0).double().numpy() for x in (image, content))
    height, width = c.shape[:2]
    padded = [np.pad(x, ((1, 1), (1, 1), (0, 0)), mode="reflect") for x in (v, c)]
    maps = np.empty((height, width, 3, 4))
    for y in range(height):
        for x in range(width):
            w, g = (p[y : y + 3, x : x + 3].reshape(9, 3) for p in padded)
            dw, dg = w - w.mean(0), g - g.mean(0)
            ridge = FIT_RIDGE * np.eye(3)
            slope = (dw.T @ dg / 9 + ridge) @ np.linalg.inv(dg.T @ dg / 9 + ridge)
            maps[y, x] = np.c_[slope, w.mean(0) - slope @ g.mean(0)]
    out = np.empty_like(c)
    for y in range(height):
        for x in range(width):
            ys, xs = (slice(max(0, p - radius), p + radius + 1) for p in (y, x))
            yy, xx = np.mgrid[ys.start : min(ys.stop, height), xs.start : min(xs.stop, width)]
            far = ((yy - y) ** 2 + (xx - x) ** 2) / (2 * (radius / 3) ** 2)
            change = ((c[ys, xs] - c[y, x]) ** 2).sum(-1) / (2 * edge**2)
            weight = np.exp(-far - change)[..., None, None]
            mean = (weight * maps[ys, xs]).sum((0, 1)) / weight.sum()
            out[y, x] = mean @ np.r_[c[y, x], 1]
    return out.clip(0, 1)


@pytest.mark.parametrize(("radius", "edge"), [(4, 0.3), (7, 0.05), (40, 10.0)])
def test_smoothed_affine_is_the_formula(
    image: Tensor, content: Tensor, radius: int, edge: float
) -> None:
    found = smoothed_affine(image, content, radius, edge)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, reference_affine(image, content, radius, edge), atol=2e-4)


def test_smoothed_affine_keeps_the_content_of_a_recoloring(content: Tensor) -> None:
    recolored = 0.5 * content + 0.2
    out = smoothed_affine(recolored, content, radius=5, edge=0.1)
    torch.testing.assert_close(out, recolored, atol=5e-3, rtol=0)


def test_guided_radius_follows_the_size(content: Tensor) -> None:
    """Both windows cover all of a small picture's neighbourhood at radius 1."""
    one = guided(content * 0.5, content, radius=1, epsilon=1e-4)
    two = guided(content * 0.5, content, radius=20, epsilon=1e-4)
    assert torch.equal(one.coefficients, two.coefficients)


def test_bilateral_smooths_noise_and_keeps_an_edge() -> None:
    step = torch.zeros(1, 3, 40, 40)
    step[..., 20:] = 0.8
    noisy = step + 0.02 * torch.rand(step.shape, generator=torch.Generator().manual_seed(2))
    out = bilateral(noisy, diameter=60, color=0.1)
    assert out[..., :20].std() < 0.5 * noisy[..., :20].std()
    assert (out[..., 20] - out[..., 19]).min() > 0.7


@pytest.mark.parametrize("weight", [FULL_WEIGHT, 1e5, 1e7])
def test_full_weight_leaves_the_projection_as_it_is(weight: float) -> None:
    assert loosened(5, 1e-4, weight) == (5, 1e-4)


def test_smaller_weights_hold_the_picture_less(image: Tensor, content: Tensor) -> None:
    errors = []
    for weight in (1e4, 1e3, 1e2, 0.0):
        out = guided(image, content, *loosened(100, 1e-2, weight)).apply(content)
        errors.append(float((out - image).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.8 * errors[0]
