"""Pages that stay within a solve, and go back after it."""

import resource
import sys
from pathlib import Path

import pytest
import torch

from photostyle.runtime import pages
from photostyle.runtime.pages import kept_pages

pytestmark = pytest.mark.skipif(pages._library() is None, reason="another C library")


def faults() -> int:
    """Pages that the kernel had to clear for eight tensors of 48 MiB, one after the other."""
    torch.ones(12 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.ones(12 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_memory_is_used_again_and_given_back() -> None:
    outside = faults()
    with kept_pages():
        for _ in range(2):  # until the heap has room: a block between two may keep it from growing
            faults()
        inside = faults()
        many = [torch.ones(1 << 20) for _ in range(50)]
        full = resident()
        del many
        assert resident() > full - (50 << 20)
    assert inside < outside / 10
    assert resident() < full - (100 << 20)
    assert faults() > outside / 2


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    pages._library.cache_clear()
    try:
        assert pages._library() is None
        with kept_pages():
            pass
    finally:
        pages._library.cache_clear()
