"""The lights of a dark style in a picture that is one region."""

import pytest
import torch
from torch import Tensor

from photostyle.color.terms import COUNT, apply_terms
from photostyle.finish.lights import BRIGHTEST, LEAST, STEEPEST, TOP, with_lights
from photostyle.images.picture import LUMA

SIZE = (60, 80)


def content(lights: float) -> Tensor:
    """Greys below one half, and white on such a share of the columns."""
    picture = torch.linspace(0.05, 0.5, SIZE[0])[None, None, :, None].repeat(1, 3, 1, SIZE[1])
    picture[..., : round(lights * SIZE[1])] = 1.0
    return picture


def night(lamp: tuple[float, float, float] = (1.0, 0.8, 0.4), share: float = 0.05) -> Tensor:
    picture = torch.full((1, 3, *SIZE), 0.04)
    picture[..., : round(share * SIZE[1])] = torch.tensor(lamp)[None, :, None, None]
    return picture


def dark(gain: float = 0.2) -> Tensor:
    """A map that keeps so much of every colour."""
    out = torch.zeros(COUNT, 3)
    out[1:4] = gain * torch.eye(3)
    return out


def mapped(coefficients: Tensor, color: tuple[float, float, float]) -> Tensor:
    zero = torch.zeros(1)
    return apply_terms(coefficients, torch.tensor(color)[:, None], zero, zero)[:, 0]


def test_lights_take_brightness_and_hue_of_the_styles() -> None:
    found = with_lights(dark(), content(0.1), night())
    luma = torch.tensor(LUMA)
    lamp = torch.tensor([1.0, 0.8, 0.4])
    missing = LEAST * float(luma @ lamp) - 0.2
    change = mapped(found, (1.0, 1.0, 1.0)) - 0.2
    assert float(luma @ change) == pytest.approx(missing, rel=0.02)
    torch.testing.assert_close(change / (luma @ change), lamp / (luma @ lamp), rtol=1e-3, atol=1e-3)


def test_darks_stay_dark() -> None:
    found = with_lights(dark(), content(0.1), night())
    assert torch.equal(mapped(found, (0.0, 0.0, 0.0)), torch.zeros(3))
    lifts = [float((mapped(found, (v, v, v)) - 0.2 * v).mean()) for v in (0.1, 0.5, 1.0)]
    assert lifts[0] < 0.02 * lifts[2]
    assert lifts[1] == pytest.approx(lifts[2] / 4, rel=1e-3)


def test_a_broad_brightness_is_no_light() -> None:
    """A day's sky must not become a night's lamp."""
    assert torch.equal(with_lights(dark(), content(0.65), night()), dark())


def test_few_lights_count_more_than_many() -> None:
    lifts = [
        float((with_lights(dark(), content(share), night()) - dark()).abs().sum())
        for share in (0.1, 0.3, 0.5)
    ]
    assert lifts[0] == pytest.approx(lifts[1])
    assert 0.3 * lifts[0] < lifts[2] < 0.7 * lifts[0]


def test_lights_that_are_bright_enough_are_left_alone() -> None:
    assert torch.equal(with_lights(dark(0.5), content(0.1), night()), dark(0.5))


def test_nothing_is_darkened() -> None:
    assert torch.equal(with_lights(dark(1.0), content(0.1), night((0.5, 0.5, 0.5))), dark(1.0))


def test_a_style_without_lights_gives_none() -> None:
    assert torch.equal(with_lights(dark(), content(0.1), night(share=0.0)), dark())
    assert BRIGHTEST < TOP  # else a single lamp would count for more than it is


def test_a_black_content_is_left_alone() -> None:
    assert torch.equal(with_lights(dark(), torch.zeros(1, 3, *SIZE), night()), dark())


def test_tone_gets_no_steeper_than_told() -> None:
    found = with_lights(dark(), 0.1 * content(0.1), night())
    ends = [mapped(found, (v, v, v)).dot(torch.tensor(LUMA)) for v in (0.0995, 0.1005)]
    assert float(ends[1] - ends[0]) / 0.001 == pytest.approx(0.2 + STEEPEST, rel=0.02)
