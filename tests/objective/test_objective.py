"""The objective against float64 code written from the papers' formulas."""

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders.vgg import VggEncoder
from photostyle.errors import OptionError
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.product import LaplacianOperator
from photostyle.objective.objective import (
    COLOR_UNIT,
    PHOTOREAL_UNIT,
    REFERENCE_PIXELS,
    Objective,
    build_objective,
    needs_encoder,
    needs_laplacian,
)
from photostyle.objective.wasserstein import RegionWasserstein
from photostyle.segmentation.scene import Scene

TAPS = EncoderConfig(content_layers=("relu2_2",), style_layers=("relu1_1", "relu2_1"))
#: Masks are resized in float32.
BUDGET = 1e-6
ALL = ("content", "style", "swd", "drift", "photoreal", "tv", "gamut")


@pytest.fixture(scope="module")
def encoder() -> VggEncoder:
    generator = torch.Generator().manual_seed(3)
    weights = {}
    # The first two blocks of a VGG-19 with few channels.
    for index, (inputs, outputs) in {0: (3, 5), 2: (5, 5), 5: (5, 8), 7: (8, 8)}.items():
        shape = (outputs, inputs, 3, 3)
        weights[f"features.{index}.weight"] = torch.randn(shape, generator=generator) * 0.3
        weights[f"features.{index}.bias"] = torch.randn(outputs, generator=generator) * 0.1
    for index, (inputs, outputs) in {10: (8, 8), 12: (8, 8), 14: (8, 8), 16: (8, 8)}.items():
        weights[f"features.{index}.weight"] = torch.zeros(outputs, inputs, 3, 3)
        weights[f"features.{index}.bias"] = torch.zeros(outputs)
    return VggEncoder(weights).double()


@pytest.fixture(scope="module")
def scene() -> Scene:
    generator = torch.Generator().manual_seed(4)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    content_masks, style_masks = random(2, 12, 14), random(2, 10, 16)
    content_masks[0, :, :5], content_masks[1, :, 9:] = 0.0, 0.0
    return Scene(
        random(1, 3, 12, 14),
        random(1, 3, 10, 16),
        content_masks / content_masks.sum(0),
        style_masks / style_masks.sum(0),
    )


@pytest.fixture(scope="module")
def operator(scene: Scene) -> LaplacianOperator:
    return LaplacianOperator.of(scene.content, dtype=torch.float64)


@pytest.fixture
def image() -> Tensor:
    generator = torch.Generator().manual_seed(9)
    return torch.rand(1, 3, 12, 14, generator=generator, dtype=torch.float64) * 1.2 - 0.1


def halved(mask: Tensor) -> Tensor:
    """Area average over 2×2 blocks: what a mask is at the second layer's size."""
    height, width = mask.shape
    return mask.reshape(height // 2, 2, width // 2, 2).mean(dim=(1, 3))


def reference_style(scene: Scene, encoder: VggEncoder, image: Tensor, scaling: str) -> float:
    total = 0.0
    for layer in TAPS.style_layers:
        f = encoder(image, [layer])[layer][0].numpy()
        s = encoder(scene.style, [layer])[layer][0].numpy()
        for k in range(2):
            masks = scene.content_masks[k], scene.style_masks[k]
            m, n = (x.numpy() if layer == "relu1_1" else halved(x).numpy() for x in masks)
            g, a = (gram(x, w, scaling) for x, w in ((f, m), (s, n)))
            distance = ((g - a) ** 2).mean()
            total += m.mean() * (distance / (a**2).mean() if scaling == "target" else distance)
    return total / len(TAPS.style_layers) if scaling == "target" else total


def gram(features: np.ndarray, mask: np.ndarray, scaling: str) -> np.ndarray:
    if scaling == "target":
        return np.einsum("chw,dhw,hw->cd", features, features, mask) / mask.sum()
    masked = features * mask
    return np.einsum("chw,dhw->cd", masked, masked) / (features.size * mask.mean())


@pytest.mark.parametrize("scaling", ["target", "dpst"])
def test_every_term_is_its_formula(
    scaling: str, scene: Scene, encoder: VggEncoder, operator: LaplacianOperator, image: Tensor
) -> None:
    weights = ObjectiveConfig(
        content_weight=5.0,
        style_weight=100.0,
        photoreal_weight=1e4,
        tv_weight=1e-3,
        gamut_weight=1e3,
        scaling=scaling,
        plain_regions="full",
    )
    papers = ("content", "style", "photoreal", "tv", "gamut")
    total, terms = build_objective(scene, encoder, TAPS, weights, papers, operator)(image)

    pixels, v = 12 * 14, image[0].numpy()
    per_pixel = PHOTOREAL_UNIT / pixels if scaling == "target" else REFERENCE_PIXELS / pixels
    dense = matting_laplacian(scene.content).toarray()
    f, p = (encoder(x, ["relu2_2"])["relu2_2"].numpy() for x in (image, scene.content))
    norm = (p**2).mean() if scaling == "target" else 1.0
    gradient = (np.diff(v, axis=1) ** 2).sum() + (np.diff(v, axis=2) ** 2).sum()
    expected = {
        "content": 5 * ((f - p) ** 2).mean() / norm,
        "style": 100 * reference_style(scene, encoder, image, scaling),
        "photoreal": 1e4 * per_pixel * sum(c.ravel() @ dense @ c.ravel() for c in v),
        "tv": 1e-3 * per_pixel * 0.5 * gradient * 255**2,
        "gamut": 1e3 * ((v - v.clip(0, 1)) ** 2).sum() / pixels,
    }
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        expected, rel=BUDGET
    )
    assert total.item() == pytest.approx(sum(expected.values()), rel=BUDGET)


