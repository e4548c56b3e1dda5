import numpy as np
import pytest

from photostyle.matting.guided import GuidedFilter


def naive(guide, target, radius, epsilon):
    """The guided filter as the paper states it, one window and one matrix at a time."""
    height, width = target.shape
    slope, offset = np.zeros((height, width, 3)), np.zeros((height, width))

    def window(y, x):
        return (
            slice(max(0, y - radius), y + radius + 1),
            slice(max(0, x - radius), x + radius + 1),
        )

    for y, x in np.ndindex(height, width):
        colors, values = guide[window(y, x)].reshape(-1, 3), target[window(y, x)].ravel()
        centered = colors - colors.mean(0)
        covariance = centered.T @ centered / len(colors) + epsilon * np.eye(3)
        slope[y, x] = np.linalg.solve(covariance, centered.T @ values / len(colors))
        offset[y, x] = values.mean() - slope[y, x] @ colors.mean(0)
    out = np.zeros_like(target)
    for y, x in np.ndindex(height, width):
        mean = slope[window(y, x)].reshape(-1, 3).mean(0)
        out[y, x] = mean @ guide[y, x] + offset[window(y, x)].mean()
    return out


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("dtype", "budget"), [(np.float64, 1e-10), (np.float32, 2e-5)])
@pytest.mark.parametrize("radius", [1, 3, 40])
def test_against_a_naive_reference(rng, dtype, budget, radius):
    guide, target = rng.random((13, 17, 3)), rng.random((13, 17))
    out = GuidedFilter(guide.astype(dtype), radius, 1e-2)(target.astype(dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out, naive(guide, target, radius, 1e-2), atol=budget)


def test_a_global_affine_map_of_the_guide_is_kept(rng):
    guide = rng.random((20, 24, 3))
    target = guide @ np.array([[0.3, 0.1, 0.2], [0.5, -0.2, 0.1], [0.1, 0.4, 0.9]]) + 0.1
    out = GuidedFilter(guide, 4, 1e-9)(target)
    np.testing.assert_allclose(out, target, atol=1e-6)


def test_flat_guide_gives_the_twice_averaged_target(rng):
    target = rng.random((15, 15))
    out = GuidedFilter(np.full((15, 15, 3), 0.4), 15, 1e-3)(target)
    np.testing.assert_allclose(out, target.mean(), atol=1e-12)


def test_channels_are_filtered_one_by_one(rng):
    guide, target = rng.random((9, 11, 3)), rng.random((9, 11, 2))
    guided = GuidedFilter(guide, 2, 1e-3)
    np.testing.assert_array_equal(guided(target)[..., 1], guided(target[..., 1]))


def test_coefficients_reproduce_the_output(rng):
    guide, target = rng.random((9, 11, 3)), rng.random((9, 11, 2))
    guided = GuidedFilter(guide, 2, 1e-3)
    slope, offset = guided.coefficients(target)
    applied = np.einsum("cihw,hwi->hwc", slope, guide) + offset.transpose(1, 2, 0)
    np.testing.assert_allclose(applied, guided(target), atol=1e-12)


def test_one_pixel(rng):
    np.testing.assert_allclose(GuidedFilter(rng.random((1, 1, 3)), 3, 1e-3)(np.ones((1, 1))), 1)
