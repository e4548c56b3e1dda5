"""The analytic transform against a matrix of its own making, and its inverse."""

import numpy as np
import pytest
import torch

from photostyle.universal.wavelets import WaveletPackets

SIZES = [(1, 1), (7, 3), (33, 50), (67, 93), (64, 64)]


def picture(size: tuple[int, int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", range(5))
def test_the_inverse_gives_the_picture_back(levels: int, size: tuple[int, int]) -> None:
    packets, image = WaveletPackets(levels), picture(size)
    latents = packets.encode(image)
    assert latents.maps.shape[1] == 3 * 4**levels
    back = packets.decode(latents)
    assert back.shape == image.shape
    assert (back - image).abs().max() <= 1e-6


def test_it_is_a_rotation() -> None:
    """All 4·4·3 unit pictures give vectors of length 1, square to each other."""
    packets = WaveletPackets(2)
    units = torch.eye(48, dtype=torch.float64).reshape(48, 3, 4, 4)
    matrix = packets.encode(units).maps.reshape(48, 48)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(48), atol=1e-14)


def test_the_low_band_is_the_picture_at_a_small_size() -> None:
    image = picture((16, 24), torch.float64)
    low = WaveletPackets(2).encode(image).maps[:, :3] / 4
    small = torch.nn.functional.avg_pool2d(image, 4)
    brightness = small.sum(dim=1) / np.sqrt(3)
    np.testing.assert_allclose(low[:, 0], brightness, atol=1e-14)
    np.testing.assert_allclose(low[:, 1], (small[:, 0] - small[:, 2]) / np.sqrt(2), atol=1e-14)


def test_a_grey_picture_has_brightness_alone_and_an_even_one_the_low_band_alone() -> None:
    grey = picture((8, 8)).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    maps = WaveletPackets(1).encode(grey).maps.unflatten(1, (4, 3))
    assert maps[:, :, 1:].abs().max() < 1e-6
    even = torch.full((1, 3, 9, 7), 0.25)
    assert WaveletPackets(3).encode(even).maps[:, 3:].abs().max() < 1e-6


def test_masks_are_shares_of_the_positions() -> None:
    latents = WaveletPackets(2).encode(picture((9, 10)))
    left = torch.zeros(9, 10)
    left[:, :6] = 1
    shares = latents.masks(torch.stack([left, 1 - left]))
    assert shares.shape == (2, 3, 3)
    np.testing.assert_allclose(shares[0, 0], [1, 0.5, 0])
    np.testing.assert_allclose(shares.sum(dim=0), np.ones((3, 3)))