def test_gradient(
    scene: Scene, encoder: VggEncoder, operator: LaplacianOperator, image: Tensor
) -> None:
    objective = build_objective(scene, encoder, TAPS, ObjectiveConfig(), ALL, operator)
    leaf = image.clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: objective(x)[0], leaf, eps=1e-7, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_gradients_are_the_same_whether_maps_share_a_buffer_or_not(
    precision: str, scene: Scene, encoder: VggEncoder, image: Tensor, monkeypatch
) -> None:
    def gradients() -> list[Tensor]:
        objective = build_objective(
            scene, encoder, taps, ObjectiveConfig(), ("content", "style"), None, 0, precision
        )
        leaf = image.clone().requires_grad_(True)
        total, terms = objective(leaf)
        return [torch.autograd.grad(x, leaf, retain_graph=True)[0]
                for x in (terms["style"], terms["content"], total)]  # fmt: skip

    taps = EncoderConfig(
        content_layers=("relu2_2",), style_layers=("relu1_1", "conv2_1", "relu1_2")
    )
    found = gradients()
    monkeypatch.setattr(VggEncoder, "apart", False)
    for mine, expected in zip(found, gradients(), strict=True):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("name", ALL)
def test_weight_zero_leaves_a_term_out(
    name: str, scene: Scene, encoder: VggEncoder, operator: LaplacianOperator, image: Tensor
) -> None:
    weights = ObjectiveConfig(tv_weight=1.0, **({f"{name}_weight": 0.0} if name != "tv" else {}))
    if name == "tv":
        weights = ObjectiveConfig(tv_weight=0.0)
    _, terms = build_objective(scene, encoder, TAPS, weights, ALL, operator)(image)
    assert set(terms) == set(ALL) - {name}


def test_color_terms_count_in_tens_of_delta_e(scene: Scene, image: Tensor) -> None:
    weights = ObjectiveConfig(swd_weight=1.0, drift_weight=1.0, plain_regions="full")
    _, terms = build_objective(scene, None, TAPS, weights, ("swd", "drift"), None)(image)
    lab = rgb_to_lab(image[0].reshape(3, -1).T)
    swd = RegionWasserstein(scene.style, scene.content_masks, scene.style_masks)(lab)
    assert terms["swd"].item() == pytest.approx(swd.item() / COLOR_UNIT, rel=1e-6)
    assert terms["drift"].item() > 0


