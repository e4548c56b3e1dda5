"""What looks are likely."""

import numpy as np
import pytest

from photostyle.color.prior import Prior, _encoded, _linear, _random_look, look_prior
from photostyle.color.terms import COLORS, color_terms


@pytest.fixture
def prior() -> Prior:
    return look_prior()


def unlikeliness(prior: Prior, changed: np.ndarray, shades: np.ndarray) -> float:
    """Squared Mahalanobis distance of a look, given by what it makes of N×3 shades."""
    terms = color_terms(shades)
    ridge = 1e-4 * len(shades) * np.eye(COLORS)
    change = np.linalg.solve(terms.T @ terms + ridge, terms.T @ (changed - shades))
    away = (change - prior.mean).ravel()
    return float(away @ prior.precision @ away)


@pytest.fixture
def shades() -> np.ndarray:
    rng = np.random.default_rng(5)
    light = rng.uniform(0.02, 0.98, (400, 1))
    return np.clip(light + 0.12 * rng.normal(size=(400, 3)), 0, 1)


def test_always_the_same(prior: Prior) -> None:
    look_prior.cache_clear()
    again = look_prior()
    assert again is not prior
    np.testing.assert_array_equal(again.mean, prior.mean)
    np.testing.assert_array_equal(again.precision, prior.precision)


def test_precision_is_symmetric_and_positive(prior: Prior) -> None:
    assert prior.mean.shape == (COLORS, 3)
    assert prior.precision.shape == (3 * COLORS, 3 * COLORS)
    scale = np.abs(prior.precision).max()
    np.testing.assert_allclose(prior.precision, prior.precision.T, atol=1e-8 * scale)
    assert np.linalg.eigvalsh(prior.precision).min() > 0


def test_photographic_looks_are_likely_and_green_neutrals_are_not(
    prior: Prior, shades: np.ndarray
) -> None:
    brighter = _encoded(np.clip(1.4 * _linear(shades), 0, None))
    warmer = shades * [1.08, 1.0, 0.9]
    spread = shades.max(axis=1) - shades.min(axis=1)
    neutral = np.exp(-((spread / 0.1) ** 2))[:, None]
    green = shades + 0.25 * neutral * [-1.0, 1.0, -1.0]
    swapped = shades[:, [1, 2, 0]]
    likely = [unlikeliness(prior, x, shades) for x in (shades, brighter, warmer)]
    unlikely = [unlikeliness(prior, x, shades) for x in (green, swapped, 1 - shades)]
    assert 2 * max(likely) < min(unlikely)


def test_looks_stay_in_range_and_differ(shades: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    looks = np.stack([_random_look(rng, shades) for _ in range(20)])
    assert looks.min() >= 0
    assert looks.max() <= 1
    assert np.abs(looks - shades).mean(axis=(1, 2)).min() > 0.005
    assert looks.std(axis=0).mean() > 0.03


def test_light_and_back() -> None:
    srgb = np.linspace(0, 1, 101)
    np.testing.assert_allclose(_encoded(_linear(srgb)), srgb, atol=1e-3)
