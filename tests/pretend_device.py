"""A pretend accelerator, "pretend:0": tensors that name another device and compute on the CPU.

What the operations of a real one do is done on the CPU; what a real one refuses is refused: an
operation on tensors of both devices. So a tensor made in the wrong place shows here, on a machine
without any accelerator. What makes the host wait for a real one is counted.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import backend_registration
from torch.utils._pytree import tree_flatten, tree_map

aten = torch.ops.aten

#: The device; not there before `register`.
NAME = "pretend:0"
#: May read one device and write another.
COPIES = {aten.copy_.default, aten._to_copy.default}
#: A real device takes indices that are on the CPU.
INDEXED = {
    aten.index.Tensor, aten.index_put_.default, aten.index_put.default,
    aten._index_put_impl_.default,
}  # fmt: skip
#: The host has a value after these, or a size that depends on values, and so waits for the device.
WAITS = {
    aten._local_scalar_dense.default: "item",
    aten.equal.default: "equal",
    aten.nonzero.default: "nonzero",
    aten.masked_select.default: "masked_select",
    aten._unique2.default: "unique",
}
#: Of a real device's, as "item", "to host" or "to device", since `counting` began.
seen: Counter[str] = Counter()


class PretendTensor(torch.Tensor):
    """Says that it is on the device, and holds a tensor that is on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "PretendTensor":
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=NAME,
        )  # fmt: skip
        made.held = held
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _on_cpu(op, *args, **(kwargs or {}))

    # These copy numbers, in torch below the level at which wrappers are seen.
    def tolist(self) -> Any:
        return self.cpu().tolist()

    def new_tensor(self, data: Any, *, dtype: torch.dtype | None = None) -> torch.Tensor:
        return torch.tensor(data, dtype=dtype or self.dtype).to(self.device)

    def __getitem__(self, index: Any) -> torch.Tensor:
        return super().__getitem__(_moved(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_moved(index), value)

    def __repr__(self) -> str:
        return f"{NAME} {self.held!r}"


def _moved(index: Any) -> Any:
    """Lists in an index as tensors on the device."""
    if isinstance(index, tuple):
        return tuple(map(_moved, index))
    return torch.tensor(index).to(NAME) if isinstance(index, list | range) else index


def _on_cpu(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The operation on the CPU, between unwrapping and wrapping."""
    given = tree_flatten((args, kwargs))[0]
    tensors = [x for x in given if isinstance(x, torch.Tensor)]
    mine = [x for x in tensors if isinstance(x, PretendTensor)]
    _check(op, tensors, mine)
    if kwargs.get("generator") is not None:
        raise RuntimeError(f"{op}: a generator of the CPU for {NAME}")
    target = kwargs.get("device")
    here = bool(mine) if target is None else torch.device(target).type == "pretend"
    _count(op, tensors, mine, here)
    out = op(*tree_map(_unwrapped, args), **tree_map(_unwrapped, kwargs))
    changed = [a.name for a in op._schema.arguments if a.alias_info and a.alias_info.is_write]
    if changed and op._schema.returns:
        first = kwargs[changed[0]] if changed[0] in kwargs else args[0]
        if isinstance(first, PretendTensor) and first.shape != first.held.shape:
            first.data = PretendTensor(first.held)
        return first
    return tree_map(_wrapped, out) if here else out


def _check(op: Any, tensors: list[torch.Tensor], mine: list[PretendTensor]) -> None:
    if op in COPIES or not mine:
        return
    others = [x for x in tensors if not isinstance(x, PretendTensor) and x.dim()]
    if op in INDEXED and not (others and isinstance(tensors[0], PretendTensor)):
        return
    if op in INDEXED and all(x.dtype in (torch.int64, torch.bool) for x in others):
        return
    if others:
        raise RuntimeError(
            f"{op}: tensors on {NAME} and the CPU, {[tuple(x.shape) for x in others]}"
        )


def _count(op: Any, tensors: Any, mine: Any, here: bool) -> None:
    if mine and op in WAITS:
        seen[WAITS[op]] += 1
    elif op in COPIES:
        if len(tensors) == 2 and len(mine) == 1:
            here = isinstance(tensors[0], PretendTensor)
        elif bool(mine) == here:
            return
        seen["to device" if here else "to host"] += 1


def _unwrapped(value: Any) -> Any:
    if isinstance(value, PretendTensor):
        return value.held
    if isinstance(value, torch.device) and value.type == "pretend":
        return torch.device("cpu")
    return value


def _wrapped(value: Any) -> Any:
    if not isinstance(value, torch.Tensor) or isinstance(value, PretendTensor):
        return value
    with torch.inference_mode(value.is_inference()):  # a view of a parameter is none of that mode
        return PretendTensor(value)


class _Module(backend_registration._DummyBackendModule):
    """What torch asks a device's module for."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


_libraries: list[torch.library.Library] = []


def register() -> None:
    """Makes the device known to this process; again does nothing."""
    if _libraries:
        return
    backend_registration._setup_privateuseone_for_python_backend("pretend", _Module())
    every = torch.library.Library("_", "IMPL")
    every.fallback(_on_cpu, "PrivateUse1")
    own = torch.library.Library("aten", "IMPL")
    for name in torch._C._dispatch_get_registrations_for_dispatch_key("CompositeExplicitAutograd"):
        if name.startswith("aten::"):
            _register(own, name.removeprefix("aten::"))
    _libraries.extend([every, own])


def _register(library: torch.library.Library, name: str) -> None:
    """Such a kernel goes before the fallback. It resizes what it has made, which a wrapper cannot
    follow. What takes a tensor comes by `__torch_dispatch__` anyway, so it is left as it is."""
    packet, _, overload = name.partition(".")
    op = getattr(getattr(aten, packet), overload or "default")
    if any("Tensor" in str(argument.type) for argument in op._schema.arguments):
        return

    def kernel(*args: Any, **kwargs: Any) -> Any:
        return _on_cpu(op, *args, **kwargs)

    library.impl(name, kernel, "PrivateUse1")


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """What makes the host wait, or moves tensors, while the block runs."""
    seen.clear()
    yield seen
