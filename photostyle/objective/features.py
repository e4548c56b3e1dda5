"""The encoder as the configuration asks for it: found, checked and, where wanted, normalised."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from photostyle.config import Config
from photostyle.encoders.base import Encoder
from photostyle.encoders.normalize import normalized
from photostyle.encoders.vgg import (
    AVERAGE_POOLING_GAIN,
    Padding,
    Pooling,
    Preprocessing,
    VggEncoder,
    VggOptions,
)
from photostyle.encoders.weights import load_encoder
from photostyle.objective import needs_encoder
from photostyle.optimize import HISTORY
from photostyle.options import flag
from photostyle.stages import EncoderConfig, ObjectiveConfig
from photostyle.tiling import tile_side

#: Pictures that L-BFGS and the evaluator keep: two a pair of its history, and a few points.
OPTIMISER_PICTURES = 2 * HISTORY + 10
VGG_ONLY = ("pooling", "pooling_gain", "padding", "preprocessing", "activations")


def configured_encoder(
    config: EncoderConfig, device: torch.device | str = "cpu"
) -> tuple[Encoder, tuple[str, ...]]:
    """The encoder, its weights as they were found, and sentences about it for the user.

    Raises:
        WeightsError: a name or file that is not there or no VGG network.
    """
    encoder, note = load_encoder(config.encoder, device, vgg_options(config))
    ignored = [flag(f) for f in VGG_ONLY if getattr(config, f) != getattr(EncoderConfig(), f)]
    if ignored and not isinstance(encoder, VggEncoder):
        return encoder, (note, f"{', '.join(ignored)}: without effect on encoder {encoder.name}")
    return encoder, (note,)


def uses_encoder(config: Config) -> bool:
    """Whether any solve has a term on features."""
    return any(needs_encoder(config.objective, s.terms) for s in config.optimize.chosen)


def vgg_options(config: EncoderConfig) -> VggOptions:
    """How a VGG network is run; "auto" is None there.

    Average pooling makes up for its smaller values with trained activations only: normalised ones
    have their size whatever the pooling.
    """
    gain = config.pooling_gain
    if gain is None:
        gain = AVERAGE_POOLING_GAIN if config.activations == "trained" else 1.0
    return VggOptions(
        pooling=cast(Pooling, config.pooling),
        pooling_gain=gain,
        padding=cast(Padding | None, _chosen(config.padding)),
        preprocessing=cast(Preprocessing | None, _chosen(config.preprocessing)),
    )


def _chosen(value: str) -> str | None:
    return None if value == "auto" else value


def check_taps(
    encoder: Encoder, taps: EncoderConfig, weights: ObjectiveConfig, terms: Sequence[str]
) -> None:
    """Raise OptionError, listing the right names, for a layer in use that is not the encoder's."""
    for term, layers in (("content", taps.content_layers), ("style", taps.style_layers)):
        if term in terms and needs_encoder(weights, (term,)):
            encoder.check_layers(layers)


def least_side(encoder: Encoder, taps: EncoderConfig) -> int:
    """Pixels a side from which a picture has all layers that are tapped.

    Raises:
        OptionError: a layer that the encoder does not have.
    """
    layers = (*taps.content_layers, *taps.style_layers)
    encoder.check_layers(layers)
    return max(map(encoder.least_side, layers))


def with_activations(
    encoder: Encoder, config: EncoderConfig, images: Sequence[Tensor]
) -> tuple[Encoder, str]:
    """The encoder with the activations that the configuration asks for, and its fingerprint.

    Returns:
        The encoder itself and "" for trained activations, or where there is nothing to normalise.
    """
    if config.activations == "trained" or not isinstance(encoder, VggEncoder):
        return encoder, ""
    changed = normalized(encoder, images)
    return changed, changed.fingerprint


def chosen_tile(
    encoder: Encoder,
    taps: EncoderConfig,
    weights: ObjectiveConfig,
    size: tuple[int, int],
    free: int | None,
) -> int:
    """The side of the tiles in which a picture is encoded, 0 for none, as the free memory asks.

    Args:
        size: (height, width) of the picture.
        free: bytes; None where that is not known.
    """
    if weights.style_term == "mrf":  # patches are matched over all of a map
        return 0
    wanted = dict.fromkeys((*taps.content_layers, *taps.style_layers))
    layers = [name for name in wanted if name in encoder.layer_names]
    if free is not None:  # what the optimiser keeps is not there for the encoder
        free = max(0, free - OPTIMISER_PICTURES * 3 * 4 * size[0] * size[1])
    return tile_side(encoder, layers, size, free)
