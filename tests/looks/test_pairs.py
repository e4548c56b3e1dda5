"""Looks learnt from a before and an after."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.lab import delta_e, rgb_to_lab
from photostyle.errors import LookError
from photostyle.looks.look import Look
from photostyle.looks.pairs import learn_look, misaligned
from tests.looks.scenes import gentle, photo, picture

SIZE = (120, 160)


def curve(x: Tensor) -> Tensor:
    """What a darkroom may do: more contrast, warmer, less chroma."""
    luma = x.mean(dim=1, keepdim=True)
    mixed = luma + 0.7 * (x - luma)
    return (mixed + 0.35 * mixed * (1 - mixed) * (2 * mixed - 1) * 2 +
            torch.tensor([0.05, 0.0, -0.05])[None, :, None, None]).clamp(0, 1)  # fmt: skip


def cubic(x: Tensor) -> Tensor:
    return 0.1 + 0.5 * x + 0.3 * x * x * x


@pytest.mark.parametrize("change", [curve, cubic, Look(gentle()).changed, lambda x: 1.0 * x])
def test_a_known_change_is_learnt(change: object) -> None:
    before, other = picture(1, SIZE), picture(2, SIZE)
    after = change(before)  # type: ignore[operator]
    learnt = learn_look(photo(before), photo(after))
    assert learnt.mean < 0.6
    assert float(delta_e(learnt.look.apply(other).image, change(other)).mean()) < 1.0  # type: ignore[operator]
    figures = delta_e(learnt.look.apply(before).image, after)
    assert learnt.mean == pytest.approx(float(figures.mean()), abs=1e-4)
    assert learnt.most == pytest.approx(float(np.quantile(figures.numpy(), 0.95)), abs=1e-4)
    assert learnt.change == pytest.approx(float(delta_e(before, after).mean()), abs=1e-4)


def test_regions_learn_maps_of_their_own() -> None:
    before = picture(3, SIZE)
    after = before.clone()
    after[:, :, :60] = cubic(before[:, :, :60])
    halves = torch.zeros(2, *SIZE)
    halves[0, :60], halves[1, 60:] = 1, 1
    masks = {"sky": halves[0], "ground": halves[1]}
    learnt = learn_look(photo(before), photo(after), masks)
    assert set(learnt.look.regions) == {"sky", "ground"}
    assert learnt.mean < learn_look(photo(before), photo(after)).mean


def test_sizes_may_differ() -> None:
    before = picture(4, (240, 320))
    after = torch.nn.functional.interpolate(cubic(before), SIZE, mode="area")
    assert learn_look(photo(before), photo(after)).mean < 1.0


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (cubic(picture(6, SIZE)), "edges have little in common"),
        (cubic(picture(5, SIZE)).flip(3), "edges have little in common"),
        (cubic(picture(5, SIZE))[:, :, :, 40:], "uncropped"),
    ],
)
def test_pictures_that_do_not_align_are_refused(after: Tensor, says: str) -> None:
    with pytest.raises(LookError, match=says) as caught:
        learn_look(photo(picture(5, SIZE), "a.png"), photo(after, "b.png"))
    assert "a.png" in str(caught.value)
    assert "b.png" in str(caught.value)


def test_a_shift_is_told_with_its_size() -> None:
    large = torch.nn.functional.interpolate(picture(7, (40, 50)), (160, 200), mode="bicubic")
    large = large.clamp(0, 1)
    before, after = large[..., 20:140, 20:180], large[..., 17:137, 16:176]
    fault = misaligned(before, cubic(after))
    assert fault is not None
    assert "4.0 pixels to the right and 3.0 down" in fault
    assert misaligned(before, cubic(before)) is None


def test_plain_pictures_have_nothing_to_align_by() -> None:
    grey = torch.full((1, 3, *SIZE), 0.5)
    assert misaligned(grey, 0.5 * grey) is None
    out = learn_look(photo(grey), photo(0.5 * grey)).look.apply(grey).image
    assert torch.allclose(out, 0.5 * grey, atol=0.02)


def test_inverted_and_grey_afters_align() -> None:
    before = picture(8, SIZE)
    for after in (1 - before, before.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)):
        assert misaligned(before, after) is None


def test_delta_e_is_the_distance_in_cielab() -> None:
    a, b = picture(9, (4, 5)), picture(10, (4, 5))
    pixels = [x[0].reshape(3, -1).T.double() for x in (a, b)]
    expected = (rgb_to_lab(pixels[0]) - rgb_to_lab(pixels[1])).norm(dim=1).reshape(4, 5)
    assert torch.allclose(delta_e(a, b).double(), expected, atol=1e-4)
    white = torch.ones(1, 3, 1, 1)
    assert float(delta_e(white, 0 * white)) == pytest.approx(100, abs=1e-2)


def test_what_is_learnt_says_so(tmp_path: Path) -> None:
    before = picture(11, SIZE)
    learnt = learn_look(photo(before, "x.png"), photo(cubic(before), "y.png"))
    assert "95th percentile" in str(learnt)
    assert learnt.look.about.facts["made"] == "pair"
    assert [f["path"] for f in learnt.look.about.facts["contents"]] == ["x.png", "y.png"]
