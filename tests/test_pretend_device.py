"""The product on a pretend accelerator, in processes of its own: a device stays for the life of a
process, and autograd counts devices when it first runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = [str(HERE / name) for name in ("pretend_cases.py", "pretend_memory_cases.py")]


@pytest.mark.parametrize("chosen", ["preset", "not preset"])
def test_the_product_runs_on_one(chosen: str) -> None:
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", chosen, *CASES]
    own = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(words, capture_output=True, text=True, cwd=HERE.parent, env=own)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
