"""Looks fitted on contents: near a run's result on one, the same for all of several."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.color.lab import delta_e, rgb_to_lab
from photostyle.color.matching import match_pooled, match_regions
from photostyle.color.terms import COLORS, HEIGHT
from photostyle.config.presets import preset
from photostyle.errors import ImageError, MaskError
from photostyle.images.picture import Photo, load_image, resize
from photostyle.looks.fitting import fit_look
from tests.looks.scenes import photo, picture

COLOR = preset("color").with_options({"size": 160, "device": "cpu"})
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MASKS = EXAMPLES.parent / "masks"


def example(name: str) -> Photo:
    found = load_image(EXAMPLES / f"{name}.jpg")
    return replace(found, image=resize(found.image, (107, 160)))


def exposed(one: Photo) -> list[Photo]:
    """Twelve exposures and white balances of a photograph."""
    made = []
    for light in (0.6, 0.8, 1.0, 1.25):
        for warm in (0.88, 1.0, 1.12):
            gains = light * torch.tensor([warm, 1.0, 2 - warm])[None, :, None, None]
            image = (one.image * gains).clamp(0, 1)
            made.append(replace(one, image=image, sha256=f"{one.sha256} {light} {warm}"))
    return made


def test_one_content_without_masks_is_nearly_what_a_run_gives() -> None:
    city, night = example("city"), example("night")
    look = photostyle.fit_look(night, city, COLOR)
    run = photostyle.stylize(city, night, COLOR).image
    assert float(delta_e(look.apply(city).image, run).mean()) < 1.0  # 0.5 at 256 px
    assert float(delta_e(city.image, run).mean()) > 10
    assert not look.regions


def test_masks_give_a_map_to_every_region() -> None:
    city, night = example("city"), example("night")
    masks = MASKS / "city.png", MASKS / "night.png"
    look = fit_look(night, city, COLOR, content_masks=masks[0], style_mask=masks[1])
    run = photostyle.stylize(city, night, COLOR, content_mask=masks[0], style_mask=masks[1])
    assert set(look.regions) == set(run.masks.names)
    near = float(delta_e(look.apply(city, run.masks).image, run.image).mean())
    assert near < 2.5
    assert float(delta_e(look.apply(city).image, run.image).mean()) > 1.5 * near


def test_maps_read_no_place_but_the_height() -> None:
    city, night = example("city"), example("night")
    for contents in (city, [city, photo(picture(1))]):
        maps = fit_look(night, contents, COLOR).whole
        assert maps.abs().sum() > 0
        assert not maps[COLORS + len(HEIGHT) :].any()


def test_one_look_adds_nothing_to_the_differences_of_twelve_exposures() -> None:
    city, night = example("city"), example("night")
    contents = exposed(city)
    look = fit_look(night, contents, COLOR)
    assert spread_of([look.apply(x).image for x in contents]) < spread_of(
        [x.image for x in contents]
    )


def test_one_look_keeps_a_thing_alike_in_every_frame() -> None:
    """Styled each for itself, what two frames of a scene share takes two looks."""
    city, night = example("city"), example("night")
    frames = [replace(city, image=city.image[..., left : left + 100].contiguous(),
                      sha256=f"{left}") for left in (0, 30, 60)]  # fmt: skip
    look = fit_look(night, frames, COLOR)

    def shared(images: list[torch.Tensor]) -> list[torch.Tensor]:
        return [x[..., 60 - left : 100 - left] for x, left in zip(images, (0, 30, 60), strict=True)]

    joint = spread_of(shared([look.apply(x).image for x in frames]))
    apart = spread_of(shared([photostyle.stylize(x, night, COLOR).image for x in frames]))
    assert joint < 0.4 * apart
    assert apart > 1


def spread_of(images: list[torch.Tensor]) -> float:
    """Root mean square distance in CIELAB of the pictures' mean colours from their common mean."""
    means = torch.stack([rgb_to_lab(x[0].flatten(1).T).mean(dim=0) for x in images])
    return float((means - means.mean(dim=0)).square().sum(dim=1).mean().sqrt())


