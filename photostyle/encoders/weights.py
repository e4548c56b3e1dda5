"""Where an encoder comes from: built in, torch's cache, or the user's own weight file."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.vgg import VggEncoder, VggOptions
from photostyle.errors import WeightsError

ENCODER_NAMES = ("auto", "builtin")
SUFFIXES = (".safetensors", ".pth", ".pt")

# The name under which torchvision's own download leaves VGG-19 in torch's cache.
CACHED_VGG19 = "vgg19-dcbb9e9d.pth"


def load_encoder(
    spec: str, device: torch.device | str = "cpu", options: VggOptions | None = None
) -> tuple[Encoder, str]:
    """The encoder that `spec` names, and one line about it for the user.

    Args:
        spec: "auto": VGG-19 if torch's cache has it, else the built-in bank. "builtin": the bank.
            Anything else: a .safetensors, .pth or .pt file with a VGG network under torchvision's
            keys; a pickle is read without running code from it.
        device: Where the encoder shall live.
        options: How a VGG network is run; the bank has nothing to choose.

    Raises:
        WeightsError: For a name or file that is not there or not such a network.
    """
    encoder, note = _find(spec, options)
    return encoder.to(device), f"encoder: {note}"


def _find(spec: str, options: VggOptions | None) -> tuple[Encoder, str]:
    if spec == "builtin":
        return BankEncoder(), "builtin (analytic filter bank, no learned weights)"
    if spec != "auto":
        encoder = _from_file(_existing(spec), options)
        return encoder, f"{encoder.name} ({encoder.shape}), given by --encoder"
    cached = Path(torch.hub.get_dir()) / "checkpoints" / CACHED_VGG19
    if cached.is_file():
        encoder = _from_file(cached, options)
        return encoder, f"{encoder.name} ({encoder.shape}), found in torch's cache"
    return BankEncoder(), (
        f"builtin (analytic filter bank), as torch's cache has no {CACHED_VGG19}; "
        "--encoder PATH takes any VGG-16 or VGG-19 checkpoint with torchvision's keys"
    )


def _existing(spec: str) -> Path:
    path = Path(spec).expanduser()
    if path.is_dir():
        raise WeightsError(
            f"encoder {spec} is a folder; give a weight file, {' or '.join(SUFFIXES)}."
        )
    if not path.exists():
        raise WeightsError(
            f"encoder {spec!r} is neither a name ({', '.join(ENCODER_NAMES)}) nor an existing "
            "weight file."
        )
    return path


def _from_file(path: Path, options: VggOptions | None) -> VggEncoder:
    return VggEncoder(_unwrap(_read(path), path), options, name=path.name)


def _read(path: Path) -> object:
    """What the file holds, read in a way that cannot run code."""
    _check_file(path)
    try:
        if path.suffix.lower() == ".safetensors":
            return safetensors.torch.load_file(path)
        with warnings.catch_warnings(action="ignore"):  # about the pickle that is refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken file makes the readers raise
        if isinstance(error, pickle.UnpicklingError) and "GLOBAL" in str(error):
            raise WeightsError(
                f"encoder {path} was refused because reading it could run code; save only the "
                "weights, as torch.save(model.state_dict(), path) does."
            ) from error
        raise WeightsError(
            f"encoder {path} is damaged or is no {path.suffix} weight file at all."
        ) from error


def _check_file(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise WeightsError(
            f"encoder {path} must be a {', '.join(SUFFIXES)} file, got {suffix or 'no suffix'}."
        )
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise WeightsError(f"encoder {path} cannot be read: {error.strerror}.") from error
    if empty:
        raise WeightsError(f"encoder {path} is empty; a VGG weight file is wanted.")


def _unwrap(content: object, path: Path) -> Mapping[str, Tensor]:
    """The state dictionary, which training scripts put under "state_dict", "model" and the like."""
    if isinstance(content, Mapping):
        nested = [value for value in content.values() if isinstance(value, Mapping)]
        for candidate in (content, *nested):
            if any(isinstance(key, str) and "features." in key for key in candidate):
                return {key: value for key, value in candidate.items() if isinstance(key, str)}
    raise WeightsError(
        f"encoder {path} must hold a VGG network under torchvision's keys, features.0.weight and "
        "so on, but has none."
    )
