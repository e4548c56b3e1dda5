"""Strips against the whole picture."""

import pytest
import torch

from photostyle.feedforward.tiling import Kept, in_strips, kept_maps, strip_rows, stylised
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
    assert (stylised(net, images, 100_000) - whole).abs().max() < 0.5 / 255


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


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
@pytest.mark.parametrize("spare", [True, False])
def test_one_map_or_two_in_either_precision(norm: str, kind: torch.dtype, spare: bool) -> None:
    net = network(norm).eval()
    images = torch.rand(1, 3, 130, 70)
    with torch.no_grad():
        error = (in_strips(net, images, 16, Kept(kind, spare)) - net(images)).abs().max()
    assert error < (BUDGET if kind == torch.float32 else 0.5 / 255)


def test_memory_decides_on_what_is_kept() -> None:
    net = network().eval()
    shape = (1, 3, 400, 400)
    channels = net.down[-1].weight.shape[0]
    two = 2 * 4 * channels * 100 * 100
    assert kept_maps(net, shape, None) == kept_maps(net, shape, two) == Kept(torch.float32, True)
    assert kept_maps(net, shape, two - 1) == Kept(torch.float16, True)
    assert kept_maps(net, shape, two // 2 - 1) == Kept(torch.float16, False)


@pytest.mark.parametrize("memory", [None, 100_000])
def test_the_result_in_the_place_of_the_picture(memory: int | None) -> None:
    net = network().eval()
    images = torch.rand(1, 3, 200, 50)
    expected = stylised(net, images.clone(), memory)
    result = stylised(net, images, memory, out=images)
    assert result.data_ptr() == images.data_ptr()
    assert torch.equal(result, expected)
