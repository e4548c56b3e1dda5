"""Gatys' normalisation: every filter's mean activation becomes 1, and nothing else changes.

L. A. Gatys, A. S. Ecker, M. Bethge, "Image Style Transfer Using Convolutional Neural Networks",
CVPR 2016, section 2. ReLU and both kinds of pooling commute with a positive factor per channel, so
dividing what a filter gives by its mean, and multiplying it again where the next layer takes it
in, leaves every other channel as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from photostyle.encoders.base import fingerprint_of
from photostyle.encoders.vgg import VggEncoder

#: Least share of its layer's average that a filter's mean counts as. Gatys et al. measured on a
#: great many pictures; on the two at hand a filter may hardly answer at all, and brought to a mean
#: of 1 its rare peaks, or what is below its ReLU, would outweigh all others in the Gram matrix.
LEAST_SHARE = 0.5


def normalized(
    encoder: VggEncoder, images: Sequence[Tensor], weights: Sequence[Tensor | None] | None = None
) -> VggEncoder:
    """A copy whose filters are 1 on average, after the ReLU, over all positions of `images`; less
    where they hardly answer there.

    Args:
        encoder: Measured with its own pooling and padding.
        images: One or more N×3×H×W pictures in [0, 1], each large enough for the deepest
            convolution, in the encoder's dtype and on its device.
        weights: H×W of every image, how much each pixel counts; None where all count alike.

    Returns:
        Another encoder with fingerprint and weights of its own: a map of layer l is the given
        encoder's divided by the `factors` of l's `mean_activations`, channel by channel.
    """
    means = mean_activations(encoder, images, weights)
    result = copy.deepcopy(encoder)
    before: Tensor | None = None  # the means of the layer that feeds this one
    for name, module in result.convs.items():
        conv = cast(nn.Conv2d, module)
        after = factors(means[name])
        weight = conv.weight.double() / after.view(-1, 1, 1, 1)
        if before is not None:
            weight = weight * before.view(1, -1, 1, 1)
        bias = cast(Tensor, conv.bias)
        conv.weight.copy_(weight)
        bias.copy_(bias.double() / after)
        before = after
    result.fingerprint = fingerprint_of(result.state_dict())
    return result


def factors(means: Tensor) -> Tensor:
    """What the C filters of a layer are divided by: their means, or `LEAST_SHARE` of the layer's
    average where they are less; 1 for a layer that is 0 everywhere."""
    least = LEAST_SHARE * means.mean()
    return means.clamp(min=least) if least > 0 else torch.ones_like(means)


@torch.no_grad()
def mean_activations(
    encoder: VggEncoder, images: Sequence[Tensor], weights: Sequence[Tensor | None] | None = None
) -> dict[str, Tensor]:
    """{conv layer: C float64}: means of its ReLU over all positions of all images together, by the
    weights."""
    sums: dict[str, Tensor] = {}
    counts: dict[str, float] = {}
    layers = {f"relu{name[4:]}": name for name in encoder.convs}
    for image, weight in zip(images, weights or [None] * len(images), strict=True):
        for relu, tap in encoder(image, tuple(layers)).items():
            name = layers[relu]
            seen = tap.new_ones(1, 1, 1)
            if weight is not None:
                seen = interpolate(weight[None, None], tap.shape[2:], mode="area")
                tap = tap * seen
            total = tap.sum((0, 2, 3), dtype=torch.float64)
            sums[name] = sums[name] + total if name in sums else total
            positions = tap.numel() // tap.shape[1]
            counts[name] = counts.get(name, 0) + positions * float(seen.mean())
    return {name: total / counts[name] for name, total in sums.items()}
