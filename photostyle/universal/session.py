"""The training of a network for any style, on the session of those for one."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.training import TrainingConfig
from photostyle.encoders.base import Encoder
from photostyle.encoders.vgg import VggEncoder
from photostyle.errors import OptionError
from photostyle.feedforward.checkpoint import checkpoint_path, restore_checkpoint
from photostyle.feedforward.data import CropStream, Skipped, Stream, picture_files
from photostyle.feedforward.distributed import Processes
from photostyle.feedforward.session import Due, Session, check_training, crop_stream
from photostyle.feedforward.style_model import StyleInfo
from photostyle.feedforward.training import Learned, new_state
from photostyle.images.hashing import content_sha256
from photostyle.objective.features import configured_encoder
from photostyle.universal.decoders import DecoderNetwork
from photostyle.universal.files import Network, build_decoders, build_flow, save_universal
from photostyle.universal.objectives import InversionObjective, StylingObjective

#: Added to the seed of the styles' crops, which are to differ from the contents'.
STYLES_SEED = 1_000_003


@dataclass
class PairStream:
    """Contents with a style each, as one stream: 6×size×size."""

    contents: CropStream
    styles: CropStream

    def __getitem__(self, number: int) -> tuple[Tensor, tuple[Skipped, ...]]:
        (content, some), (style, others) = self.contents[number], self.styles[number]
        return torch.cat([content, style]), (*some, *others)


@dataclass(frozen=True)
class UniversalSession(Session):
    """A training under way; its crops have six channels with a style, else three."""

    def save(self, info: StyleInfo) -> None:
        """See `Session.save`."""
        save_universal(self.out, self.state.network, info)

    @torch.inference_mode()
    def pictures(self, crops: Sequence[Tensor]) -> list[list[tuple[str, Tensor]]]:
        """See `Session.pictures`; a row for each crop."""
        rows = []
        for crop in crops:
            made = self.state.network(crop.to(self.processes.device)).clamp(0, 1).cpu()
            given = list(zip(("content", "style"), torch.split(crop, 3, dim=1), strict=False))
            names = self._names()
            rows.append([*given, *zip(names, torch.split(made, 3, dim=1), strict=True)])
        return rows

    def _names(self) -> list[str]:
        network = self.state.network
        layers = network.layers if isinstance(network, DecoderNetwork) else ("",)
        return [f"{layer} step {self.state.step}".strip() for layer in layers]


def begin_universal(
    styles: Path | None,
    data: Path | None,
    out: Path,
    config: TrainingConfig,
    processes: Processes,
    *,
    resume: bool,
) -> UniversalSession:
    """Everything that a training needs, at its first step or at its checkpoint's.

    Args:
        styles: folder of styles, or a picture of one; None for a method without.
        data: folder of pictures; None for generated scenes alone.

    Raises:
        InputError: an input, option, or checkpoint that cannot be used.
    """
    check_training(out, config, processes, resume)
    stream, files = crop_stream(data, out, config)
    encoder, notes = configured_encoder(config.encoder, processes.device)
    given, fingerprint = _with_styles(stream, styles, config)
    network, objective = _learned(encoder, config)
    network.to(processes.device)
    if not resume:
        first = torch.stack([given[n][0] for n in range(config.train.batch)])
        network.begin(torch.cat(torch.split(first, 3, dim=1)).to(processes.device))
    state = new_state(network, config.train)
    named = "" if styles is None else os.fsencode(styles).decode(errors="replace")
    info = StyleInfo(named, fingerprint, b"", encoder.name, encoder.fingerprint, config)
    if resume:
        restore_checkpoint(checkpoint_path(out), state, info, files)
    return UniversalSession(
        config, info, state, objective, given, torch.zeros(1, 3, 1, 1), files, out, processes,
        notes, Due(config.train.checkpoint_every),
    )  # fmt: skip


def _with_styles(
    stream: CropStream, styles: Path | None, config: TrainingConfig
) -> tuple[Stream, str]:
    """The stream of a training, and the fingerprint of its styles."""
    if config.train.method == "decoder":
        return stream, ""
    if styles is None:
        raise OptionError("--style is missing: --method artflow learns on a folder of styles.")
    files = picture_files(styles, "--style") if styles.is_dir() else (styles,)
    options = config.train
    found = CropStream(
        files, options.size, options.seed + STYLES_SEED, 0.0, options.zoom, "--style"
    )
    found.check()
    digest = hashlib.sha256()
    for path in files:
        digest.update(content_sha256(path).encode())
    return PairStream(stream, found), digest.hexdigest()


def _learned(encoder: Encoder, config: TrainingConfig) -> tuple[Network, Learned]:
    """The network and what it is trained on."""
    taps, weights = config.encoder, config.objective
    if config.train.method == "artflow":
        encoder.check_layers((*taps.content_layers, *taps.style_layers))
        terms = StylingObjective(encoder, taps.content_layers, taps.style_layers, weights)
        if not terms.names:
            raise OptionError("All weights are 0; give --content-weight or --style-weight.")
        return build_flow(config), terms
    if not isinstance(encoder, VggEncoder):
        raise OptionError(
            f"--method decoder inverts a VGG network, not encoder {encoder.name}; give --encoder "
            "vgg19 or a file."
        )
    layers = config.universal.decoder_layers
    return build_decoders(config, encoder), InversionObjective(encoder, layers, weights)
