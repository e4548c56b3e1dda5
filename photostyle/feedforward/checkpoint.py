"""Checkpoints of a training: written whole or not at all, and gone on from to the last bit.

A safetensors file beside the network's own: weights, Adam's moments and torch's random state as
tensors, step and losses as metadata. The data need no state of their own, as crop n is a function
of n (see `data`), so the step says where they stand.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from photostyle.errors import ModelError
from photostyle.feedforward.style_model import StyleInfo, read_tensors, write_tensors
from photostyle.feedforward.training import TrainState
from photostyle.options import flag
from photostyle.trainconfig import INCIDENTAL

KIND, VERSION = "photostyle training checkpoint", 1


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
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": x for name, x in moments.items()}
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
    tensors, metadata = read_tensors(path, KIND, VERSION)
    try:
        _check_same(path, StyleInfo.from_metadata(metadata), info)
        if metadata["files"] != files:
            raise ModelError(f"{path}: --data holds other pictures than when it was written.")
        progress = json.loads(metadata["progress"])
        state.network.load_state_dict(_under("network.", tensors))
        _restore_moments(state, tensors)
        _restore_random(tensors)
        state.step = progress["step"]
        state.skipped = dict(progress["skipped"])
        state.losses = [(step, total, terms) for step, total, terms in progress["losses"]]
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is damaged: its parts do not fit ({reason}).") from None


def _check_same(path: Path, then: StyleInfo, now: StyleInfo) -> None:
    """Raises ModelError unless both are the same training."""
    for attribute, name in (("style_sha256", "--style"), ("encoder_sha256", "--encoder")):
        if getattr(then, attribute) != getattr(now, attribute):
            raise ModelError(f"{path} is of a training with another {name}; give that one again.")
    for stage, values in then.config.to_dict().items():
        current = now.config.to_dict()[stage]
        for name in values.keys() | current.keys():
            if name in (*INCIDENTAL, "encoder") or values.get(name) == current.get(name):
                continue
            raise ModelError(
                f"{path} is of a training with {flag(name)} {_words(values.get(name))}, not "
                f"{_words(current.get(name))}; give that again, or leave --resume out."
            )


def _words(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)}


def _restore_moments(state: TrainState, tensors: Mapping[str, Tensor]) -> None:
    for index, parameter in enumerate(state.network.parameters()):
        moments = _under(f"optimizer.{index}.", tensors)
        if not moments:  # before the first step there are none
            continue
        own = {}
        for name, saved in moments.items():
            # Laid out as the parameter is, like those that Adam makes itself.
            own[name] = saved if saved.ndim == 0 else torch.empty_like(parameter).copy_(saved)
        state.optimizer.state[parameter] = own


def _random_states() -> dict[str, Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["random.cuda"] = torch.cuda.get_rng_state()
    return states


def _restore_random(tensors: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
