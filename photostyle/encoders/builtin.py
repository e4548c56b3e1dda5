"""The encoder that needs no download: oriented energies of an opponent-colour pyramid.

Nothing in it is learned or random. Five levels, an octave apart, stand in for VGG's five blocks
and carry their names. What level i publishes, in this order:

1. colour: luminance and two chroma axes at that resolution, each as a positive and a negative half;
2. structure: responses of complex (quadrature) filters; for luminance, in four orientations,
   the positive and negative halves of the real and the imaginary part, at level 1 their modulus
   only; for chroma, in two orientations, the modulus; at level 1 also what lies beyond the
   filters, up to the checkerboard of single pixels: left free, an optimiser fills it with dots;
3. context: the moduli of all finer levels, brought down to this one;
4. second order: the moduli of the same filters on the finer level's luminance moduli, which tell
   a stroke from a stipple of equal energy.

References: Simoncelli, Freeman 1995, "The steerable pyramid" · Portilla, Simoncelli 2000, "A
parametric texture model based on joint statistics of complex wavelet coefficients" · Bruna,
Mallat 2013, "Invariant scattering convolution networks" (arXiv 1203.1513).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from photostyle.encoders.base import Encoder
from photostyle.runtime.device import constant

# The blocks of VGG-19, so that configurations written for it name layers that are here.
BLOCKS = (2, 2, 4, 4, 4)
ORIENTATIONS = 4
KERNEL = 5
FREQUENCY = 1.5  # radians per pixel: about half of Nyquist, in the octave that coarser levels lack
BANDWIDTH = 1.2  # pixels, deviation of the Gaussian window along the wave
ELONGATION = 0.7  # of the window across the wave: its deviation is BANDWIDTH / ELONGATION

# Luminance, red-green, yellow-blue; the gains bring the root mean square of each kind of channel
# near 1 on photographs, where chroma varies far less than luminance.
OPPONENT = ((1 / 3, 1 / 3, 1 / 3), (1 / 2, -1 / 2, 0.0), (1 / 4, 1 / 4, -1 / 2))
COLOUR_GAINS = (2.0, 6.0, 6.0)
# Likewise for the filters on luminance, on chroma and on the finer level's moduli.
LUMINANCE_GAIN, CHROMA_GAIN, SECOND_GAIN = 6.0, 15.0, 2.0
RESIDUAL_GAINS = (20.0, 50.0, 50.0)

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

    # Measured on photographs after the colour start: its Gram matrices are three times as far from
    # their targets as VGG's, and its content map prints its own lattice on flat skies when it
    # weighs as much as VGG's.
    style_unit = 3.0
    content_unit = 5.0

    opponent: Tensor
    offset: Tensor
    blur: Tensor
    residual_filters: Tensor
    luminance_filters: Tensor
    chroma_filters: Tensor
    second_filters: Tensor

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
        self.register_buffer("opponent", opponent)
        # Mid-grey is 0.
        self.register_buffer("offset", -opponent.sum(1) / 2)
        taps = torch.tensor(BLUR) / sum(BLUR)
        self.register_buffer("blur", torch.outer(taps, taps)[None, None])  # 6×6 -> 1×1×6×6
        gains = torch.tensor(RESIDUAL_GAINS) / torch.tensor(COLOUR_GAINS)
        residual = torch.diag(gains)[:, :, None, None] * residual_filter()  # 3×3×5×5
        self.register_buffer("residual_filters", residual)
        luminance, chroma = LUMINANCE_GAIN / COLOUR_GAINS[0], CHROMA_GAIN / COLOUR_GAINS[1]
        every = range(ORIENTATIONS)
        upright = range(0, ORIENTATIONS, ORIENTATIONS // 2)
        self.register_buffer("luminance_filters", _filter_weights([luminance], every))
        self.register_buffer("chroma_filters", _filter_weights(2 * [chroma], upright))
        self.register_buffer("second_filters", _filter_weights(ORIENTATIONS * [SECOND_GAIN], every))
        self._freeze()

    def least_side(self, layer: str) -> int:
        """See `Encoder.least_side`; reflection by two pixels needs a map of three."""
        return 3 << (int(layer[4]) - 1)

    def reach(self, layer: str) -> int:
        """See `Encoder.reach`: two positions of its own level for its filters, and before them what
        the blurs and filters of all finer levels add up to."""
        return 5 * self.stride(layer) - 2

    def _taps(self, image: Tensor, wanted: frozenset[str], deepest: str) -> dict[str, Tensor]:
        taps: dict[str, Tensor] = {}
        colour = F.linear(image.permute(0, 2, 3, 1), self.opponent, self.offset)
        colour = colour.permute(0, 3, 1, 2)  # N×H×W×3 -> N×3×H×W, channels-last
        finer: Tensor | None = None  # moduli of all finer levels at this level's size
        for level in range(1, int(deepest[4]) + 1):
            framed = _reflect(colour)
            features, moduli = self._level(colour, framed, finer)
            taps |= {layer: features for layer in wanted if int(layer[4]) == level}
            if level < int(deepest[4]):
                colour = self._coarser(framed)
                finer = self._coarser(_reflect(moduli))
        return taps

    def _level(self, colour: Tensor, framed: Tensor, finer: Tensor | None) -> tuple[Tensor, Tensor]:
        """The published map, and the moduli that the next level builds on, nearest level first."""
        luminance = F.conv2d(framed[:, :1], self.luminance_filters)
        chroma = _modulus(F.conv2d(framed[:, 1:], self.chroma_filters))
        moduli = torch.cat([_modulus(luminance), chroma], 1)
        if finer is None:
            residual = _magnitude(F.conv2d(framed, self.residual_filters))
            return torch.cat([*_halves(colour), moduli, residual], 1), moduli
        second = _modulus(F.conv2d(_reflect(finer[:, :ORIENTATIONS]), self.second_filters))
        features = torch.cat([*_halves(colour), *_halves(luminance), chroma, second, finer], 1)
        return features, torch.cat([moduli, finer], 1)

    def _coarser(self, framed: Tensor) -> Tensor:
        """Half the size, rounded down, without aliasing."""
        channels = framed.shape[1]
        weights = self.blur.expand(channels, 1, -1, -1)
        return F.conv2d(framed, weights, stride=2, groups=channels)


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


def residual_filter() -> Tensor:
    """KERNEL×KERNEL float32, 1 at every multiple of Nyquist's frequency along either axis.

    (1 - b)², b the 3×3 binomial: 0.2 where the oriented filters answer most, 0 for a constant.
    """
    taps = torch.tensor([1.0, 2.0, 1.0]) / 4
    once = -torch.outer(taps, taps)
    once[1, 1] += 1
    return F.conv2d(once[None, None], once[None, None], padding=2)[0, 0]


def _filter_weights(gains: Sequence[float], orientations: Sequence[int]) -> Tensor:
    """One convolution that filters each of n inputs apart, each scaled by its gain.

    (2·n·K)×n×KERNEL×KERNEL for K orientations: all real parts, then all imaginary ones. Dense,
    mostly zeros, and yet faster than a grouped convolution.
    """
    filters = quadrature_filters()[:, list(orientations)]
    weights = torch.einsum("pkyx,st->psktyx", filters, torch.diag(torch.tensor(gains)))
    return weights.flatten(0, 2)  # 2×n×K×n×y×x -> (2·n·K)×n×y×x


class _Modulus(torch.autograd.Function):
    """√(real² + imaginary² + SOFTNESS²) - SOFTNESS; by hand, which halves its cost."""

    @staticmethod
    def forward(ctx: Any, responses: Tensor) -> Tensor:
        real, imaginary = responses.chunk(2, 1)
        root = (real * real).addcmul_(imaginary, imaginary).add_(SOFTNESS**2).sqrt_()
        ctx.save_for_backward(responses, root)
        return root - SOFTNESS

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        responses, root = ctx.saved_tensors
        slope = gradient / root
        result = torch.empty_like(responses)
        for half, response in zip(result.chunk(2, 1), responses.chunk(2, 1), strict=True):
            torch.mul(slope, response, out=half)
        return result


def _modulus(responses: Tensor) -> Tensor:
    """|real + i·imaginary| of N×2C×h×w, real parts first, to N×C×h×w; smooth, and 0 at 0."""
    return cast(Tensor, _Modulus.apply(responses))


def _magnitude(signed: Tensor) -> Tensor:
    """|x|, smooth and 0 at 0."""
    return torch.hypot(signed, constant(SOFTNESS, signed)) - SOFTNESS


def _halves(signed: Tensor) -> tuple[Tensor, Tensor]:
    """2·max(x, 0) and 2·max(-x, 0), both smooth and 0 at 0."""
    magnitude = _magnitude(signed)
    return magnitude + signed, magnitude - signed


def _reflect(maps: Tensor) -> Tensor:
    """The maps in a mirrored frame of two pixels, which the filters and the blur both need."""
    return F.pad(maps, (2, 2, 2, 2), mode="reflect")
