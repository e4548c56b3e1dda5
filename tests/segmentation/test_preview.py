"""Colours, overlays and legends of regions."""

import numpy as np
import pytest
import torch

from photostyle.errors import MaskError
from photostyle.segmentation.labels import NAMED
from photostyle.segmentation.masks import whole
from photostyle.segmentation.preview import OPACITY, colours_of, legend, overlay, preview_row


def test_regions_called_after_colours_have_them() -> None:
    colours = colours_of(["red", "sky", "blue"])
    assert colours["red"] == NAMED["red"]
    assert colours["blue"] == NAMED["blue"]
    assert len(set(colours.values())) == 3


@pytest.mark.parametrize("count", [1, 9, 18, 60])
def test_every_region_has_a_colour_of_its_own(count: int) -> None:
    colours = np.array(list(colours_of([f"id {i}" for i in range(count)]).values()))
    gaps = np.abs(colours[:, None] - colours).max(axis=2) + 255 * np.eye(count, dtype=int)
    assert gaps.min() >= 40


def test_too_many() -> None:
    with pytest.raises(MaskError, match="61 regions"):
        colours_of([f"id {i}" for i in range(61)])


def test_overlay_is_the_mixture() -> None:
    image = torch.rand(1, 3, 8, 6)
    masks = torch.zeros(2, 4, 3)
    masks[0, :2], masks[1, 2:, 0] = 1, 1
    out = overlay(image, masks, [(255, 0, 0), (0, 0, 255)])
    red = torch.tensor([1.0, 0, 0])[:, None, None]
    torch.testing.assert_close(out[0, :, :4], image[0, :, :4] * (1 - OPACITY) + red * OPACITY)
    torch.testing.assert_close(out[0, :, 4:, 2:], image[0, :, 4:, 2:])


def test_row_has_both_pictures_twice() -> None:
    content, style = torch.rand(1, 3, 8, 6), torch.rand(1, 3, 5, 9)
    row = preview_row(content, style, whole((4, 3), (5, 9)), {"all": (0, 0, 255)}, "none")
    assert [title for title, _ in row] == ["content", "content, none", "style", "style, none"]
    assert torch.equal(row[2][1], style)


def test_legend() -> None:
    assert legend({"sky": (0, 0, 255), "hill": (1, 2, 3)}) == [
        "sky   #0000ff  blue",
        "hill  #010203",
    ]
