"""Training terms against their formulas in NumPy, and decoders that learn."""

import numpy as np
import pytest
import torch

from photostyle.config.stages import ObjectiveConfig
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.errors import OptionError
from photostyle.universal.decoders import DecoderNetwork
from photostyle.universal.objectives import InversionObjective, StylingObjective
from tests.encoders.thin_vgg import random_image, thin_weights

LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module")
def encoder() -> VggEncoder:
    return VggEncoder(thin_weights(stop=5))


def maps(encoder: VggEncoder, image: torch.Tensor, layer: str) -> np.ndarray:
    return encoder(image, (layer,))[layer][0].flatten(1).double().numpy()


def test_artflow_s_terms(encoder: VggEncoder) -> None:
    weights = ObjectiveConfig(content_weight=0.5, style_weight=2.0)
    objective = StylingObjective(encoder, ("relu2_1",), LAYERS, weights)
    image, content, style = (random_image(32, 40, seed=n) for n in range(3))
    total, terms = objective(image, torch.cat([content, style], dim=1))
    c, s, x = (maps(encoder, y, "relu2_1") for y in (content, style, image))
    gain = np.sqrt((s.var(axis=1) + 1e-5) / (c.var(axis=1) + 1e-5))[:, None]
    target = gain * (c - c.mean(axis=1)[:, None]) + s.mean(axis=1)[:, None]
    content_term = ((x - target) ** 2).sum() / (target**2).sum()
    parts = []
    for layer in LAYERS:
        x, s = (maps(encoder, y, layer) for y in (image, style))
        have, want = (
            np.concatenate([y.mean(axis=1), np.sqrt(y.var(axis=1, ddof=1) + 1e-8)]) for y in (x, s)
        )
        parts.append(((have - want) ** 2).sum() / (want**2).sum())
    np.testing.assert_allclose(terms["content"], 0.5 * content_term, rtol=1e-4)
    np.testing.assert_allclose(terms["style"], 2 * np.mean(parts), rtol=1e-4)
    np.testing.assert_allclose(total, terms["content"] + terms["style"], rtol=1e-6)


def test_what_leaves_the_range_costs(encoder: VggEncoder) -> None:
    weights = ObjectiveConfig(content_weight=0.0, style_weight=0.0, gamut_weight=2.0)
    objective = StylingObjective(encoder, ("relu2_1",), LAYERS, weights)
    assert objective.names == ["gamut"]
    pairs = torch.rand(2, 6, 16, 16)
    inside = pairs[:, :3]
    assert objective(inside, pairs)[0] == 0
    over = inside.clone()
    over[0, 1, 3, 4] = 1.5
    assert objective(over, pairs)[0].item() == pytest.approx(2 * 0.5**2 / 256 / 2)


def test_a_result_that_is_the_style_has_no_style_loss(encoder: VggEncoder) -> None:
    objective = StylingObjective(encoder, ("relu2_1",), LAYERS, ObjectiveConfig())
    content, style = random_image(32, 32, seed=1), random_image(32, 32, seed=2)
    assert objective(style, torch.cat([content, style], dim=1))[1]["style"] < 1e-9


def test_decoders_mirror_the_encoder_and_learn(encoder: VggEncoder) -> None:
    torch.manual_seed(0)
    network = DecoderNetwork(encoder, LAYERS)
    objective = InversionObjective(encoder, LAYERS, ObjectiveConfig(content_weight=10.0))
    image = random_image(32, 36)
    assert network(image).shape == (1, 6, 32, 36)
    assert not set(map(id, encoder.parameters())) & set(map(id, network.parameters()))
    moved = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        moved.zero_grad()
        total, _ = objective(network(image), image)
        total.backward()
        moved.step()
        losses.append(total.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("size", [(17, 33), (1, 1), (5, 40)])
def test_levels_give_back_the_size(encoder: VggEncoder, size: tuple[int, int]) -> None:
    for level in DecoderNetwork(encoder, LAYERS).transforms():
        image = torch.rand(1, 3, *size)
        latents = level.encode(image)
        assert level.decode(latents).shape == image.shape
        assert latents.masks(torch.ones(1, *size)).shape[1:] == latents.maps.shape[2:]


def test_the_deepest_level_comes_first(encoder: VggEncoder) -> None:
    network = DecoderNetwork(encoder, LAYERS)
    assert [level.layer for level in network.transforms()] == ["relu2_1", "relu1_1"]


def test_weights_make_the_encoder_again(encoder: VggEncoder) -> None:
    again = VggEncoder(
        encoder.weights("relu2_1"), VggOptions(padding=encoder.padding), name="again"
    )
    image = random_image(32, 32)
    assert torch.equal(
        again(image, ("relu2_1",))["relu2_1"], encoder(image, ("relu2_1",))["relu2_1"]
    )
    with pytest.raises(OptionError, match="no layer 'relu3_1'"):
        DecoderNetwork(again, ("relu3_1",))
