"""The analytic transform: orthonormal wavelet packets, exactly invertible, without weights.

Colours are turned to brightness and two differences, which is a rotation. Each level then puts the
four pixels of every 2×2 block into channels (pixel shuffle) and turns these by Haar's orthonormal
4×4 matrix into their mean, the two slopes and the diagonal; as packets, all channels are split
again. So L levels make 3·4^L channels of a 2^L times smaller map, of which the first three are the
picture itself, smaller. Haar 1910; Coifman, Meyer, Quake and Wickerhauser 1990, packets; Yoo et
al. 2019 ("Photorealistic Style Transfer via Wavelet Transforms", WCT2), for style in the low bands.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.images.picture import image_size
from photostyle.universal.latents import Latents, cut, padded, parted

#: Rows: mean, slope across, slope down, diagonal, of the pixels (0, 0), (0, 1), (1, 0), (1, 1).
HAAR = (
    (0.5, 0.5, 0.5, 0.5),
    (0.5, -0.5, 0.5, -0.5),
    (0.5, 0.5, -0.5, -0.5),
    (0.5, -0.5, -0.5, 0.5),
)
#: Rows: brightness, red against blue, green against both; each of length 1 and square to the rest.
OPPONENT = ((3**-0.5,) * 3, (2**-0.5, 0.0, -(2**-0.5)), (-(6**-0.5), 2 * 6**-0.5, -(6**-0.5)))


class WaveletPackets:
    """The transform of a number of levels.

    Args:
        levels: from 0; maps are 2^levels times smaller than the picture.
    """

    linear = True

    def __init__(self, levels: int) -> None:
        self.levels = levels

    def encode(self, image: Tensor) -> Latents:
        """See `Transform`; N×3·4^L×h×w, the three of the low band first."""
        maps = _turned(padded(image, 2**self.levels), OPPONENT)
        for _ in range(self.levels):
            maps = _turned(_phases(maps), HAAR)
        return Latents(maps, image_size(image), 2**self.levels)

    def decode(self, latents: Latents) -> Tensor:
        """See `Transform`; each rotation is undone by its transpose."""
        maps = latents.maps
        for _ in range(self.levels):
            maps = _merged(_turned(maps, tuple(zip(*HAAR, strict=True))))
        return cut(_turned(maps, tuple(zip(*OPPONENT, strict=True))), latents.size)


def _turned(maps: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The maps' n blocks of channels, mixed by an n×n matrix: block k of the result is
    Σ_j matrix[k][j] · block j."""
    rows = maps.new_tensor(matrix)
    blocks = parted(maps, 1, (len(matrix), -1))  # N×n×c×h×w
    return torch.einsum("kj,njchw->nkchw", rows, blocks).flatten(1, 2)


def _phases(maps: Tensor) -> Tensor:
    """N×C×H×W as N×4C×H/2×W/2: each of the four pixels of 2×2 blocks as C channels."""
    count = maps.shape[1]
    split = parted(F.pixel_unshuffle(maps, 2), 1, (count, 4))  # N×C×4×h×w
    return split.transpose(1, 2).flatten(1, 2)


def _merged(maps: Tensor) -> Tensor:
    """What `_phases` undoes."""
    split = parted(maps, 1, (4, -1)).transpose(1, 2).flatten(1, 2)
    return F.pixel_shuffle(split, 2)
