"""The transformation network against plain eager PyTorch."""

import pytest
import torch

from photostyle.feedforward.network import LEAST_SIDE, InstanceNorm, TransformNetwork
from tests.feedforward.plain_network import PlainNetwork

#: Sums over a channel are taken in another order.
BUDGET = 1e-4


def network(norm: str = "instance", upsampling: str = "resize", width: float = 0.13):
    torch.manual_seed(3)
    made = TransformNetwork(norm, upsampling, width, blocks=2)
    for module in made.modules():
        if isinstance(module, InstanceNorm | torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2.0)
    return made


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("size", [(48, 64), (17, 31), (LEAST_SIDE, LEAST_SIDE + 2)])
def test_equals_the_plain_network(norm: str, upsampling: str, size: tuple[int, int]) -> None:
    ours = network(norm, upsampling).eval()
    plain = PlainNetwork(ours, norm, upsampling).eval()
    images = torch.rand(2, 3, *size)
    with torch.no_grad():
        result = ours(images)
        assert result.shape == images.shape
        assert (result - plain(images)).abs().max() < BUDGET
    assert result.min() >= 0
    assert result.max() <= 1


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
def test_gradients_equal_those_of_the_plain_network(upsampling: str) -> None:
    ours = network("instance", upsampling).double()
    plain = PlainNetwork(ours, "instance", upsampling).double()
    images = torch.rand(1, 3, 18, 23, dtype=torch.float64)
    target = torch.rand_like(images)
    for net in (ours, plain):
        (net(images) - target).square().sum().backward()
    pairs = [(ours.down[0], plain.down[0]), (ours.output, plain.output)]
    for layer, other in pairs:
        assert torch.allclose(layer.weight.grad, other.conv.weight.grad, rtol=1e-9, atol=1e-12)
    up = plain.up[1].conv.weight.grad
    up = up.transpose(0, 1) if upsampling == "transposed" else up
    assert torch.allclose(ours.up[1].weight.grad, up, rtol=1e-9, atol=1e-12)


def test_width_sets_the_channels() -> None:
    full, slim = TransformNetwork(blocks=1), TransformNetwork(width=0.25, blocks=1)
    assert [layer.weight.shape[0] for layer in full.down] == [32, 64, 128]
    assert [layer.weight.shape[0] for layer in slim.down] == [8, 16, 32]
    assert len(TransformNetwork(width=0.1, blocks=3).blocks) == 3


def test_instance_norm_ignores_the_other_pictures() -> None:
    net = network().eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(net(images)[:1], net(images[:1]), atol=1e-6)
