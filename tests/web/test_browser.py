"""The page in a browser, as a person uses it: from the example pair to the download."""

import io
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.web.browsing import labels, open_pair, require_browser

require_browser()
AXE = Path(os.environ.get("AXE", "build/axe/node_modules/axe-core/axe.min.js"))

Served = Any  # of conftest.py
Page = Any


def session_of(page: Page) -> str:
    name: str = page.evaluate("localStorage.getItem('photostyle-session')")
    return f"/api/sessions/{name}"


def shot(page: Page, selector: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot()))).astype(int)


def test_from_the_example_pair_to_the_download(page: Page, served: Served) -> None:
    page.click("#new")
    page.wait_for_selector(".start")
    session = session_of(page)
    served.json("PATCH", session, {"preset": "color", "options": {"size": 128}})
    page.click("text=Try the example pair")
    page.wait_for_selector(".divider", timeout=120_000)  # a first preview
    page.wait_for_selector(".strip button", timeout=120_000)
    page.click("#tab-keep")
    with page.expect_download(timeout=60_000) as waiting:
        page.click("[data-key=download]")
    path = waiting.value.path()
    with Image.open(path) as picture:
        assert picture.size == (1280, 853)
        assert json.loads(picture.text["photostyle"])["inputs"]["style"]["path"] == "night.jpg"
    assert waiting.value.suggested_filename == "city-styled.png"


def test_sliders_change_the_picture_at_once_and_reload_keeps_the_state(
    page: Page, served: Served
) -> None:
    session = open_pair(page, served)
    page.click("#tab-turn")
    page.click("[data-key=mode-result]")
    before = shot(page, ".pane")
    page.fill("#live-strength", "0")
    page.wait_for_timeout(300)
    after = shot(page, ".pane")
    page.click("[data-key=mode-original]")
    original = shot(page, ".pane")
    assert np.abs(after - before).max() > 5
    inside = (slice(60, None), slice(150, -150))
    assert np.abs(after[inside] - original[inside]).max() <= 1  # none of the change is the content
    served.until(session, lambda state: state["options"].get("strength") == "0")
    page.reload()
    page.wait_for_selector("#live-strength")
    assert page.input_value("#live-strength") == "0"
    assert page.get_attribute("[data-key=mode-original]", "aria-pressed") == "true"
    assert len(served.json("GET", session)["strip"]) == 1  # nothing was solved again


def test_what_the_page_computes_is_what_the_server_delivers(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    n = served.json("GET", session)["strip"][-1]["n"]
    options = {"strength": "0.7", "luminance": 0.4, "color": 0.6, "protect": "sky=0.5,neutrals"}
    _, right = served.ask("POST", f"{session}/results/{n}/view", {"options": options})
    found = page.evaluate(_COMPUTE, [session, n, options])
    mine = np.array(found, np.uint8).reshape(72, 96, 4)[..., :3].astype(int)
    assert np.abs(mine - np.asarray(Image.open(io.BytesIO(right))).astype(int)).max() <= 2


_COMPUTE = """async ([session, n, options]) => {
  const { compute, plan } = await import("/static/js/live.js");
  const read = async path => {
    const bitmap = await createImageBitmap(await (await fetch(session + path)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  };
  const one = data => Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
  const state = await (await fetch(session)).json(), file = state.chosen.content;
  const content = await read(`/files/${file}/view`), result = await read(`/results/${n}/view`);
  const regions = one(await read(`/results/${n}/regions`)), planes = {};
  for (const name of ["sky", "neutrals"])
    planes[name] = one(await read(`/protected/${file}/${name}`));
  const out = new Uint8ClampedArray(content.length);
  compute(content, result, regions, planes, plan(options, state.strip.at(-1).names), out);
  return Array.from(out);
}"""


def test_painting_changes_just_the_painted_pixels_and_the_result(
    page: Page, served: Served
) -> None:
    session = open_pair(page, served)
    page.click("#tab-regions")
    page.click("[data-key=find]")
    page.wait_for_selector(".region", timeout=60_000)
    page.click("[data-key=add-region]")
    page.wait_for_timeout(300)
    before = labels(served, session)
    page.fill("#ui-brush", "12")
    box = page.locator(".pane").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1], steps=4)
    page.mouse.up()
    served.until(session, lambda s: s["regions"]["drawn"] and s["regions"].get("style"))
    page.wait_for_timeout(600)
    after = labels(served, session)
    scale = _scale(box, 96, 72)
    rows, columns = np.mgrid[:72, :96] + 0.5
    along = np.clip(columns, 48, 48 + 40 / scale)
    inside = np.hypot(columns - along, rows - 36) <= 6
    sure = np.abs(np.hypot(columns - along, rows - 36) - 6) > 0.75
    added = before.max() + 1 if after.max() > before.max() else after.max()
    assert ((after == added) == inside)[sure].all()
    assert (after == before)[~inside & sure].all()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(1200)
    assert (labels(served, session) == before).all()
    page.keyboard.press("Control+Shift+z")
    page.wait_for_timeout(1200)
    assert (labels(served, session) == after).all()


def _scale(box: dict[str, float], width: int, height: int) -> float:
    return min((box["width"] - 24) / width, (box["height"] - 24) / height)


