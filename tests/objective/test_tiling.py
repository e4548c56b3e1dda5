"""Tiles: the same sums and gradients as the whole picture, and how their side is chosen."""

import pytest
import torch
from torch import Tensor

from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.errors import OptionError
from photostyle.objective.objective import Objective, build_objective
from photostyle.objective.tiling import (
    LEAST_SIDE,
    MOST_SIDE,
    kept_bytes,
    tile_side,
    tiled_sums,
    tiles,
)
from photostyle.segmentation.scene import Scene
from tests.encoders.thin_vgg import thin_weights

#: Of values and gradients in float64, relative to the largest.
BUDGET = 1e-8
VGG = EncoderConfig(
    content_layers=("conv4_2",),
    style_layers=("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
)
SIZE = (150, 235)  # no multiple of anything


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def encoder_of(kind: str) -> Encoder:
    if kind == "builtin":
        return BankEncoder().double()
    average = VggOptions(pooling="average", padding="reflect")
    return VggEncoder(thin_weights(), average if kind == "average" else None).double()


def large_scene(regions: int = 2) -> Scene:
    """Soft regions, the last of which is a small spot that most tiles do not see."""
    masks, partners = noise(regions, *SIZE, seed=1), noise(regions, 90, 120, seed=2)
    if regions > 1:
        masks[-1] = 0.0
        masks[-1, 10:30, 20:50] = 3.0
    content, style = noise(1, 3, *SIZE, seed=3), noise(1, 3, 90, 120, seed=4)
    return Scene(content, style, masks / masks.sum(0), partners / partners.sum(0))


def pair_of(kind: str, scene: Scene, weights: ObjectiveConfig) -> tuple[Objective, Objective]:
    encoder = encoder_of(kind)
    whole, tiled = (
        build_objective(scene, encoder, VGG, weights, ("content", "style", "tv"), None, side)
        for side in (0, 64)
    )
    return whole, tiled


def gradient(objective: Objective, image: Tensor) -> Tensor:
    leaf = image.clone().requires_grad_(True)
    (grad,) = torch.autograd.grad(objective(leaf)[0], leaf)
    return grad


@pytest.mark.parametrize("kind", ["max", "average", "builtin"])
@pytest.mark.parametrize("scaling", ["target", "dpst", "gatys"])
def test_values_and_gradient_are_the_whole_pictures(kind: str, scaling: str) -> None:
    weights = ObjectiveConfig(tv_weight=1e-3, scaling=scaling, plain_regions="full")
    whole, tiled = pair_of(kind, large_scene(), weights)
    image = noise(1, 3, *SIZE, seed=5)
    expected, found = (one(image)[1] for one in (whole, tiled))
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value.item(), rel=BUDGET)
    wanted = gradient(whole, image)
    error = (gradient(tiled, image) - wanted).abs().max() / wanted.abs().max()
    assert error < BUDGET


@pytest.mark.parametrize("regions", [1, 2])
def test_means_and_deviations_in_tiles(regions: int) -> None:
    weights = ObjectiveConfig(style_term="mean-std", plain_regions="full")
    whole, tiled = pair_of("max", large_scene(regions), weights)
    image = noise(1, 3, *SIZE, seed=5)
    wanted = gradient(whole, image)
    assert (gradient(tiled, image) - wanted).abs().max() / wanted.abs().max() < BUDGET


def test_patches_are_not_tiled() -> None:
    taps = EncoderConfig(style_layers=("relu3_1",))
    weights = ObjectiveConfig(style_term="mrf")
    with pytest.raises(OptionError, match="tile_size 64"):
        build_objective(large_scene(), encoder_of("max"), taps, weights, ("style",), None, 64)


