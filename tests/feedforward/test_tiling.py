"""Strips against the whole picture."""

import pytest
import torch

from photostyle.feedforward.tiling import in_strips, strip_rows, stylised
from tests.feedforward.test_network import network

#: Statistics over strips are double precision sums, those of the whole picture single ones.
BUDGET = 5e-5


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("size", [(130, 70), (101, 33), (67, 40), (98, 21), (17, 31)])
@pytest.mark.parametrize("rows", [4, 32])
def test_equals_the_whole_picture(
    norm: str, upsampling: str, size: tuple[int, int], rows: int
) -> None:
    net = network(norm, upsampling).eval()
    images = torch.rand(2, 3, *size)
    with torch.no_grad():
        assert (in_strips(net, images, rows) - net(images)).abs().max() < BUDGET


def test_a_region_that_differs_changes_the_far_end() -> None:
    """Instance normalisation sees the whole picture, strips or not."""
    net = network().eval()
    images = torch.rand(1, 3, 160, 40)
    other = images.clone()
    other[:, :, :40] = 0.0
    far = in_strips(net, images, 32)[:, :, 140:] - in_strips(net, other, 32)[:, :, 140:]
    assert far.abs().max() > 1e-3


@pytest.mark.parametrize("size", [(1, 40), (40, 1), (1, 1), (17, 31), (64, 64)])
def test_any_size(size: tuple[int, int]) -> None:
    images = torch.rand(1, 3, *size)
    result = stylised(network().eval(), images)
    assert result.shape == images.shape
    assert result.isfinite().all()


def test_memory_decides_on_strips() -> None:
    net = network().eval()
    images = torch.rand(1, 3, 200, 50)
    whole = stylised(net, images)
    assert strip_rows(net, images.shape, None) == 200
    assert strip_rows(net, images.shape, 2**30) == 200
    assert strip_rows(net, images.shape, 100_000) < 200
    assert (stylised(net, images, 100_000) - whole).abs().max() < BUDGET


def test_strips_take_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """No map that a layer convolves is as high as the picture, but those at a quarter."""
    net = network().eval()
    seen = []
    for layer in (*net.down, *net.up, net.output):
        convolve = layer.convolve
        monkeypatch.setattr(
            layer, "convolve", lambda x, f=convolve: seen.append(x.shape[2]) or f(x)
        )
    in_strips(net, torch.rand(1, 3, 400, 20), 32)
    assert max(seen) < 80
