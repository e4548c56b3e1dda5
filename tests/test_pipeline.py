"""The stages together: awkward pairs, determinism, listeners, interruption, and real pairs."""

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.presets import preset
from photostyle.config.solves import GRID, PIXELS
from photostyle.errors import OptionError
from photostyle.images.picture import Photo, load_image
from photostyle.images.saving import save_image
from photostyle.metrics import departure
from photostyle.pipeline import stylize
from photostyle.runtime.steps import Step

SMALL = {"size": 96, "iterations": 3, "encoder": "builtin", "device": "cpu"}
#: Two solves, the second of them with the Laplacian.
TWO = dataclasses.replace(
    Config(), optimize=dataclasses.replace(Config().optimize, solves=(GRID, PIXELS))
).with_options(SMALL)


def scene(height: int, width: int, seed: int) -> Tensor:
    """A sky over textured ground, in colours of its own."""
    generator = torch.Generator().manual_seed(seed)
    top, bottom = torch.rand(2, 3, 1, 1, generator=generator)
    ramp = torch.linspace(0, 1, height)[None, :, None]
    picture = (top * (1 - ramp) + bottom * ramp).expand(3, height, width).clone()
    picture += 0.15 * torch.rand(1, height, width, generator=generator) * (ramp > 0.5)
    return picture.clamp(0, 1)[None]


def saved(path: Path, image: Tensor) -> Path:
    save_image(path, image)
    return path


CONTENT, STYLE = scene(90, 120, 1), scene(110, 100, 2)
AWKWARD = {
    "style of another shape": (CONTENT, scene(60, 300, 3)),
    "grey content": (CONTENT.mean(dim=1, keepdim=True).expand(1, 3, 90, 120).clone(), STYLE),
    "grey style": (CONTENT, STYLE.mean(dim=1, keepdim=True).expand(1, 3, 110, 100).clone()),
    "almost black style": (CONTENT, 0.01 * STYLE),
    "flat content": (torch.full((1, 3, 90, 120), 0.7), STYLE),
    "flat style": (CONTENT, torch.full((1, 3, 80, 80), 0.2)),
    "white content, black style": (torch.ones(1, 3, 90, 90), torch.zeros(1, 3, 90, 90)),
    "64×64 content": (scene(64, 64, 4), STYLE),
    "the smallest": (scene(48, 48, 5), scene(48, 48, 6)),
}


@pytest.mark.parametrize("name", ["photoreal", "photoreal-fast", "color"])
@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_pairs_give_sane_pictures(tmp_path: Path, name: str, case: str) -> None:
    content, style = AWKWARD[case]
    paths = saved(tmp_path / "c.png", content), saved(tmp_path / "s.png", style)
    result = stylize(*paths, preset(name).with_options(SMALL))
    assert result.image.shape == content.shape
    assert result.image.isfinite().all()
    gap = (result.image.mean(dim=(2, 3)) - style.mean(dim=(2, 3))).abs().max()
    before = (content.mean(dim=(2, 3)) - style.mean(dim=(2, 3))).abs().max()
    assert gap <= 0.6 * before + 0.05
    if content.std() > 1e-3:
        assert departure(result.image, load_image(paths[0]).image).mean() < 0.2
    else:  # a light may fall over a plain surface, but nothing may appear on it
        assert result.image.diff(dim=3).abs().max() < 0.02
        assert result.image.diff(dim=2).abs().max() < 0.02


def test_narrow_picture_is_worked_on_at_a_larger_size(tmp_path: Path) -> None:
    content = saved(tmp_path / "c.png", scene(60, 900, 1))
    result = stylize(content, saved(tmp_path / "s.png", STYLE), preset("color").with_options(SMALL))
    assert result.image.shape == (1, 3, 60, 900)
    assert min(result.grade.masks.shape[1:]) == 48


