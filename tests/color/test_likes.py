"""Likest places against brute force."""

import numpy as np
import pytest
import torch

from photostyle.color.likes import COLOR, HEIGHT, PARTNERS, Asking, Places, highest


@pytest.mark.parametrize("columns", [5, 7, 60, 61, 2750])
def test_the_highest_of_every_row(columns: int) -> None:
    values = torch.rand(40, columns, generator=torch.Generator().manual_seed(columns))
    top, index = highest(values, 5)
    wanted = values.sort(dim=1, descending=True)
    assert torch.equal(top, wanted.values[:, :5])
    assert torch.equal(index, wanted.indices[:, :5])


def places(count: int, seed: int) -> Places:
    rng = np.random.default_rng(seed)
    features = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(count, 9))).float())
    return Places(features, rng.random((count, 3)), rng.random(count), rng.random(count) > 0.2)


def test_partners_are_the_likest_in_features_colour_and_height() -> None:
    one, other = places(300, 0), places(400, 1)
    asking = Asking.of(one, other)
    assert (asking.asking == np.arange(300)).all()
    alike = one.features.numpy().astype(float) @ other.features.numpy().T
    alike -= COLOR * np.linalg.norm(one.colors[:, None] - other.colors, axis=2)
    np.testing.assert_allclose(
        asking.likest(one.colors, other.colors), alike.max(axis=1), atol=1e-4
    )
    placed = alike - HEIGHT * np.abs(one.heights[:, None] - other.heights)
    top, index = asking.partners(one.colors, other.colors)
    order = np.argsort(-placed, axis=1)[:, :PARTNERS]
    np.testing.assert_allclose(top, np.take_along_axis(placed, order, axis=1), atol=1e-4)
    assert (index.numpy() == order).mean() > 0.99  # all but ties within rounding
