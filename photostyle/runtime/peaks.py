"""Peak memory: of a process, or on a GPU, over a stretch of work."""

import gc
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def process_peak() -> int | None:
    """Bytes that this process has had in memory at most; None where the system does not tell."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Peak:
    """Memory at most while it is entered: `with Peak(device) as peak: …`, then `peak.bytes`.

    Of a CUDA GPU what torch takes there. Else what the whole process has, its libraries included;
    where the system cannot begin anew (Linux can), the most since the process began.

    Attributes:
        bytes: the peak, once left; None where the system does not tell.
    """

    bytes: int | None = None

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> Self:
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        self._anew = self._device.type != "cuda" and _begun_anew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self._device)
        else:
            self.bytes = _since_anew() if self._anew else process_peak()


def _begun_anew() -> bool:
    """Sets Linux's own record of the peak to what is held now."""
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _since_anew() -> int | None:
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith("VmHWM:")), None)