def test_one_pixel_region_takes_no_colour_of_its_own(tmp_path: Path) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    masks = []
    for name, image in (("cm", CONTENT), ("sm", STYLE)):
        labels = torch.zeros_like(image)
        labels[:, 2] = 1.0  # all blue
        labels[:, :, 10:14, 10:14] = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        masks.append(saved(tmp_path / f"{name}.png", labels))
    config = preset("photoreal").with_options(SMALL)
    result = stylize(*paths, config, content_mask=masks[0], style_mask=masks[1])
    plain = stylize(*paths, config)
    assert (result.image - plain.image).abs().max() < 0.25


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    config = Config().with_options({**SMALL, "init": "noise", "seed": 5})
    first, second = (stylize(*paths, config) for _ in range(2))
    assert torch.equal(first.image, second.image)
    first.save(tmp_path / "1.png")
    second.save(tmp_path / "2.png")
    assert torch.equal(load_image(tmp_path / "1.png").image, load_image(tmp_path / "2.png").image)


def test_pictures_in_memory(tmp_path: Path) -> None:
    photos = [
        load_image(saved(tmp_path / f"{n}.png", x)) for n, x in (("c", CONTENT), ("s", STYLE))
    ]
    assert all(isinstance(photo, Photo) for photo in photos)
    result = stylize(*photos, preset("color"))
    assert result.image.shape == CONTENT.shape


class Recorder:
    def __init__(self, stop_at: int | None = None) -> None:
        self.stages: list[str] = []
        self.totals: list[list[float]] = []
        self.stop_at = stop_at

    def stage(self, name: str, note: str) -> None:
        if not note:
            self.stages.append(name)

    def step(self, solve: int, solves: int, step: Step) -> None:
        if step.iteration == 1:
            self.totals.append([])
        self.totals[-1].append(step.total)
        assert step.preview().shape[2:] == step.size
        if self.stop_at == sum(map(len, self.totals)):
            raise KeyboardInterrupt


def test_listener_hears_stages_and_steps_in_order(tmp_path: Path) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    heard = Recorder()
    result = stylize(*paths, TWO, listener=heard)
    assert heard.stages == [
        "load", "segment", "start", "targets", "optimise", "Laplacian", "targets", "optimise",
        "post-process", "render", "measure",
    ]  # fmt: skip
    assert [len(t) for t in heard.totals] == [3, 3]
    assert all(b <= a for totals in heard.totals for a, b in itertools.pairwise(totals))
    assert set(result.seconds) == set(heard.stages)


@pytest.mark.parametrize(
    ("canvas", "term"), [("pixels", "photoreal"), ("affine-grid", "roughness")]
)
def test_canvas_leaves_only_its_solves(tmp_path: Path, canvas: str, term: str) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    result = stylize(*paths, TWO.with_options({"canvas": canvas}))
    (steps,) = result.history
    assert term in steps[-1].terms


@pytest.mark.parametrize(
    ("name", "has"),
    [("photoreal", "affine-grid"), ("photoreal-fast", "affine-grid"), ("color", "no solves")],
)
def test_canvas_that_the_preset_lacks_is_refused(tmp_path: Path, name: str, has: str) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    config = preset(name).with_options({**SMALL, "canvas": "pixels"})
    heard = Recorder()
    with pytest.raises(OptionError, match=f"canvas pixels: preset {name} .*it has {has}"):
        stylize(*paths, config, listener=heard)
    assert set(heard.stages) <= {"load"}


@pytest.mark.parametrize("stop_at", [1, 4])
def test_interruption_keeps_the_picture_so_far(tmp_path: Path, stop_at: int) -> None:
    paths = saved(tmp_path / "c.png", CONTENT), saved(tmp_path / "s.png", STYLE)
    result = stylize(*paths, TWO, listener=Recorder(stop_at))
    assert result.interrupted
    assert sum(map(len, result.history)) == stop_at
    assert result.image.shape == CONTENT.shape


@pytest.mark.parametrize("pair", [40, 60])
def test_real_pair_keeps_its_structure_and_takes_the_style(shared: Path, pair: int) -> None:
    folder = shared / "dpst"
    result = stylize(
        folder / f"content/{pair}.png",
        folder / f"style/{pair}.png",
        preset("photoreal-fast").with_options({"size": 256}),
        content_mask=folder / f"content_mask/{pair}.png",
        style_mask=folder / f"style_mask/{pair}.png",
    )
    assert result.scores.structure > 0.95
    assert result.scores.style_taken > 0.75
