"""The file of a trained style: the network's weights with where they came from, as safetensors."""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from photostyle.brief import Brief
from photostyle.config.training import NetworkConfig, TrainingConfig, training_config
from photostyle.documents import parse_json
from photostyle.errors import ModelError, OptionError
from photostyle.feedforward.network import TransformNetwork
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.images.saving import atomic_path
from photostyle.kinds import NETWORK, kind_of

#: What the metadata of our files say of themselves.
KIND, VERSION = NETWORK, 1
THUMBNAIL_SIDE = 128


@dataclass(frozen=True)
class StyleInfo(Brief):
    """Where a network came from.

    Attributes:
        style: path of the style picture, as given. style_sha256: of its bytes, in hex.
        thumbnail: of the style, as JPEG.
        encoder, encoder_sha256: name and hash of the weights that the loss was measured with.
        config: of the training. steps: how many of them are done.
    """

    style: str
    style_sha256: str
    thumbnail: bytes
    encoder: str
    encoder_sha256: str
    config: TrainingConfig
    steps: int = 0

    def to_metadata(self) -> dict[str, str]:
        """As safetensors keeps it: words by words."""
        return {
            "style": self.style,
            "style_sha256": self.style_sha256,
            "thumbnail": base64.b64encode(self.thumbnail).decode(),
            "encoder": self.encoder,
            "encoder_sha256": self.encoder_sha256,
            "config": json.dumps(self.config.to_dict()),
            "steps": str(self.steps),
        }

    @classmethod
    def from_metadata(cls, words: dict[str, str]) -> "StyleInfo":
        """What `to_metadata` wrote; KeyError, ValueError or OptionError for anything else."""
        return cls(
            words["style"],
            words["style_sha256"],
            base64.b64decode(words["thumbnail"]),
            words["encoder"],
            words["encoder_sha256"],
            training_config(parse_json(words["config"])),
            int(words["steps"]),
        )


@dataclass(frozen=True)
class StyleModel(Brief):
    """A network that applies one style, ready for use."""

    network: TransformNetwork
    info: StyleInfo


def build_network(config: NetworkConfig, seed: int = 0) -> TransformNetwork:
    """A network with initial weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TransformNetwork(config.norm, config.upsampling, config.width, config.blocks)


def thumbnail(style: Tensor) -> bytes:
    """A small JPEG of a 1×3×H×W picture."""
    small = resize(style.cpu(), fit_size(image_size(style), THUMBNAIL_SIDE))
    pixels = small[0].permute(1, 2, 0).mul(255).round().numpy().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


def save_model(path: Path, network: TransformNetwork, info: StyleInfo) -> None:
    """Writes the network, whole or not at all.

    Raises:
        OutputError: the place cannot be written.
    """
    weights = {name: x.detach().cpu().contiguous() for name, x in network.state_dict().items()}
    write_tensors(path, weights, {**info.to_metadata(), "kind": KIND, "version": str(VERSION)})


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """A safetensors file, whole or not at all."""
    data = save(tensors, metadata=metadata)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def read_tensors(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file of ours.

    Raises:
        ModelError: the file is missing, damaged, of another kind or of another version.
    """
    if not path.is_file():
        raise ModelError(f"{path} does not exist; give a {kind}, as `photostyle train` writes it.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        if (what := kind_of(path)) and what != kind:
            raise ModelError(f"{path} is a {what}, where a {kind} is needed.") from None
        raise ModelError(
            f"{path} is damaged or is no safetensors file ({error}); give a {kind}, as `photostyle "
            "train` writes it."
        ) from None
    if metadata.get("kind") != kind:
        said = metadata.get("kind") or kind_of(path)
        raise ModelError(f"{path} is a {said}, where a {kind} is needed.")
    if metadata.get("version") != str(version):
        raise ModelError(
            f"{path} has version {metadata.get('version')} of its format; this photostyle reads "
            f"version {version}."
        )
    return tensors, metadata


def load_model(path: Path, device: torch.device | str = "cpu") -> StyleModel:
    """The network in a file that `save_model` wrote, in evaluation mode.

    Raises:
        ModelError: as `read_tensors`, or its contents do not fit together.
    """
    weights, metadata = read_tensors(path, KIND, VERSION)
    try:
        info = StyleInfo.from_metadata(metadata)
        network = build_network(info.config.network)
        network.load_state_dict(weights)
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError, OptionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is damaged: its parts do not fit ({reason}).") from None
    return StyleModel(network.to(device).eval().requires_grad_(False), info)
