"""Checkpoints of a training: written whole or not at all, and gone on from to the last bit.

A safetensors file beside the network's own: weights, the optimisers' moments and torch's random
state as tensors, step and losses as metadata. The data need no state of their own, as crop n is a
function of n (see `data`), so the step says where they stand.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from photostyle.config.options import flag
from photostyle.config.training import INCIDENTAL
from photostyle.documents import parse_json
from photostyle.errors import ModelError, OptionError
from photostyle.feedforward.style_model import StyleInfo, read_tensors, write_tensors
from photostyle.feedforward.training import TrainState
from photostyle.kinds import CHECKPOINT

KIND, VERSION = CHECKPOINT, 2


def checkpoint_path(out: Path) -> Path:
    """Where the checkpoint of the training of `out` lies."""
    return out.with_suffix(".training.safetensors")


def save_checkpoint(path: Path, state: TrainState, info: StyleInfo, files: str) -> None:
    """Writes the state.

    Args:
        files: fingerprint of the data.

    Raises:
        OutputError: the place cannot be written; what was there is still there.
    """
    tensors = {f"network.{name}": x for name, x in state.network.state_dict().items()}
    tensors |= {f"descent.{name}": x for name, x in state.descent.tensors().items()}
    tensors |= _random_states()
    whole = {name: x.detach().cpu().contiguous() for name, x in tensors.items()}
    progress = {"step": state.step, "skipped": state.skipped, "losses": state.losses}
    metadata = {
        **info.to_metadata(),
        "kind": KIND,
        "version": str(VERSION),
        "files": files,
        "progress": json.dumps(progress),
    }
    write_tensors(path, whole, metadata)


def restore_checkpoint(path: Path, state: TrainState, info: StyleInfo, files: str) -> None:
    """Puts a state, made for the same training, where its checkpoint stands.

    Raises:
        ModelError: the file is missing, damaged, of another kind or version, or of a training with
            another style, encoder, data or schedule; the message names which.
    """
    if not path.exists():
        raise ModelError(f"{path} does not exist, so there is nothing to --resume; leave that out.")
    tensors, metadata = read_tensors(path, KIND, VERSION)
    try:
        _check_same(path, StyleInfo.from_metadata(metadata), info)
        if metadata["files"] != files:
            raise ModelError(
                f"{path} is of a training with another --data; give the same pictures again, or "
                "remove the file."
            )
        progress = parse_json(metadata["progress"])
        state.network.load_state_dict(_under("network.", tensors))
        if progress["step"]:  # before the first step there is nothing to remember
            state.descent.restore(_under("descent.", tensors))
        _restore_random(tensors)
        state.step = state.kept = progress["step"]
        state.skipped = dict(progress["skipped"])
        state.losses = [(step, total, terms) for step, total, terms in progress["losses"]]
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError, OptionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is damaged: its parts do not fit ({reason}).") from None


def _check_same(path: Path, then: StyleInfo, now: StyleInfo) -> None:
    """Raises ModelError unless both are the same training."""
    for name, given in (("style", "--style"), ("encoder", "--encoder")):
        if getattr(then, f"{name}_sha256") != getattr(now, f"{name}_sha256"):
            raise ModelError(
                f"{path} is of a training with another {given}, {getattr(then, name)}; give that "
                "one again, or remove the file."
            )
    for stage, values in then.config.to_dict().items():
        current = now.config.to_dict()[stage]
        for name in values.keys() | current.keys():
            if name in (*INCIDENTAL, "encoder") or values.get(name) == current.get(name):
                continue
            raise ModelError(
                f"{path} is of a training with {_words(name, values.get(name))}, not "
                f"{_words(name, current.get(name))}; give the same again, or remove the file."
            )


def _words(name: str, value: object) -> str:
    """An option as it is given."""
    if value is None:
        return f"no {flag(name)}"
    return f"{flag(name)} {','.join(map(str, value)) if isinstance(value, list) else value}"


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}


def _random_states() -> dict[str, Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["random.cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_random(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
