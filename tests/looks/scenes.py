"""Small pictures that tests of looks are made on."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photostyle.color.terms import COUNT, HEIGHT
from photostyle.images.picture import Metadata, Photo


def picture(seed: int = 0, size: tuple[int, int] = (72, 96)) -> Tensor:
    """Soft shapes with a little grain, 1×3×H×W."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 12, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
    rough = torch.rand(1, 3, *size, generator=generator)
    return 0.1 + 0.8 * (0.9 * smooth + 0.1 * rough)


def photo(image: Tensor, name: str = "picture.png") -> Photo:
    return Photo(image, Metadata(), Path(name), f"{float(image.double().sum()):.9f}")


def gentle(seed: int = 0) -> Tensor:
    """A map near the identity, with all terms of colour up to squares and of height."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.zeros(COUNT, 3)
    used = [*range(10), *HEIGHT]
    found[used] = 0.05 * torch.randn(len(used), 3, generator=generator)
    found[1:4] += 0.7 * torch.eye(3)
    found[0] += 0.15
    return found


def turned(seed: int = 0) -> torch.Tensor:
    """A map that changes red and blue about, not near the identity."""
    found = torch.zeros(COUNT, 3)
    found[1:4] = 0.8 * torch.eye(3).roll(seed + 1, 0)
    found[0] = 0.1
    return found


def by_definition(coefficients: Tensor, image: Tensor) -> np.ndarray:
    """H×W×3 of 1×3×H×W under a map without terms across the picture, not clamped."""
    r, g, b = image[0].double().numpy()
    height, width = r.shape
    y = np.broadcast_to(((np.arange(height) + 0.5) / height - 0.5)[:, None], (height, width))
    one = np.ones_like(r)
    colors = [one, r, g, b, r * r, r * g, r * b, g * g, g * b, b * b]
    used = coefficients.double().numpy()
    assert not used[10:20].any()
    assert not used[25:].any()
    terms = np.stack([*colors, y, y * r, y * g, y * b, y * y], axis=-1)
    return terms @ np.concatenate([used[:10], used[20:25]])
