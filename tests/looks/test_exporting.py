"""Looks as tables of other programs, and how much of a look these carry."""

from pathlib import Path

import numpy as np
import pytest
import torch

from photostyle.color.lab import delta_e
from photostyle.color.terms import COUNT, HEIGHT
from photostyle.config.presets import preset
from photostyle.images.picture import load_image
from photostyle.looks.exporting import honesty, mask_places, places, weights_on, write_masks
from photostyle.looks.fitting import fit_look
from photostyle.looks.formats.registry import read_lut
from photostyle.looks.lattice import Lattice
from photostyle.looks.look import Look
from photostyle.looks.lut import Lut
from photostyle.segmentation.masks import Masks, Region
from tests.looks.scenes import gentle, photo, picture

SIZE = (60, 80)


def flat(seed: int = 0) -> torch.Tensor:
    """A map of colours alone that is not steep, so that there is no grain to care for."""
    found = gentle(seed)
    found[list(HEIGHT)] = 0
    found[4:10] *= 0.3
    return found


def masked() -> Masks:
    halves = torch.zeros(2, *SIZE)
    halves[0, :30], halves[1, 30:] = 1, 1
    regions = Region("sky", 0.5, 0.5), Region("ground", 0.5, 0.5)
    return Masks(halves, halves, regions)


@pytest.mark.parametrize("suffix", [".cube", ".png"])
@pytest.mark.parametrize("input_", ["srgb", "rec709"])
def test_a_table_gives_what_the_look_gives(tmp_path: Path, suffix: str, input_: str) -> None:
    look, image = Look(flat()), picture(1, SIZE)
    look.to_cube(tmp_path / f"a{suffix}", size=36, input=input_)
    again = Look(read_lut(tmp_path / f"a{suffix}"))
    assert (again.apply(image).image - look.apply(image).image).abs().max() < 1 / 255


def test_a_regions_table_is_the_regions_look(tmp_path: Path) -> None:
    look, image = Look(flat(1), {"sky": flat(2)}), picture(2, SIZE)
    lut = look.to_cube(tmp_path / "sky.cube", region="sky")
    assert (Look(lut).apply(image).image - Look(flat(2)).apply(image).image).abs().max() < 1 / 255
    assert (Look(lut).apply(image).image - look.apply(image).image).abs().max() > 5 / 255


def test_a_look_of_a_table_is_kept(tmp_path: Path) -> None:
    lut = Lut.of(lambda rgb: rgb.square(), 17, "linear", "rec709", "Ünique")
    look = Look(lut)
    look.save(tmp_path / "t.look")
    again, image = Look.load(tmp_path / "t.look"), picture(3, SIZE)
    assert again.sha256 == look.sha256
    assert "Ünique" in repr(again)
    assert torch.equal(again.apply(image).image, look.apply(image).image)
    assert torch.allclose(again.apply(image).image, image.square(), atol=0.02)
    half = again.apply(image, strength=0.5).image
    assert torch.allclose(half, torch.lerp(image, again.apply(image).image, 0.5), atol=1e-6)


def test_nothing_is_lost_of_a_look_that_is_a_table() -> None:
    look = Look(Lut(Lattice.of(lambda rgb: 1 - rgb, 5)))
    told = honesty(look, look.whole, [(photo(picture(4, SIZE)), None)])  # type: ignore[arg-type]
    assert told.figures() == (0.0, 0.0)


def test_figures_are_of_all_pixels(tmp_path: Path) -> None:
    tall = gentle(5)
    tall[HEIGHT[0]] = 0.4  # which no table knows
    look = Look(tall)
    lut = look.to_cube(tmp_path / "a.cube")
    photos = [photo(picture(n, SIZE), f"{n}.png") for n in (6, 7)]
    told = honesty(look, lut, [(one, None) for one in photos])
    off = torch.cat(
        [delta_e(Look(lut).apply(one).image, look.apply(one).image).flatten() for one in photos]
    )
    assert told.figures()[0] == pytest.approx(float(off.mean()), rel=1e-3)
    assert told.figures()[1] == pytest.approx(float(np.quantile(off.numpy(), 0.95)), rel=1e-3)
    assert told.figures()[0] > 3
    lines = str(told).splitlines()
    assert [line.split(":")[0] for line in lines[2:]] == ["  6.png", "  7.png"]
    assert f"the table: mean {told.figures()[0]:.2f}" in lines[1]
    assert told.save(tmp_path / "a.cube") == list(places(tmp_path / "a.cube"))
    text, sheet = places(tmp_path / "a.cube")
    assert text.read_text(encoding="utf-8").strip() == str(told)
    assert load_image(sheet).image.shape[2] > 600


def test_tables_by_region_carry_more(tmp_path: Path) -> None:
    other = torch.zeros(COUNT, 3)
    other[0], other[1:4] = torch.tensor([0.3, 0.2, 0.0]), 0.4 * torch.eye(3)
    look, masks, one = Look(flat(1), {"sky": flat(1), "ground": other}), masked(), picture(8, SIZE)
    lut = look.to_cube(tmp_path / "a.cube")
    parts = {name: look.to_cube(tmp_path / f"{name}.cube", region=name) for name in look.regions}
    told = honesty(look, lut, [(photo(one), masks)], parts)
    assert told.figures(by_region=True)[0] < 0.3 * told.figures()[0]
    assert "a table for each region" in str(told)
    [files] = mask_places(tmp_path / "a.cube", told.compared)
    written = write_masks(look, photo(one), masks, files)
    assert [p.name for p in written] == ["a.cube.picture.sky.png", "a.cube.picture.ground.png"]
    planes = [load_image(p).image[0, 0] for p in written]
    assert torch.allclose(planes[0] + planes[1], torch.ones(SIZE), atol=2 / 255)
    weights = weights_on(look, one, masks)
    assert torch.allclose(planes[0], weights["sky"], atol=1 / 255)
    assert planes[0][:20].mean() > 0.95
    assert planes[0][40:].mean() < 0.05


def test_flat_maps_serve_what_cannot_tell_the_height(tmp_path: Path) -> None:
    tall = gentle(5)
    look = Look(tall, {"sky": tall}, flat={"": flat(1), "sky": flat(2)})
    image = picture(9, SIZE)
    colors = image[0].flatten(1)
    for region, own in ((None, flat(1)), ("sky", flat(2))):
        assert torch.equal(look.colour_map(region)(colors), Look(own).colour_map()(colors))
    assert torch.equal(look.apply(image).image, Look(tall).apply(image).image)
    look.save(tmp_path / "a.look")
    again = Look.load(tmp_path / "a.look")
    assert again.sha256 == look.sha256
    assert torch.equal(again.colour_map("sky")(colors), look.colour_map("sky")(colors))


def test_fitted_tables_do_not_guess_at_the_middle(tmp_path: Path) -> None:
    """Light above and dark below, which colours tell as well: the flat map is nearer."""
    content, style = picture(10, SIZE), picture(11, SIZE)
    content[:, :, :30] = 0.5 + 0.5 * content[:, :, :30]
    style[:, :, :30] = 0.6 + 0.4 * style[:, :, :30]
    style[:, :, 30:] *= 0.5
    config = preset("color").with_options({"size": 80, "device": "cpu"})
    look = fit_look(photo(style), photo(content), config)
    assert look.flat
    pairs = [(photo(content), None)]
    middle = Look(look.whole)
    near, far = (honesty(look, Lut.of(one.colour_map()), pairs).figures()[0]
                 for one in (look, middle))  # fmt: skip
    assert near < far
