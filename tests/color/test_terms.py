"""The terms of smooth maps, in NumPy for fitting and in torch for applying."""

import numpy as np
import pytest
import torch

from photostyle.color.terms import (
    COLORS,
    COUNT,
    HEIGHT,
    PLACES,
    POWERS,
    apply_rows,
    apply_terms,
    color_terms,
    place_terms,
    places,
)

SIZE = (7, 9)


@pytest.fixture
def colors() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, (SIZE[0] * SIZE[1], 3))


def test_color_terms_are_the_monomials_up_to_the_third_degree(colors: np.ndarray) -> None:
    assert len(set(POWERS)) == COLORS == 20
    assert {sum(powers) for powers in POWERS} == {0, 1, 2, 3}
    expected = np.stack([np.prod(colors ** np.array(p), axis=1) for p in POWERS], axis=1)
    np.testing.assert_allclose(color_terms(colors), expected, rtol=1e-13)
    np.testing.assert_array_equal(color_terms(colors)[:, 1:4], colors)


def test_places_lie_about_the_middle_and_rows_come_first() -> None:
    y, x = places(SIZE)
    assert y.shape == x.shape == (SIZE[0] * SIZE[1],)
    for at, count in ((y, SIZE[0]), (x, SIZE[1])):
        assert -0.5 < at.min() == -at.max()
        assert np.isclose(at.max(), 0.5 - 0.5 / count)
        assert len(np.unique(at)) == count
    assert (np.diff(x[: SIZE[1]]) > 0).all()
    assert (y[: SIZE[1]] == y[0]).all()


def test_places_are_those_of_any_size() -> None:
    """A place is a share of the picture: halves of both ends agree at twice the size."""
    y, _ = places((4, 1))
    fine, _ = places((8, 1))
    np.testing.assert_allclose(fine.reshape(4, 2).mean(axis=1), y)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_both_forms_agree(colors: np.ndarray, degree: int) -> None:
    y, x = places(SIZE)
    coefficients = np.random.default_rng(1).normal(size=(COUNT, 3))
    coefficients[:COLORS][[sum(p) > degree for p in POWERS]] = 0
    terms = np.concatenate([color_terms(colors), place_terms(colors, y, x)], axis=1)
    assert terms.shape == (len(colors), COLORS + PLACES)
    map_, *rest = (torch.from_numpy(v) for v in (coefficients, colors.T, y, x))
    found = apply_terms(map_, *rest)
    np.testing.assert_allclose(found.T.numpy(), terms @ coefficients, atol=1e-12)


def test_terms_of_place_vanish_in_the_middle(colors: np.ndarray) -> None:
    zero = np.zeros(len(colors))
    assert not place_terms(colors, zero, zero).any()
    assert place_terms(colors, zero + 0.5, zero - 0.5).any(axis=0).all()


@pytest.mark.parametrize(
    "used",
    [[*range(10)], [*range(10), *HEIGHT], [*range(20), *HEIGHT], [*range(COUNT)], [3, 22], [17]],
)
def test_rows_are_the_terms_at_their_places(used: list[int]) -> None:
    generator = torch.Generator().manual_seed(1)
    coefficients = torch.zeros(COUNT, 3)
    coefficients[used] = torch.randn(len(used), 3, generator=generator)
    rgb = torch.rand(3, 7, 11, generator=generator)
    y, x = torch.linspace(-0.5, 0.5, 7), torch.linspace(-0.5, 0.5, 11)
    here = y.repeat_interleave(11), x.repeat(7)
    expected = apply_terms(coefficients, rgb.reshape(3, -1), *here).reshape(3, 7, 11)
    assert torch.allclose(apply_rows(coefficients, rgb, y, x), expected, atol=1e-5)
