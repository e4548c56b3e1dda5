"""The pictures of the page in the README: the example pair, compared and under its regions.

python docs/page_pictures.py [--out docs]

Needs the page's extra and what `make browser` installs.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = {"width": 1280, "height": 800}
#: Milliseconds for solves on a slow machine, and for a page to come to rest.
LONG, REST = 300_000, 1500


@contextmanager
def served() -> Iterator[str]:
    """The address of a server with nothing in it."""
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "photostyle", "serve", "--port", "0"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PHOTOSTYLE_HOME": home},
        )  # fmt: skip
        assert process.stdout
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait()


def keep(page: Any, path: Path) -> None:
    """What the page looks like, as a WebP of moderate size."""
    page.wait_for_timeout(REST)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(path, "WEBP", quality=82, method=6)
    print(f"{path}  {path.stat().st_size // 1000} kB")


def compared(page: Any, out: Path) -> None:
    page.click("text=Try the example pair")
    page.wait_for_selector(".strip button", timeout=LONG)
    page.wait_for_selector(".divider")
    keep(page, out / "page-compare.webp")


def regions(page: Any, out: Path) -> None:
    page.click("#tab-regions")
    page.click("[data-key=find]")
    page.wait_for_selector(".region", timeout=LONG)
    page.wait_for_timeout(REST)
    keep(page, out / "page-regions.webp")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for scheme, work in (("light", compared), ("dark", regions)):
            page = browser.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            work(page, out)
        browser.close()


if __name__ == "__main__":
    main()
