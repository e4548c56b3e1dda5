"""Where tensors live: the `--device` option."""

import torch

from photostyle.errors import DeviceError


def resolve_device(name: str) -> torch.device:
    """The device of that name; "auto" takes a CUDA GPU where there is one, else the CPU.

    Raises:
        DeviceError: the name is no device, or that device is not on this machine.
    """
    kind, _, index = name.partition(":")
    if kind == "auto" and not index:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if kind == "cpu" and not index:
        return torch.device("cpu")
    if kind == "mps" and not index:
        if not torch.backends.mps.is_available():
            raise _absent(name, "this PyTorch finds no Apple GPU")
        return torch.device("mps")
    if kind == "cuda" and (not index or index.isdecimal()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(index or 0) >= count:
            raise _absent(name, f"this PyTorch finds {count or 'no'} CUDA GPU{'s' * (count > 1)}")
        return torch.device("cuda", int(index or 0))
    raise DeviceError(f"--device {name} is no device; choose from auto, cpu, cuda, cuda:N, mps.")


def _absent(name: str, reason: str) -> DeviceError:
    return DeviceError(f"--device {name}: {reason}; use --device cpu or auto.")