def test_plain_regions_take_less_when_damped(scene: Scene, encoder: VggEncoder) -> None:
    """The first region is textured, the second a plain surface; only the first can take much."""
    plain = scene.content.clone()
    plain[..., 9:] = 0.5
    masks = torch.zeros(2, 12, 14, dtype=torch.float64)
    masks[0, :, :9], masks[1, :, 9:] = 1.0, 1.0
    half = Scene(plain, scene.style, masks, scene.style_masks)

    def pull(kind: str) -> float:
        weights = ObjectiveConfig(plain_regions=kind)
        objective = build_objective(half, encoder, TAPS, weights, ("swd",), None)
        leaf = plain.clone().requires_grad_(True)
        (grad,) = torch.autograd.grad(objective(leaf)[0], leaf)
        return (grad[..., 9:].norm() / grad[..., :9].norm()).item()

    assert pull("damped") < 0.5 * pull("full")


def test_encoder_is_needed_only_for_its_terms() -> None:
    assert needs_encoder(ObjectiveConfig(), ("style",))
    assert not needs_encoder(ObjectiveConfig(), ("swd", "photoreal"))
    assert not needs_encoder(ObjectiveConfig(style_weight=0.0), ("style", "tv"))


def test_term_without_its_means_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="not given"):
        build_objective(scene, None, TAPS, ObjectiveConfig(), ("photoreal",), None)


def test_laplacian_is_needed_only_for_its_term() -> None:
    assert needs_laplacian(ObjectiveConfig(), ALL)
    assert not needs_laplacian(ObjectiveConfig(), ("content", "style"))
    assert not needs_laplacian(ObjectiveConfig(photoreal_weight=0.0), ALL)


def test_empty_region_pulls_on_nothing(scene: Scene, encoder: VggEncoder, image: Tensor) -> None:
    """A region that the style lacks must not have a zero Gram matrix as its target."""
    style_masks = torch.stack([torch.ones(10, 16), torch.zeros(10, 16)]).double()
    lacking = Scene(scene.content, scene.style, scene.content_masks, style_masks)
    taps = EncoderConfig(style_layers=("relu1_1",))  # sees 3×3 pixels
    objective = build_objective(lacking, encoder, taps, ObjectiveConfig(), ("style",), None)
    leaf = image.clone().requires_grad_(True)
    (grad,) = torch.autograd.grad(objective(leaf)[0], leaf)
    assert not grad[..., :4].any()  # all of it the second region
    assert grad[..., 5:].abs().max() > 0


def test_objective_without_terms_is_zero(encoder: VggEncoder, image: Tensor) -> None:
    total, terms = Objective(encoder, [])(image)
    assert total.item() == 0.0
    assert terms == {}


def test_wrong_layer_is_named(scene: Scene, encoder: VggEncoder) -> None:
    taps = EncoderConfig(content_layers=("relu2_2",), style_layers=("relu7_1",))
    with pytest.raises(OptionError, match="relu7_1"):
        build_objective(scene, encoder, taps, ObjectiveConfig(), ALL, None)


def test_what_is_not_seen_takes_no_part() -> None:
    """Half of the content and half of the style are not seen: against the other halves."""
    generator = torch.Generator().manual_seed(2)
    content, style, image = (torch.rand(1, 3, *n, generator=generator)
                             for n in ((16, 24), (20, 18), (16, 24)))  # fmt: skip
    mine, its = torch.zeros(16, 24), torch.zeros(20, 18)
    mine[:, :12], its[:10] = 1, 1
    ones = torch.ones(1, 16, 24)
    half = Scene(content, style, ones, its[None].clone(), weights=(mine, its))
    left = Scene(content[..., :12], style[:, :, :10], ones[..., :12], torch.ones(1, 10, 18))
    weights = ObjectiveConfig(tv_weight=1.0, plain_regions="full")
    terms = ("swd", "tv", "gamut")
    found, wanted = (
        build_objective(one, None, EncoderConfig(), weights, terms, None) for one in (half, left)
    )
    assert {t.name: t.weight for t in found.terms} == {
        t.name: t.weight * (1 if t.name == "swd" else 2) for t in wanted.terms
    }
    values = found(image)[1], wanted(image[..., :12])[1]
    torch.testing.assert_close(values[0]["swd"], values[1]["swd"])
    assert torch.equal(half.counted, mine[None])
    assert torch.equal(half.scaled(0.5).counted[0, :, 6:], torch.zeros(8, 6))
    assert half.to(torch.device("cpu")).weights[1] is not None
    assert [float(r.masks.sum()) for r in half.references(None)] == [180.0]
