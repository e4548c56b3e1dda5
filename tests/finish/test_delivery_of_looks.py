"""Delivery of looks by region: their file, strengths, what is protected and what is kept."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.color.regional import RegionalLook
from photostyle.color.silhouettes import borders_of
from photostyle.color.terms import COUNT
from photostyle.config.rendering import RenderConfig, protections
from photostyle.errors import OptionError
from photostyle.finish.delivery import Grade, deliver, size_note
from photostyle.images.picture import LUMA, Metadata, Photo, resize

SMALL, LARGE = (48, 64), (72, 96)


def picture(size: tuple[int, int]) -> Tensor:
    """A blue sky over grey ground with soft shapes."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 6, 8, generator=generator)
    soft = torch.nn.functional.interpolate(coarse, size, mode="bilinear") - 0.5
    ground = torch.full((1, 3, *size), 0.45) + 0.3 * soft
    sky = torch.tensor([0.45, 0.6, 0.85])[None, :, None, None] + 0.03 * soft
    above = (torch.arange(size[0]) < size[0] // 2)[:, None]
    return torch.where(above, sky, ground)


def affine(gains: tuple[float, float, float], offset: float) -> Tensor:
    coefficients = torch.zeros(COUNT, 3)
    coefficients[1:4] = torch.diag(torch.tensor(gains))
    coefficients[0] = offset
    return coefficients


@pytest.fixture
def photo() -> Photo:
    return Photo(picture(LARGE), Metadata(), Path("content.png"), "")


@pytest.fixture
def grade() -> Grade:
    content = picture(SMALL)
    masks = torch.zeros(2, *SMALL)
    masks[0, : SMALL[0] // 2], masks[1, SMALL[0] // 2 :] = 1.0, 1.0
    maps = torch.stack([affine((0.9, 0.6, 0.4), 0.1), affine((0.7, 0.8, 0.5), 0.05)])
    look = RegionalLook(maps, borders_of(content, masks), torch.ones(2))
    return Grade(look, masks, ("sky above", "ground"))


def luma(image: Tensor) -> Tensor:
    return torch.einsum("c,nchw->nhw", torch.tensor(LUMA), image)


TOP, BOTTOM = slice(0, 24), slice(44, 72)  # rows of the regions away from their border


def test_file_renders_the_same(tmp_path: Path, photo: Photo, grade: Grade) -> None:
    grade.save(tmp_path / "x.grade.safetensors")
    again = Grade.load(tmp_path / "x.grade.safetensors")
    assert isinstance(again.maps, RegionalLook)
    assert again.names == grade.names
    for options in (RenderConfig(), RenderConfig(strength="0.5,ground=0"),
                    RenderConfig(output_size=64)):  # fmt: skip
        before, after = (deliver(photo, g, options) for g in (grade, again))
        assert (before - after).abs().max() < 0.02  # borders are kept at half precision
        assert (before - after).abs().mean() < 1e-3


def test_damaged_file_is_refused(tmp_path: Path, grade: Grade) -> None:
    path = tmp_path / "x.grade.safetensors"
    grade.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(OptionError, match="missing or damaged; run it again"):
        Grade.load(path)


def test_size_is_the_contents_own_or_as_asked(photo: Photo, grade: Grade) -> None:
    assert deliver(photo, grade, RenderConfig()).shape[2:] == LARGE
    assert deliver(photo, grade, RenderConfig(output_size=48)).shape[2:] == (36, 48)
    assert size_note(photo, grade, RenderConfig()) is None
    assert "has 96 pixels" in (size_note(photo, grade, RenderConfig(output_size=200)) or "")


def test_working_picture_is_taken_as_it_is_unless_something_is_kept(grade: Grade) -> None:
    photo = Photo(picture(SMALL), Metadata(), Path("content.png"), "")
    working = torch.rand(1, 3, *SMALL)
    assert torch.equal(deliver(photo, grade, RenderConfig(), working), working)
    for options in (RenderConfig(strength="0.5"), RenderConfig(luminance=0.5),
                    RenderConfig(color=0.0), RenderConfig(protect="ground"),
                    RenderConfig(protect="skin")):  # fmt: skip
        assert not torch.equal(deliver(photo, grade, options, working), working)


def test_strength_goes_from_the_content_to_the_look(photo: Photo, grade: Grade) -> None:
    full = deliver(photo, grade, RenderConfig())
    none = deliver(photo, grade, RenderConfig(strength="0"))
    torch.testing.assert_close(none, photo.image, atol=1e-5, rtol=0)
    half = deliver(photo, grade, RenderConfig(strength="0.5"))
    torch.testing.assert_close(half, 0.5 * (full + photo.image), atol=1e-3, rtol=0)


@pytest.mark.parametrize("words", ["ground", " ground ", "ground=1"])
def test_a_protected_region_stays_and_the_rest_does_not(
    photo: Photo, grade: Grade, words: str
) -> None:
    full, out = (deliver(photo, grade, RenderConfig(protect=p)) for p in (None, words))
    torch.testing.assert_close(out[:, :, BOTTOM], photo.image[:, :, BOTTOM], atol=2e-3, rtol=0)
    torch.testing.assert_close(out[:, :, TOP], full[:, :, TOP], atol=2e-3, rtol=0)
    assert (full - photo.image)[:, :, BOTTOM].abs().mean() > 0.05


def test_protection_in_part_is_strength_in_part(photo: Photo, grade: Grade) -> None:
    part = deliver(photo, grade, RenderConfig(protect="ground=0.25"))
    same = deliver(photo, grade, RenderConfig(strength="1,ground=0.75"))
    torch.testing.assert_close(part, same)


def test_protected_sky_is_found_by_its_look(photo: Photo, grade: Grade) -> None:
    full, out = (deliver(photo, grade, RenderConfig(protect=p)) for p in (None, "sky"))
    torch.testing.assert_close(out[:, :, TOP], photo.image[:, :, TOP], atol=0.03, rtol=0)
    torch.testing.assert_close(out[:, :, BOTTOM], full[:, :, BOTTOM], atol=0.03, rtol=0)


def test_a_region_of_that_name_comes_before_the_thing(photo: Photo, grade: Grade) -> None:
    named = Grade(grade.maps, grade.masks, ("above", "sky"))  # the ground, as somebody named it
    out = deliver(photo, named, RenderConfig(protect="sky"))
    torch.testing.assert_close(out[:, :, BOTTOM], photo.image[:, :, BOTTOM], atol=2e-3, rtol=0)
    assert (out - photo.image)[:, :, TOP].abs().mean() > 0.05


def test_neutrals_keep_their_lack_of_colour_but_take_the_light(photo: Photo, grade: Grade) -> None:
    full, out = (deliver(photo, grade, RenderConfig(protect=p)) for p in (None, "neutrals"))
    low = out[:, :, BOTTOM]
    assert (low.amax(dim=1) - low.amin(dim=1)).max() < 0.03
    torch.testing.assert_close(luma(low), luma(full[:, :, BOTTOM]), atol=5e-3, rtol=0)


def test_luminance_and_color_are_kept_apart(photo: Photo, grade: Grade) -> None:
    full = deliver(photo, grade, RenderConfig())
    light = deliver(photo, grade, RenderConfig(color=0.0))
    tint = deliver(photo, grade, RenderConfig(luminance=0.0))
    torch.testing.assert_close(luma(light), luma(full), atol=0.01, rtol=0)
    torch.testing.assert_close(luma(tint), luma(photo.image), atol=0.01, rtol=0)
    torch.testing.assert_close(
        deliver(photo, grade, RenderConfig(luminance=0.0, color=0.0)), photo.image,
        atol=1e-4, rtol=0,
    )  # fmt: skip
    size = resize(photo.image, (36, 48))
    small = deliver(photo, grade, RenderConfig(luminance=0.0, color=0.0, output_size=48))
    torch.testing.assert_close(small, size, atol=1e-4, rtol=0)


def test_words_of_protections() -> None:
    assert protections(None) == {}
    assert protections("skin") == {"skin": 1.0}
    assert protections("skin=0.7, blue") == {"skin": 0.7, "blue": 1.0}


@pytest.mark.parametrize(
    "words", ["skin=2", "skin=much", "=1", "skin,,blue", "skin=-0.1", "skin=nan"]
)
def test_wrong_shares_end_in_the_sentence(words: str) -> None:
    with pytest.raises(OptionError, match="nothing to protect; write skin, neutrals, sky or a"):
        RenderConfig(protect=words)


def test_wrong_words_end_in_a_sentence_that_lists_the_right_ones(
    photo: Photo, grade: Grade
) -> None:
    with pytest.raises(OptionError) as caught:
        deliver(photo, grade, RenderConfig(protect="skin,lake"))
    for word in ("protect skin,lake", "'lake'", "skin", "neutrals", "sky", "ground"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["luminance", "color"])
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_shares_outside_their_limits_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=name):
        RenderConfig(**{name: value})
