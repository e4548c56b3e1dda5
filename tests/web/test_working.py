"""What a session works on: previews, stopping, sweeps, folders; killed workers and restarts."""

import errno
import json
import os
import shutil
import signal
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")


from tests.web.test_sessions import pixels

Served = Any  # of conftest.py
Photo = Callable[..., bytes]


class Listening:
    """The events of a session, as they come."""

    def __init__(self, served: Served, session: str) -> None:
        request = urllib.request.Request(
            f"{served.base}{session}/events", headers={"X-Token": served.token}
        )
        self.answer = urllib.request.urlopen(request, timeout=120)
        self.events: list[Any] = []
        self.some = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self.answer:
                if line.startswith(b"data: "):
                    with self.some:
                        self.events.append(json.loads(line[6:]))
                        self.some.notify_all()
        except (OSError, ValueError, AttributeError):
            return

    def wait(self, wanted: Callable[[Any], Any]) -> Any:
        with self.some:
            assert self.some.wait_for(lambda: any(map(wanted, self.events)), 120), self.events[-3:]
            return next(filter(wanted, self.events))


def test_previews_come_first_and_a_newer_change_takes_over(served: Served) -> None:
    session = served.pair(preset="photoreal-fast", options={"size": 200, "iterations": 4})
    events = Listening(served, session)
    served.json("PATCH", session, {"live": True, "options": {"iterations": 5000}})
    events.wait(lambda e: e["type"] == "picture" and e["rung"] == "glimpse")
    step = events.wait(lambda e: e.get("kind") == "step")
    assert step["total"] == 5000
    assert step["terms"]
    assert step["left"] > 0
    version = served.ask("GET", f"{session}/preview/preview")
    assert version[0] == 200
    assert pixels(version[1]).ndim == 3
    served.json("PATCH", session, {"options": {"iterations": 2}})
    state = served.until(session, lambda state: state["strip"])
    assert len(state["strip"]) == 1
    assert state["strip"][0]["options"]["iterations"] == 2


def test_stopping_keeps_the_best_so_far_and_two_pages_hear_of_it(served: Served) -> None:
    session = served.pair(preset="photoreal-fast", options={"size": 200, "iterations": 5000})
    pages = [Listening(served, session) for _ in range(2)]
    served.json("POST", f"{session}/do/solve")
    pages[0].wait(lambda e: e.get("kind") == "step" and e["done"] > 3)
    served.json("POST", f"{session}/do/stop")
    for page in pages:
        found = page.wait(lambda e: e["type"] == "state" and e["state"]["strip"])
        assert found["state"]["strip"][0]["interrupted"]


def test_a_killed_worker_is_told_and_replaced(served: Served) -> None:
    session = served.pair(preset="photoreal-fast", options={"size": 200, "iterations": 5000})
    events = Listening(served, session)
    served.json("POST", f"{session}/do/solve")
    events.wait(lambda e: e.get("kind") == "step")
    lists = list(Path("/proc").glob(f"{served.process.pid}/task/*/children"))
    if not lists:
        pytest.skip("this system does not list processes")
    for pid in (int(word) for path in lists for word in path.read_text().split()):
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert "started anew" in events.wait(lambda e: e["type"] == "error")["error"]
    served.json("PATCH", session, {"preset": "color", "options": {"iterations": None}})
    served.json("POST", f"{session}/do/solve")
    assert served.until(session, lambda state: state["strip"])


def test_a_small_sweep_gives_a_picture_for_each_value(served: Served) -> None:
    session = served.pair()
    events = Listening(served, session)
    served.json("POST", f"{session}/sweep", {"name": "strength", "values": [0, 1]})
    events.wait(lambda e: e["type"] == "swept")
    first, last = (pixels(served.ask("GET", f"{session}/preview/sweep-{k}")[1]) for k in (0, 1))
    assert np.abs(first - last).max() > 5
    served.json("PATCH", session, {"options": {"init": "latents"}})
    values = ["wavelet", "decoder", "artflow"]  # two of them need a file that no page names
    served.json("POST", f"{session}/sweep", {"name": "transform", "values": values})
    told = [events.wait(lambda e: e["type"] == "tried" and e["value"] == v) for v in values]  # noqa: B023
    assert ["error" in event for event in told] == [False, True, True]
    for name, values in (("strength", [1]), ("nothing", [1, 2]), ("size", [100, 200]), (None, 3)):
        assert served.ask("POST", f"{session}/sweep", {"name": name, "values": values})[0] == 422


def test_all_photographs_are_styled_and_a_bad_one_stops_none(served: Served, photo: Photo) -> None:
    session = served.pair()
    state = served.json("POST", f"{session}/pictures/content?name=second.png", photo(5, (80, 60)))
    broken = served.home / "web/files" / state["pictures"]["content"][0]["file"]
    broken.write_bytes(b"gone bad")
    served.json("POST", f"{session}/do/batch")
    state = served.until(
        session, lambda s: all(i["state"] in ("done", "failed") for i in s["batch"])
    )
    assert [item["state"] for item in state["batch"]] == ["failed", "done"]
    assert "content.png" in state["batch"][0]["error"]
    status, data = served.ask("GET", f"{session}/batch/1/picture")
    assert status == 200
    assert pixels(data).shape == (60, 80, 3)
    broken.write_bytes(photo(0))


def test_sessions_survive_a_restart_and_go_after_a_week(
    served: Served, solved: str, tmp_path: Path
) -> None:
    from photostyle.web.server import Server
    from photostyle.web.store import Store

    shutil.copytree(served.home / "web", tmp_path / "web")
    name = solved.rpartition("/")[2]
    told = Server(Store(tmp_path / "web"), None).session(name).told()
    now = served.json("GET", solved)
    assert dict(told.items()) == dict(now.items())
    store = Store(tmp_path / "web")
    for path in [*store.files.iterdir(), *store.sessions.glob("*/state.json")]:
        os.utime(path, (0, 0))
    state = store.sessions / name / "state.json"
    os.utime(state)
    store.clean()
    assert store.recent() == [name]
    kept = {path.name[:64] for path in store.files.iterdir()}
    assert {now["chosen"]["content"][:64], now["chosen"]["style"][:64]} <= kept
    os.utime(state, (0, 0))
    store.clean()
    assert store.recent() == []
    assert list(store.files.iterdir()) == []


def test_a_session_goes_on_where_it_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photostyle.web.session import Session
    from photostyle.web.store import Store
    from photostyle.web.workshop import Worker

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store, idle = Store(tmp_path), Worker("idle", "photostyle.web.tasks")
    session = Session(store.create(), store, idle, idle)
    monkeypatch.setattr(store, "save", full)
    with session.listening() as queue:
        session.state["preset"] = "color"
        session.changed()
        error, state = queue.get_nowait(), queue.get_nowait()
    assert "disk is full" in error["error"]
    assert state["state"]["preset"] == "color"


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    from photostyle.web.refusing import told

    sentence, status = told(OSError(28, "No space left on device"))
    assert "disk is full" in sentence
    assert status == 507
