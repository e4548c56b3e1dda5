"""The training script of small encoders, and the textures that it makes."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.encoders.weights import load_encoder

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))

import textures  # noqa: E402
import train_encoder  # noqa: E402

WIDTHS = (4, 5, 6, 7, 8)


@pytest.fixture(scope="module")
def pictures() -> train_encoder.Pictures:
    return train_encoder.Pictures(9, seed=0)


def trained(pictures: train_encoder.Pictures, steps: int = 3) -> train_encoder.Network:
    """A thin network after a few steps, so that its normalisation is not the trivial one."""
    torch.manual_seed(0)
    network = train_encoder.Network(WIDTHS, len(pictures.textures))
    optimizer = torch.optim.SGD(network.parameters(), 0.05)
    for _ in range(steps):
        value, shares = train_encoder.loss(network, pictures.batch(4))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert all(0 <= share <= 1 for share in shares[:-1])
    return network


@pytest.mark.parametrize("family", sorted(textures.FAMILIES))
def test_textures_come_from_the_seed_alone(family: str) -> None:
    make = textures.FAMILIES[family][0]
    first, again, other = (make(np.random.default_rng(seed), 64) for seed in (5, 5, 6))
    assert np.isfinite(first).all()
    assert first.shape[:2] == (64, 64)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_textures_are_pictures() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        made = textures.texture(rng, 48)
        assert made.shape == (48, 48, 3)
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1


def test_pictures_know_where_each_texture_is(pictures: train_encoder.Pictures) -> None:
    image, numbers, light = pictures.batch(16)
    side = train_encoder.CROP
    assert image.shape == (16, 3, side, side)
    assert light.shape == (16, 1, side, side)
    assert 0 <= image.min() < image.max() <= 1
    assert 0 <= numbers.min() < numbers.max() < len(pictures.textures)
    assert 1 <= max(len(n.unique()) for n in numbers) <= 3
    target, pure = train_encoder._cells(numbers)
    assert target.shape == pure.shape == (16, side // 16, side // 16)
    whole = torch.stack([torch.full_like(numbers[0], 7)] * 2)
    target, pure = train_encoder._cells(whole)
    assert pure.all()
    assert (target == 7).all()


def test_noise_falls_with_frequency_as_asked() -> None:
    """Amplitude 1/f²: the power at 1/32 and at 1/4 of a cycle a pixel lies 8⁴ apart."""
    size, powers = 256, []
    for seed in range(4):
        field = textures.noise(np.random.default_rng(seed), size, 2.0)
        y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
        window = np.outer(np.hanning(size), np.hanning(size))
        spectrum = np.abs(np.fft.fft2((field - field.mean()) * window)) ** 2
        radius = np.hypot(x, y)
        powers.append([spectrum[np.abs(radius - f) < 0.1 * f].mean() for f in (1 / 32, 1 / 4)])
    low, high = np.mean(powers, 0)
    assert 3 < np.log(low / high) / np.log(8) < 4.5  # clipping to percentiles adds a little


def test_exported_file_is_the_network(pictures: train_encoder.Pictures, tmp_path: Path) -> None:
    """Folded normalisation changes no channel but by a factor; float16 weights, 13 layers."""
    network = trained(pictures)
    path = tmp_path / "thin.safetensors"
    train_encoder.export(network, pictures, path)
    encoder, _ = load_encoder(str(path))
    image = pictures.batch(2)[0]
    network.eval()
    with torch.no_grad():
        maps = network(image)
        found = encoder(image, [f"relu{tap}" for tap in train_encoder.TAPS])
    for tap in train_encoder.TAPS:
        assert_proportional(found[f"relu{tap}"], maps[tap])


def assert_proportional(first: Tensor, second: Tensor) -> None:
    rows = [x.transpose(0, 1).flatten(1) for x in (first, second)]  # N×C×h×w -> C×N·h·w
    for a, b in zip(*rows, strict=True):
        factor = (a @ b) / (b @ b).clamp(min=1e-12)
        error = (a - factor * b).norm() / a.norm().clamp(min=1e-6)
        assert error < 0.02  # float16 has three digits, thirteen layers add up


def test_every_filter_of_the_file_is_as_loud(
    pictures: train_encoder.Pictures, tmp_path: Path
) -> None:
    path = tmp_path / "thin.safetensors"
    train_encoder.export(trained(pictures, 8), pictures, path)
    encoder, _ = load_encoder(str(path))
    tap = encoder(torch.cat([pictures.batch(64)[0] for _ in range(2)]), ["relu2_1"])["relu2_1"]
    sizes = tap.square().mean((0, 2, 3)).sqrt()
    assert sizes.min() > 0.5
    assert sizes.max() < 2
