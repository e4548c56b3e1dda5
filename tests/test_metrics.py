from dataclasses import astuple, replace

import cv2
import numpy as np
import pytest
import torch

from photostyle.color.lab import rgb_to_lab
from photostyle.errors import ImageError, MaskError
from photostyle.images.picture import resize
from photostyle.metrics import NOISE, RIDGE, departure, heatmap, measure, style_note

MIX = torch.tensor([[0.5, 0.1, 0.2], [0.1, 0.4, 0.1], [0.0, 0.2, 0.6]])


def picture(height=61, width=83, seed=0, blur=1.0):
    """Soft shapes of full contrast in independent colours, as a photograph has."""
    noise = np.random.default_rng(seed).standard_normal((height, width, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), blur)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return torch.from_numpy(soft.transpose(2, 0, 1).copy()).float()[None]


def recoloured(image):
    return torch.einsum("dc,bchw->bdhw", MIX, image) + 0.05


def noisy(image, amplitude):
    random = torch.Generator().manual_seed(1)
    return (image + amplitude * torch.randn(image.shape, generator=random)).clamp(0, 1)


def halves(image):
    masks = torch.zeros(2, *image.shape[2:])
    masks[0, :, : image.shape[3] // 3] = 1
    masks[1] = 1 - masks[0]
    return masks


def scores(image, content, style=None):
    style = picture(47, 59, seed=9) * 0.4 if style is None else style
    return measure(image, content, style, halves(content), halves(style))


def naive(image, content):
    """Per window, numpy's least squares on rows that state the ridge as data."""
    image, content = (x[0].permute(1, 2, 0).double().numpy() for x in (image, content))
    energy, variance = np.zeros((2, *image.shape[:2]))
    for y, x in np.ndindex(image.shape[:2]):
        window = slice(max(0, y - 4), y + 5), slice(max(0, x - 4), x + 5)
        guide, values = content[window].reshape(-1, 3), image[window].reshape(-1, 3)
        guide, values = guide - guide.mean(0), values - values.mean(0)
        ridge = np.sqrt(RIDGE * len(guide)) * np.eye(3)
        slope = np.linalg.lstsq(
            np.concatenate([guide, ridge]), np.concatenate([values, np.zeros((3, 3))]), rcond=None
        )[0]
        energy[y, x] = np.square(values - guide @ slope).sum() / len(guide)
        variance[y, x] = np.square(values).sum() / len(guide)
    return energy, variance


@pytest.mark.parametrize("size", [(19, 26), (3, 5), (1, 7), (1, 1)])
def test_departure_against_a_naive_reference(size):
    content, image = picture(*size, blur=0.7), picture(*size, seed=1, blur=0.7)
    image[..., : size[1] // 2] = 0.5 + 0.01 * image[..., : size[1] // 2]  # below the floor
    energy, variance = naive(image, content)
    share = departure(image, content)
    assert share.dtype == torch.float32
    np.testing.assert_allclose(share.numpy(), energy / np.maximum(variance, NOISE), atol=1e-7)


def test_structure_is_the_ratio_of_energies():
    content = picture(21, 25)
    image = noisy(recoloured(content), 0.1)
    energy, variance = naive(image, content)
    assert scores(image, content).structure == pytest.approx(1 - energy.sum() / variance.sum())


def test_departure_is_accurate_on_a_bright_and_nearly_flat_picture():
    content, image = 0.99 + 0.01 * picture(20, 20), 0.95 + 0.05 * picture(20, 20, seed=1)
    energy, variance = naive(image, content)
    np.testing.assert_allclose(departure(image, content), energy / np.maximum(variance, NOISE),
                               atol=1e-7)  # fmt: skip


def test_an_affine_recolouring_departs_nowhere():
    content = picture()
    assert departure(recoloured(content), content).max() < 0.01
    assert departure(content, content).max() < 0.01
    assert scores(recoloured(content), content).structure > 0.999


def test_affine_maps_may_differ_from_place_to_place():
    content = picture(60, 120)
    image = torch.cat([content[..., :60], 1 - content[..., 60:]], dim=3)
    share = departure(image, content)
    assert share[:, :56].max() < 0.01
    assert share[:, 64:].max() < 0.01
    assert share[:, 58:62].mean() > 0.1


def test_a_picture_of_its_own_departs_everywhere():
    share = departure(picture(seed=1, blur=0.5), picture(blur=0.5))
    assert share.min() > 0.5


def test_plain_surfaces_do_not_blow_up():
    content = picture()
    assert departure(torch.full_like(content, 0.4), content).max() == 0
    assert departure(noisy(torch.full_like(content, 0.4), 1 / 255), content).max() < 0.2
    assert departure(content, torch.full_like(content, 0.4)).min() > 0.5


def test_noise_and_texture_lower_structure_and_edges_step_by_step():
    content = picture()
    found = [scores(noisy(recoloured(content), a), content) for a in (0, 0.02, 0.05, 0.1, 0.2)]
    for name in ("structure", "edges"):
        values = [getattr(score, name) for score in found]
        assert values == sorted(values, reverse=True)
        assert values[0] - values[-1] > 0.2
    stripes = 0.5 + 0.5 * torch.arange(content.shape[3]).mul(1.3).sin()
    means = [departure(content * (1 - a) + a * stripes, content).mean() for a in (0, 0.2, 0.4, 0.6)]
    assert means == sorted(means)


def naive_edges(image, content, sigma=1.5):
    """Sobel and SSIM written out on float64 arrays, one window at a time."""

    def edge_map(picture):
        luma = np.tensordot([0.299, 0.587, 0.114], picture[0].double().numpy(), 1)
        p = np.pad(luma, 1, mode="symmetric")
        smooth_y = p[:-2] + 2 * p[1:-1] + p[2:]
        smooth_x = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
        across, down = smooth_y[:, 2:] - smooth_y[:, :-2], smooth_x[2:] - smooth_x[:-2]
        magnitude = np.sqrt(across**2 + down**2)
        return np.minimum(magnitude / np.percentile(magnitude, 99), 1.5)

    reach = 7
    bell = np.exp(-np.square(np.arange(-reach, reach + 1)) / (2 * sigma**2))
    weight = np.outer(bell, bell) / bell.sum() ** 2
    a, b = (np.pad(edge_map(x), reach, mode="symmetric") for x in (image, content))
    values = []
    for y, x in np.ndindex(*image.shape[2:]):
        window = slice(y, y + 2 * reach + 1), slice(x, x + 2 * reach + 1)
        p, q = a[window], b[window]
        mp, mq = (weight * p).sum(), (weight * q).sum()
        vp, vq = (weight * (p - mp) ** 2).sum(), (weight * (q - mq) ** 2).sum()
        cov = (weight * (p - mp) * (q - mq)).sum()
        values.append((2 * mp * mq + 1e-4) * (2 * cov + 9e-4)
                      / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)))  # fmt: skip
    return np.mean(values)


