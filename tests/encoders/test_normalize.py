"""Gatys' normalisation: means of 1, and a function that is otherwise the same."""

import pytest
import torch
from torch import Tensor

from photostyle.encoders.normalize import LEAST_SHARE, factors, mean_activations, normalized
from photostyle.encoders.vgg import VggEncoder, VggOptions
from tests.encoders.thin_vgg import random_image, thin_weights

IMAGES = (random_image().double(), random_image(64, 40, seed=3).double())


def double_weights(**changes: Tensor) -> dict[str, Tensor]:
    return {key: value.double() for key, value in (thin_weights() | changes).items()}


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
def test_every_map_is_the_old_one_over_its_mean(pooling: str, gain: float, padding: str) -> None:
    options = VggOptions(pooling=pooling, pooling_gain=gain, padding=padding)  # type: ignore[arg-type]
    before = VggEncoder(double_weights(), options)
    after = normalized(before, IMAGES)
    means = mean_activations(before, IMAGES)
    unseen = random_image(seed=9).double()
    old, new = (encoder(unseen, before.layer_names) for encoder in (before, after))
    conv = ""
    for layer in before.layer_names:  # a pooling layer has the channels of the conv before it
        conv = layer if layer.startswith("conv") else conv
        scale = factors(means[conv]).view(1, -1, 1, 1)
        torch.testing.assert_close(new[layer], old[layer] / scale, rtol=1e-10, atol=1e-10)


def test_means_are_over_all_positions_of_all_images() -> None:
    encoder = VggEncoder(double_weights())
    means = mean_activations(encoder, IMAGES)
    rows = [encoder(x, ["relu3_1"])["relu3_1"].flatten(2) for x in IMAGES]  # 1×C×N each
    torch.testing.assert_close(means["conv3_1"], torch.cat(rows, 2).mean((0, 2)))
    again = mean_activations(normalized(encoder, IMAGES), IMAGES)
    for name, mean in again.items():
        strong = means[name] >= LEAST_SHARE * means[name].mean()
        torch.testing.assert_close(mean[strong], torch.ones_like(mean[strong]))
        assert (mean[~strong] < 1).all()


def test_dead_filters_are_not_blown_up() -> None:
    bias = torch.tensor([-1e6, 0.1, 0.1, 0.1])
    before = VggEncoder(double_weights(**{"features.0.bias": bias}))
    after = normalized(before, IMAGES)
    layers = ("relu1_1", "relu5_1")
    old, new = (encoder(IMAGES[0], layers) for encoder in (before, after))
    assert old["relu1_1"][:, 0].abs().max() == 0
    least = LEAST_SHARE * mean_activations(before, IMAGES)["conv1_1"].mean()
    assert after.convs["conv1_1"].bias[0].item() == pytest.approx(bias[0].item() / least.item())
    assert all(weight.isfinite().all() for weight in after.parameters())
    scale = factors(mean_activations(before, IMAGES)["conv5_1"]).view(1, -1, 1, 1)
    torch.testing.assert_close(new["relu5_1"], old["relu5_1"] / scale, rtol=1e-10, atol=1e-10)


def test_the_given_encoder_and_the_fingerprint() -> None:
    encoder = VggEncoder(thin_weights())
    taken = encoder.fingerprint
    images = [x.float() for x in IMAGES]
    first, second, other = (normalized(encoder, x) for x in (images, images, images[:1]))
    assert VggEncoder(thin_weights()).fingerprint == taken == encoder.fingerprint
    assert torch.equal(encoder.convs["conv1_1"].weight, thin_weights()["features.0.weight"])
    assert len({taken, first.fingerprint, other.fingerprint}) == 3
    assert first.fingerprint == second.fingerprint


def test_rare_filters_count_as_half_of_the_average() -> None:
    means = torch.tensor([0.0, 0.1, 3.0, 4.9])  # 2 on average
    assert factors(means).tolist() == pytest.approx([1.0, 1.0, 3.0, 4.9])
    assert factors(torch.zeros(3)).tolist() == [1.0, 1.0, 1.0]
