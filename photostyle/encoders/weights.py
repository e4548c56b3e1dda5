"""Where an encoder comes from: built in, a cache, or the user's own weight file."""

from __future__ import annotations

import dataclasses
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from photostyle.encoders import cache
from photostyle.encoders.base import Encoder
from photostyle.encoders.builtin import BankEncoder
from photostyle.encoders.registry import ENTRIES, Entry, known_file
from photostyle.encoders.vgg import PREPROCESSINGS, Preprocessing, VggEncoder, VggOptions
from photostyle.errors import WeightsError
from photostyle.kinds import kind_of
from photostyle.places import expanded

ENCODER_NAMES = ("auto", "builtin", *ENTRIES)
SUFFIXES = (".safetensors", ".pth", ".pt")


def load_encoder(
    spec: str, device: torch.device | str = "cpu", options: VggOptions | None = None
) -> tuple[Encoder, str]:
    """The encoder that `spec` names, and one line about it for the user.

    Args:
        spec: "auto": VGG-19 if its weights are on this machine, else the built-in bank. "builtin":
            the bank. A name out of the registry: those weights, from our cache or torch's.
            Anything else: a .safetensors, .pth or .pt file with a VGG network under torchvision's
            keys; a pickle is read without running code from it. Nothing is ever downloaded.
        device: Where the encoder shall live.
        options: How a VGG network is run; the bank has nothing to choose. Preprocessing None is
            what is known of the weights.

    Raises:
        WeightsError: For a name or file that is not there or not such a network.
    """
    encoder, note = _find(spec, options or VggOptions())
    return encoder.to(device), f"encoder: {note}"


def _find(spec: str, options: VggOptions) -> tuple[Encoder, str]:
    if spec == "builtin":
        return BankEncoder(), "builtin (analytic filter bank, no learned weights)"
    if spec == "auto":
        return _auto(ENTRIES["vgg19"], options)
    if spec in ENTRIES:
        entry = ENTRIES[spec]
        path = cache.find(entry)
        if path is None:
            raise WeightsError(
                f"encoder {spec}: its weights are not on this machine; `{entry.command}` gets them "
                f"({entry.megabytes} MB)."
            )
        return _known(entry, path, options)
    path = _existing(spec)
    preprocessing = options.preprocessing or _recorded_preprocessing(path)
    encoder = _from_file(path, dataclasses.replace(options, preprocessing=preprocessing))
    return encoder, f"{encoder.name} ({encoder.shape}), given by --encoder"


def _auto(entry: Entry, options: VggOptions) -> tuple[Encoder, str]:
    path = cache.find(entry)
    if path is not None:
        return _known(entry, path, options)
    return BankEncoder(), (
        "builtin (analytic filter bank), as the weights of VGG-19 are not on this machine; "
        f"`{entry.command}` gets them ({entry.megabytes} MB)"
    )


def _known(entry: Entry, path: Path, options: VggOptions) -> tuple[VggEncoder, str]:
    """Published weights, under the registry's name and with its preprocessing."""
    expected = cast(Preprocessing, entry.preprocessing)
    options = dataclasses.replace(options, preprocessing=options.preprocessing or expected)
    try:
        encoder = _from_file(path, options, entry.name)
        check_network(encoder, entry, str(path))
    except WeightsError as error:
        raise WeightsError(f"{error.as_typed} `{entry.command}` gets it again.") from error
    return encoder, f"{entry.name} ({encoder.shape}), found in {cache.place(path)}"


def check_network(encoder: VggEncoder, entry: Entry, source: str) -> None:
    """Raise WeightsError, naming `source`, unless the network is all of what `entry` stands for."""
    if encoder.depth != entry.depth or encoder.layer_names[-1] != "pool5":
        raise WeightsError(
            f"{source} holds {len(encoder.convs)} convolutions of a VGG-{encoder.depth}, but "
            f"{entry.name} is a whole VGG-{entry.depth}."
        )


def _recorded_preprocessing(path: Path) -> Preprocessing | None:
    """What a published file, by its name, or one of our own, by its metadata, expects."""
    entry = known_file(path.name)
    found = entry.preprocessing if entry else None
    if path.suffix.lower() == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                found = (file.metadata() or {}).get("preprocessing")
        except Exception:  # a broken file is reported when its weights are read
            found = None
    return next((name for name in PREPROCESSINGS if name == found), None)


def _existing(spec: str) -> Path:
    path = expanded(spec)
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


def _from_file(path: Path, options: VggOptions, name: str | None = None) -> VggEncoder:
    return VggEncoder(read_weights(path), options, name=name or path.name)


def read_weights(path: Path, suffix: str | None = None) -> Mapping[str, Tensor]:
    """The state dictionary in a weight file, read in a way that cannot run code.

    Args:
        suffix: What kind of file it is, one of SUFFIXES; None: the path's own.

    Raises:
        WeightsError: For a file of another kind, or damaged, or without a VGG network's keys.
    """
    return _unwrap(_read(path, suffix or path.suffix.lower()), path)


def _read(path: Path, suffix: str) -> object:
    _check_file(path, suffix)
    try:
        if suffix == ".safetensors":
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
            f"encoder {path} is damaged or is no {suffix} weight file at all."
        ) from error


def _check_file(path: Path, suffix: str) -> None:
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
    what = kind_of(path)
    wrong = f"is a {what}; it must" if what else "must"
    raise WeightsError(
        f"encoder {path} {wrong} hold a VGG network under torchvision's keys, features.0.weight "
        "and so on, but has none."
    )
