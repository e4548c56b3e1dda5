"""The picture of a look."""

from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.color.terms import COUNT
from photostyle.looks import shown
from photostyle.looks.look import Look
from photostyle.looks.shown import GAP, LABEL, SIDE, show_look
from tests.looks.scenes import gentle, picture

IDENTITY = torch.zeros(COUNT, 3)
IDENTITY[1:4] = torch.eye(3)
TOP = LABEL + GAP + LABEL


def panel(page: np.ndarray, number: int) -> np.ndarray:
    left = GAP + number * (SIDE + GAP)
    return page[TOP : TOP + SIDE, left : left + SIDE]


def test_nothing_changes_under_the_identity() -> None:
    page = np.asarray(show_look(Look(IDENTITY), picture()))
    assert np.array_equal(panel(page, 2), panel(page, 3))
    swatches = panel(page, 0)
    for row in range(6):
        top = int((row + 0.25) * SIDE / 6), int((row + 0.75) * SIDE / 6)
        assert np.array_equal(swatches[top[0]], swatches[top[1]])


def test_the_ramp_and_swatches_show_the_map() -> None:
    dark = IDENTITY.clone()
    dark[1:4] *= 0.5
    page = np.asarray(show_look(Look(dark), picture()))
    ramp = page[TOP + SIDE + 8 :][:40]
    before, after = (ramp[y, GAP:-GAP].astype(int) for y in (10, 30))
    assert np.abs(after - before / 2).max() <= 1
    first = panel(page, 0)[[5, 26], 5].astype(int)
    assert first[0].tolist() == [0x73, 0x52, 0x3F]
    assert np.abs(first[1] - first[0] / 2).max() <= 1


def test_every_region_has_its_row_and_pictures_show_before_and_after() -> None:
    one, three = (show_look(look, picture()) for look in (
        Look(gentle()), Look(gentle(), {"sky": gentle(1), "sea": gentle(2)})))  # fmt: skip
    assert three.height > one.height + 2 * SIDE
    assert three.width == one.width


def test_without_a_checkout_a_gradient_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "EXAMPLE", Path("not/there.jpg"))
    page = show_look(Look(gentle()))
    assert np.asarray(page)[-60:-20].std() > 10
