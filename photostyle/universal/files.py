"""The file of a network for any style: its weights, an encoder's where it needs one, and where they
came from, as safetensors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from photostyle.brief import Brief
from photostyle.config.training import TrainingConfig
from photostyle.encoders.vgg import Padding, VggEncoder
from photostyle.errors import ModelError, OptionError, WeightsError
from photostyle.feedforward.style_model import StyleInfo, read_tensors, write_tensors
from photostyle.kinds import UNIVERSAL, kind_of
from photostyle.objective.features import vgg_options
from photostyle.universal.decoders import DecoderNetwork
from photostyle.universal.flow import FlowNetwork
from photostyle.universal.latents import Transform

KIND, VERSION = UNIVERSAL, 1

Network = FlowNetwork | DecoderNetwork


@dataclass(frozen=True)
class UniversalModel(Brief):
    """A network that takes any style, ready for use."""

    network: Network
    info: StyleInfo

    @property
    def method(self) -> str:
        """As what it was trained: "artflow" or "decoder"."""
        return self.info.config.train.method

    @property
    def transforms(self) -> list[Transform]:
        """The network's, in the order in which a picture goes through them."""
        if isinstance(self.network, FlowNetwork):
            return [self.network]
        return [*self.network.transforms()]


def build_flow(config: TrainingConfig) -> FlowNetwork:
    """A flow network with initial weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        own = config.universal
        return FlowNetwork(own.flow_blocks, own.flows, own.flow_width, own.recompute == "on")


def build_decoders(config: TrainingConfig, encoder: VggEncoder) -> DecoderNetwork:
    """Decoders likewise."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        return DecoderNetwork(encoder, config.universal.decoder_layers)


def is_universal(path: Path) -> bool:
    """Whether a file says of itself that it is such a network."""
    return kind_of(path) == KIND


def save_universal(path: Path, network: nn.Module, info: StyleInfo) -> None:
    """Writes the network, whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    weights = {f"network.{name}": x for name, x in network.state_dict().items()}
    if isinstance(network, DecoderNetwork):
        deepest = max(network.layers, key=network.encoder.layer_names.index)
        own = network.encoder.weights(deepest)
        weights |= {f"encoder.{name}": x for name, x in own.items()}
    tensors = {name: x.detach().cpu().contiguous() for name, x in weights.items()}
    words = {**info.to_metadata(), "kind": KIND, "version": str(VERSION)}
    if isinstance(network, DecoderNetwork):  # "auto" would ask the file that it came from
        words["padding"] = network.encoder.padding
    write_tensors(path, tensors, words)


def load_universal(
    path: Path, method: str | None = None, device: torch.device | str = "cpu"
) -> UniversalModel:
    """The network in a file that `save_universal` wrote, in evaluation mode.

    Args:
        method: as what it must have been trained; None for any.

    Raises:
        ModelError: the file is missing, damaged, of another kind or method, or has weights that
            are not finite.
    """
    tensors, metadata = read_tensors(path, KIND, VERSION)
    try:
        info = StyleInfo.from_metadata(metadata)
        network = _network(info, _under("encoder.", tensors), metadata.get("padding"))
        network.load_state_dict(_under("network.", tensors))
    except (
        KeyError, ValueError, TypeError, AttributeError, RuntimeError, OptionError, WeightsError,
    ) as error:  # fmt: skip
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is damaged: its parts do not fit ({reason}).") from None
    model = UniversalModel(_placed(network, device), info)
    if method is not None and model.method != method:
        raise ModelError(
            f"{path} was trained as {model.method}, where a network of `photostyle train --method "
            f"{method}` is needed."
        )
    if not all(bool(x.isfinite().all()) for x in tensors.values()):
        raise ModelError(f"{path} has weights that are no finite numbers; train it anew.")
    return model


def _network(info: StyleInfo, encoder: Mapping[str, Tensor], padding: str | None) -> Network:
    if info.config.train.method == "artflow":
        return build_flow(info.config)
    options = replace(vgg_options(info.config.encoder), padding=cast(Padding | None, padding))
    return build_decoders(info.config, VggEncoder(encoder, options, info.encoder))


def _placed(network: Network, device: torch.device | str) -> Network:
    if isinstance(network, DecoderNetwork):
        network.encoder.to(device)
    return network.to(device).eval().requires_grad_(False)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}
