"""The encoder that needs no download: oriented energies of an opponent-colour pyramid.

Nothing in it is learned or random. Five levels, an octave apart, stand in for VGG's five blocks
and carry their names. What level i publishes, in this order:

1. colour: luminance and two chroma axes at that resolution, each as a positive and a negative half;
2. structure: responses of complex (quadrature) filters in four orientations; for luminance
   the positive and negative halves of the real and the imaginary part, at level 1 their modulus
   only; for chroma the modulus;
3. context: the moduli of all finer levels, brought down to this one;
4. second order: the moduli of the same filters on the finer level's luminance moduli, which tell
   a stroke from a stipple of equal energy.

References: Simoncelli, Freeman 1995, "The steerable pyramid" · Portilla, Simoncelli 2000, "A
parametric texture model based on joint statistics of complex wavelet coefficients" · Bruna,
Mallat 2013, "Invariant scattering convolution networks" (arXiv 1203.1513).
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.encoders.base import Encoder

# The blocks of VGG-19, so that configurations written for it name layers that are here.
BLOCKS = (2, 2, 4, 4, 4)
ORIENTATIONS = 4
KERNEL = 5
FREQUENCY = 1.5  # radians per pixel: above half of Nyquist, the octave that the level below lacks
BANDWIDTH = 1.2  # pixels, deviation of the Gaussian window along the wave
ELONGATION = 0.7  # of the window across the wave: its deviation is BANDWIDTH / ELONGATION

# Luminance, red-green, blue-yellow; the factors bring each half near 1 (root mean square) on
# photographs, where chroma varies far less than luminance.
OPPONENT = ((1 / 3, 1 / 3, 1 / 3), (1 / 2, -1 / 2, 0.0), (1 / 4, 1 / 4, -1 / 2))
COLOUR_GAINS = (4.0, 12.0, 12.0)
# Likewise for the moduli of luminance, of chroma and of the finer level's moduli.
LUMINANCE_GAIN, CHROMA_GAIN, SECOND_GAIN = 6.0, 15.0, 2.0

# Rounds off the kink of |x| at 0, in units of a typical response.
SOFTNESS = 0.25

# Binomial: no ringing, and the weights of even and of odd taps are equal, so that shifting the
# picture by a pixel does not change a coarse level's mean.
BLUR = (1.0, 5.0, 10.0, 10.0, 5.0, 1.0)


class BankEncoder(Encoder):
    """An analytic filter bank under VGG-19's layer names.

    `conv{i}_{j}` and `relu{i}_{j}` are, for every j, the same map of level i: 2^(i-1) times
    smaller than the picture, rounded down, as VGG's. Every channel is smooth in the picture; all
    but those of colour are 0 on a constant one. No channel is bounded, typical values are near 1.
    """

    opponent: Tensor
    offset: Tensor
    blur: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.name = "builtin"
        self.layer_names = tuple(
            f"{kind}{block}_{position}"
            for block, count in enumerate(BLOCKS, start=1)
            for position in range(1, count + 1)
            for kind in ("conv", "relu")
        )
        opponent = torch.tensor(OPPONENT) * torch.tensor(COLOUR_GAINS)[:, None]
        self.register_buffer("opponent", opponent[:, :, None, None])  # 3×3 -> 3×3×1×1
        # Mid-grey is 0.
        self.register_buffer("offset", -opponent.sum(1) / 2)
        taps = torch.tensor(BLUR) / sum(BLUR)
        self.register_buffer("blur", torch.outer(taps, taps)[None, None])  # 6×6 -> 1×1×6×6
        colour_gains = (LUMINANCE_GAIN, CHROMA_GAIN, CHROMA_GAIN)
        first = [gain / own for gain, own in zip(colour_gains, COLOUR_GAINS, strict=True)]
        self.register_buffer("first_filters", _filter_weights(first))
        deeper = first + ORIENTATIONS * [SECOND_GAIN]
        self.register_buffer("deeper_filters", _filter_weights(deeper))
        self._freeze()

    def least_side(self, layer: str) -> int:
        """See `Encoder.least_side`; reflection by two pixels needs a map of three."""
        return 3 * 2 ** (int(layer[4]) - 1)

    def _taps(self, image: Tensor, wanted: frozenset[str], deepest: str) -> dict[str, Tensor]:
        taps: dict[str, Tensor] = {}
        colour = F.conv2d(image, self.opponent, self.offset)
        finer: Tensor | None = None  # moduli of all finer levels at this level's size
        for level in range(1, int(deepest[4]) + 1):
            features, moduli = self._level(colour, finer)
            taps |= {layer: features for layer in wanted if int(layer[4]) == level}
            if level < int(deepest[4]):
                colour = self._coarser(colour)
                finer = self._coarser(moduli)
        return taps

    def _level(self, colour: Tensor, finer: Tensor | None) -> tuple[Tensor, Tensor]:
        """The published map, and the moduli that the next level builds on, nearest level first."""
        real, imaginary = self._responses(colour, finer)
        moduli = _modulus(real, imaginary)
        first = moduli[:, : 3 * ORIENTATIONS]
        if finer is None:
            return torch.cat([_halves(colour), first], 1), first
        luminance = torch.cat([real[:, :ORIENTATIONS], imaginary[:, :ORIENTATIONS]], 1)
        rest = moduli[:, ORIENTATIONS:]  # chroma and second order
        features = torch.cat([_halves(colour), _halves(luminance), rest, finer], 1)
        return features, torch.cat([first, finer], 1)

    def _responses(self, colour: Tensor, finer: Tensor | None) -> tuple[Tensor, Tensor]:
        """Real and imaginary responses: orientations of luminance, chroma, finer moduli."""
        if finer is None:
            sources, weights = colour, self.first_filters
        else:
            sources = torch.cat([colour, finer[:, :ORIENTATIONS]], 1)
            weights = self.deeper_filters
        responses = F.conv2d(_reflect(sources, KERNEL // 2), cast(Tensor, weights))
        real, imaginary = responses.chunk(2, dim=1)
        return real, imaginary

    def _coarser(self, maps: Tensor) -> Tensor:
        """Half the size, rounded down, without aliasing."""
        channels = maps.shape[1]
        weights = self.blur.expand(channels, 1, -1, -1)
        return F.conv2d(_reflect(maps, 2), weights, stride=2, groups=channels)


def quadrature_filters() -> Tensor:
    """The filters, 2×ORIENTATIONS×KERNEL×KERNEL float32: real (even) and imaginary (odd) parts.

    Orientation k has its wave along the angle π·k/ORIENTATIONS, from x towards -y (counter-
    clockwise as seen). Morlet wavelets: the even part is made to sum to 0 as the odd one does by
    itself, each filter's mean square over both parts is 1.
    """
    radius = KERNEL // 2
    axis = torch.arange(-radius, radius + 1, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    filters = []
    for k in range(ORIENTATIONS):
        angle = math.pi * k / ORIENTATIONS
        along = x * math.cos(angle) - y * math.sin(angle)
        across = x * math.sin(angle) + y * math.cos(angle)
        window = (-(along**2 + (ELONGATION * across) ** 2) / (2 * BANDWIDTH**2)).exp()
        even = window * (FREQUENCY * along).cos()
        even = even - window * (even.sum() / window.sum())
        odd = window * (FREQUENCY * along).sin()
        pair = torch.stack([even, odd])
        filters.append(pair / (pair.square().sum() / 2).sqrt())
    return torch.stack(filters, 1).float()


def _filter_weights(gains: list[float]) -> Tensor:
    """One dense convolution that filters each input channel apart, scaled by its gain.

    (2·n·ORIENTATIONS)×n×KERNEL×KERNEL for n gains; mostly zeros, and yet faster than n small ones.
    """
    sources = torch.diag(torch.tensor(gains))
    weights = torch.einsum("pkyx,st->psktyx", quadrature_filters(), sources)
    return weights.flatten(0, 2)  # 2×n×K×n×y×x -> (2·n·K)×n×y×x


def _modulus(real: Tensor, imaginary: Tensor) -> Tensor:
    """|real + i·imaginary|, smooth and 0 at 0."""
    return (real.square() + imaginary.square() + SOFTNESS**2).sqrt() - SOFTNESS


def _halves(signed: Tensor) -> Tensor:
    """max(x, 0) of all channels, then max(-x, 0), both smooth and 0 at 0."""
    modulus = (signed.square() + SOFTNESS**2).sqrt() - SOFTNESS
    return torch.cat([modulus + signed, modulus - signed], 1) / 2


def _reflect(maps: Tensor, width: int) -> Tensor:
    return F.pad(maps, (width, width, width, width), mode="reflect")
