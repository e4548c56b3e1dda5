"""How soon the page answers, measured in the browser: from the slider to the changed picture, from
giving the pictures to the first styled preview, from a stroke of the brush to the next preview.

Prints JSON, milliseconds each, the median and the slowest of several. Needs `make browser`.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROUNDS = 5
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

#: Moves the slider; resolves when the picture on the page has changed.
SLIDE = """value => new Promise(done => {
  const canvas = document.querySelector('.pane .layer:last-of-type canvas');
  const slider = document.getElementById('live-luminance');
  const context = canvas.getContext('2d'), pixels = canvas.width * canvas.height;
  const sum = () => context.getImageData(canvas.width / 2, canvas.height / 4, 9, 9).data.join();
  const before = sum(), began = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  const look = () => {
    if (sum() === before) requestAnimationFrame(look);
    else done([performance.now() - began, pixels]);
  };
  requestAnimationFrame(look);
})"""

#: Resolves with the time of the next picture of a solve.
NEXT = """async () => {
  const { on } = await import('/static/js/store.js');
  window.next = () => new Promise(done => {
    let glimpsed = false;
    const ends = [
      on('picture', event => { glimpsed ||= event.rung === 'glimpse'; }),
      on('painted', () => {
        if (!glimpsed) return;
        ends.forEach(end => end());
        requestAnimationFrame(() => done(performance.now()));
      }),
    ];
  });
}"""


def told(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values)), "slowest": round(max(values))}


def measured(page: Any) -> dict[str, Any]:
    page.evaluate(NEXT)
    found: dict[str, Any] = {}
    page.wait_for_selector(".start")
    page.evaluate("() => { window.waiting = window.next(); window.began = performance.now(); }")
    for zone, name in ((0, "city.jpg"), (1, "night.jpg")):
        page.locator(".zone input[type=file]").nth(2 * zone).set_input_files(EXAMPLES / name)
        if not zone:
            page.wait_for_selector(".zone.full")
    found["from giving both pictures to the first preview"] = told(
        [page.evaluate("async () => await window.waiting - window.began")]
    )
    page.select_option("#preset", "color")
    page.wait_for_selector(".strip button", timeout=300_000)
    page.wait_for_timeout(1500)
    page.click("[data-key=mode-result]")
    slides = [page.evaluate(SLIDE, 0.1 + 0.1 * k) for k in range(ROUNDS)]
    found["pixels of the view"] = slides[0][1]
    found["from slider to changed picture"] = told([ms for ms, _ in slides])
    page.click("#tab-regions")
    page.click("[data-key=find]")
    page.wait_for_selector(".region", timeout=120_000)
    page.wait_for_timeout(2000)
    found["from stroke to preview"] = told([_stroke(page, k) for k in range(ROUNDS)])
    return found


def _stroke(page: Any, k: int) -> float:
    box = page.locator(".pane").first.bounding_box()
    x, y = box["x"] + box["width"] * (0.3 + 0.05 * k), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=3)
    page.evaluate("() => { window.waiting = window.next(); window.began = performance.now(); }")
    page.mouse.up()
    waited: float = page.evaluate("async () => await window.waiting - window.began")
    return waited


def main() -> None:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        print("Playwright is missing: `make browser` installs it.")
        return
    with tempfile.TemporaryDirectory() as home, sync_playwright() as started:
        process = subprocess.Popen(
            [sys.executable, "-m", "photostyle", "serve", "--port", "0"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PHOTOSTYLE_HOME": home},
        )  # fmt: skip
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        page.wait_for_timeout(10_000)  # the workers load their libraries
        before = os.getloadavg()[0]
        found = measured(page)
        loads = [round(before, 1), round(os.getloadavg()[0], 1)]
        print(json.dumps({**found, "load": loads, "cores": os.cpu_count()}, indent=1))
        browser.close()
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
