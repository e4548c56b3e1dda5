"""Pages that stay within a solve, and go back after it."""

import json
import subprocess
import sys

import pytest

from photostyle.runtime import pages
from photostyle.runtime.pages import kept_pages

#: Runs in a process of its own: what others leave in the heap decides where a block comes to lie.
CHILD = """
import json, resource
from pathlib import Path
import torch
from photostyle.runtime.pages import kept_pages

def faults():
    torch.ones(12 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.ones(12 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def kept(elements):
    before = resident()
    block = torch.ones(elements)
    full = resident()
    del block
    return (resident() - before) / (full - before)

seen = {"outside": faults(), "kept outside": kept(100 << 20)}
with kept_pages():
    for _ in range(2):  # until the heap has room: a block between two may keep it from growing
        faults()
    seen["inside"] = faults()
    many = [torch.ones(1 << 20) for _ in range(50)]
    full = resident()
    del many
    seen["freed inside"] = full - resident()
seen["freed after"] = full - resident()
# More than the block above ever held, so that no hole in the heap can take it.
seen["kept after"] = kept(100 << 20)
print(json.dumps(seen))
"""


@pytest.mark.skipif(pages._library() is None, reason="another C library")
def test_memory_is_used_again_and_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["inside"] < seen["outside"] / 10
    assert seen["freed inside"] < 50 << 20
    assert seen["freed after"] > 100 << 20
    assert seen["kept outside"] < 0.1
    assert seen["kept after"] < 0.1


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    pages._library.cache_clear()
    try:
        assert pages._library() is None
        with kept_pages():
            pass
    finally:
        pages._library.cache_clear()
