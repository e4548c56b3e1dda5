"""Sheet, tables and page, from whatever is there."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from photostyle.errors import OptionError
from photostyle.images.picture import load_image
from photostyle.images.saving import save_image
from photostyle.jobs.campaign import Plan
from photostyle.jobs.chains import PostJob, parse_operation
from photostyle.jobs.jobs import PLAN, Folder, write_text
from photostyle.jobs.report import Report

SCORES = {"structure": 0.9123456789, "edges": 0.8, "colour": 3.0, "content_colour": 9.0,
          "style_taken": 2 / 3, "smoothness": 1.1, "stain": 2.5}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three jobs: done, failed and missing; with names that HTML and CSV would trip over."""
    place = tmp_path / 'out </script>, "ü"'
    source = tmp_path / "content.png"
    generator = torch.Generator().manual_seed(0)
    save_image(source, torch.rand(1, 3, 60, 80, generator=generator))
    chain = (parse_operation("median"),)
    names = ('a <b> & "c"', "x,y", "日本")
    plan = Plan("odd </script> <b>title", tuple(PostJob(n, source, chain) for n in names))
    write_text(place / PLAN, plan.to_json())
    picture = f"{names[0]}.png"
    save_image(place / picture, torch.rand(1, 3, 60, 80, generator=generator))
    home = Folder(place)
    home.note(plan.jobs[0].key, {"state": "done", "picture": picture, "heat": picture,
                                 "stains": picture, "scores": SCORES,
                                 "seconds": 1.5, "calls": 3})  # fmt: skip
    home.note(plan.jobs[1].key, {"state": "failed", "reason": "no </script> light"})
    return place


class Page(HTMLParser):
    """Collects what a page would fetch, and its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.fetched += [str(v) for k, v in attrs if k in ("src", "href", "srcset", "action")]
        self._open = found if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.scripts.append((self._open, data))
            self._open = None


@pytest.mark.parametrize("embed", [True, False])
def test_page_fetches_nothing_from_elsewhere(folder: Path, embed: bool) -> None:
    Report(folder, embed=embed).write()
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.fetched == []
    assert len(page.scripts) == 2
    assert not re.search(r"https?://|//[a-z]+\.|@import|fetch\(|XMLHttp|url\(", text)
    data = json.loads(page.scripts[0][1])
    assert data["title"] == "odd </script> <b>title"
    done, failed, missing = data["rows"]
    assert data["pictures"][done["full"]].startswith("data:image/jpeg;base64," if embed else "a%20")
    assert data["pictures"][done["before"]].startswith("data:image/jpeg;base64,")
    assert failed["facts"]["reason"] == "no </script> light"
    assert missing["facts"]["state"] == "missing"
    assert done["stains"] == done["full"]
    assert "default-src 'none'" in text


def test_tables_hold_every_score(folder: Path) -> None:
    Report(folder).write()
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["done", "failed", "missing"]
    assert float(rows[0]["structure"]) == pytest.approx(SCORES["structure"], abs=1e-6)
    assert float(rows[0]["stain"]) == 2.5
    assert rows[1]["name"] == "x,y"
    listed = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert listed[0]["style_taken"] == pytest.approx(2 / 3, abs=1e-6)
    assert listed[2] == {"name": "日本", "state": "missing", "post": "median:d=3"}


def test_sheet_shows_done_cells_and_frames_for_the_others(folder: Path) -> None:
    Report(folder).write()
    sheet = load_image(folder / "sheet.png").image[0]
    assert sheet.shape[2] == 3 * (267 + 8) + 8  # three columns of 80×60 pictures, 200 high
    first, second = sheet[:, 8:208, 8:275], sheet[:, 8:208, 283:550]
    assert first.std() > 0.1
    inside = second[:, 5:-5, 5:-5]
    assert inside.min() == inside.max()
    again = (folder / "sheet.png").read_bytes()
    Report(folder).write()
    assert (folder / "sheet.png").read_bytes() == again


def test_records_without_stains_are_reported(folder: Path) -> None:
    """As they were written before there were any."""
    Report(folder).write()
    with_stains = load_image(folder / "sheet.png").image
    key = json.loads((folder / PLAN).read_text(encoding="utf-8"))["jobs"][0]["key"]
    record = Folder(folder).record(key)
    assert record
    old = {name: v for name, v in SCORES.items() if name not in ("smoothness", "stain")}
    old_record = {name: v for name, v in record.items() if name != "stains"}
    Folder(folder).note(key, {**old_record, "scores": old})
    Report(folder).write()
    rows = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert rows[0]["state"] == "done"
    assert "stain" not in rows[0]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert json.loads(page.scripts[0][1])["rows"][0]["stains"] is None
    assert load_image(folder / "sheet.png").image.shape[2] < with_stains.shape[2]


def test_a_folder_without_jobs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="holds no jobs"):
        Report(tmp_path).write()
    write_text(tmp_path / PLAN, "[1, 2")
    with pytest.raises(OptionError, match="holds no jobs"):
        Report(tmp_path).write()


def chromium() -> str:
    import shutil

    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("there is no Chromium on this machine")
    return found


def test_page_in_a_browser(folder: Path) -> None:
    api = pytest.importorskip("playwright.sync_api")
    path = chromium()
    Report(folder).write()
    asked: list[str] = []
    with api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "report.html").as_uri())

        def names() -> list[str]:
            return page.locator("tbody tr td:nth-child(2)").all_inner_texts()

        before = names()
        page.locator("th[data-name=name] button").click()
        ascending = names()
        page.locator("th[data-name=name] button").click()
        assert sorted(before) == sorted(ascending)
        assert names() == ascending[::-1]
        page.locator("tbody button").click()
        page.locator("input[type=range]").fill("20")
        assert page.locator(".stage").evaluate("e => e.style.getPropertyValue('--at')") == "20%"
        page.get_by_role("button", name="full size").click()
        assert page.locator(".stage img").evaluate("e => [e.naturalWidth, e.width]") == [80, 80]
        page.keyboard.press("Escape")
        assert not page.locator("dialog").is_visible()
        browser.close()
    assert faults == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_warnings_stand_with_their_pictures(folder: Path) -> None:
    home = Folder(folder)
    plan = home.plan()
    assert plan is not None
    key = plan["jobs"][0]["key"]
    Report(folder).write()
    assert "warnings" not in json.loads((folder / "scores.json").read_text())[0]
    record = home.record(key)
    home.note(key, {**(record or {}), "warnings": ["stain at the left", "flat: …"]})
    Report(folder).write()
    rows = json.loads((folder / "scores.json").read_text())
    assert [row["warnings"] for row in rows] == ["stain at the left; flat: …", "", ""]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    data = json.loads(page.scripts[0][1])
    assert data["rows"][0]["facts"]["warnings"] == "stain at the left; flat: …"