@pytest.mark.parametrize("size", [(31, 40), (64, 64), (65, 200), (161, 97), (500, 33)])
def test_inner_parts_cover_the_picture_once(size: tuple[int, int]) -> None:
    count = torch.zeros(size)
    for tile in tiles(size, 60, reach=10):
        count[tile.inner] += 1
        rows, columns = tile.outer
        assert rows.start <= tile.inner[0].start
        assert tile.inner[1].stop <= columns.stop <= size[1]
        assert rows.start % 32 == columns.start % 32 == 0
        inner = tile.inner[0].stop - tile.inner[0].start
        assert inner <= 96 or len(tiles(size, 60, 10)) == 1
    assert count.eq(1).all()


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_maps_of_tiles_cover_the_whole_map_once(stride: int) -> None:
    height, width = 203, 170
    whole = torch.arange((height // stride) * (width // stride)).reshape(height // stride, -1)
    seen = torch.cat(
        [tile.of(whole, stride).reshape(-1) for tile in tiles((height, width), 64, 20)]
    )
    assert torch.equal(seen.sort().values, whole.reshape(-1))


def test_cut_is_the_place_that_of_names() -> None:
    picture = noise(1, 1, 203, 170)
    for tile in tiles((203, 170), 64, 20):
        pooled = torch.nn.functional.avg_pool2d(picture[..., tile.outer[0], tile.outer[1]], 4)
        expected = tile.of(torch.nn.functional.avg_pool2d(picture, 4), 4)
        torch.testing.assert_close(tile.cut(pooled, 4), expected)


def test_each_tile_is_encoded_twice() -> None:
    calls = []

    def gather(piece: Tensor, tile: object) -> list[Tensor]:
        calls.append(tile)
        return [piece.square().sum()]

    parts = tiles((128, 128), 64, 0)
    image = noise(1, 3, 128, 128).requires_grad_(True)
    (total,) = tiled_sums(image, gather, parts)
    assert total.item() == pytest.approx(image.square().sum().item())
    total.backward()
    torch.testing.assert_close(image.grad, 2 * image.detach())
    assert calls == [*parts, *parts]


@pytest.mark.parametrize("kind", ["max", "builtin"])
@pytest.mark.parametrize("layer", ["conv1_1", "relu2_2", "conv3_1", "conv4_2", "conv5_1"])
def test_nothing_is_seen_beyond_the_reach(kind: str, layer: str) -> None:
    """The gradient of a position reaches as far as said, and where it can be told no further."""
    encoder = encoder_of(kind)
    image = noise(1, 3, 320, 320).requires_grad_(True)
    features = encoder(image, [layer])[layer]
    stride, middle = encoder.stride(layer), features.shape[2] // 2
    (grad,) = torch.autograd.grad(features[0, :, middle, middle].sum(), image)
    rows = grad.abs().sum(dim=(0, 1, 3)).nonzero()[:, 0]
    first, last = middle * stride - int(rows.min()), int(rows.max()) - (middle + 1) * stride + 1
    assert max(first, last) <= encoder.reach(layer)
    if stride > 1:
        assert max(first, last) >= encoder.reach(layer) - 2 * stride


def test_side_follows_the_free_memory() -> None:
    encoder, layers = encoder_of("max").float(), VGG.style_layers
    need = kept_bytes(encoder, layers) * 1000 * 1000
    assert tile_side(encoder, layers, (1000, 1000), None) == 0
    assert tile_side(encoder, layers, (1000, 1000), int(4 * need)) == 0
    sides = [tile_side(encoder, layers, (4000, 4000), int(f * need)) for f in (0.01, 4, 40)]
    assert sides[0] == LEAST_SIDE < sides[1] <= sides[2] <= MOST_SIDE
    # A tile with its margin, half as long again as most, uses no more than its share.
    assert kept_bytes(encoder, layers) * (1.5 * sides[1]) ** 2 < 4 * need


def test_kept_bytes_are_those_of_the_maps() -> None:
    """One convolution and ReLU of 4 channels in float32: its input, and its result once."""
    kept = kept_bytes(VggEncoder(thin_weights()), ["relu1_1"])
    assert 3 * 4 + 4 * 4 <= kept <= 2 * (3 * 4 + 4 * 4)
