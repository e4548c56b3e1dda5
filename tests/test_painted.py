"""The artistic presets end to end: the same stages, pixels delivered, seeds, masks, styles."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.config.presets import preset
from photostyle.images.picture import resize
from photostyle.pipeline import stylize
from photostyle.result import Result, load_recipe
from tests.test_pipeline import CONTENT, STYLE, saved, scene

SMALL = {"size": 96, "iterations": 4, "encoder": "builtin", "device": "cpu"}


def run(folder: Path, name: str = "gatys", more: Tensor | None = None, **options: object) -> Result:
    styles = [saved(folder / "s.png", STYLE)]
    if more is not None:
        styles.append(saved(folder / "t.png", more))
    config = preset(name).with_options({**SMALL, **options})
    return stylize(saved(folder / "c.png", CONTENT), styles, config)


@pytest.mark.parametrize("name", ["gatys", "gatys-code", "gatys-fine", "mrf"])
def test_preset_delivers_the_pixels_that_it_optimised(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, name)
    assert result.image.shape == (1, 3, 72, 96)  # the content has 90×120
    totals = [[step.total for step in steps] for steps in result.history]
    assert len(totals) == preset(name).optimize.pyramid
    assert all(one[-1] < one[0] for one in totals)
    assert result.history[-1][-1].terms.keys() >= {"content", "style"}


def test_seed_chooses_the_picture_from_noise_only(tmp_path: Path) -> None:
    first, again, other = (run(tmp_path, seed=seed).image for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.02
    fixed = [run(tmp_path, init="content", seed=seed).image for seed in (1, 2)]
    assert torch.equal(*fixed)


def test_masks_keep_each_regions_style_apart(tmp_path: Path) -> None:
    """The style is red above and green below; the content's halves take theirs."""
    style = torch.zeros(1, 3, 80, 80)
    style[:, 0, :40], style[:, 1, 40:] = 0.9, 0.9
    labels = torch.zeros(1, 3, 80, 80)
    labels[:, 2, :40], labels[:, 0, 40:] = 1.0, 1.0
    paths = [saved(tmp_path / f"{n}.png", x) for n, x in
             (("c", scene(80, 80, 5)), ("s", style), ("m", labels))]  # fmt: skip
    config = preset("gatys").with_options({**SMALL, "iterations": 30, "init": "content"})
    image = stylize(*paths[:2], config, content_mask=paths[2], style_mask=paths[2]).image
    top, bottom = image[0, :, :30].mean(dim=(1, 2)), image[0, :, 50:].mean(dim=(1, 2))
    assert top[0] - top[1] > bottom[0] - bottom[1] + 0.1


def test_several_styles_blend_and_run_again(tmp_path: Path) -> None:
    other = scene(90, 90, 8)
    half = run(tmp_path, more=other, style_blend=[0.5, 0.5])
    assert torch.equal(run(tmp_path, more=other).image, half.image)
    assert not torch.equal(run(tmp_path, more=other, style_blend=[0.9, 0.1]).image, half.image)
    half.save(tmp_path / "out.png")
    recipe = load_recipe(tmp_path / "out.png")
    assert [file.path.name for file in recipe.inputs.styles] == ["s.png", "t.png"]
    recipe.verify()
    again = stylize(
        recipe.inputs.content.path, [file.path for file in recipe.inputs.styles], recipe.config
    )
    assert torch.equal(again.image, half.image)


def test_luminance_keeps_the_contents_chroma(tmp_path: Path) -> None:
    result = run(tmp_path, preserve_color="luminance", init="content")
    content = resize(CONTENT, (72, 96))
    inside = ((result.image > 0.01) & (result.image < 0.99)).all(dim=1)[0]
    red_minus_blue = [(x[0, 0] - x[0, 2])[inside] for x in (result.image, content)]
    torch.testing.assert_close(*red_minus_blue, atol=0.01, rtol=0)


def test_match_moves_the_style_to_the_content(tmp_path: Path) -> None:
    plain, matched = (
        run(tmp_path, preserve_color=how, iterations=15).image.mean(dim=(2, 3))
        for how in ("none", "match")
    )
    wanted = CONTENT.mean(dim=(2, 3))
    assert (matched - wanted).abs().sum() < (plain - wanted).abs().sum()


def test_tiles_give_the_same_picture(tmp_path: Path) -> None:
    whole, tiled = (run(tmp_path, tile_size=side, iterations=2) for side in (0, 64))
    torch.testing.assert_close(tiled.image, whole.image, atol=2e-3, rtol=0)
    assert tiled.config.encoder.tile_size == 64


def test_side_of_tiles_is_chosen_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photostyle.optimize.tiles.free_memory", lambda _: 1_000_000)
    result = run(tmp_path, iterations=1)
    assert result.config.encoder.tile_size == 256
    assert any("tiles of 256" in note for note in result.notes)
    monkeypatch.undo()
    assert run(tmp_path, iterations=1).config.encoder.tile_size == 0


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_optimizer_of_every_solve(tmp_path: Path, optimizer: str) -> None:
    (steps,) = run(tmp_path, optimizer=optimizer).history
    assert steps[-1].total < steps[0].total
