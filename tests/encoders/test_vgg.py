"""VGG of any width against torchvision's own networks and worked examples."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from photostyle.encoders.vgg import IMAGENET_MEAN, IMAGENET_STD, VggEncoder, VggOptions
from photostyle.encoders.weights import load_encoder
from photostyle.errors import OptionError
from tests.encoders.thin_vgg import STYLE_LAYERS, THIN, random_image, thin_weights


def features(weights: dict[str, Tensor], count: int) -> torch.nn.Sequential:
    """torch.nn modules for the first `count` of torchvision's indices, reflecting at borders."""
    modules: list[torch.nn.Module] = []
    for index in range(count):
        if f"features.{index}.weight" in weights:
            weight = weights[f"features.{index}.weight"]
            conv = torch.nn.Conv2d(*weight.shape[1::-1], 3, padding=1, padding_mode="reflect")
            conv.weight.data, conv.bias.data = weight, weights[f"features.{index}.bias"]
            modules.append(conv)
        else:
            after_conv = f"features.{index - 1}.weight" in weights
            modules.append(torch.nn.ReLU() if after_conv else torch.nn.MaxPool2d(2))
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize("depth", [16, 19])
def test_every_layer_is_torchvisions(depth: int) -> None:
    torch.manual_seed(depth)
    reference = getattr(torchvision.models, f"vgg{depth}")(weights=None).features.double()
    # The default initialisation makes later maps die away: keep them, and biases, at work.
    for conv in reference:
        if isinstance(conv, torch.nn.Conv2d):
            torch.nn.init.uniform_(conv.bias, -0.3, 0.3)
    state = {f"features.{key}": value for key, value in reference.state_dict().items()}
    encoder = VggEncoder(state | {"classifier.0.weight": torch.zeros(2, 2)})
    image = random_image().double()
    taps = encoder(image, encoder.layer_names)

    mean = torch.tensor(IMAGENET_MEAN, dtype=torch.float64).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, dtype=torch.float64).view(1, 3, 1, 1)
    x = (image - mean) / std
    assert len(encoder.layer_names) == len(reference)
    for name, module in zip(encoder.layer_names, reference, strict=True):
        # torchvision's ReLU works in place, on a copy here so that conv taps stay.
        x = module(x.clone())
        assert name.startswith({"C": "conv", "R": "relu", "M": "pool"}[type(module).__name__[0]])
        assert x.abs().max() > 1e-3
        torch.testing.assert_close(taps[name], x, rtol=0, atol=1e-10)


def test_names_of_the_papers() -> None:
    names = VggEncoder(thin_weights(16)).layer_names
    assert names[:5] == ("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1")
    assert names[-3:] == ("conv5_3", "relu5_3", "pool5")
    assert "conv3_4" not in names


def test_depth_widths_and_early_stop_are_read_off() -> None:
    encoder = VggEncoder(thin_weights(19, stop=13))
    assert encoder.layer_names[-2:] == ("conv5_1", "relu5_1")
    assert encoder.shape == "VGG-19 shape, 4-5-6-7-8 channels"
    taps = encoder(random_image(), STYLE_LAYERS)
    assert [tuple(tap.shape) for tap in taps.values()] == [
        (1, channels, 48 >> level, 64 >> level) for level, channels in enumerate(THIN)
    ]


def test_caffe_preprocessing() -> None:
    encoder = VggEncoder(thin_weights(), VggOptions(preprocessing="caffe"))
    image = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    # R = 255, G = 127.5, B = 0, so B - 103.939, G - 116.779, R - 123.68.
    expected = torch.tensor([-103.939, 10.721, 131.32]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(encoder.input(image), expected, rtol=0, atol=1e-4)


def test_preprocessing_of_torchvisions_caffe_port() -> None:
    """Equal to the transform that torchvision publishes with those weights."""
    encoder = VggEncoder(thin_weights(), VggOptions(preprocessing="caffe-rgb"))
    image = random_image(4, 4)
    published = torchvision.models.VGG16_Weights.IMAGENET1K_FEATURES.transforms()
    reference = torchvision.transforms.functional.normalize(image, published.mean, published.std)
    torch.testing.assert_close(encoder.input(image), reference, rtol=0, atol=1e-4)
    # By hand: R = 1 gives 255 - 255·0.48235 = 132.00075.
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    expected = torch.tensor([132.00075, -116.9991, -103.9992]).view(1, 3, 1, 1)
    torch.testing.assert_close(encoder.input(red), expected, rtol=0, atol=1e-4)


def test_input_convolution_and_reflection(tmp_path: Path) -> None:
    weights = thin_weights()
    generator = torch.Generator().manual_seed(1)
    own = {
        "input.weight": torch.randn(3, 3, 1, 1, generator=generator),
        "input.bias": torch.randn(3, generator=generator),
    }
    path = tmp_path / "own.safetensors"
    safetensors.torch.save_file(weights | own | {"lift.conv1_1.bias": torch.zeros(9)}, path)
    encoder, _ = load_encoder(str(path))
    image = random_image()
    mixed = torch.einsum("oi,nihw->nohw", own["input.weight"][:, :, 0, 0], image)
    x = mixed + own["input.bias"].view(1, 3, 1, 1)
    expected = features(weights, 30)(x)
    torch.testing.assert_close(
        encoder(image, ["relu5_1"])["relu5_1"], expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate"])
def test_padding(padding: str) -> None:
    weights = thin_weights(stop=1)
    encoder = VggEncoder(weights, VggOptions(padding=padding))
    image = random_image(6, 7)
    mode = {"zeros": "constant"}.get(padding, padding)
    x = F.pad(encoder.input(image), (1, 1, 1, 1), mode=mode)
    expected = F.conv2d(x, weights["features.0.weight"], weights["features.0.bias"])
    torch.testing.assert_close(encoder(image, ["conv1_1"])["conv1_1"], expected)


@pytest.mark.parametrize(("gain", "factor"), [(1.0, 1.0), (2.0, 2.0)])
def test_average_pooling(gain: float, factor: float) -> None:
    encoder = VggEncoder(thin_weights(), VggOptions(pooling="average", pooling_gain=gain))
    taps = encoder(random_image(), ["relu1_2", "pool1"])
    blocks = taps["relu1_2"].unflatten(2, (-1, 2)).unflatten(4, (-1, 2))  # N×C×h×2×w×2
    torch.testing.assert_close(taps["pool1"], factor * blocks.mean((3, 5)))


def test_computes_no_deeper_than_asked() -> None:
    encoder = VggEncoder(thin_weights())
    called: list[str] = []
    for name, conv in encoder.convs.items():
        conv.register_forward_hook(lambda *_, name=name: called.append(name))
    encoder(random_image(), ["relu3_1", "relu1_1"])
    assert called == ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match=r"pooling must be one of max, average, got 'sum'"):
        VggOptions(pooling="sum")  # type: ignore[arg-type]


def test_slim_file(shared: Path) -> None:
    path = shared / "encoders" / "vgg19_slim16x.safetensors"
    encoder, note = load_encoder(str(path))
    assert note == (
        "encoder: vgg19_slim16x.safetensors (VGG-19 shape, 16-32-64-128-128 channels), "
        "given by --encoder"
    )
    weights = safetensors.torch.load_file(path)
    image = random_image()
    x = F.conv2d(image, weights["input.weight"], weights["input.bias"])
    expected = features(weights, 30)(x)
    torch.testing.assert_close(
        encoder(image, ["relu5_1"])["relu5_1"], expected, rtol=1e-4, atol=1e-3
    )
