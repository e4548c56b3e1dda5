"""Crushed shadows, given back."""

import torch
from torch import Tensor

from photostyle.finish.shadows import _contrast, lost_contrast


def textured(height: int = 60, width: int = 80) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.2 + 0.6 * torch.rand(1, 3, height, width, generator=generator)


def test_an_image_with_contrast_stays() -> None:
    assert not lost_contrast(textured(), 1 - textured(), 0.7).any()


def test_crushed_parts_turn_back_and_only_those() -> None:
    start = textured()
    image = start.clone()
    image[..., 40:] = 0  # half of it pushed to black
    lost = lost_contrast(image, start, 0.7)
    assert lost[:, 60:].min() > 0.9
    assert not lost[:, :30].any()


def test_a_flat_start_asks_for_nothing() -> None:
    image, start = torch.full((1, 3, 20, 20), 0.1), torch.full((1, 3, 20, 20), 0.9)
    assert lost_contrast(image, start, 0.7).max() < 1e-3


def test_zero_leaves_the_image_alone() -> None:
    assert not lost_contrast(torch.zeros(1, 3, 20, 20), textured(20, 20), 0.0).any()


def test_contrast_against_windows_one_by_one() -> None:
    plane = textured(9, 11)[:, :1].double()
    found = _contrast(plane, 2)[0, 0]
    for y, x in ((0, 0), (4, 5), (8, 10), (1, 9)):
        window = plane[0, 0, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        torch.testing.assert_close(found[y, x], window.std(correction=0))


def test_one_pixel() -> None:
    assert lost_contrast(torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1), 0.7).shape == (1, 1)
