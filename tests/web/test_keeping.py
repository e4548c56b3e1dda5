"""What is kept of results: wide colours, settings, regions to go back to, all photographs."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")

from photostyle.images.spaces import standard
from tests.web.test_sessions import REGIONS, labels, number, painted

Served = Any  # of conftest.py
Photo = Callable[..., bytes]


def test_colours_outside_srgb_are_kept(served: Served, photo: Photo) -> None:
    colours = np.asarray(Image.open(io.BytesIO(photo(3)))).copy()
    colours[10:30, 10:40] = 0, 250, 10  # a green that sRGB has not
    out = io.BytesIO()
    Image.fromarray(colours).save(out, "PNG", icc_profile=standard("p3").profile)
    session = served.session(options={"size": 96, "strength": "0"})
    served.json("POST", f"{session}/pictures/content?name=wide.png", out.getvalue())
    served.json("POST", f"{session}/pictures/style?name=style.png", photo(1))
    served.json("POST", f"{session}/do/solve")
    served.until(session, lambda state: state["strip"])
    _, data = served.ask("GET", f"{session}/results/{number(served, session)}/keep?form=png")
    kept = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(kept - colours).max() <= 1  # none of the change: the photograph's own values


def test_the_manifest_tells_what_was_chosen_since(served: Served, solved: str) -> None:
    n = number(served, solved)
    served.json("PATCH", solved, {"options": {"strength": "0.25", "output_size": 64}})
    _, data = served.ask("GET", f"{solved}/results/{n}/manifest")
    served.json("PATCH", solved, {"options": {"strength": None, "output_size": None}})
    told = json.loads(data)
    assert told["config"]["render"]["strength"] == "0.25"
    assert told["size"] == [64, 48]


def test_going_back_brings_settings_and_regions(served: Served) -> None:
    session = served.pair()
    drawn = []
    for rows in (20, 50):
        ids = np.zeros((72, 96), np.uint8)
        ids[:rows] = 1
        drawn.append(ids)
        painted(served, session, ids)
        served.json("PATCH", session, {"options": {"size": 90 + rows}})
        served.json("POST", f"{session}/do/solve")
        served.until(session, lambda s: len(s["strip"]) == len(drawn))
    served.json("DELETE", f"{session}/labels")
    for entry, ids in zip(served.json("GET", session)["strip"], drawn, strict=True):
        state = served.json("POST", f"{session}/results/{entry['n']}/back", {})
        assert (state["shown"], state["options"]["size"]) == (entry["n"], entry["options"]["size"])
        assert state["regions"]["regions"] == REGIONS
        assert (labels(served, session) == ids).all()
    served.json("DELETE", f"{session}/pictures/style/{state['chosen']['style']}")
    status, body = served.ask("POST", f"{session}/results/{entry['n']}/back", {})
    assert status == 409
    assert "taken out" in json.loads(body)["error"]


def test_strengths_of_regions_that_a_result_does_not_have_are_left_out(served: Served) -> None:
    session = served.pair()
    painted(served, session, (np.arange(72 * 96).reshape(72, 96) % 96 > 40).astype(np.uint8))
    served.json("POST", f"{session}/do/solve")
    served.until(session, lambda s: s["strip"])
    own = '0.5,"rest, of it"=0.25'
    pictures = []
    for words in (own, own + ",gone=0.1"):
        served.json("PATCH", session, {"options": {"strength": words}})
        _, data = served.ask("GET", f"{session}/results/{number(served, session)}/keep?form=png")
        pictures.append(np.asarray(Image.open(io.BytesIO(data))))
    assert (pictures[0] == pictures[1]).all()
    assert "gone" not in served.json("GET", session)["command"]


def test_several_photographs_leave_the_chosen_one(served: Served, photo: Photo) -> None:
    session = served.pair()
    before = served.json("GET", session)["chosen"]
    path = f"{session}/pictures/content?name=more.png&choose=no"
    state = served.json("POST", path, photo(6))
    assert state["chosen"] == before
    assert [p["name"] for p in state["pictures"]["content"]] == ["content.png", "more.png"]


def test_all_photographs_come_in_the_chosen_format_with_their_regions(
    served: Served, photo: Photo
) -> None:
    session = served.pair(keep={"form": "tif", "depth": 16})
    ids = np.zeros((72, 96), np.uint8)
    ids[:30] = 1
    painted(served, session, ids)
    served.json("POST", f"{session}/pictures/content?name=content.jpg&choose=no", photo(5))
    served.json("POST", f"{session}/do/batch")
    served.until(session, lambda s: all(i["state"] == "done" for i in s["batch"]))
    status, data = served.ask("GET", f"{session}/batch/all")
    assert status == 200
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.namelist() == ["content-styled.tif", "2-content-styled.tif"]
    for name in archive.namelist():
        assert Image.open(io.BytesIO(archive.read(name))).size == (96, 72)
    folder = served.home / "web/sessions" / session.rpartition("/")[2] / "batch"
    inputs = [json.loads((folder / f"{k}/manifest.json").read_bytes())["inputs"] for k in (0, 1)]
    assert inputs[0]["content_mask"]["path"] == "content-labels.png"
    assert not inputs[1].get("content_mask")


def test_how_results_are_kept_is_checked(served: Served) -> None:
    session = served.session()
    for unfit in ({"form": "gif", "depth": 8}, {"form": "webp", "depth": 16}, {"form": 3}, {}):
        assert served.ask("PATCH", session, {"keep": unfit})[0] == 422
    assert served.json("GET", session)["keep"] == {"form": "png", "depth": 8}


def test_masks_of_pictures_of_one_name_have_two_names(served: Served, photo: Photo) -> None:
    session = served.session(keep={"form": "tif", "depth": 16})
    for seed, role in enumerate(("content", "style")):
        served.json("POST", f"{session}/pictures/{role}?name=60.png", photo(seed))
    painted(served, session, np.ones((72, 96), np.uint8))
    words = served.json("GET", session)["command"].split()
    masks = [words[words.index(f"--{role}-mask") + 1] for role in ("content", "style")]
    assert masks == ["60-content-labels.png", "60-style-labels.png"]
    assert words[-1] == "60-styled.tif"
    assert words[words.index("--bit-depth") + 1] == "16"
