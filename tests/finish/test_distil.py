"""Finished pictures brought back to smooth maps of the content."""

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.matching import Matches
from photostyle.color.terms import COLORS, COUNT
from photostyle.finish import distil
from photostyle.finish.distil import black_of, distilled, hues_of, regional_look
from photostyle.images.picture import LUMA
from photostyle.segmentation.scene import Scene

SIZE = (72, 96)
WHOLE = torch.ones(1, *SIZE)


def random_picture(seed: int = 0, low: float = 0.1, high: float = 0.9) -> Tensor:
    """Soft shapes with a little grain."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 12, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, SIZE, mode="bilinear")
    rough = torch.rand(1, 3, *SIZE, generator=generator)
    return low + (high - low) * (0.85 * smooth + 0.15 * rough)


def rows() -> Tensor:
    """H×W: the place from above, from -½ to ½."""
    return (((torch.arange(SIZE[0]) + 0.5) / SIZE[0]) - 0.5)[:, None].expand(SIZE)


def scene(content: Tensor, masks: Tensor, style: Tensor | None = None) -> Scene:
    style = content if style is None else style
    return Scene(content, style, masks, torch.ones(len(masks), *style.shape[2:]) / len(masks))


def applied(coefficients: Tensor, content: Tensor, masks: Tensor = WHOLE) -> Tensor:
    look = regional_look(content, None, scene(content, masks), as_one=False)
    return type(look)(coefficients, look.borders, look.strengths).apply(content)


def linear(content: Tensor) -> Tensor:
    slope = torch.tensor([[0.6, 0.1, 0.0], [0.0, 0.5, 0.1], [0.1, 0.0, 0.5]])
    return torch.einsum("ij,njhw->nihw", slope, content) + 0.1


def quadratic(content: Tensor) -> Tensor:
    return 0.1 + 1.2 * content - 0.6 * content * content.flip(1)


def falling_light(content: Tensor) -> Tensor:
    return 0.7 * content + 0.15 - 0.25 * rows()


@pytest.mark.parametrize("look", [linear, quadratic, falling_light])
def test_smooth_map_is_recovered(look: object) -> None:
    content = random_picture()
    image = look(content)  # type: ignore[operator]
    out = applied(distilled(image, content, WHOLE), content)
    assert (out - image).abs().mean() < 0.005
    assert (out - image).abs().max() < 0.05


def test_freedom_is_what_held_out_blocks_bear_out() -> None:
    content = random_picture()
    noise = 0.02 * torch.randn(content.shape, generator=torch.Generator().manual_seed(1))
    used = [distilled(look(content) + noise, content, WHOLE)[0] for look in
            (linear, quadratic, falling_light)]  # fmt: skip
    assert not used[0][4:].any()
    assert used[1][4:COLORS].any()
    assert not used[1][COLORS:].any()
    assert used[2][COLORS:].any()


def test_even_regions_get_no_terms_of_place() -> None:
    """A light over a wall without structure could as well be dirt."""
    even = 0.5 + 0.02 * (random_picture() - 0.5)
    assert not distilled(falling_light(even), even, WHOLE)[0, COLORS:].any()
    content = random_picture()
    assert distilled(falling_light(content), content, WHOLE)[0, COLORS:].any()


def test_stain_in_one_place_is_dropped() -> None:
    content = random_picture()
    clean = linear(content)
    stained = clean.clone()
    stained[:, 0, 20:38, 30:48] += 0.4  # 5 % of the picture
    out = applied(distilled(stained, content, WHOLE), content)
    inside = (out - clean)[:, :, 20:38, 30:48].abs().mean()
    assert inside < 0.05 * (stained - clean)[:, 0, 20:38, 30:48].abs().mean() + 0.02
    assert (out - clean).abs().mean() < 0.02


def test_spread_of_luma_and_chroma_is_kept() -> None:
    """What the content does not explain makes a fit flat; luma and chroma are stretched back."""
    content = random_picture()
    image = 0.5 * content + 0.5 * random_picture(seed=7) * 0.6 + 0.1
    out = applied(distilled(image, content, WHOLE), content)
    luma = torch.tensor(LUMA)

    def spread(x: Tensor) -> tuple[float, float]:
        light = torch.einsum("c,chw->hw", luma, x[0])
        low, high = light.quantile(torch.tensor([0.03, 0.97]))
        chroma = x[0] - light
        away = (chroma - chroma.mean(dim=(1, 2), keepdim=True)).norm(dim=0).mean()
        return float(high - low), float(away)

    for found, wanted in zip(spread(out), spread(image), strict=True):
        assert 0.85 * wanted < found < 1.1 * wanted


def test_regions_have_maps_of_their_own() -> None:
    content = random_picture()
    masks = torch.zeros(2, *SIZE)
    masks[0, :, :48], masks[1, :, 48:] = 1, 1
    image = torch.where(masks[0] > 0, linear(content), 0.4 + 0.4 * content)
    found = distilled(image, content, masks)
    assert found.shape == (2, COUNT, 3)
    for map_, look in zip(found, (linear, lambda c: 0.4 + 0.4 * c), strict=True):
        assert (applied(map_[None], content) - look(content)).abs().mean() < 0.01
    one = regional_look(image, None, scene(content, masks), as_one=True)
    assert one.one
    assert torch.equal(one.strengths, torch.ones(2))
    assert not regional_look(image, None, scene(content, masks), as_one=False).one


def test_tiny_and_empty_regions_are_borne() -> None:
    content = random_picture()
    masks = torch.zeros(3, *SIZE)
    masks[0] = 1
    masks[0, 3, 4], masks[1, 3, 4] = 0, 1
    assert distilled(linear(content), content, masks).isfinite().all()


def test_matches_take_the_place_of_the_fit_as_far_as_they_are_kin() -> None:
    content = random_picture()
    masks = torch.zeros(2, *SIZE)
    masks[0, :, :48], masks[1, :, 48:] = 1, 1
    change = np.random.default_rng(0).normal(size=(2, COLORS, 3)) * 0.01
    seen = scene(content, masks)
    image = linear(content)
    none, half, full = (
        regional_look(image, Matches(change, np.full(2, kin)), seen, as_one=False).coefficients
        for kin in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(
        none, regional_look(image, None, seen, as_one=False).coefficients
    )  # fmt: skip
    known = torch.from_numpy(change).float()
    known[:, 1:4] += torch.eye(3)
    torch.testing.assert_close(full[:, :COLORS], known)
    assert not full[:, COLORS:].any()
    torch.testing.assert_close(half, 0.5 * (none + full))


def test_black_is_the_styles_and_holds_the_map_there() -> None:
    """A region without anything dark says nothing about black."""
    content = random_picture(low=0.4)
    style = random_picture(seed=3)
    style[:, :, :6] = 0.02
    torch.testing.assert_close(
        torch.from_numpy(black_of(style)).float(), torch.full((3,), 0.02), atol=1e-4, rtol=0
    )
    image = 0.4 * content + 0.5  # fog
    free, held = (
        distilled(image, content, WHOLE, black)[0, 0] for black in (None, black_of(style))
    )
    assert free.min() > 0.4
    assert (held - 0.02).abs().max() < (free - 0.02).abs().max() / 2


def inverted(content: Tensor) -> Tensor:
    return 0.9 - 0.5 * content


def arched(content: Tensor) -> Tensor:
    """Lighter up to a middle grey and darker from there."""
    return 0.2 + 2.4 * content * (1 - content)


@pytest.mark.parametrize("look", [inverted, arched, quadratic])
def test_what_is_lighter_stays_lighter(look: object) -> None:
    content = random_picture()
    found = distilled(look(content), content, WHOLE)  # type: ignore[operator]
    luma = torch.tensor(LUMA)
    ends = torch.einsum("c,chw->hw", luma, content[0]).quantile(torch.tensor([0.02, 0.98]))
    ramp = torch.linspace(*ends.tolist(), SIZE[1]).expand(1, 3, *SIZE)
    tone = torch.einsum("c,chw->hw", luma, applied(found, ramp)[0])[36]
    assert tone.diff().min() >= -1e-4
    assert tone[-1] > tone[0] + 0.02


def test_chroma_goes_no_further_than_the_styles() -> None:
    content = random_picture()
    sepia = 0.5 + 0.3 * (random_picture(seed=3).mean(dim=1, keepdim=True) - 0.5)
    sepia = sepia * torch.tensor([1.0, 0.85, 0.65])[:, None, None]
    free, held = (
        distilled(content, content, WHOLE, hues=hues)[0] for hues in (None, hues_of(sepia, WHOLE))
    )
    luma = torch.tensor(LUMA)
    torch.testing.assert_close(held @ luma, free @ luma, atol=1e-5, rtol=0)

    def spread(x: Tensor) -> float:
        chroma = x[0] - torch.einsum("c,chw->hw", luma, x[0])
        return float((chroma - chroma.mean(dim=(1, 2), keepdim=True)).norm(dim=0).mean())

    assert spread(applied(held[None], content)) < 0.3 * spread(applied(free[None], content))
    own = distilled(content, content, WHOLE, hues=hues_of(content, WHOLE))[0]
    torch.testing.assert_close(own, free, atol=1e-4, rtol=0)


@pytest.mark.parametrize("tone", [(1.0, 1.0, 1.0), (1.0, 0.99, 0.97)])
def test_a_style_without_hue_leaves_none_of_the_contents(tone: tuple[float, ...]) -> None:
    tint = torch.tensor(tone)[:, None, None] - 1
    print_ = 0.2 + 0.6 * random_picture(seed=3).mean(dim=1, keepdim=True) + 0.5 * tint
    hues = hues_of(print_, WHOLE)[0]
    map_ = distilled(random_picture(), random_picture(), WHOLE)[0]
    out = applied(hues.without_hue(map_)[None], random_picture())[0]
    luma = torch.tensor(LUMA)
    chroma = out - torch.einsum("c,chw->hw", luma, out)
    mean = (print_[0] - torch.einsum("c,chw->hw", luma, print_[0])).mean(dim=(1, 2))
    torch.testing.assert_close(chroma, mean[:, None, None].expand_as(chroma), atol=1e-4, rtol=0)
    kept = hues_of(random_picture(seed=3), WHOLE)[0].without_hue(map_)
    assert kept is map_


def test_large_regions_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distil, "SAMPLES", 500)
    used = distil._inside(np.ones(SIZE))
    assert 500 <= len(used) <= 1000
    content = random_picture()
    out = applied(distilled(linear(content), content, WHOLE), content)
    assert (out - linear(content)).abs().mean() < 0.01