def test_statistics_are_of_the_whole_set() -> None:
    """A dark and a light half of one scene: jointly neither is lifted to the style's mean."""
    base, style = picture(2), picture(3) * torch.tensor([1.0, 0.6, 0.4])[None, :, None, None]
    dark, light = photo(base * 0.5, "dark.png"), photo(base * 0.5 + 0.5, "light.png")
    joint = fit_look(photo(style), [dark, light], COLOR)
    outs = [joint.apply(x).image.mean(dim=(0, 2, 3)) for x in (dark, light)]
    assert torch.allclose((outs[0] + outs[1]) / 2, style.mean(dim=(0, 2, 3)), atol=0.05)
    assert (outs[1] - outs[0]).min() > 0.02
    alone = fit_look(photo(style), dark, COLOR).apply(dark).image.mean(dim=(0, 2, 3))
    assert torch.allclose(alone, style.mean(dim=(0, 2, 3)), atol=0.05)


def test_regions_are_matched_by_name_over_several(tmp_path: Path) -> None:
    """Blue lies above in one content and below in the other; its look is one."""
    blue, green = (0, 0, 255), (0, 255, 0)
    files = []
    for n, order in enumerate([(blue, green), (green, blue), (blue, green)]):
        pixels = np.zeros((72, 96, 3), np.uint8)
        pixels[:36], pixels[36:] = order
        files.append(tmp_path / f"{n}.png")
        Image.fromarray(pixels).save(files[-1])
    contents = [photo(picture(n), f"{n}.png") for n in (4, 5)]
    style = picture(6) * 0.3
    style[:, 2, :36] += 0.6  # blue is blue
    style[:, 1, 36:] += 0.6  # and green is green
    look = fit_look(photo(style), contents, COLOR, content_masks=files[:2], style_mask=files[2])
    assert set(look.regions) == {"blue", "green"}
    for one, above in zip(contents, ("blue", "green"), strict=True):
        halves = torch.zeros(2, 72, 96)
        halves[0, :36], halves[1, 36:] = 1, 1
        below = ({"blue", "green"} - {above}).pop()
        out = look.apply(one, {above: halves[0], below: halves[1]}).image
        strongest = {n: int(out[0, :, rows].mean(dim=(1, 2)).argmax())
                     for n, rows in ((above, slice(0, 30)), (below, slice(42, 72)))}  # fmt: skip
        assert strongest == {"blue": 2, "green": 1}


def test_several_pictures_match_the_style_as_one_does() -> None:
    content, style = picture(7, (120, 160)), picture(7, (120, 160)) * 0.6 + 0.1
    one = torch.ones(1, 120, 160)
    alone = match_regions(content, style, one, one)
    twice = match_pooled([content, content], style, [one, one], one, ([None, None], None))
    assert alone.kinship[0] == 1
    assert twice.kinship[0] == 1
    assert np.abs(alone.change - twice.change).max() < 0.05


def test_facts_say_where_it_comes_from() -> None:
    city, night = example("city"), example("night")
    look = fit_look(night, [city, city], COLOR)
    facts = look.about.facts
    assert facts["made"] == "fit"
    assert facts["style"]["sha256"] == night.sha256
    assert [one["sha256"] for one in facts["contents"]] == [city.sha256] * 2
    assert facts["options"]["image"]["size"] == 160
    assert "photostyle" in facts["versions"]
    assert look.about.thumbnail.startswith(b"\x89PNG")


def test_refusals(tmp_path: Path) -> None:
    city = example("city")
    with pytest.raises(ImageError, match="no content"):
        fit_look(city, [], COLOR)
    with pytest.raises(MaskError, match="1 content masks for 2 contents"):
        fit_look(city, [city, city], COLOR, content_masks=MASKS / "city.png", style_mask="x.png")
    with pytest.raises(MaskError, match="style_mask is missing"):
        fit_look(city, city, COLOR, content_masks=MASKS / "city.png")
    with pytest.raises(ImageError, match="does not exist"):
        fit_look(city, [city, tmp_path / "none.jpg"], COLOR)
