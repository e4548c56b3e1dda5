"""Sessions on the running server: pictures, solves, regions, results; and what goes wrong."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="pip install 'photostyle[web]'")

from photostyle.config.config import Config
from photostyle.finish.delivery import Grade, deliver
from photostyle.images.picture import load_image

Served = Any  # of conftest.py
Photo = Callable[..., bytes]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def number(served: Served, session: str) -> int:
    found: int = served.json("GET", session)["strip"][-1]["n"]
    return found


def test_pictures_are_upright_and_small_ones_are_made(served: Served, photo: Photo) -> None:
    session = served.session()
    image = Image.open(io.BytesIO(photo(1, (120, 80))))
    exif = image.getexif()
    exif[0x0112] = 6  # a quarter turn
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    state = served.json("POST", f"{session}/pictures/content?name=turned.jpg", out.getvalue())
    picture = state["pictures"]["content"][0]
    assert picture["size"] == [80, 120]
    assert picture["name"] == "turned.jpg"
    for kind in ("thumb", "view", "full"):
        status, data = served.ask("GET", f"{session}/files/{picture['file']}/{kind}")
        assert status == 200
        assert pixels(data).shape[:2] == (120, 80)


def test_a_result_is_what_the_library_delivers(served: Served, solved: str) -> None:
    n = number(served, solved)
    name = solved.rpartition("/")[2]
    home = served.home / "web"
    entry = served.json("GET", solved)["strip"][-1]
    content = load_image(home / "files" / entry["content"])
    grade = Grade.load(home / "sessions" / name / f"r{n}" / "grade.safetensors")
    for options in ({}, {"strength": "0.4"}, {"luminance": 0.2, "color": 0.7, "protect": "sky"}):
        status, data = served.ask("POST", f"{solved}/results/{n}/view", {"options": options})
        assert status == 200
        right = deliver(content, grade, Config().with_options(options).render)
        wanted = right[0].permute(1, 2, 0).mul(255).round().int().numpy()
        assert np.abs(pixels(data) - wanted).max() <= 1, options


@pytest.mark.parametrize(
    ("form", "depth"),
    [("png", 8), ("png", 16), ("tif", 16), ("jpg", 8), ("webp", 8), ("avif", 8)],
)
def test_results_are_kept_in_any_format(served: Served, solved: str, form: str, depth: int) -> None:
    n = number(served, solved)
    status, data = served.ask("GET", f"{solved}/results/{n}/keep?form={form}&depth={depth}")
    assert status == 200
    picture = Image.open(io.BytesIO(data))
    assert picture.size == (96, 72)
    assert picture.format == {"tif": "TIFF", "jpg": "JPEG"}.get(form, form.upper())
    if form == "png":
        assert data[24] == depth
        assert json.loads(picture.text["photostyle"])["inputs"]["content"]["path"] == "content.png"
    for unfit in ("form=gif", "form=jpg&depth=16", "form=png&depth=x"):
        assert served.ask("GET", f"{solved}/results/{n}/keep?{unfit}")[0] == 422


def test_what_is_kept_runs_again_on_the_command_line(
    served: Served, solved: str, photo: Photo, tmp_path: Path
) -> None:
    n = number(served, solved)
    _, data = served.ask("GET", f"{solved}/results/{n}/keep?what=bundle&form=png")
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    for seed, role in enumerate(("content", "style")):
        (tmp_path / f"{role}.png").write_bytes(photo(seed))
    for words in ("replay content-styled.png --out again.png",
                  "render content-styled.png --strength 0.5 --out half.png"):  # fmt: skip
        command = [sys.executable, "-m", "photostyle", *words.split()]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
    first, again = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int)
                    for name in ("content-styled", "again"))  # fmt: skip
    # Not to the last bit, as the server's process has its own number of threads.
    assert np.abs(first - again).max() <= 2


def test_the_look_is_kept_as_look_and_table(served: Served, solved: str) -> None:
    n = number(served, solved)
    _, look = served.ask("GET", f"{solved}/results/{n}/look?kind=look")
    status, cube = served.ask("GET", f"{solved}/results/{n}/look?kind=cube")
    assert status == 200
    assert b"LUT_3D_SIZE" in cube
    assert b"content.png" in look
    assert str(served.home).encode() not in look
    assert served.ask("GET", f"{solved}/results/{n}/look?kind=exe")[0] == 422


def test_heat_maps_and_close_ups(served: Served, solved: str) -> None:
    n = number(served, solved)
    for what in ("stains", "departures", "close"):
        status, data = served.ask("POST", f"{solved}/results/{n}/{what}", {"options": {}})
        assert status == 200
        assert pixels(data).shape == (72, 96, 3)
    assert served.ask("POST", f"{solved}/results/{n}/{'x' * 9}", {})[0] == 404


def packed(head: dict[str, Any], ids: np.ndarray) -> bytes:
    return json.dumps(head).encode() + b"\n" + zlib.compress(ids.astype(np.uint8).tobytes())


REGIONS = [{"name": "sky", "colour": [0, 0, 255]}, {"name": "rest, of it", "colour": [9, 8, 7]}]


def painted(served: Served, session: str, ids: np.ndarray) -> None:
    for role in ("content", "style"):
        status, body = served.ask(
            "PUT", f"{session}/labels/{role}", packed({"regions": REGIONS}, ids)
        )
        assert status == 200, body


def labels(served: Served, session: str, role: str = "content") -> np.ndarray:
    _, data = served.ask("GET", f"{session}/labels/{role}")
    return np.frombuffer(zlib.decompress(data, 47), np.uint8).reshape(72, 96)


@pytest.fixture
def noise() -> np.ndarray:
    """Regions that no cleaning would leave as they are: single pixels."""
    return (np.random.default_rng(4).random((72, 96)) < 0.4).astype(np.uint8)


def test_what_was_painted_is_kept_pixel_by_pixel(served: Served, noise: np.ndarray) -> None:
    session = served.pair()
    painted(served, session, noise)
    assert (labels(served, session) == noise).all()
    noise[3, 5] ^= 1
    painted(served, session, noise)
    assert (labels(served, session) == noise).all()
    assert served.json("GET", session)["regions"]["regions"] == REGIONS


def loaded(served: Served, session: str, name: str, data: bytes) -> Any:
    file = served.json("POST", f"{session}/masks-files?name={name}", data)
    return served.json("POST", f"{session}/masks/content", {"files": [file]})


def test_masks_come_back_byte_for_byte(served: Served, noise: np.ndarray) -> None:
    session = served.pair()
    painted(served, session, noise)
    _, first = served.ask("GET", f"{session}/labels/content/file?form=labels")
    other = served.pair()
    loaded(served, other, "mine.png", first)
    _, again = served.ask("GET", f"{other}/labels/content/file?form=labels")
    assert (labels(served, other) == noise).all()
    loaded(served, session, "mine.png", again)
    assert served.ask("GET", f"{session}/labels/content/file?form=labels")[1] == first


@pytest.mark.parametrize(
    ("form", "name"),
    [("coco", "x.json"), ("labelme", "x.json"), ("via", "x.json"), ("ids", "x.png")],
)
def test_regions_in_other_forms_come_back_the_same(
    served: Served, noise: np.ndarray, form: str, name: str
) -> None:
    session = served.pair()
    painted(served, session, noise)
    _, data = served.ask("GET", f"{session}/labels/content/file?form={form}")
    state = loaded(served, session, name, data)
    names = [region["name"] for region in state["regions"]["regions"]]
    back = np.array(names)[labels(served, session)]
    if form == "ids":
        assert ((back == back[noise == 1][0]) == (noise == 1)).all()
    else:
        assert (back == np.array(["sky", "rest, of it"])[noise]).all()


def test_mattes_come_back_as_several_files(served: Served, noise: np.ndarray) -> None:
    session = served.pair()
    solid = np.zeros_like(noise)
    solid[20:50, 30:70] = 1
    painted(served, session, solid)
    _, data = served.ask("GET", f"{session}/labels/content/file?form=mattes")
    archive = zipfile.ZipFile(io.BytesIO(data))
    files = []
    for name in archive.namelist():
        path = f"{session}/masks-files?name={name.replace(' ', '%20')}"
        files.append(served.json("POST", path, archive.read(name)))
    state = served.json("POST", f"{session}/masks/content", {"files": files})
    names = [region["name"] for region in state["regions"]["regions"]]
    assert (
        np.array(names)[labels(served, session)] == np.array(["sky", "rest, of it"])[solid]
    ).all()


def test_painting_that_does_not_fit_is_told(served: Served, noise: np.ndarray) -> None:
    session = served.pair()
    for head, ids in (({"regions": REGIONS}, noise[:-1]), ({"regions": REGIONS}, noise + 1),
                      ({"regions": []}, noise), ({"regions": REGIONS[:1] * 2}, noise * 0),
                      ({"regions": [{"name": "a", "colour": [0, 0, 999]}]}, noise)):  # fmt: skip
        status, body = served.ask("PUT", f"{session}/labels/content", packed(head, ids))
        assert status == 422, body
        assert json.loads(body)["error"].endswith(".")
    bomb = json.dumps({"regions": REGIONS}).encode() + b"\n" + zlib.compress(bytes(1 << 28))
    assert served.ask("PUT", f"{session}/labels/content", bomb)[0] == 422
    assert served.json("GET", session)["regions"] is None


def test_drawn_regions_change_the_result(served: Served) -> None:
    session = served.pair()
    views = []
    for rows in (20, 50):
        ids = np.zeros((72, 96))
        ids[:rows] = 1
        painted(served, session, ids)
        count = len(views)
        served.json("POST", f"{session}/do/solve")
        state = served.until(session, lambda state: len(state["strip"]) > count)  # noqa: B023
        assert state["strip"][-1]["regions_by"] == "labels"
        views.append(served.ask("GET", f"{session}/results/{number(served, session)}/view")[1])
    assert np.abs(pixels(views[0]) - pixels(views[1])).max() > 3


BAD = {
    "text.jpg": b"This is no photograph.", "empty.png": b"", "half.png": None, "tiny.png": "tiny",
    "huge.png": "huge",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_end_in_a_sentence_that_names_them(
    served: Served, photo: Photo, name: str
) -> None:
    data = BAD[name]
    if data is None:
        data = photo(1)[:900]
    elif data == "tiny":
        data = photo(1, (20, 20))
    elif data == "huge":  # 300 megapixels in a few bytes
        out = io.BytesIO()
        Image.new("1", (20000, 15000)).save(out, "PNG")
        data = out.getvalue()
    session = served.session()
    status, body = served.ask("POST", f"{session}/pictures/content?name={name}", data)
    sentence = json.loads(body)["error"]
    assert status == 422
    assert str(served.home) not in sentence
    assert name in sentence or not data
    assert served.json("GET", session)["pictures"]["content"] == []


def test_a_mask_of_other_size_is_told(served: Served, photo: Photo) -> None:
    session = served.pair()
    out = io.BytesIO()
    Image.new("RGB", (50, 72), (0, 0, 255)).save(out, "PNG")
    file = served.json("POST", f"{session}/masks-files?name=narrow.png", out.getvalue())
    status, body = served.ask("POST", f"{session}/masks/content", {"files": [file]})
    assert status == 422
    assert "narrow.png is 50×72 pixels" in json.loads(body)["error"]
