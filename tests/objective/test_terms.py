"""Terms on features against float64 code written from the formulas of Gatys et al."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.config.presets import preset
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders.vgg import VggEncoder
from photostyle.errors import OptionError
from photostyle.objective.content_term import GATYS_UNIT
from photostyle.objective.objective import build_objective
from photostyle.objective.style_term import style_term
from photostyle.optimize.canvas import PaintedCanvas
from photostyle.optimize.loop import minimise
from photostyle.segmentation.scene import Reference, Scene
from tests.encoders.thin_vgg import thin_weights

CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
BUDGET = 1e-10


def noise(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def encoder() -> VggEncoder:
    return VggEncoder(thin_weights()).double()


@pytest.fixture(scope="module")
def scene() -> Scene:
    masks = [torch.ones(1, *size, dtype=torch.float64) for size in ((48, 64), (50, 40))]
    return Scene(noise(1, 3, 48, 64, seed=1), noise(1, 3, 50, 40, seed=2), *masks)


@pytest.fixture
def image() -> Tensor:
    return noise(1, 3, 48, 64, seed=3)


def features(encoder: VggEncoder, image: Tensor, layer: str) -> Tensor:
    """F of the papers: N×M, a row for each filter."""
    return encoder(image, [layer])[layer][0].flatten(1)


def reference(scene: Scene, encoder: VggEncoder, image: Tensor) -> dict[str, Tensor]:
    """Gatys et al. 2016, eq. 1 and 3-5, α = 1e-3, β = 1, w = 1/5."""
    gap = features(encoder, image, CONTENT_LAYER) - features(encoder, scene.content, CONTENT_LAYER)
    content = 0.5 * gap.square().sum() * GATYS_UNIT / gap.numel()  # eq. 1 is the bare sum
    style = torch.zeros((), dtype=torch.float64)
    for layer in STYLE_LAYERS:
        f, s = features(encoder, image, layer), features(encoder, scene.style, layer)
        filters, positions = f.shape
        gram = f @ f.T
        target = s @ s.T * (positions / s.shape[1])  # as a style of the content's size has it
        style = style + (gram - target).square().sum() / (4 * filters**2 * positions**2) / 5
    return {"content": 1e-3 * content, "style": style}


def test_preset_is_the_papers_formula(scene: Scene, encoder: VggEncoder, image: Tensor) -> None:
    config = preset("gatys")
    objective = build_objective(
        scene, encoder, config.encoder, config.objective, ("content", "style", "tv", "gamut"), None
    )
    leaf, other = (image.clone().requires_grad_(True) for _ in range(2))
    total, terms = objective(leaf)
    expected = reference(scene, encoder, other)
    assert {name: x.item() for name, x in terms.items()} == pytest.approx(
        {name: x.item() for name, x in expected.items()}, rel=BUDGET
    )
    (mine,) = torch.autograd.grad(total, leaf)
    (wanted,) = torch.autograd.grad(sum(expected.values()), other)
    assert ((mine - wanted).abs().max() / wanted.abs().max()).item() < BUDGET


def test_code_preset_has_the_published_codes_weights(
    scene: Scene, encoder: VggEncoder, image: Tensor
) -> None:
    """Their code: mean of (F − P)² plus Σ 1e3/C² · mean of (G/M − A/M)², after the ReLU."""
    config = preset("gatys-code")
    terms = build_objective(
        scene, encoder, config.encoder, config.objective, ("content", "style"), None
    )(image)[1]
    gap = features(encoder, image, "relu4_2") - features(encoder, scene.content, "relu4_2")
    style = 0.0
    for layer in (name.replace("conv", "relu") for name in STYLE_LAYERS):
        f, s = features(encoder, image, layer).numpy(), features(encoder, scene.style, layer)
        s = s.numpy()
        difference = f @ f.T / f.shape[1] - s @ s.T / s.shape[1]
        style += 1e3 / len(f) ** 2 * (difference**2).mean()
    assert terms["content"].item() == pytest.approx(gap.square().mean().item(), rel=BUDGET)
    assert terms["style"].item() == pytest.approx(style, rel=BUDGET)


@pytest.mark.parametrize("scaling", ["target", "gatys"])
def test_means_and_deviations_are_the_formula(
    scene: Scene, encoder: VggEncoder, image: Tensor, scaling: str
) -> None:
    taps = EncoderConfig(style_layers=STYLE_LAYERS[:2])
    weights = ObjectiveConfig(
        style_term="mean-std", style_weight=1.0, scaling=scaling, plain_regions="full"
    )
    terms = build_objective(scene, encoder, taps, weights, ("style",), None)(image)[1]
    expected = 0.0
    for layer in STYLE_LAYERS[:2]:
        f, s = (features(encoder, x, layer).numpy() for x in (image, scene.style))
        mean = ((f.mean(1) - s.mean(1)) ** 2).mean()
        deviation = ((np.sqrt(f.var(1) + 1e-6) - np.sqrt(s.var(1) + 1e-6)) ** 2).mean()
        norm = (s.mean(1) ** 2).mean() + (s.var(1) + 1e-6).mean() if scaling == "target" else 1.0
        expected += (mean + deviation) / norm / 2
    assert terms["style"].item() == pytest.approx(expected, rel=1e-6)


def test_patch_term_is_relative_to_the_style(
    scene: Scene, encoder: VggEncoder, image: Tensor
) -> None:
    taps = EncoderConfig(style_layers=("relu3_1", "relu4_1"))
    weights = ObjectiveConfig(style_term="mrf", style_weight=1.0)
    objective = build_objective(scene, encoder, taps, weights, ("style",), None)
    far = objective(image)[0].item()
    same = Scene(scene.content, scene.content, scene.content_masks, scene.content_masks)
    near = build_objective(same, encoder, taps, weights, ("style",), None)(scene.content)[0].item()
    assert 0.01 < far < 2.0
    assert near < 1e-12


def test_layer_weights_weigh_the_layers(scene: Scene, encoder: VggEncoder, image: Tensor) -> None:
    def style(layers: tuple[str, ...], weights: tuple[float, ...] | None) -> float:
        taps = EncoderConfig(style_layers=layers, style_layer_weights=weights)
        config = ObjectiveConfig(style_weight=1.0, scaling="gatys", plain_regions="full")
        return build_objective(scene, encoder, taps, config, ("style",), None)(image)[0].item()

    alone = [style((layer,), (1.0,)) for layer in STYLE_LAYERS[:2]]
    assert style(STYLE_LAYERS[:2], (0.25, 3.0)) == pytest.approx(0.25 * alone[0] + 3 * alone[1])
    assert style(STYLE_LAYERS[:2], None) == pytest.approx(sum(alone) / 2)


def test_wrong_number_of_layer_weights_is_refused() -> None:
    with pytest.raises(OptionError, match=r"has 2 numbers for the 5 layers"):
        EncoderConfig(style_layer_weights=(1.0, 2.0))


def test_gram_matrices_of_several_styles_blend(
    scene: Scene, encoder: VggEncoder, image: Tensor
) -> None:
    other = noise(1, 3, 60, 44, seed=7)
    both = Scene(*scene.pair, more=(other,))
    weights = ObjectiveConfig(
        style_weight=1.0, scaling="gatys", plain_regions="full", style_blend=(3.0, 1.0)
    )
    taps = EncoderConfig(style_layers=("conv2_1",))
    found = build_objective(both, encoder, taps, weights, ("style",), None)(image)[0]
    f, s, o = (features(encoder, x, "conv2_1") for x in (image, scene.style, other))
    grams = [x @ x.T / x.shape[1] for x in (f, s, o)]
    expected = 0.25 * (grams[0] - 0.75 * grams[1] - 0.25 * grams[2]).square().mean()
    assert found.item() == pytest.approx(expected.item(), rel=BUDGET)


def test_blend_of_one_style_alone_is_that_style(encoder: VggEncoder, scene: Scene) -> None:
    def target(references: list[Reference]) -> Tensor:
        take = torch.ones(1, dtype=torch.float64)
        term = style_term((48, 64), scene.content_masks, references, encoder, {"conv1_1": 1.0},
                          take, kind="gram", scaling="gatys")  # fmt: skip
        return term.targets["conv1_1"].statistics

    both = Scene(*scene.pair, more=(noise(1, 3, 60, 44, seed=7),))
    torch.testing.assert_close(target(both.references((1.0, 0.0))), target(scene.references(None)))
    assert [one.share for one in both.references(None)] == [0.5, 0.5]


def test_total_falls_monotonically_under_lbfgs(scene: Scene, encoder: VggEncoder) -> None:
    config = preset("gatys")
    objective = build_objective(
        scene, encoder, config.encoder, config.objective, ("content", "style"), None
    )
    canvas = PaintedCanvas(noise(1, 3, 48, 64, seed=9), scene.content)
    first = objective(canvas.image())[0].item()
    steps = list(minimise(canvas, objective, optimizer="lbfgs", iterations=60))
    totals = [first, *(step.total for step in steps)]
    assert all(after <= before for before, after in itertools.pairwise(totals))
    assert totals[-1] < 0.5 * first
