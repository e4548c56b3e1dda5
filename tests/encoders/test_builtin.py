"""The filter bank against its formula, finite differences and its symmetries."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from photostyle.encoders import builtin
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder
from tests.encoders.thin_vgg import STYLE_LAYERS, random_image, thin_weights


@pytest.fixture(scope="module")
def bank() -> BankEncoder:
    return BankEncoder().double()


def test_gradient_against_finite_differences(bank: BankEncoder) -> None:
    image = random_image(50, 53).double().requires_grad_()
    layers = ["relu1_1", "relu2_1", "relu3_1", "relu5_1"]
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        maps = bank(image, layers)
    pull = {k: torch.randn(v.shape, generator=generator).double() for k, v in maps.items()}

    def energy(x: Tensor) -> Tensor:
        taps = bank(x, layers)
        return torch.stack([(pull[k] * taps[k]).sum() for k in layers]).sum()

    (gradient,) = torch.autograd.grad(energy(image), image)
    for seed in range(5):
        direction = random_image(50, 53, seed=10 + seed).double() - 0.5
        step = 1e-5 * direction
        with torch.no_grad():
            slope = (energy(image + step) - energy(image - step)) / 2e-5
        # Central differences: h² times the third derivative (1e-9) and rounding (1e-10).
        torch.testing.assert_close(slope, (gradient * direction).sum(), rtol=1e-6, atol=1e-6)


def test_gradient_is_bounded_on_a_flat_picture(bank: BankEncoder) -> None:
    image = torch.full((1, 3, 48, 48), 0.5, dtype=torch.float64, requires_grad=True)
    total = torch.stack([tap.sum() for tap in bank(image, STYLE_LAYERS).values()]).sum()
    (gradient,) = torch.autograd.grad(total, image)
    assert gradient.isfinite().all()


def test_filters_against_the_formula() -> None:
    even, odd = builtin.quadrature_filters().double().numpy()
    np.testing.assert_allclose(even.sum((1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(odd.sum((1, 2)), 0, atol=1e-6)
    # Orientation 0 is a wave along x: even in x and y, odd in x.
    np.testing.assert_allclose(even[0], even[0][::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(odd[0], -odd[0][:, ::-1], atol=1e-6)
    # A plane wave at the filters' frequency answers most in its own orientation.
    y, x = np.mgrid[-2:3, -2:3]
    for k in range(builtin.ORIENTATIONS):
        angle = np.pi * k / builtin.ORIENTATIONS
        phase = builtin.FREQUENCY * (x * np.cos(angle) - y * np.sin(angle))
        answers = np.abs(np.einsum("kyx,yx->k", even + 1j * odd, np.exp(-1j * phase)))
        assert answers.argmax() == k
        assert answers[k] > 3 * np.abs(np.delete(answers, k)).min()


def test_first_level_against_direct_sums(bank: BankEncoder) -> None:
    """Colour halves and luminance moduli at one inner pixel, summed by hand in NumPy."""
    image = random_image(16, 16).double()
    tap = bank(image, ["relu1_1"])["relu1_1"][0, :, 7, 9].numpy()
    pixels = image[0].numpy()
    luminance = pixels.mean(0) - 0.5
    soft = builtin.SOFTNESS
    gain = builtin.COLOUR_GAINS[0] * luminance[7, 9]
    assert tap[0] == pytest.approx(np.hypot(gain, soft) - soft + gain, abs=1e-6)
    assert tap[3] == pytest.approx(np.hypot(gain, soft) - soft - gain, abs=1e-6)
    even, odd = builtin.LUMINANCE_GAIN * builtin.quadrature_filters().double().numpy()
    patch = luminance[5:10, 7:12]
    real, imaginary = (even * patch).sum((1, 2)), (odd * patch).sum((1, 2))
    moduli = np.sqrt(real**2 + imaginary**2 + soft**2) - soft
    np.testing.assert_allclose(tap[6:10], moduli, atol=1e-5)


def test_quarter_turn_permutes_orientations(bank: BankEncoder) -> None:
    image = random_image(64, 64).double()
    turned = torch.rot90(image, 1, (2, 3))
    for layer in STYLE_LAYERS:
        energies = [bank(x, [layer])[layer].mean((0, 2, 3)) for x in (image, turned)]
        # Every channel moves, as a whole, to another: sorted means stay.
        torch.testing.assert_close(energies[0].sort()[0], energies[1].sort()[0], rtol=0, atol=1e-9)
    before, after = (bank(x, ["relu1_1"])["relu1_1"] for x in (image, turned))
    torch.testing.assert_close(
        torch.rot90(before[:, 6:10], 1, (2, 3)), after[:, [8, 9, 6, 7]], rtol=0, atol=1e-9
    )


def test_constant_picture_has_colour_only(bank: BankEncoder) -> None:
    image = torch.tensor([0.9, 0.2, 0.4]).double().view(1, 3, 1, 1).expand(1, 3, 96, 80)
    for tap in bank(image, STYLE_LAYERS).values():
        assert tap[:, :6].amax() > 0.1
        assert tap[:, 6:].abs().max() < 1e-6
        assert tap.var((2, 3)).max() < 1e-12  # and borders look like the middle


def test_shifts_with_the_picture(bank: BankEncoder) -> None:
    image = random_image(64, 272).double()
    here, there = (bank(image[..., start : start + 256], STYLE_LAYERS) for start in (0, 16))
    edge = 6  # cells that a border can reach: 79 pixels at level 5, and less than 5 cells above
    for level, layer in enumerate(STYLE_LAYERS):
        cells = 16 >> level
        moved = here[layer][..., cells + edge : -edge]
        still = there[layer][..., edge : -cells - edge]
        assert moved.numel() > 0
        torch.testing.assert_close(moved, still, rtol=0, atol=1e-9)


def test_sizes_are_those_of_vgg() -> None:
    image = random_image(101, 67)
    vgg = VggEncoder(thin_weights())(image, STYLE_LAYERS)
    for layer, tap in BankEncoder()(image, STYLE_LAYERS).items():
        assert tap.shape[2:] == vgg[layer].shape[2:]


def test_magnitudes_are_comparable_on_photographs(shared: Path) -> None:
    with Image.open(shared / "dpst" / "content" / "21.png") as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB").reduce(2)))
    image = (pixels.float() / 255).permute(2, 0, 1)[None]  # H×W×3 -> 1×3×H×W
    for tap in BankEncoder()(image, STYLE_LAYERS).values():
        assert 0.3 < tap.square().mean().sqrt() < 2


def test_second_order_tells_texture_of_equal_energy(bank: BankEncoder) -> None:
    """Fine stripes all over, and the same within bands: only depth sees the bands apart."""
    x = torch.arange(96, dtype=torch.float64)
    stripes = torch.sin(builtin.FREQUENCY * x).expand(96, 96)
    bands = (torch.sin(builtin.FREQUENCY / 2 * x) > 0).double()[:, None] * 2**0.5
    maps = []
    for pattern in (stripes, bands * stripes):
        image = (0.5 + 0.2 * pattern).expand(1, 3, 96, 96)
        maps.append(bank(image, ["relu2_1"])["relu2_1"][:, :, 8:-8, 8:-8].mean((0, 2, 3)))
    second = slice(6 + 16 + 4, 6 + 16 + 4 + 16)
    assert maps[1][second].max() > 5 * maps[0][second].max()


def test_all_names_of_vgg19_and_one_map_a_level() -> None:
    encoder = BankEncoder()
    layers = ["conv4_2", "relu4_1", "relu4_4"]
    taps = encoder(random_image(), layers)
    assert taps["conv4_2"] is taps["relu4_1"] is taps["relu4_4"]
    assert len(encoder.layer_names) == 32


def test_checkerboard_of_pixels_is_seen(bank: BankEncoder) -> None:
    """In every colour: what no channel answers, an optimiser fills with dots."""
    signs = torch.ones(32, 32, dtype=torch.float64)
    signs[::2, ::2] = signs[1::2, 1::2] = -1
    flat = torch.full((1, 3, 32, 32), 0.5, dtype=torch.float64)
    for axis in ([1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [0.5, 0.5, -1.0]):
        dots = flat + 0.02 * torch.tensor(axis).double().view(1, 3, 1, 1) * signs
        energies = bank(dots, ["relu1_1"])["relu1_1"][:, 14:].amax()
        assert energies > 0.1


@pytest.mark.parametrize(("layers", "levels"), [(["relu1_2"], 1), (["relu3_1", "conv1_1"], 3)])
def test_computes_no_deeper_than_asked(
    monkeypatch: pytest.MonkeyPatch, layers: list[str], levels: int
) -> None:
    encoder = BankEncoder()
    sizes: list[int] = []
    level = encoder._level
    monkeypatch.setattr(encoder, "_level", lambda *maps: sizes.append(len(maps)) or level(*maps))
    encoder(random_image(), layers)
    assert len(sizes) == levels
