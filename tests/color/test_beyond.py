"""Colour maps beyond the colours that they were found on."""

import pytest
import torch

from photostyle.color.beyond import MOST, beyond


def wide_colors(seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Saturated colours reaching outside [0, 1], as what is shown of them and the rest."""
    generator = torch.Generator().manual_seed(seed)
    grey = 0.3 + 0.3 * torch.rand(1, 8, 9, generator=generator)
    away = torch.rand(3, 8, 9, generator=generator) - 0.5
    wide = grey + 1.2 * (away - away.mean(dim=0)) / away.abs().amax(dim=0)
    return wide.clamp(0, 1), wide - wide.clamp(0, 1)


def test_without_a_change_colours_go_on_as_they_are() -> None:
    colors, far = wide_colors()
    assert far.abs().max() > 0.1
    assert (beyond(lambda x: x, colors, far) - far).abs().max() < 0.01


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_chroma_turns_as_the_map_turns_what_is_shown(order) -> None:
    """Channels in turn are a third of a circle of hues."""
    colors, far = wide_colors()
    found = beyond(lambda x: x[list(order)], colors, far)
    assert (found - far[list(order)]).abs().max() < 0.01


def test_a_map_that_turns_a_hue_does_not_bring_it_back_outside() -> None:
    """All greens become one orange, more so the redder: what is greener yet stays orange."""
    colors = torch.tensor([0.0, 0.8, 0.1])[:, None, None]
    far = torch.tensor([-0.4, 0.0, 0.0])[:, None, None]

    def autumn(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([0.85 + x[0], 0.5 + 0 * x[0], 0.1 + 0 * x[0]])

    red, green, _ = autumn(colors) + beyond(autumn, colors, far)
    assert red > green + 0.1  # by the slope alone it would be 0.45, less than green


def test_a_grey_result_stays_grey() -> None:
    colors, far = wide_colors()
    found = beyond(lambda x: x.mean(dim=0).expand(3, -1, -1), colors, far)
    assert (found - found.mean(dim=0)).abs().max() < 1e-5


def test_light_above_white_goes_on_by_the_slope() -> None:
    colors, far = torch.ones(3, 2, 2), torch.full((3, 2, 2), 3.0)
    assert torch.allclose(beyond(lambda x: 0.5 * x, colors, far), 0.5 * far, atol=1e-4)


def test_nothing_goes_further_than_the_bound() -> None:
    colors, far = wide_colors()
    found = beyond(lambda x: 9 * x, colors, far)
    assert (found.norm(dim=0) <= MOST * far.norm(dim=0) + 1e-6).all()
    assert (beyond(lambda x: 9 * x, colors, 0 * far) == 0).all()
