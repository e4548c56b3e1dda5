"""Transfers against their formulas, written a second time in NumPy float64."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from photostyle.universal.transfers import (
    EPSILON,
    Source,
    adain,
    adain_map,
    part_of,
    region_maps,
    statistics,
    summed,
    transferred,
    wct_map,
)

Array = NDArray[np.float64]
CUTOFF = 1e-5


def latents(seed: int, channels: int = 5, size: tuple[int, int] = (9, 11)) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(channels, channels))
    values = mix @ rng.normal(size=(channels, size[0] * size[1])) + rng.normal(size=(channels, 1))
    return torch.from_numpy(values.reshape(1, channels, *size))


def moments(x: torch.Tensor) -> tuple[Array, Array]:
    flat = x[0].flatten(1).numpy()
    return flat.mean(axis=1), np.cov(flat, bias=True)


def whole(x: torch.Tensor, share: float = 1.0) -> Source:
    return Source(x, torch.ones(1, *x.shape[2:]), share)


def test_adain_is_its_formula() -> None:
    content, style = latents(1), latents(2)
    ones = torch.ones(9, 11)
    found = adain_map(statistics(content, ones), statistics(style, ones))(content)[0].numpy()
    (m, c), (n, s) = moments(content), moments(style)
    gain = np.sqrt((np.diag(s) + EPSILON) / (np.diag(c) + EPSILON))
    wanted = gain[:, None, None] * (content[0].numpy() - m[:, None, None]) + n[:, None, None]
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_allclose(adain(content, style)[0], wanted, atol=1e-12)


def test_wct_is_its_formula_and_reaches_the_covariance() -> None:
    content, style = latents(1), latents(2)
    ones = torch.ones(9, 11)
    found = wct_map(statistics(content, ones), statistics(style, ones), CUTOFF)(content)
    (m, c), (n, s) = moments(content), moments(style)
    (dc, ec), (ds, es) = np.linalg.eigh(c), np.linalg.eigh(s)
    white = ec @ np.diag(dc**-0.5) @ ec.T @ (content[0].flatten(1).numpy() - m[:, None])
    wanted = es @ np.diag(ds**0.5) @ es.T @ white + n[:, None]
    np.testing.assert_allclose(found[0].flatten(1), wanted, atol=1e-10)
    mean, covariance = moments(found)
    np.testing.assert_allclose(mean, n, atol=1e-10)
    np.testing.assert_allclose(covariance, s, atol=1e-9)


def test_directions_below_the_cutoff_are_left_out() -> None:
    """A content with a channel that never varies, and one that hardly does."""
    content, style = latents(1), latents(2)
    content[:, 3] = 0.7
    content[:, 4] *= 1e-4
    ones = torch.ones(9, 11)
    change = wct_map(statistics(content, ones), statistics(style, ones), CUTOFF)
    found = change(content)
    assert found.isfinite().all()
    (_, c), (_, s) = moments(content), moments(style)
    values, vectors = np.linalg.eigh(c)
    kept = vectors[:, values > CUTOFF]
    assert kept.shape[1] == 3
    white = kept @ np.diag(values[values > CUTOFF] ** -0.5) @ kept.T
    ds, es = np.linalg.eigh(s)
    np.testing.assert_allclose(change.matrix, es @ np.diag(ds**0.5) @ es.T @ white, atol=1e-9)


@pytest.mark.parametrize("transfer", ["adain", "wct"])
def test_a_style_of_one_colour_gives_one_colour(transfer: str) -> None:
    content, style = latents(1), torch.full((1, 5, 4, 4), 0.3, dtype=torch.float64)
    (change,) = region_maps(whole(content), [whole(style)], transfer, 1.0, CUTOFF)
    found = change(content)
    assert found.isfinite().all()
    # AdaIN's epsilon leaves a trace of the content's variation, as in the paper.
    assert (found - 0.3).abs().max() < (0.02 if transfer == "adain" else 1e-6)


def test_a_region_takes_from_its_partner_alone() -> None:
    content, style = latents(1), latents(2)
    left = torch.zeros(9, 11)
    left[:, :5] = 1
    masks = torch.stack([left, 1 - left])
    other = style.clone()
    other[:, :, :, 5:] += 4.0
    a, b = (
        transferred(content, masks, region_maps(
            Source(content, masks), [Source(x, masks)], "adain", 1.0, CUTOFF
        ))
        for x in (style, other)
    )  # fmt: skip
    apart = (a - b).abs()
    # The whole picture has a share in a region's statistics, the smaller the larger it is.
    assert apart[:, :, :, 5:].mean() > 3
    assert apart[:, :, :, :5].mean() < 0.5


def test_regions_of_one_position_and_of_none_stay_finite() -> None:
    content, style = latents(1), latents(2)
    dot = torch.zeros(9, 11)
    dot[4, 4] = 1
    masks = torch.stack([dot, 1 - dot, torch.zeros(9, 11)])
    for transfer in ("adain", "wct"):
        maps = region_maps(Source(content, masks), [Source(style, masks)], transfer, 1.0, CUTOFF)
        found = transferred(content, masks, maps)
        assert found.isfinite().all()
        assert found.abs().max() < 10 * style.abs().max()


def test_styles_blend_and_alpha_fades_linearly() -> None:
    content, one, other = latents(1), latents(2), latents(3)
    maps = [
        region_maps(whole(content), [whole(x)], "wct", 1.0, CUTOFF)[0](content)
        for x in (one, other)
    ]
    both = region_maps(whole(content), [whole(one, 0.3), whole(other, 0.7)], "wct", 1.0, CUTOFF)
    np.testing.assert_allclose(both[0](content), 0.3 * maps[0] + 0.7 * maps[1], atol=1e-10)
    part = region_maps(whole(content), [whole(one)], "wct", 0.25, CUTOFF)[0](content)
    np.testing.assert_allclose(part, 0.25 * maps[0] + 0.75 * content, atol=1e-10)
    none = part_of(summed([both[0]], [1.0]), 0.0)(content)
    np.testing.assert_allclose(none, content, atol=1e-12)
