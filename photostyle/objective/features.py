"""The encoder as the configuration asks for it: found, checked and, where wanted, normalised."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from photostyle.config.config import Config
from photostyle.config.options import flag
from photostyle.config.stages import EncoderConfig, ObjectiveConfig
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
from photostyle.images.picture import image_size
from photostyle.objective.objective import needs_encoder
from photostyle.runtime.memory import Memory
from photostyle.runtime.watching import Log
from photostyle.segmentation.scene import Scene

#: Long side of the pictures on which activations are measured, at most.
MEASURED_SIDE = 512
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
    encoder: Encoder,
    config: EncoderConfig,
    images: Sequence[Tensor],
    weights: Sequence[Tensor | None] | None = None,
) -> Encoder:
    """The encoder with the activations that the configuration asks for, itself where there is
    nothing to normalise."""
    if config.activations == "trained" or not isinstance(encoder, VggEncoder):
        return encoder
    return normalized(encoder, images, weights)


def run_encoder(config: Config, device: torch.device, log: Log) -> Encoder | None:
    """The encoder of a run, checked for its taps; None when no solve has a use for it."""
    if not uses_encoder(config):
        return None

    def load() -> tuple[Encoder, Sequence[str]]:
        encoder, notes = configured_encoder(config.encoder, device)
        encoder.memory = Memory(log.memory.limit)
        return encoder, notes

    encoder, notes = log.memory.get(("encoder", config.encoder, device), load)
    log.note("load", *notes)
    for solve in config.optimize.chosen:  # a wrong name shows before the long work
        check_taps(encoder, config.encoder, config.objective, solve.terms)
    return encoder


def activated(encoder: Encoder | None, scene: Scene, config: Config, log: Log) -> Encoder | None:
    """The encoder with the activations that the configuration asks for on this scene."""
    if encoder is None or config.encoder.activations == "trained":
        return encoder
    with log.stage("normalise"):
        small = scene.scaled(min(1.0, MEASURED_SIDE / max(image_size(scene.content))))
        images, weights = zip((small.content, small.weights[0]), *small.styles, strict=True)
        named = log.memory.name(images), log.memory.name(weights)
        key = ("normalise", encoder.fingerprint, config.encoder, *named)
        return log.memory.get(
            key, lambda: with_activations(encoder, config.encoder, images, weights)
        )


def encoder_facts(loaded: Encoder | None, used: Encoder | None) -> dict[str, Any]:
    """What a Result says of the encoder as it was loaded and as it was used."""
    if loaded is None or used is None:
        return {"encoder": "none", "encoder_sha256": "", "normalized_sha256": ""}
    changed = "" if used is loaded else used.fingerprint
    return {
        "encoder": loaded.name,
        "encoder_sha256": loaded.fingerprint,
        "normalized_sha256": changed,
    }
