import time

import numpy as np
import pytest
import scipy.linalg
import torch

from photostyle.color import transfer as color
from photostyle.color.lab import rgb_to_lab
from photostyle.color.lut import LutOptions, transport_lut
from photostyle.color.transfer import (
    all_moments,
    color_start,
    lightness_first,
    moments,
    monge_kantorovich,
    region_maps,
    sample,
)
from photostyle.images.picture import load_image, resize

LINEAR = LutOptions(rounds=0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def covariance(rng, scale=1.0):
    root = rng.normal(size=(3, 3)) * scale
    return root @ root.T + 0.01 * np.eye(3)


def scene(height=48, width=64, seed=0):
    """A smooth colourful picture with some noise."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 6, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    noise = 0.02 * torch.randn(1, 3, height, width, generator=random)
    return (smooth + noise).clamp(0, 1)


def whole(image):
    return torch.ones(1, *image.shape[2:])


def halves(image):
    mask = torch.zeros(2, *image.shape[2:])
    mask[0, :, : image.shape[3] // 2] = 1
    mask[1] = 1 - mask[0]
    return mask


def healthy(image, like):
    assert image.shape == like.shape
    assert image.dtype == torch.float32
    assert torch.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


class TestMongeKantorovich:
    def test_carries_the_covariance_exactly(self, rng):
        source, target = covariance(rng, 20), covariance(rng, 5)
        matrix = monge_kantorovich(source, target)
        np.testing.assert_allclose(matrix @ source @ matrix.T, target, rtol=1e-9, atol=1e-9)

    def test_is_symmetric_and_positive(self, rng):
        matrix = monge_kantorovich(covariance(rng), covariance(rng))
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        assert np.linalg.eigvalsh(matrix).min() > 0

    def test_against_scipy_sqrtm(self, rng):
        source, target = covariance(rng), covariance(rng)
        root = scipy.linalg.sqrtm(source)
        inverse = np.linalg.inv(root)
        expected = inverse @ scipy.linalg.sqrtm(root @ target @ root) @ inverse
        np.testing.assert_allclose(monge_kantorovich(source, target), expected, atol=1e-9)

    def test_diagonal_case_is_the_ratio_of_deviations(self):
        matrix = monge_kantorovich(np.diag([4.0, 9, 16]), np.diag([1.0, 81, 4]))
        np.testing.assert_allclose(matrix, np.diag([0.5, 3, 0.5]), atol=1e-12)

    def test_region_map_reaches_the_target_moments(self, rng):
        source = (rng.normal(size=(60, 60, 3)) * [18, 12, 9] + [50, 5, -5]).astype(np.float64)
        target = rng.normal(size=(50, 70, 3)) @ np.diag([10, 14, 8]) + [40, -10, 20]
        ones = np.ones((1, 60, 60)), np.ones((1, 50, 70))
        mapped = region_maps(source, target, *ones, LINEAR)[0](source).reshape(-1, 3)
        np.testing.assert_allclose(mapped.mean(0), target.reshape(-1, 3).mean(0), atol=1e-6)
        # The allowance for noise bends the covariance by about noise² / variance.
        expected = np.cov(target.reshape(-1, 3).T)
        assert np.linalg.norm(np.cov(mapped.T) - expected) < 0.02 * np.linalg.norm(expected)


class TestLightnessFirst:
    def test_carries_the_covariance_exactly(self, rng):
        source, target = covariance(rng, 20), covariance(rng, 5)
        matrix = lightness_first(source, target)
        np.testing.assert_allclose(matrix @ source @ matrix.T, target, rtol=1e-9, atol=1e-9)

    def test_lightness_comes_from_lightness_alone_and_rises_with_it(self, rng):
        matrix = lightness_first(covariance(rng), covariance(rng))
        assert matrix[0, 0] > 0
        np.testing.assert_array_equal(matrix[0, 1:], 0)

    def test_agrees_with_monge_kantorovich_where_chroma_is_independent(self, rng):
        source, target = covariance(rng), covariance(rng)
        source[0, 1:] = source[1:, 0] = target[0, 1:] = target[1:, 0] = 0
        expected = monge_kantorovich(source, target)
        np.testing.assert_allclose(lightness_first(source, target), expected, atol=1e-9)


def test_moments_against_numpy(rng):
    colors, weights = rng.normal(size=(50, 3)), rng.integers(0, 4, 50)
    got = moments(colors, weights)
    np.testing.assert_allclose(got.mean, np.average(colors, 0, weights), atol=1e-12)
    expected = np.cov(colors.T, fweights=weights, ddof=0)
    np.testing.assert_allclose(got.covariance, expected, atol=1e-12)


def test_moments_of_all_regions_at_once_are_those_of_each(rng):
    colors, weights = rng.normal(size=(50, 3)) + 60, rng.random((3, 50)) * [[1], [0], [9]]
    for got, weight in zip(all_moments(colors, weights), weights, strict=True):
        expected = moments(colors, weight)
        assert got.weight == pytest.approx(expected.weight)
        np.testing.assert_allclose(got.mean, expected.mean, atol=1e-9)
        np.testing.assert_allclose(got.covariance, expected.covariance, atol=1e-9)


def test_sample_follows_the_weights(rng):
    colors = rng.normal(size=(4, 3))
    got = sample(colors, np.array([0, 1, 0, 3]), 400)
    assert (got == colors[1]).all(1).sum() == 100
    assert (got == colors[3]).all(1).sum() == 300


class TestLut:
    def test_brings_the_clouds_together(self, rng):
        source = rng.normal(size=(2000, 3)) * 15
        target = np.sign(source) * np.abs(source) ** 1.3 / 15**0.3 + [20, 5, 0]
        start = source + np.array([20.0, 5, 0])
        loose = LutOptions(slope=(3.0, 3.0), curvature=(100.0, 100.0))
        moved = start + transport_lut(source, start, target[::-1], loose)(source)
        before, after = (np.abs(np.sort(x, 0) - np.sort(target, 0)).mean() for x in (start, moved))
        assert after < 0.6 * before

    def test_equal_clouds_need_no_table(self, rng):
        source = rng.normal(size=(500, 3)) * 10
        assert np.abs(transport_lut(source, source, source[::-1]).nodes).max() < 1e-9

    def test_interpolation_is_exact_for_linear_fields(self, rng):
        nodes = np.stack(np.meshgrid(range(9), range(7), range(7), indexing="ij"), -1) * 1.0
        lut = color.ColorLut(nodes, np.zeros(3), np.array([8.0, 6, 6]))
        colors = rng.random((20, 3)) * [8, 6, 6]
        np.testing.assert_allclose(lut(colors), colors, atol=1e-12)


@pytest.mark.parametrize("masks", [whole, halves])
def test_identity_where_style_equals_content(masks):
    image = scene()
    out = color_start(image, image, masks(image), masks(image))
    assert (out - image).abs().max() < 2e-3


def test_colours_follow_the_style():
    content, style = (
        scene(seed=1),
        scene(40, 80, seed=2) * torch.tensor([1, 0.5, 0.2])[:, None, None],
    )
    out = color_start(content, style, whole(content), whole(style))
    healthy(out, content)
    torch.testing.assert_close(out.mean((2, 3)), style.mean((2, 3)), atol=0.02, rtol=0)
    torch.testing.assert_close(out.std((2, 3)), style.std((2, 3)), atol=0.03, rtol=0)


def test_regions_take_their_own_partner():
    content = scene(64, 96, seed=1)
    style = torch.cat([scene(40, 40, 2) * 0.3, 0.6 + 0.4 * scene(40, 40, 3)], dim=3)
    out = color_start(content, style, halves(content), halves(style))
    assert (out[..., :40].mean() - style[..., :40].mean()).abs() < 0.05
    assert (out[..., 56:].mean() - style[..., 40:].mean()).abs() < 0.05


@pytest.mark.parametrize(
    ("content", "style"),
    [
        (torch.full((1, 3, 40, 50), 0.5), scene()),  # grey content
        (scene(), torch.full((1, 3, 30, 30), 0.5)),  # grey style
        (scene(), scene(30, 30, 5) * 0.01),  # almost black style
        (torch.zeros(1, 3, 40, 50), torch.ones(1, 3, 40, 50)),
        (scene(1, 1), scene()),
        (scene(64, 64), scene(64, 64, 4)),
        (scene(), scene(1, 1)),
    ],
)
def test_degenerate_pictures(content, style):
    healthy(color_start(content, style, whole(content), whole(style)), content)


def test_grey_style_takes_the_chroma_away():
    content = scene()
    style = scene(seed=3).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    out = color_start(content, style, whole(content), whole(style))
    assert (out.amax(1) - out.amin(1)).mean() < 0.1 * (content.amax(1) - content.amin(1)).mean()


def test_noise_of_a_grey_content_is_not_amplified():
    random = torch.Generator().manual_seed(0)
    grey = torch.linspace(0.2, 0.8, 64)[None, None, :, None].expand(1, 3, 64, 64)
    content = grey + 0.005 * torch.randn(1, 3, 64, 64, generator=random)
    out = color_start(content, scene(seed=7), whole(content), whole(scene()))
    rows = out[0].std(dim=2).mean()  # along a row the content has nothing but noise
    assert rows < 4 * 0.005


def test_shadows_keep_their_steps():
    """Dark tones go to dark tones, in order and apart, and not all to black."""
    content = torch.linspace(0, 1, 64)[None, None, None].expand(1, 3, 64, 64).contiguous()
    style = scene(seed=3) ** 3
    out = color_start(content, style, whole(content), whole(style))
    out = rgb_to_lab(out[0, :, 0].T)[:, 0]
    assert (out.diff() > -0.05).all()
    assert (out[:16].diff() > 0.1).float().mean() > 0.8


def test_a_region_of_one_pixel_takes_the_whole_pictures_map():
    content, style = scene(), scene(seed=4)
    masks = torch.zeros(2, *content.shape[2:])
    masks[1, 5, 5] = 1
    masks[0] = 1 - masks[1]
    partner = torch.stack([torch.ones(style.shape[2:]), torch.zeros(style.shape[2:])])
    partner[:, 3, 3] = torch.tensor([0.0, 1.0])
    maps = region_maps(
        color._to_lab(content), color._to_lab(style), masks.numpy(), partner.numpy(), LINEAR
    )
    np.testing.assert_allclose(maps[1].matrix, maps[0].matrix, atol=0.05)
    healthy(color_start(content, style, masks, partner), content)


def test_an_empty_style_mask_means_the_whole_style():
    content, style = scene(), scene(seed=4)
    empty = torch.zeros(1, *style.shape[2:])
    expected = color_start(content, style, whole(content), whole(style), LINEAR)
    torch.testing.assert_close(color_start(content, style, whole(content), empty), expected)


def test_linear_gain_is_bounded():
    content = 0.5 + 0.02 * (scene() - 0.5)
    one = region_maps(
        color._to_lab(content),
        color._to_lab(scene(seed=2)),
        whole(content).numpy(),
        whole(scene()).numpy(),
    )[0]
    assert np.linalg.norm(one.matrix, ord=2) <= color.MAX_GAIN + 1e-9


def test_speed_and_health_on_photographs(shared):
    content, style = (
        resize(load_image(shared / "dpst" / kind / "3.png").image, (342, 512))
        for kind in ("content", "style")
    )
    torch.set_num_threads(1)
    start = time.perf_counter()
    out = color_start(content, style, halves(content), halves(style))
    assert time.perf_counter() - start < 5  # measured: 0.2 s; the machine may be busy
    healthy(out, content)
