"""A server of its own for the tests of this folder, started as people start it."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
Page = Any  # of Playwright


@dataclass
class Served:
    """A running server and how to ask it."""

    process: "subprocess.Popen[str]"
    address: str
    home: Path
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.address.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def ask(
        self, method: str, path: str, body: bytes | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None, bare: bool = False,
    ) -> tuple[int, bytes]:  # fmt: skip
        """(status, body) of a request as the page makes it; `bare` without token and mark."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        if method != "GET" and data is None:
            data = b""
        own = {} if bare else {"X-Token": self.token, "X-Photostyle": "1"}
        request = urllib.request.Request(
            self.base + path, data=data, method=method, headers={**own, **(headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, method: str, path: str, body: Any = None) -> Any:
        status, found = self.ask(method, path, body)
        assert status == 200, found
        return json.loads(found)

    def session(self, **wanted: Any) -> str:
        """The address of a new session, quick and without previews unless something is wanted."""
        path = f"/api/sessions/{self.json('POST', '/api/sessions')['id']}"
        quick = {"preset": "color", "live": False, "options": {"size": 96}}
        self.json("PATCH", path, {**quick, **wanted})
        return path

    def pair(self, **wanted: Any) -> str:
        """The address of a new session with two small photographs."""
        path = self.session(**wanted)
        for seed, role in enumerate(("content", "style")):
            self.json("POST", f"{path}/pictures/{role}?name={role}.png", picture(seed))
        return path

    def until(self, path: str, done: Any, seconds: float = 120) -> Any:
        """The session's state once `done` holds of it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.json("GET", path)
            if done(state):
                return state
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {state}")


def picture(seed: int, size: tuple[int, int] = (96, 72)) -> bytes:
    """A small photograph of two halves, as a PNG."""
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = np.empty((height, width, 3))
    top, bottom = rng.uniform(40, 220, (2, 3))
    pixels[: height // 2], pixels[height // 2 :] = top, bottom
    pixels += rng.normal(0, 14, pixels.shape) + 18 * np.sin(np.arange(width) / 7)[:, None]
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def photo() -> Callable[..., bytes]:
    """Gives small photographs, each by its number."""
    return picture


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")
    pytest.importorskip("uvicorn", reason="pip install 'photostyle[web]'")
    home, folder = (tmp_path_factory.mktemp(name) for name in ("home", "folder"))
    (folder / "inside.png").write_bytes(picture(7))
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.png").write_bytes(picture(8))
    (folder / "link.png").symlink_to(outside / "secret.png")
    (folder / "linked").symlink_to(outside)
    process = subprocess.Popen(
        [sys.executable, "-m", "photostyle", "serve", "--port", "0", "--folder", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PHOTOSTYLE_HOME": str(home)},
    )  # fmt: skip
    assert process.stdout
    line = process.stdout.readline()
    assert "http://127.0.0.1:" in line, line + (process.stderr.read() if process.stderr else "")
    yield Served(process, line.split()[-1], home, folder)
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def solved(served: Served) -> str:
    """A session with a finished result, its number 1."""
    session: str = served.pair()
    served.json("POST", f"{session}/do/solve")
    served.until(session, lambda state: state["strip"])
    return session


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


class Watch:
    """What a page says and asks for, which is to be nothing bad."""

    def __init__(self, page: Page, base: str) -> None:
        self.bad: list[str] = []
        page.on("console", lambda m: m.type in ("error", "warning") and self.bad.append(m.text))
        page.on("pageerror", lambda error: self.bad.append(str(error)))
        page.on(
            "request",
            lambda r: r.url.startswith((base, "blob:", "data:")) or self.bad.append(r.url),
        )


@pytest.fixture
def page(browser: Any, served: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=False)
    page = context.new_page()
    watch = Watch(page, served.base)
    page.goto(served.address)
    page.wait_for_selector("body[data-ready]")
    page.watch = watch
    yield page
    context.close()
    assert watch.bad == []
