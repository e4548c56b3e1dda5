"""Results that several runs share, kept within a bounded number of bytes.

A stage whose result depends on nothing but its inputs asks for it under a key made of those
inputs; a run with a memory gives the same pixels as one without.
"""

import ctypes
import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from torch import Tensor

T = TypeVar("T")

#: glibc's names for what is told it, and bytes from which a block is large.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, LARGE = -1, -3, 4 << 20
#: Bytes of tensors that a memory holds unless told otherwise.
LIMIT = 1 << 30


class Memory:
    """Values by key; those not asked for longest leave first when there are too many bytes.

    Args:
        limit: bytes of tensors; 0 remembers nothing. A value larger than that is never kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.hits = self.misses = 0
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()

    def __deepcopy__(self, memo: object) -> "Memory":
        """Of a copy nothing is known: what it belongs to may be changed."""
        return Memory(self.limit)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value kept under the key, else what `make` gives. Nobody may change it."""
        if not self.limit:
            self.misses += 1
            return make()
        if key in self._kept:
            self.hits += 1
            self._kept.move_to_end(key)
            value: T = self._kept[key][1]
            return value
        self.misses += 1
        value = make()
        self._keep(key, value)
        return value

    def name(self, value: Any) -> str:
        """The `digest` of a value, for a key; empty where nothing is kept, as it costs time."""
        return digest(value) if self.limit else ""

    def _keep(self, key: Hashable, value: Any) -> None:
        size = held_bytes(value)
        if size > self.limit:
            return
        self._kept[key] = size, value
        self._bytes += size
        while self._bytes > self.limit:
            _, (freed, _) = self._kept.popitem(last=False)
            self._bytes -= freed


def give_back_freed() -> None:
    """From now on glibc gives large blocks back to the system as they are freed. Left to itself, it
    keeps up to 32 MB of each size for the next, which of a large picture's strips adds up to
    hundreds. Other systems do so anyway, or cannot be told."""
    try:
        tune = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    tune(M_MMAP_THRESHOLD, LARGE)
    tune(M_TRIM_THRESHOLD, LARGE)


def held_bytes(value: Any) -> int:
    """Bytes of the tensors in a value: in mappings, sequences, dataclasses and modules."""
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(map(held_bytes, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(held_bytes, value))
    if dataclasses.is_dataclass(value):
        return sum(held_bytes(getattr(value, f.name)) for f in dataclasses.fields(value))
    own = getattr(value, "parameters", None)
    if callable(own):
        return sum(map(held_bytes, list(own())))
    return sum(map(held_bytes, vars(value).values())) if hasattr(value, "__dict__") else 64


def digest(value: Any) -> str:
    """A name for a tensor, None, or a dataclass or sequence of them: equal names, equal values."""
    if isinstance(value, Tensor):
        flat = value.detach().cpu().contiguous()
        head = f"{tuple(flat.shape)} {flat.dtype} {value.device} ".encode()
        return hashlib.sha256(head + flat.numpy().tobytes()).hexdigest()
    if dataclasses.is_dataclass(value):
        return digest([getattr(value, f.name) for f in dataclasses.fields(value)])
    if value is None:
        return "none"
    names = " ".join(map(digest, value))
    return hashlib.sha256(f"[{names}]".encode()).hexdigest()
