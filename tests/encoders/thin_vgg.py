"""Small inputs that several encoder tests share."""

import io

import torch
from torch import Tensor

STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
INDICES = {
    16: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    19: (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}
BLOCK_OF = {
    16: (1, 1, 2, 2, *[3] * 3, *[4] * 3, *[5] * 3),
    19: (1, 1, 2, 2, *[3] * 4, *[4] * 4, *[5] * 4),
}
THIN = (4, 5, 6, 7, 8)


def random_image(height: int = 48, width: int = 64, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def thin_weights(depth: int = 19, stop: int = 13, seed: int = 0) -> dict[str, Tensor]:
    """The first `stop` convolutions of a VGG with THIN channels, random."""
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    channels = 3
    for index, block in list(zip(INDICES[depth], BLOCK_OF[depth], strict=True))[:stop]:
        out = THIN[block - 1]
        weights[f"features.{index}.weight"] = (
            torch.randn(out, channels, 3, 3, generator=generator) * (2 / (9 * channels)) ** 0.5
        )
        weights[f"features.{index}.bias"] = 0.1 * torch.randn(out, generator=generator)
        channels = out
    return weights


def checkpoint(weights: dict[str, Tensor]) -> bytes:
    """As torchvision publishes it: the convolutions, then a classifier, here a tiny one."""
    classifier = {f"classifier.{index}.weight": torch.ones(2) for index in (0, 3, 6)}
    file = io.BytesIO()
    torch.save(weights | classifier, file)
    return file.getvalue()
