"""What the tests in a browser share."""

import zlib
from typing import Any

import numpy as np
import pytest

from tests.web.conftest import BROWSER

Served = Any  # of conftest.py
Page = Any


def require_browser() -> None:
    """Skips the module that calls it at its top where there is no browser to drive."""
    pytest.importorskip(
        "playwright.sync_api", reason="Playwright is missing: `make browser` installs it"
    )
    if BROWSER is None:
        pytest.skip(
            "no Chromium on this machine: `make browser` installs it", allow_module_level=True
        )


def open_pair(page: Page, served: Served) -> str:
    """The page with two small photographs and a result."""
    session: str = served.pair()
    served.json("POST", f"{session}/do/solve")
    served.until(session, lambda state: state["strip"])
    name = session.rpartition("/")[2]
    page.evaluate("name => localStorage.setItem('photostyle-session', name)", name)
    page.reload()
    page.wait_for_selector(".divider", timeout=60_000)
    page.wait_for_selector("body[data-ready]")
    return session


def labels(served: Served, session: str, role: str = "content") -> np.ndarray:
    _, data = served.ask("GET", f"{session}/labels/{role}")
    return np.frombuffer(zlib.decompress(data, 47), np.uint8).reshape(72, 96)
