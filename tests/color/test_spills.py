"""Regions drawn too large on made pictures, where it is known what belongs to which."""

import numpy as np
import pytest

from photostyle.color.spills import Array, without_spills

HEIGHT, WIDTH = 192, 256
SCALE = WIDTH / 512
SKY, SPIRE = np.float32([0.35, 0.5, 0.75]), np.float32([0.45, 0.35, 0.3])


def spire() -> Array:
    """H×W: a tower of 16 pixels before a building of the lower half."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (y > HEIGHT // 2) | ((y > 40) & (abs(x - 120) < 8))


def picture(noise: float = 0.01, contrast: float = 1.0) -> Array:
    colors = np.where(spire()[..., None], SKY + contrast * (SPIRE - SKY), SKY)
    grain = np.random.default_rng(0).normal(0, noise, colors.shape)
    return (colors + grain).astype(np.float32)


def masks(building: Array) -> Array:
    return np.stack([~building, building]).astype(np.float32)


def drawn_large() -> Array:
    """The building with a blob round its spire."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return spire() | ((y - 60) ** 2 + (x - 126) ** 2 < 18**2)


def test_the_sky_round_a_spire_is_sky() -> None:
    found, sure = without_spills(picture(), masks(drawn_large()), SCALE)
    before, after = drawn_large() & ~spire(), (found[1] > 0.5) & ~spire()
    assert before.sum() > 500
    assert after.sum() < 0.3 * before.sum()  # what is left touches the edge
    assert (found[1] > 0.5)[spire()].all()
    assert np.allclose(found.sum(axis=0), 1)
    assert sure[:20].all()
    assert not sure[50, 112:128].all()  # the spire's own edges are not


def test_a_true_drawing_stays() -> None:
    exact = masks(spire())
    assert (without_spills(picture(), exact, SCALE)[0] == exact).all()


def test_a_region_without_edge_stays_as_drawn() -> None:
    """A white wall before a white sky: nothing but the drawing tells them apart."""
    drawn = masks(drawn_large())
    drawn[:, HEIGHT // 2 :] = np.array([0.0, 1.0])[:, None, None]
    assert (without_spills(picture(contrast=0.0), drawn, SCALE)[0] == drawn).all()


def test_a_cloud_in_the_blob_stays_what_it_was_drawn_as() -> None:
    image = picture(noise=0.0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    bump = np.exp(-((y - 60) ** 2 + (x - 140) ** 2) / 8**2)  # soft: no edge anywhere
    image += (0.15 * bump[..., None]).astype(np.float32)
    found, _ = without_spills(image, masks(drawn_large()), SCALE)
    assert found[1][(bump > 0.8) & drawn_large()].all()
    assert not found[1][(bump < 0.05) & drawn_large() & ~spire()].all()


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_regions(count: int) -> None:
    drawn = np.zeros((count, HEIGHT, WIDTH), np.float32)
    drawn[0] = 1
    assert (without_spills(picture(), drawn, SCALE)[0] == drawn).all()
