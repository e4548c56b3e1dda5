"""Robust fits of smooth maps."""

import numpy as np
import pytest

from photostyle.color.fitting import likely_fit, robust_fit
from photostyle.color.prior import Prior, look_prior
from photostyle.color.terms import COLORS, color_terms

N = 800
#: Exposure and warmth, as terms of the change.
GRADE = np.zeros((COLORS, 3))
GRADE[0] = [0.04, 0.02, -0.03]
GRADE[1, 0], GRADE[2, 1], GRADE[3, 2] = 0.15, 0.10, -0.05


@pytest.fixture
def colors() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.uniform(0, 1, (N, 1)) + 0.15 * rng.normal(size=(N, 3)), 0, 1)


def spoiled(wanted: np.ndarray, share: float, seed: int = 1) -> np.ndarray:
    """The wanted values of which that share is far off, all to one side."""
    rng = np.random.default_rng(seed)
    wrong = rng.uniform(size=len(wanted)) < share
    return wanted + wrong[:, None] * rng.uniform(0.2, 0.6, (len(wanted), 3))


def test_without_misfits_it_is_least_squares(colors: np.ndarray) -> None:
    terms, weights = color_terms(colors)[:, :4], np.random.default_rng(2).uniform(0.1, 1, N)
    wanted = terms @ GRADE[:4] + 1e-3 * np.random.default_rng(3).normal(size=(N, 3))
    root = np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(root * terms, root * wanted, rcond=None)[0]
    np.testing.assert_allclose(robust_fit(terms, wanted, weights, 1e-12, 1.0), expected, atol=1e-8)


def test_robust_fit_resists_outliers(colors: np.ndarray) -> None:
    terms, truth = color_terms(colors)[:, :4], GRADE[:4]
    wanted, ones = spoiled(terms @ truth, 0.3), np.ones(N)
    plain = np.linalg.lstsq(terms, wanted, rcond=None)[0]
    found = robust_fit(terms, wanted, ones, 1e-6, 0.02)
    off = [np.abs(terms @ (x - truth)).mean() for x in (plain, found)]
    assert off[1] < 0.02
    assert off[1] < off[0] / 4


def test_places_without_weight_have_no_say(colors: np.ndarray) -> None:
    terms = color_terms(colors)[:, :4]
    wanted, weights = terms @ GRADE[:4], np.ones(N)
    wanted[: N // 2], weights[: N // 2] = 5.0, 0.0
    found = robust_fit(terms, wanted, weights, 1e-9, 0.05)
    np.testing.assert_allclose(terms @ found, terms @ GRADE[:4], atol=1e-3)
    likely = likely_fit(color_terms(colors), wanted, weights, look_prior())
    half = likely_fit(color_terms(colors[N // 2 :]), wanted[N // 2 :], weights[N // 2 :],
                      look_prior())  # fmt: skip
    np.testing.assert_allclose(likely, half, atol=1e-9)


def test_likely_fit_recovers_a_look_from_matches_of_which_many_are_wrong(
    colors: np.ndarray,
) -> None:
    terms = color_terms(colors)
    noise = 0.01 * np.random.default_rng(4).normal(size=(N, 3))
    wanted = spoiled(terms @ GRADE + noise, 0.3)
    found = likely_fit(terms, wanted, np.ones(N), look_prior())
    assert np.abs(terms @ (found - GRADE)).mean() < 0.02
    average = np.abs(wanted - terms @ GRADE).mean()
    assert np.abs(terms @ (found - GRADE)).mean() < average / 5


def test_where_nothing_agrees_the_prior_holds(colors: np.ndarray) -> None:
    """One shade says next to nothing about the others."""
    prior = look_prior()
    shade = np.full((N, 3), 0.5)
    found = likely_fit(color_terms(shade), np.full((N, 3), 0.1), np.ones(N), prior)
    away = (found - prior.mean).ravel()
    assert np.abs(color_terms(shade[:1]) @ found - 0.1).max() < 0.02
    assert away @ prior.precision @ away < found.size
    firm = Prior(prior.mean, 1e9 * prior.precision)
    np.testing.assert_allclose(
        likely_fit(color_terms(colors), np.full((N, 3), 0.3), np.ones(N), firm), prior.mean,
        atol=1e-3,
    )  # fmt: skip
