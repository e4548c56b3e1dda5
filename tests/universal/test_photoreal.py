"""Low bands in the style, high bands the content's own."""

import numpy as np
import pytest
import torch

from photostyle.config.universal import LatentsConfig
from photostyle.segmentation.scene import Scene
from photostyle.universal.photoreal import low_bands_moved, tones_of

OPTIONS = LatentsConfig(levels=2)


def smooth(seed: int, size: tuple[int, int], lift: float, spread: float) -> torch.Tensor:
    """1×3×H×W soft clouds of colour within [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    small = torch.rand(1, 3, 6, 6, generator=rng)
    large = torch.nn.functional.interpolate(small, size, mode="bicubic").clamp(0, 1)
    return (lift + spread * large).clamp(0, 1)


def scene(content: torch.Tensor, style: torch.Tensor, masks: torch.Tensor | None = None) -> Scene:
    one = (x.new_ones(1, *x.shape[2:]) for x in (content, style))
    mine, its = (masks, masks) if masks is not None else one
    return Scene(content, style, mine, its)


def test_it_takes_the_style_s_light_and_colours() -> None:
    content, style = smooth(1, (52, 67), 0.5, 0.3), smooth(2, (48, 48), 0.1, 0.4)
    found = low_bands_moved(scene(content, style), OPTIONS)
    assert found.shape == content.shape
    before = (content.mean(dim=(2, 3)) - style.mean(dim=(2, 3))).abs().max()
    after = (found.mean(dim=(2, 3)) - style.mean(dim=(2, 3))).abs().max()
    assert after < 0.15 * before
    assert (found.std(dim=(2, 3)) - style.std(dim=(2, 3))).abs().max() < 0.03


def test_the_content_as_its_own_style_stays() -> None:
    content = smooth(1, (52, 67), 0.2, 0.6)
    found = low_bands_moved(scene(content, content), OPTIONS)
    assert (found - content).abs().max() < 1e-4


def test_alpha_0_leaves_the_content_and_half_is_between() -> None:
    content, style = smooth(1, (40, 44), 0.5, 0.3), smooth(2, (48, 48), 0.1, 0.4)
    pair = scene(content, style)
    none, half, all_of_it = (
        low_bands_moved(pair, LatentsConfig(levels=2, alpha=a)) for a in (0.0, 0.5, 1.0)
    )
    assert (none - content).abs().max() < 1e-5
    np.testing.assert_allclose(half, (content + all_of_it) / 2, atol=1e-5)


def test_detail_of_the_content_stays_in_proportion() -> None:
    """Fine noise on a content of even tone: its share of the low band's contrast is kept."""
    content, style = smooth(1, (64, 64), 0.3, 0.4), smooth(2, (64, 64), 0.4, 0.2)
    fine = 0.02 * torch.sign(torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(3)))
    plain, detailed = (
        low_bands_moved(scene(x, style), LatentsConfig(levels=2, transfer="adain"))
        for x in (content, (content + fine).clamp(0, 1))
    )
    gain = (detailed - plain).std() / fine.std()
    wanted = style.std() / content.std()
    assert 0.6 * wanted < gain < 1.6 * wanted


def test_regions_take_from_their_partners() -> None:
    content, style = smooth(1, (48, 48), 0.4, 0.2), smooth(2, (48, 48), 0.4, 0.1)
    left = torch.zeros(48, 48)
    left[:, :24] = 1
    style[:, :, :, :24] *= torch.tensor([0.2, 0.2, 1.0])[:, None, None]  # a blue half
    found = low_bands_moved(scene(content, style, torch.stack([left, 1 - left])), OPTIONS)
    blue = (found[:, 2] - found[:, 0])[0]
    assert blue[:, :20].mean() > 0.25
    assert blue[:, 28:].abs().mean() < 0.15


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_a_style_or_a_content_of_one_colour(value: float) -> None:
    even, other = torch.full((1, 3, 48, 48), value), smooth(2, (48, 50), 0.1, 0.8)
    found = low_bands_moved(scene(other, even), OPTIONS)
    assert (found - value).abs().mean() < 0.05
    assert low_bands_moved(scene(even, other), OPTIONS).isfinite().all()


def test_a_region_of_one_pixel() -> None:
    content, style = smooth(1, (48, 48), 0.4, 0.2), smooth(2, (48, 48), 0.1, 0.6)
    dot = torch.zeros(48, 48)
    dot[7, 9] = 1
    found = low_bands_moved(scene(content, style, torch.stack([dot, 1 - dot])), OPTIONS)
    plain = low_bands_moved(scene(content, style), OPTIONS)
    assert (found - plain).abs().mean() < 0.01


def test_tones_are_shares_by_rank() -> None:
    light = torch.arange(100.0).reshape(10, 10)
    tones = tones_of(light, torch.ones(10, 10))
    np.testing.assert_allclose(tones.sum(dim=0), np.ones((10, 10)), atol=1e-6)
    assert tones[0, 0, 0] == 1
    assert tones[2, 9, 9] == 1
    assert tones[1, 4, 9] > 0.95  # the middle
    dark, mid = tones_of(torch.exp(light / 20), torch.ones(10, 10))[:2]  # ranks alone count
    np.testing.assert_allclose(dark, tones[0])
    np.testing.assert_allclose(mid, tones[1])
