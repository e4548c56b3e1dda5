"""What stays of the photograph after the fact."""

import colorsys

import pytest
import torch
from torch import Tensor

from photostyle.finish.keeping import FINDERS, STRIP, found, kept
from photostyle.images.picture import LUMA

SIZE = (64, 80)


def random_picture(seed: int = 0, low: float = 0.3, high: float = 0.7) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(1, 3, *SIZE, generator=generator)


def luma(image: Tensor) -> Tensor:
    return torch.einsum("c,nchw->nhw", torch.tensor(LUMA), image)


def chroma(image: Tensor) -> Tensor:
    return image - luma(image)[:, None]


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    """A content and a finished picture, so grey that no mixture leaves the gamut."""
    return random_picture(), random_picture(seed=1)


def test_all_of_the_change_is_the_picture(pair: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(kept(*pair), pair[1], atol=1e-6, rtol=0)
    torch.testing.assert_close(kept(*pair, luminance=0, color=0), pair[0], atol=1e-6, rtol=0)


def test_lightness_and_colour_apart(pair: tuple[Tensor, Tensor]) -> None:
    content, image = pair
    out = kept(content, image, luminance=0)
    torch.testing.assert_close(luma(out), luma(content), atol=1e-5, rtol=0)
    torch.testing.assert_close(chroma(out), chroma(image), atol=1e-5, rtol=0)
    out = kept(content, image, color=0)
    torch.testing.assert_close(luma(out), luma(image), atol=1e-5, rtol=0)
    torch.testing.assert_close(chroma(out), chroma(content), atol=1e-5, rtol=0)


def test_shares_are_linear(pair: tuple[Tensor, Tensor]) -> None:
    content, image = pair
    out = kept(content, image, luminance=0.25, color=0.5)
    torch.testing.assert_close(luma(out), torch.lerp(luma(content), luma(image), 0.25))
    torch.testing.assert_close(
        chroma(out), torch.lerp(chroma(content), chroma(image), 0.5), atol=1e-6, rtol=0
    )


def test_stays_in_range_where_a_mixture_does_not_fit() -> None:
    content, image = random_picture(low=0, high=1), random_picture(1, low=0, high=1)
    out = kept(content, image, luminance=0)
    assert out.min() >= 0
    assert out.max() <= 1


def test_planes_bring_the_content_back(pair: tuple[Tensor, Tensor]) -> None:
    content, image = pair
    plane = torch.zeros(SIZE)
    plane[:, 40:] = 1
    out = kept(content, image, whole=plane)
    torch.testing.assert_close(out[..., 40:], content[..., 40:], atol=1e-6, rtol=0)
    torch.testing.assert_close(out[..., :40], image[..., :40], atol=1e-6, rtol=0)
    out = kept(content, image, chroma=plane)
    torch.testing.assert_close(luma(out), luma(image), atol=1e-5, rtol=0)
    torch.testing.assert_close(chroma(out)[..., 40:], chroma(content)[..., 40:])
    torch.testing.assert_close(out[..., :40], image[..., :40], atol=1e-6, rtol=0)


def test_neutrals_stay_neutral() -> None:
    content, image = random_picture(), random_picture(seed=1)
    content[:, :, :30] = torch.linspace(0.2, 0.8, 80)  # a grey card
    image[:, :, :30] = content[:, :, :30] * torch.tensor([1.0, 0.8, 0.6])[:, None, None]
    out = kept(content, image, chroma=found(content, "neutrals"))
    card = chroma(out)[:, :, 4:24]
    assert card.abs().max() < 0.1 * chroma(image)[:, :, 4:24].abs().max()


#: From very light to very dark, sRGB.
SKIN = ["#f6e0d0", "#f1c8a8", "#e0ac88", "#c68c64", "#a06848", "#7c4c34", "#583624", "#3e281c"]


def patch(color: str, ground: tuple[float, float, float] = (0.25, 0.35, 0.3)) -> Tensor:
    """A patch of a colour on a ground, with a little grain."""
    rgb = torch.tensor([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    image = torch.tensor(ground)[None, :, None, None].expand(1, 3, *SIZE).clone()
    image[:, :, 16:48, 20:60] = rgb[:, None, None]
    generator = torch.Generator().manual_seed(0)
    return (image + 0.01 * (torch.rand(1, 1, *SIZE, generator=generator) - 0.5)).clamp(0, 1)


@pytest.mark.parametrize("color", SKIN)
def test_skin_is_found_in_every_tone(color: str) -> None:
    plane = found(patch(color), "skin")
    assert plane[22:42, 26:54].mean() > 0.6
    assert plane[:8].max() < 0.1


@pytest.mark.parametrize("color", ["#3a5f9e", "#2f7a3c", "#808080", "#f5f5f5", "#6a2a8c"])
def test_other_things_are_not_skin(color: str) -> None:
    assert found(patch(color), "skin")[22:42, 26:54].max() < 0.15


def outdoors() -> Tensor:
    """Sky over a rough ground with a car in the sky's colour."""
    blue = torch.tensor(colorsys.hsv_to_rgb(0.58, 0.5, 0.85))
    image = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0)) * 0.5
    image[:, :, :28] = blue[:, None, None]
    image[:, :, 44:56, 30:50] = blue[:, None, None]
    return image


def test_sky_is_what_reaches_the_top() -> None:
    plane = found(outdoors(), "sky")
    assert plane[:22].min() > 0.8
    assert plane[47:53, 34:46].max() < 0.2
    assert plane[34:].mean() < 0.1


@pytest.mark.parametrize("what", FINDERS)
@pytest.mark.parametrize("size", [(48, 48), (50, 300), (33, 47), (720, 90)])
def test_found_has_the_contents_size_and_range(what: str, size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    plane = found(image, what)
    assert plane.shape == size
    assert plane.isfinite().all()
    assert plane.min() >= 0
    assert plane.max() <= 1


def test_strips_do_not_show() -> None:
    size = (STRIP + 40, 20)
    content, image = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(0))
    plane = torch.rand(size, generator=torch.Generator().manual_seed(1))
    whole = kept(content, image, 0.3, 0.6, plane, 1 - plane)
    low = slice(STRIP - 10, STRIP + 10)
    part = kept(content[:, :, low], image[:, :, low], 0.3, 0.6, plane[low], 1 - plane[low])
    torch.testing.assert_close(whole[:, :, low], part)