def test_names_and_pairs_of_regions_and_finding_them_anew(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    page.click("#tab-regions")
    page.click("[data-key=find]")
    page.wait_for_selector(".region", timeout=60_000)
    first, second = (r["name"] for r in served.json("GET", session)["regions"]["regions"][:2])
    served.json("PATCH", session, {"options": {"strength": f"1,{first}=0.5"}})
    page.fill("[data-key=name-0]", "heaven, high")
    page.keyboard.press("Enter")
    told = served.until(session, lambda s: "heaven" in s["options"]["strength"])
    assert told["options"]["strength"] == '1,"heaven, high"=0.5'
    page.locator(".region .pick").first.drag_to(page.locator(".region").nth(1))
    told = served.until(session, lambda s: s["options"].get("correspond"))
    assert told["options"]["correspond"] == f'"heaven, high"={second}'
    painted = labels(served, session)
    page.click("[data-key=find]")
    served.until(session, lambda s: s["regions"]["regions"][0]["name"] == first)
    page.wait_for_selector(f".region:has-text('{first}')")
    page.click("[data-key=undo]")
    served.until(session, lambda s: s["regions"]["regions"][0]["name"] == "heaven, high")
    page.wait_for_timeout(600)
    assert (labels(served, session) == painted).all()


def test_the_original_is_seen_while_its_button_or_key_is_held(page: Page, served: Served) -> None:
    open_pair(page, served)
    button = page.locator("[data-key=hold]").bounding_box()
    page.mouse.move(button["x"] + 10, button["y"] + 10)
    page.focus("[data-key=hold]")
    for down, up in (
        (page.mouse.down, page.mouse.up),
        (lambda: page.keyboard.down("o"), lambda: page.keyboard.up("o")),
        (lambda: page.keyboard.down("Space"), lambda: page.keyboard.up("Space")),
    ):
        down()
        page.wait_for_selector(".divider", state="detached")
        up()
        page.wait_for_selector(".divider")


def test_a_mask_file_goes_in_and_comes_out_byte_for_byte(
    page: Page, served: Served, tmp_path: Path
) -> None:
    session = open_pair(page, served)
    ids = (np.random.default_rng(2).random((72, 96)) < 0.5).astype(np.uint8)
    regions = [{"name": "a", "colour": [1, 2, 3]}, {"name": "b", "colour": [250, 2, 3]}]
    body = json.dumps({"regions": regions}).encode() + b"\n" + zlib.compress(ids.tobytes())
    for role in ("content", "style"):
        served.ask("PUT", f"{session}/labels/{role}", body)
    _, first = served.ask("GET", f"{session}/labels/content/file?form=labels")
    (tmp_path / "mine.png").write_bytes(first)
    page.click("#tab-regions")
    page.wait_for_selector("[data-key=save-content]")
    page.set_input_files("input[data-mask=content]", tmp_path / "mine.png")
    page.wait_for_timeout(1500)
    with page.expect_download() as waiting:
        page.click("[data-key=save-content]")
    assert waiting.value.path().read_bytes() == first
    assert (labels(served, session) == ids).all()


def test_a_solve_is_stopped_by_escape_and_by_a_newer_change(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    served.json("PATCH", session, {"preset": "photoreal-fast", "live": True,
                                   "options": {"size": 160, "iterations": 3000}})  # fmt: skip
    page.wait_for_selector(".progress progress[max='3000']", timeout=90_000)
    page.focus("#tab-turn")
    page.keyboard.press("Escape")
    state = served.until(session, lambda state: len(state["strip"]) == 2)
    assert state["strip"][-1]["interrupted"]
    page.wait_for_selector("text=stopped early")


def test_a_lost_server_is_told(browser: Any, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.address)
    page.wait_for_selector("body[data-ready]")
    context.set_offline(True)
    page.click("#new")
    page.wait_for_selector("[role=alert]")
    assert "connection" in page.inner_text("#toasts")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(browser: Any, served: Served, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is missing: `make browser` installs it")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(served.address)
    page.wait_for_selector("body[data-ready]")
    script = AXE.read_text(encoding="utf-8")
    page.click("#new")
    page.wait_for_selector(".start")
    found = {"start": _findings(page, script)}
    session = open_pair(page, served)
    page.click("#tab-regions")
    page.click("[data-key=find]")
    page.wait_for_selector(".region", timeout=60_000)
    for tab in ("pictures", "turn", "regions", "keep"):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(200)
        found[tab] = _findings(page, script)
    page.click("#help")
    found["keys"] = _findings(page, script)
    assert not any(found.values()), found
    assert session
    context.close()


def _findings(page: Page, script: str) -> list[str]:
    page.evaluate(script)
    result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:120]}"
        for v in result["violations"] if v["impact"] in ("serious", "critical")
    ]  # fmt: skip


def test_every_control_has_a_name_and_the_keyboard_reaches_it(page: Page, served: Served) -> None:
    open_pair(page, served)
    page.click("#tab-turn")
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select, .pane")]
        .filter(e => e.offsetParent && !e.hasAttribute("aria-hidden"))
        .filter(e => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
        .map(e => e.outerHTML)""")
    assert nameless == []
    page.keyboard.press("2")
    assert page.locator(".pane").count() == 2
    page.keyboard.press("1")
    page.focus(".divider")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute(".divider", "aria-valuenow") == "52"
    page.keyboard.press("r")
    assert page.get_attribute("#tab-regions", "aria-selected") == "true"
