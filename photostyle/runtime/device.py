"""Where tensors live: the `--device` option."""

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from photostyle.errors import DeviceError

T = TypeVar("T")


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


Numbers = float | tuple["Numbers", ...]


def constant(values: Numbers, like: Tensor) -> Tensor:
    """A tensor of numbers, of `like`'s dtype and on its device, to be read only. Made once: a copy
    of it in every call would have a GPU wait for the host each time."""
    return _constant(values, like.device, like.dtype)


@functools.lru_cache(maxsize=256)
def _constant(values: Numbers, device: torch.device, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False):  # for graphs of later calls too
        return torch.tensor(values, dtype=dtype).to(device)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the device is known to multiply bfloat16 itself, rather than by way of float32; of
    other CPUs than x86 that is not known."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # older PyTorch does not tell
        return False
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def settled_precision(asked: str | None, device: torch.device) -> str:
    """The precision of an encoder's maps, "float32" or "bfloat16". On a CPU that is float32 unless
    the other is asked for, so that all of them make the same picture."""
    if asked in (None, "auto"):
        return "bfloat16" if device.type == "cuda" and fast_bfloat16(device) else "float32"
    return str(asked)


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """A GPU's float32 within the block: exact under "float32"; else convolutions may be TF32.
    Matrix products, which the sums of the objective are, stay exact in either."""
    matmul, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, convolutions.allow_tf32
    matmul.allow_tf32, convolutions.allow_tf32 = False, precision != "float32"
    try:
        yield
    finally:
        matmul.allow_tf32, convolutions.allow_tf32 = before


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(work: Callable[[T], None], parts: Sequence[T], device: torch.device) -> None:
    """Does the work on all parts, on a CPU in as many threads as torch may use there.

    Worth it where torch's own operations are each too small to be shared out.
    """
    count = min(torch.get_num_threads(), len(parts)) if device.type == "cpu" else 1
    if count <= 1:
        for part in parts:
            work(part)
        return
    inference = torch.is_inference_mode_enabled()  # each thread has its own

    def one(part: T) -> None:
        with torch.inference_mode(inference):
            work(part)

    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(one, parts):
            pass


def together(*works: Callable[[], T]) -> list[T]:
    """What each of the works gives, done in as many threads as torch may use on the CPU."""
    found: dict[int, T] = {}

    def do(number: int) -> None:
        found[number] = works[number]()

    in_threads(do, range(len(works)), torch.device("cpu"))
    return [found[number] for number in range(len(works))]


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on the device; None where that is not known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    left = [_linux_available(), _group_available()]
    return min((x for x in left if x is not None), default=None)


def _linux_available() -> int | None:
    """What Linux says can be had without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith("MemAvailable:")), None)


def _group_available(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a container's own limit leaves."""
    try:
        limit, used = ((folder / f"memory.{x}").read_text().strip() for x in ("max", "current"))
    except OSError:
        return None
    return None if limit == "max" else max(0, int(limit) - int(used))


def _absent(name: str, reason: str) -> DeviceError:
    return DeviceError(f"--device {name}: {reason}; use --device cpu or auto.")