def test_edges_against_a_naive_reference():
    content = picture(25, 31) * 0.2
    content[..., 12, 16] = 1  # beyond where the maps end
    image = noisy(recoloured(content), 0.01)
    assert scores(image, content).edges == pytest.approx(naive_edges(image, content), abs=1e-3)


def test_edges_of_the_content_itself():
    content = picture()
    assert scores(content, content).edges == pytest.approx(1, abs=1e-9)
    # Contrast is not structure: edge maps are normalised.
    assert scores(0.2 + 0.5 * content, content).edges == pytest.approx(1, abs=1e-4)
    assert scores(content.flip(3), content).edges < 0.5


def naive_colour(image, style, masks, partners):
    """One-dimensional optimal transport on the axes of random rotations, pixel for pixel."""
    turns = np.linalg.qr(np.random.default_rng(0).standard_normal((200, 3, 3)))[0]
    axes = turns.reshape(-1, 3).T  # 200×3×3 -> 3×600
    lab, wanted = (rgb_to_lab(x[0].reshape(3, -1).T).double().numpy() for x in (image, style))
    total = 0.0
    for mask, partner in zip(masks.flatten(1) > 0.5, partners.flatten(1) > 0.5, strict=True):
        ranks = (np.arange(300) + 0.5) / 300
        p, q = (
            np.quantile(x[m.numpy()] @ axes, ranks, axis=0, method="hazen")
            for x, m in ((lab, mask), (wanted, partner))
        )
        total += float(mask.float().mean()) * np.sqrt(3 * np.square(p - q).mean())
    return total


def test_colour_against_a_naive_reference():
    content, style = (
        picture(31, 45),
        picture(29, 37, seed=9) * torch.tensor([0.9, 0.5, 0.2])[:, None, None],
    )
    found = scores(recoloured(content), content, style)
    masks = halves(content), halves(style)
    expected = naive_colour(recoloured(content), style, *masks)
    assert found.colour == pytest.approx(expected, rel=0.03)
    assert found.content_colour == pytest.approx(naive_colour(content, style, *masks), rel=0.03)
    assert found.style_taken == pytest.approx(max(0, 1 - found.colour / found.content_colour))


def test_roots_are_taken_region_by_region():
    """Greys that miss by 10 ΔE in a third of the picture and by 40 in the rest."""
    content = torch.full((1, 3, 30, 60), 0.5)
    lightness = rgb_to_lab(torch.tensor([[0.5, 0.5, 0.5], [0.4, 0.4, 0.4], [0.1, 0.1, 0.1]]))[:, 0]
    style = torch.full_like(content, 0.4)
    style[..., 20:] = 0.1
    near, far = float(lightness[0] - lightness[1]), float(lightness[0] - lightness[2])
    found = scores(content, content, style).colour
    assert found == pytest.approx(near / 3 + far * 2 / 3, rel=0.02)
    squares = np.sqrt(near**2 / 3 + far**2 * 2 / 3)
    assert abs(found - squares) > 1


