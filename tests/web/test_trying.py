"""The page in a browser: trying things, telling what came of them apart, and taking them back."""

import json
import zlib
from typing import Any

import numpy as np

from tests.web.browsing import labels, open_pair, require_browser
from tests.web.test_sessions import pixels

require_browser()

Served = Any  # of conftest.py
Page = Any


def test_results_are_numbered_in_a_row_and_say_what_changed(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    served.json("POST", f"{session}/do/solve")
    served.json("POST", f"{session}/do/cancel")  # given up: no result, and no number
    results = 1
    for wanted in ({"edge_softness": 3}, {"edge_softness": None}, {}):
        served.json("PATCH", session, {"options": wanted})
        served.json("POST", f"{session}/do/solve")
        results += 1
        served.until(session, lambda state, n=results: len(state["strip"]) == n)
    page.wait_for_selector(".strip button >> nth=3")
    captions = page.locator(".strip button span:first-of-type").all_inner_texts()
    assert captions == [
        "4 · the same again", "3 · edge softness as usual", "2 · edge softness 3", "1 · color",
    ]  # fmt: skip


def put(served: Served, session: str, names: str, ids: dict[str, np.ndarray]) -> None:
    regions = [{"name": name, "colour": [90 * k, 40, 9]} for k, name in enumerate(names)]
    head = json.dumps({"regions": regions}).encode() + b"\n"
    for role, plane in ids.items():
        body = head + zlib.compress(plane.astype(np.uint8).tobytes())
        assert served.ask("PUT", f"{session}/labels/{role}", body)[0] == 200


def test_a_removed_region_goes_to_its_neighbours_and_comes_back(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    before = {
        "content": np.broadcast_to(np.arange(96) // 32, (72, 96)),  # three stripes: a, b, c
        "style": np.full((72, 96), 1),  # b alone: nothing is beside it
    }
    # the left half of the middle stripe is nearer to a, the right half to c, which moves up
    after = {
        "content": np.broadcast_to(np.arange(96) // 48, (72, 96)),
        "style": np.zeros((72, 96)),
    }
    put(served, session, "abc", before)
    served.json("PATCH", session, {"options": {"strength": "1,b=0.5,c=0.7"}})
    page.click("#tab-regions")
    page.click("[data-key=region-1]")
    for button, names, wanted in (
        ("remove-1", "ac", after), ("undo", "abc", before), ("redo", "ac", after),
    ):  # fmt: skip
        page.click(f"[data-key={button}]")
        told = served.until(
            session, lambda s, n=names: "".join(r["name"] for r in s["regions"]["regions"]) == n
        )
        page.wait_for_timeout(800)
        for role, plane in wanted.items():
            assert (labels(served, session, role) == plane).all()
    assert told["options"]["strength"] == "1,c=0.7"


def test_the_last_region_cannot_be_removed(page: Page, served: Served) -> None:
    session = open_pair(page, served)
    put(served, session, "a", dict.fromkeys(("content", "style"), np.zeros((72, 96))))
    page.click("#tab-regions")
    page.wait_for_selector("[data-key=name-0]")
    assert page.locator("[data-key=remove-0]").count() == 0


def test_values_are_tried_at_the_strength_set_seen_large_and_taken(
    page: Page, served: Served
) -> None:
    session = open_pair(page, served)
    served.json("PATCH", session, {"options": {"strength": "0"}})
    page.click("#tab-turn")
    page.click("[data-key=sweep-edge_softness]")
    page.fill("#sweep-values", "1, 4,")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key=try-1] img", timeout=60_000)
    assert page.inner_text("dialog[open] h2").startswith("2 values")
    status, tried = served.ask("GET", f"{session}/preview/sweep-1")
    assert status == 200
    file = served.json("GET", session)["chosen"]["content"]
    _, own = served.ask("GET", f"{session}/files/{file}/view")
    apart = np.abs(pixels(tried).astype(float) - pixels(own))
    assert apart.mean() < 12  # at strength 0 each is the photograph, but for the losses of JPEG
    page.click("[data-key=try-0]")
    small = page.locator("[data-key=try-0] img").bounding_box()
    large = page.locator(".large img").bounding_box()
    assert large["width"] > 3 * small["width"]
    assert page.inner_text("[data-key=try-take]") == "Take 1"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("[data-key=try-take]") == "Take 4"
    assert "edge_softness" not in served.json("GET", session)["options"]  # looking changes nothing
    page.click("[data-key=try-take]")
    served.until(session, lambda state: state["options"].get("edge_softness") == 4)
