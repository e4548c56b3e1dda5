"""Memory that is used again within a solve.

Under Linux's C library large tensors go back as they are freed, and every next one begins with the
kernel clearing its pages: a seventh of the time of a solve.
"""

import ctypes
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
#: What the library itself comes to after it has met large tensors, in bytes.
_USUAL = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20, _MMAP_MAX: 65536}
_KEPT = {_TRIM_THRESHOLD: (1 << 31) - 1, _MMAP_MAX: 0}


@contextmanager
def kept_pages() -> Iterator[None]:
    """Freed memory stays with the process within the block, and goes back after it; does nothing
    where the C library is another."""
    library = _library()
    if library is None:
        yield
        return
    try:
        for name, value in _KEPT.items():
            library.mallopt(name, value)
        yield
    finally:
        for name, value in _USUAL.items():
            library.mallopt(name, value)
        library.malloc_trim(0)


@functools.cache
def _library() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