def test_colour_of_content_and_style_alike():
    content = picture(200, 170)  # more pixels than the distance uses
    found = measure(content, content, content, halves(content), halves(content))
    assert found.colour < 1e-3
    assert found.content_colour < 1e-3
    assert found.style_taken == 1


def test_style_taken_runs_from_the_content_to_the_style():
    content = picture(60, 90)
    style = 0.1 + 0.3 * content
    taken = [scores(torch.lerp(content, style, a), content, style).style_taken
             for a in (0, 0.3, 0.6, 1)]  # fmt: skip
    assert taken == sorted(taken)
    assert taken[0] == 0
    assert taken[-1] == pytest.approx(1, abs=1e-3)
    assert scores((content * 2).clamp(0, 1), content, style).style_taken == 0  # away from it


def test_small_regions_are_left_out_and_none_means_zero():
    content, style = picture(40, 50), picture(40, 50, seed=2) * 0.3
    masks = torch.zeros(2, 40, 50)
    masks[1, :2, :3] = 1
    masks[0] = 1 - masks[1]
    whole = torch.stack([masks[0], torch.zeros(40, 50)])
    assert measure(content, content, style, masks, masks) == measure(
        content, content, style, whole, whole
    )
    none = measure(content, content, style, masks[1:], masks[1:])
    assert (none.colour, none.content_colour, none.style_taken) == (0, 0, 1)


def test_large_pictures_are_measured_at_512_pixels():
    content, style = picture(300, 701, blur=3), picture(650, 90, seed=2, blur=3)
    image = noisy(recoloured(content), 0.1)
    found = scores(image, content, style)
    small = [resize(x, size) for x, size in ((image, (219, 512)), (content, (219, 512)),
                                             (style, (512, 71)))]  # fmt: skip
    again = scores(*small)
    alike = replace(again, colour=found.colour, content_colour=found.content_colour,
                    style_taken=found.style_taken)  # fmt: skip
    assert found == alike
    # The masks' border falls on other pixels.
    assert found.colour == pytest.approx(again.colour, rel=0.02)


@pytest.mark.parametrize("size", [(31, 42), (122, 166), (61, 84)])
def test_a_result_may_have_another_size(size):
    content = picture(61, 83, blur=2)
    found = scores(resize(0.2 + 0.5 * content, size), content)
    assert found.structure > 0.99
    assert found.edges > 0.95


def test_a_small_result_is_not_enlarged():
    content = picture()
    small = resize(content, (31, 42))
    found, again = scores(small, content), scores(small, small)
    assert (found.structure, found.edges) == (again.structure, again.edges)


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (40, 3), (7, 7)])
def test_odd_sizes_give_finite_scores(size):
    content, image = picture(*size), picture(*size, seed=1)
    masks = torch.ones(1, *size)
    found = measure(image, content, picture(), masks, torch.ones(1, 61, 83))
    assert np.isfinite(astuple(found)).all()
    assert 0 <= found.structure <= 1
    assert 0 <= found.style_taken <= 1
    assert heatmap(image, content).shape == content.shape


def test_heatmap_is_grey_where_nothing_departs_and_bright_where_all_does():
    content = picture(blur=0.7) * 0.8
    image = content.clone()
    image[..., 50:] = picture(seed=5, blur=0.7)[..., 50:]
    shown = heatmap(image, content)
    assert shown.dtype == torch.float32
    assert shown.shape == content.shape
    assert 0 <= shown.min() <= shown.max() <= 1
    assert (shown.amax(1) - shown.amin(1))[..., :44].max() < 0.05
    grey = torch.einsum("c,chw->hw", torch.tensor([0.299, 0.587, 0.114]), content[0])
    correlation = torch.corrcoef(
        torch.stack([shown.mean(1)[0, :, :44].ravel(), grey[:, :44].ravel()])
    )
    assert correlation[0, 1] > 0.99
    assert shown[0, 0, :, 56:].min() > 0.5  # red leads in the ramp's upper half


def test_errors_say_what_is_wrong():
    content, other = picture(), picture(61, 40)
    masks = halves(content)
    with pytest.raises(ImageError, match="size, 83×61, not 40×61"):
        departure(other, content)
    with pytest.raises(ImageError, match="proportions, 83×61, but is 40×61"):
        measure(other, content, content, masks, masks)
    with pytest.raises(ImageError, match="The style"):
        measure(content, content, content * 2, masks, masks)
    with pytest.raises(MaskError, match="not 2 and 1"):
        measure(content, content, content, masks, masks[:1])


@pytest.mark.parametrize(("level", "word"), [(0.02, "almost black"), (0.5, "a single colour")])
def test_style_of_one_colour_is_noted(level, word):
    style = (level + 0.01 * (picture() - 0.5)).clamp(0, 1)
    assert word in style_note(style)


def test_style_with_a_picture_in_it_is_not_noted():
    assert style_note(picture()) is None
