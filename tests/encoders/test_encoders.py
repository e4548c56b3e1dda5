"""What every encoder promises."""

import pytest
import torch

from photostyle.encoders.base import Encoder, fingerprint_of
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder
from photostyle.errors import ImageError, OptionError
from tests.encoders.thin_vgg import STYLE_LAYERS, random_image, thin_weights


@pytest.fixture(params=["builtin", "vgg"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return BankEncoder() if request.param == "builtin" else VggEncoder(thin_weights())


def test_gradient_reaches_the_image_only(encoder: Encoder) -> None:
    image = random_image().requires_grad_()
    encoder(image, ["relu5_1"])["relu5_1"].square().sum().backward()
    assert image.grad is not None
    assert image.grad.isfinite().all()
    assert image.grad.abs().max() > 0
    assert not any(weight.requires_grad for weight in encoder.parameters())
    assert all(weight.grad is None for weight in encoder.parameters())
    assert not encoder.training


def test_maps_are_channels_last(encoder: Encoder) -> None:
    taps = encoder(random_image(), STYLE_LAYERS)
    assert list(taps) == STYLE_LAYERS
    for tap in taps.values():
        assert tap.is_contiguous(memory_format=torch.channels_last)


def test_batches_are_pictures_apart(encoder: Encoder) -> None:
    images = [random_image(seed=seed) for seed in (1, 2)]
    together = encoder(torch.cat(images), ["relu4_1"])["relu4_1"]
    apart = torch.cat([encoder(image, ["relu4_1"])["relu4_1"] for image in images])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)


def test_unknown_layers_name_the_right_ones(encoder: Encoder) -> None:
    with pytest.raises(OptionError, match=r"no layer 'relu6_1'; it has conv1_1, relu1_1, conv"):
        encoder(random_image(), ["relu1_1", "relu6_1"])
    encoder.check_layers(encoder.layer_names)
    assert encoder(random_image(), []) == {}


@pytest.mark.parametrize("layer", ["conv1_1", "relu3_1", "relu5_1"])
def test_least_size_is_exact(encoder: Encoder, layer: str) -> None:
    least = encoder.least_side(layer)
    tap = encoder(random_image(least, least), [layer])[layer]
    assert min(tap.shape[2:]) >= 1
    with pytest.raises(ImageError, match=rf"needs at least {least}×{least}\."):
        encoder(random_image(least - 1, 64) if least > 1 else torch.rand(1, 3, 0, 4), [layer])


def test_wrong_shape(encoder: Encoder) -> None:
    with pytest.raises(ImageError, match=r"N×3×H×W, got \(1, 4, 64, 64\)"):
        encoder(torch.rand(1, 4, 64, 64), ["relu1_1"])


def test_fingerprint_is_of_the_weights(encoder: Encoder) -> None:
    assert len(encoder.fingerprint) == 64
    assert encoder.fingerprint == fingerprint_of(encoder.state_dict())
    again = BankEncoder() if encoder.name == "builtin" else VggEncoder(thin_weights())
    assert again.fingerprint == encoder.fingerprint
    assert VggEncoder(thin_weights(seed=1)).fingerprint != encoder.fingerprint
