"""Gains of colour differences and stains, on pictures whose colour maps are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.lab import lab_to_rgb, rgb_to_lab
from photostyle.errors import ImageError
from photostyle.images.picture import fit_size, image_size, load_image, resize
from photostyle.segmentation.segmenter import load_masks
from photostyle.smoothness import gains, stain_map, stains

MIDDLE = torch.tensor([55.0, 3.0, 5.0])


def to_lab(image: Tensor) -> Tensor:
    return rgb_to_lab(image[0].permute(1, 2, 0).reshape(-1, 3)).reshape(*image.shape[2:], 3)


def to_image(lab: Tensor) -> Tensor:
    rgb = lab_to_rgb(lab.reshape(-1, 3)).reshape(lab.shape)
    assert -1e-3 < rgb.min() <= rgb.max() < 1 + 1e-3  # else the map is no longer the one meant
    return rgb.permute(2, 0, 1)[None].clamp(0, 1)  # H×W×3 -> 1×3×H×W


def colours(height: int = 90, width: int = 120, seed: int = 0, spread: float = 6.0) -> Tensor:
    """H×W×3 CIELAB: soft shapes about a middle colour, which recur all over the picture."""
    noise = np.random.default_rng(seed).standard_normal((height, width, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 4).reshape(height, width, 3)
    return MIDDLE + torch.from_numpy((soft / soft.std()).clip(-2.5, 2.5) * spread).float()


def whole(image: Tensor) -> Tensor:
    return torch.ones(1, *image.shape[2:])


def spot(image: Tensor, x: int = 30, radius: int = 12) -> Tensor:
    """H×W bool: a disk, 4 % of the picture of `colours`."""
    ys, xs = torch.meshgrid(*(torch.arange(n) for n in image.shape[2:]), indexing="ij")
    return (ys - 45) ** 2 + (xs - x) ** 2 <= radius**2


def stained(lab: Tensor, where: Tensor, by: float = 25.0) -> Tensor:
    return to_image(lab + by * where[..., None] * torch.tensor([0.0, 1.0, 0.0]))


def test_the_content_itself_has_gain_1_and_no_stain() -> None:
    content = torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(0))
    assert gains(content, content, whole(content)) == (1.0, 1.0)
    assert stains(content, content, whole(content)).max() == 0


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.5, 2.0])
def test_a_global_map_has_its_gain_and_no_stain(gain: float) -> None:
    lab = colours(spread=4)
    content, image = to_image(lab), to_image(MIDDLE + gain * (lab - MIDDLE) - 3)
    smoothness, stain = gains(image, content, whole(content))
    assert smoothness == pytest.approx(gain, rel=1e-3)
    assert stain < 1.5  # below the floor of 2 ΔE a gain is not told apart
    assert stains(image, content, whole(content)).max() < 0.01


def test_a_tone_curve_is_no_stain() -> None:
    lab = colours()
    curve = lab.clone()
    curve[..., 0] = 55 + 30 * torch.tanh((lab[..., 0] - 55) / 10)  # gains of 3 down to 0.1
    image, content = to_image(curve), to_image(lab)
    assert gains(image, content, whole(content))[1] < 2.5
    assert stains(image, content, whole(content)).mean() < 0.01


def naive(image: Tensor, content: Tensor) -> tuple[float, float]:
    """All pairs of all pixels of a cell, one cell at a time."""
    before, after = (
        cv2.GaussianBlur(to_lab(x).numpy(), (0, 0), 1, borderType=cv2.BORDER_REFLECT)
        for x in (content, image)
    )
    before, after = before.reshape(-1, 3), after.reshape(-1, 3)
    places = np.floor(before / 6)
    told, excess = [], []
    for place in np.unique(places, axis=0):
        inside = np.flatnonzero((places == place).all(axis=1))
        i, j = (inside[k] for k in np.triu_indices(len(inside), 1))
        apart, then = (np.linalg.norm(x[i] - x[j], axis=1) for x in (before, after))
        apart, then = apart[apart < 8], then[apart < 8]
        if len(apart) < 60:
            continue
        told.append(np.stack([(then / np.maximum(apart, 1e-9))[apart >= 2],
                              np.full((apart >= 2).sum(), len(inside) / len(apart))]))  # fmt: skip
        gain = np.maximum(then, 2) / np.maximum(apart, 2)
        weight = np.full(len(gain), len(inside) / len(gain))  # a pixel has as many pairs anywhere
        excess.append(np.stack([gain - np.median(gain), weight]))
    return quantile(np.hstack(told), 0.5), 1 + quantile(np.hstack(excess), 0.95)


def quantile(rows: np.ndarray, share: float) -> float:
    values, weights = rows[:, np.argsort(rows[0])]
    return float(values[np.searchsorted(weights.cumsum(), share * weights.sum())])


@pytest.mark.parametrize("gain", [0.7, 1.6])
def test_gains_against_a_naive_reference(gain: float) -> None:
    lab, other = colours(), colours(seed=1)
    content, image = (
        to_image(lab),
        to_image(MIDDLE + gain * (lab - MIDDLE) + 0.5 * (other - MIDDLE)),
    )
    found = gains(image, content, whole(content))
    assert found == pytest.approx(naive(image, content), rel=0.05)


def test_a_painted_stain_raises_the_score_and_lights_the_map_there_only() -> None:
    lab = colours()
    content = to_image(lab)
    where = spot(content)
    clean, dirty = to_image(lab + 5), stained(lab + 5, where)
    assert gains(clean, content, whole(content))[1] < 1.05
    assert gains(dirty, content, whole(content))[1] > 3
    assert gains(dirty, content, whole(content))[0] == pytest.approx(1, abs=0.1)
    heat = stains(dirty, content, whole(content))
    assert heat.dtype == torch.float32
    assert heat.shape == content.shape[2:]
    inside, outside = spot(content, radius=9), ~spot(content, radius=15)
    assert heat[inside].min() > 0.4
    assert heat[outside].max() < 0.05


def test_stains_grow_with_their_strength_and_size() -> None:
    lab = colours()
    content = to_image(lab)

    def score(radius: int, by: float) -> float:
        return gains(stained(lab, spot(content, 60, radius), by), content, whole(content))[1]

    for found in ([score(14, by) for by in (0, 5, 10, 20)],
                  [score(radius, 15) for radius in (0, 8, 12, 18)]):  # fmt: skip
        assert found == sorted(found)
        assert found[-1] > found[0] + 1


def test_a_cloud_in_an_even_sky_is_a_stain() -> None:
    lab = MIDDLE.expand(90, 120, 3)
    content = to_image(lab)
    dirty = stained(lab, spot(content, radius=16))
    smoothness, stain = gains(dirty, content, whole(content))
    assert smoothness == 1  # nothing is far enough apart to have a gain
    assert stain > 5
    heat = stains(dirty, content, whole(content))
    assert heat[spot(content, radius=13)].min() > 0.4
    assert heat[~spot(content, radius=19)].max() < 0.1


def test_noise_is_no_stain() -> None:
    content = to_image(colours())
    noise = torch.randn(content.shape, generator=torch.Generator().manual_seed(0)) / 255
    image = (content + 2 * noise).clamp(0, 1)
    assert gains(image, content, whole(content))[1] < 1.3
    assert stains(image, content, whole(content)).max() < 0.02


def test_crushed_blacks_have_no_gain_and_no_stain() -> None:
    lab = colours()
    content, image = to_image(lab), torch.zeros(1, 3, 90, 120)
    smoothness, stain = gains(image, content, whole(content))
    assert smoothness == 0
    assert stain == pytest.approx(1, abs=0.5)
    assert stains(image, content, whole(content)).max() == 0


def test_every_region_has_a_map_of_its_own() -> None:
    lab = colours()
    content = to_image(lab)
    left = torch.zeros(90, 120)
    left[:, :60] = 1
    image = stained(lab, left, 20)
    halves = torch.stack([left, 1 - left])
    narrow = torch.zeros(2, 90, 120)
    narrow[0, :, :50], narrow[1, :, 70:] = 1, 1  # without the blur across the border
    assert gains(image, content, whole(content))[1] > 4
    assert gains(image, content, narrow)[1] < 1.05
    assert stains(image, content, halves)[:, :50].max() < 0.05
    assert stains(image, content, whole(content)).mean() > 0.2


def test_the_same_numbers_every_time_and_no_global_randomness() -> None:
    content = to_image(colours(300, 400))  # more pixels than are paired
    image = stained(colours(300, 400), spot(content))
    states = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    first, second = (gains(image, content, whole(content)) for _ in range(2))
    assert first == second
    assert torch.equal(stains(image, content, whole(content)),
                       stains(image, content, whole(content)))  # fmt: skip
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (40, 3), (8, 8), (9, 700)])
def test_any_size(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    content, image = torch.rand(2, 1, 3, *size, generator=generator)
    smoothness, stain = gains(image, content, whole(content))
    assert smoothness > 0
    assert 1 <= stain < 1e3
    heat = stains(image, content, whole(content))
    assert heat.shape == size
    assert 0 <= heat.min() <= heat.max() <= 1
    assert stain_map(image, content, whole(content)).shape == content.shape


def test_a_large_picture_has_its_map_at_its_own_size() -> None:
    lab = colours()
    size = (900, 1200)
    where = spot(to_image(lab))
    content, image = (resize(x, size) for x in (to_image(lab), stained(lab, where)))
    heat = stains(image, content, torch.ones(1, 30, 40))  # masks of any size
    assert heat.shape == size
    assert heat[450, 300] > 0.4
    assert heat[:, 600:].max() < 0.05


def test_without_regions_there_is_nothing_to_say() -> None:
    content = to_image(colours())
    image = stained(colours(), spot(content))
    for masks in (torch.zeros(0, 90, 120), torch.zeros(1, 90, 120)):
        assert gains(image, content, masks) == (1.0, 1.0)
        assert stains(image, content, masks).max() == 0


def test_other_sizes_are_refused() -> None:
    content = to_image(colours())
    with pytest.raises(ImageError, match="size, 120×90, not 60×90"):
        stains(content[..., :60], content, whole(content))


@pytest.mark.parametrize("name", ["3", "21", "40"])
def test_published_pictures_are_stained(shared: Path, name: str) -> None:
    """Deep Photo Style Transfer's own results, against a plain cast on the same content."""
    data = shared / "dpst"
    content = load_image(data / "content" / f"{name}.png").image
    content = resize(content, fit_size(image_size(content), 512))
    published = resize(load_image(data / "published" / f"{name}.png").image, image_size(content))
    files = (data / kind / f"{name}.png" for kind in ("content_mask", "style_mask"))
    style = load_image(data / "style" / f"{name}.png").image
    masks = load_masks(*files, content, style).content
    cast = content * torch.tensor([1.0, 0.8, 0.6])[:, None, None]
    assert gains(published, content, masks)[1] > 5
    assert gains(cast, content, masks)[1] < 1.5
    assert stains(published, content, masks).mean() > 0.1
