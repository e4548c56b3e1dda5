"""Looks of smooth maps by region, applied at any size."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from photostyle.color import grain, regional
from photostyle.color.regional import RegionalLook, in_gamut
from photostyle.color.silhouettes import borders_of
from photostyle.color.terms import COLORS, COUNT, apply_terms
from photostyle.images.picture import LUMA, resize

SIZE = (64, 96)


def random_picture(height: int = SIZE[0], width: int = SIZE[1], seed: int = 0) -> Tensor:
    """Soft shapes in colours from 0.2 to 0.8."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 8, generator=generator) * 0.6 + 0.2
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0.2, 0.8)


def affine(gain: float, offset: float = 0.0) -> Tensor:
    coefficients = torch.zeros(COUNT, 3)
    coefficients[1:4] = gain * torch.eye(3)
    coefficients[0] = offset
    return coefficients


def look_of(content: Tensor, masks: Tensor, *maps: Tensor) -> RegionalLook:
    return RegionalLook(torch.stack(maps), borders_of(content, masks), torch.ones(len(maps)))


def halves(height: int = SIZE[0], width: int = SIZE[1]) -> Tensor:
    masks = torch.zeros(2, height, width)
    masks[0, :, : width // 2], masks[1, :, width // 2 :] = 1, 1
    return masks


def two_colors(height: int = SIZE[0], width: int = SIZE[1]) -> Tensor:
    """A bluish left half and a reddish right one, with a little texture."""
    left, right = torch.tensor([0.25, 0.4, 0.7]), torch.tensor([0.65, 0.35, 0.25])
    masks = halves(height, width)
    picture = left[:, None, None] * masks[0] + right[:, None, None] * masks[1]
    return (picture + 0.05 * (random_picture(height, width)[0] - 0.5))[None]


def test_one_map_is_its_terms_at_every_pixel() -> None:
    content = random_picture()
    generator = torch.Generator().manual_seed(1)
    coefficients = affine(0.7, 0.1)
    coefficients[4:] += 0.02 * torch.randn(COUNT - 4, 3, generator=generator)
    out = look_of(content, torch.ones(1, *SIZE), coefficients).apply(content)
    y, x = torch.meshgrid(
        *((torch.arange(n) + 0.5) / n - 0.5 for n in SIZE), indexing="ij"
    )  # fmt: skip
    colors = content[0].flatten(1)
    expected = in_gamut(apply_terms(coefficients, colors, y.flatten(), x.flatten()))
    torch.testing.assert_close(out[0].flatten(1), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("gain", [0.6, 2.0])
def test_tiles_do_not_show(monkeypatch: pytest.MonkeyPatch, gain: float) -> None:
    content = two_colors()
    look = look_of(content, halves(), affine(gain, 0.1), affine(0.5, 0.3))
    at_once = look.apply(content)
    monkeypatch.setattr(regional, "TILE", (17, 23))
    in_tiles = look.apply(content)
    # What a tile leaves out for its small weight may come to a few thousandths.
    assert (at_once - in_tiles).abs().max() < 0.01
    assert (at_once - in_tiles).abs().mean() < 1e-3


def test_without_strength_it_is_the_content() -> None:
    content = two_colors()
    look = look_of(content, halves(), affine(1.8, -0.2), affine(0.3, 0.6)).faded([0.0, 0.0])
    torch.testing.assert_close(look.apply(content), content, atol=1e-5, rtol=0)
    rough = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(look.apply(rough), rough, atol=1e-5, rtol=0)


def test_strengths_differ_by_region_and_multiply() -> None:
    content = two_colors()
    look = look_of(content, halves(), affine(0.8, 0.1), affine(0.8, 0.1))
    full = look.apply(content)
    part = look.faded([1.0, 0.5]).apply(content)
    middle = 0.5 * (content + full)
    far = 12  # pixels from the border
    torch.testing.assert_close(part[..., : 48 - far], full[..., : 48 - far], atol=5e-3, rtol=0)
    torch.testing.assert_close(part[..., 48 + far :], middle[..., 48 + far :], atol=5e-3, rtol=0)
    twice = look.faded([1.0, 0.5]).faded([0.5, 0.5])
    torch.testing.assert_close(twice.strengths, torch.tensor([0.5, 0.25]))


def test_equal_maps_are_one_region() -> None:
    content = two_colors()
    look = look_of(content, halves(), affine(0.8), affine(0.8))
    assert look.one
    assert not look.faded([1.0, 0.5]).one
    assert not replace(look, coefficients=torch.stack([affine(0.8), affine(0.7)])).one
    alone = look_of(content, torch.ones(1, *SIZE), affine(0.8))
    torch.testing.assert_close(look.apply(content), alone.apply(content), atol=1e-6, rtol=0)


def test_weights_sum_to_one_and_follow_the_regions() -> None:
    content = two_colors()
    weights = look_of(content, halves(), affine(0.8), affine(0.5)).weights(content)
    torch.testing.assert_close(weights.sum(dim=0), torch.ones(SIZE))
    assert weights.min() >= 0
    assert weights[0, :, :44].min() > 0.9
    assert weights[1, :, 52:].min() > 0.9


def test_twice_the_size_agrees_after_reduction() -> None:
    small = two_colors()
    large = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    tall = affine(0.8)
    tall[COLORS] = 0.2  # lighter downwards
    look = look_of(small, halves(), tall, affine(0.5, 0.2))
    assert look.size_on((128, 192)) == (128, 192)
    reduced = resize(look.apply(large), SIZE)
    gap = (reduced - look.apply(resize(large, SIZE))).abs()
    assert gap.mean() < 3e-3
    away = torch.cat([gap[..., :40], gap[..., 56:]], dim=-1)
    assert away.max() < 0.01


def test_in_gamut_leaves_what_is_inside_and_mostly_keeps_luma() -> None:
    generator = torch.Generator().manual_seed(3)
    colors = torch.rand(3, 500, generator=generator) * 1.6 - 0.3
    weights = torch.tensor(LUMA)
    out = in_gamut(colors)
    assert out.min() >= -1e-6
    assert out.max() <= 1 + 1e-6
    inside = ((colors >= 0) & (colors <= 1)).all(dim=0)
    torch.testing.assert_close(out[:, inside], colors[:, inside])
    before, after = (weights @ colors).clamp(0, 1), weights @ out
    clipped = weights @ colors.clamp(0, 1)
    assert ((after - before).abs() <= (clipped - before).abs() + 1e-6).all()
    grey = torch.linspace(-0.2, 1.2, 30).expand(3, 30)
    torch.testing.assert_close(in_gamut(grey), grey.clamp(0, 1))
    assert in_gamut(torch.empty(3, 0)).shape == (3, 0)


def test_grain_does_not_grow_where_a_ramp_is_steepened() -> None:
    generator = torch.Generator().manual_seed(4)
    deviation = 0.3 * grain.MOST**0.5
    noise = deviation * torch.randn(1, 3, *SIZE, generator=generator)
    steep = affine(3.0, -1.0)  # about ½
    flat = torch.full((1, 3, *SIZE), 0.5)
    look = look_of(flat, torch.ones(1, *SIZE), steep)
    speckle = look.apply(flat + noise)
    assert speckle.std() < 1.3 * noise.std()
    ramp = torch.linspace(0.4, 0.6, SIZE[1]).expand(1, 3, *SIZE)
    inner = (look.apply(ramp + noise))[..., 8:-8].mean(dim=(1, 2))
    rise = float(inner[0, -1] - inner[0, 0])
    assert math.isclose(rise, 3 * float(ramp[0, 0, 0, -9] - ramp[0, 0, 0, 8]), rel_tol=0.1)


def test_an_edge_keeps_the_steepness_of_its_map() -> None:
    edge = torch.full((1, 3, *SIZE), 0.4)
    edge[..., SIZE[1] // 2 :] = 0.6
    out = look_of(edge, torch.ones(1, *SIZE), affine(2.0, -0.5)).apply(edge)
    step = out[..., SIZE[1] // 2] - out[..., SIZE[1] // 2 - 1]
    assert (step - 0.4).abs().max() < 0.05


def test_grain_keeps_the_size_that_it_has_beside_its_own_brightness() -> None:
    generator = torch.Generator().manual_seed(4)
    noise = 0.3 * grain.MOST**0.5 * torch.randn(1, 3, *SIZE, generator=generator)
    content = torch.full((1, 3, *SIZE), 0.6) + noise
    out = look_of(content, torch.ones(1, *SIZE), affine(3.0, -1.6)).apply(content)  # about 0.2
    assert math.isclose(float(out.mean()), 0.2, abs_tol=0.01)
    # A window of 7×7 pixels leaves a seventh of the noise, which the map triples.
    assert float(out.std() / out.mean()) < 1.8 * float(noise.std()) / 0.6
    grey = out.mean(dim=1, keepdim=True)
    of_noise = (noise - noise.mean(dim=1, keepdim=True)).std() / noise.mean(dim=1).std()
    assert (out - grey).std() / grey.std() < 0.92 * of_noise  # coloured speckle is what is seen
