"""Nothing that went in, and nothing of the user's, is replaced by what is called from Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import photostyle
from photostyle.errors import InputError, OptionError, OutputError
from photostyle.feedforward.marks import is_marked
from photostyle.feedforward.style_model import build_network, save_model
from tests.feedforward.test_style_model import CONFIG, info
from tests.films.clips import clip, facts
from tests.films.test_reading import damaged

SMALL: dict[str, Any] = {"size": 64, "device": "cpu", "segmenter": "none"}
RNG = np.random.default_rng(7)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pictures, and a network; it is also the home."""
    for name, level in (("a.png", 120), ("b.png", 60)):
        values = RNG.integers(level, level + 80, (56, 64, 3), np.uint8)
        Image.fromarray(values).save(tmp_path / name)
    save_model(tmp_path / "net.safetensors", build_network(CONFIG.network, seed=1), info())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_file_of_an_opened_image_is_not_replaced(folder: Path) -> None:
    before = files(folder)
    with Image.open("a.png") as image:
        result = photostyle.stylize(image, "b.png", "color", **SMALL)
        with pytest.raises(OutputError, match="is one of the inputs"):
            result.save("a.png")
        with pytest.raises(OutputError, match="is one of the inputs"):
            photostyle.post(image, "median").save("a.png")
    assert files(folder) == before
    result.save("c.png")  # made of the image, which may be another than its file by now
    assert "a.png" not in (folder / "c.json").read_text()


def test_results_are_saved_over_their_like_only(folder: Path) -> None:
    result = photostyle.stylize("a.png", "b.png", "color", **SMALL)
    (folder / "notes.json").write_text('{"mine": 1}')
    before = files(folder)
    for name, says in (
        ("a.png", "is one of the inputs"),
        ("b.png", "is one of the inputs"),
        ("notes.png", "notes.json is there already and was not written by photostyle"),
    ):
        with pytest.raises(OutputError, match=says):
            result.save(name)
    assert files(folder) == before
    for _ in range(2):
        result.save("~/c.png")
    result.save("c.jpg")
    assert {"c.png", "c.json", "c.jpg", "c.jpg.json"} <= set(files(folder))
    with pytest.raises(OutputError, match=r"c\.json is one of the inputs|should end in"):
        photostyle.render("c.png").save("c.json")
    assert photostyle.render("~/c.png", strength=0).to_pil().tobytes() == (
        Image.open("a.png").tobytes()
    )


@pytest.mark.parametrize(
    "made",
    [
        lambda: photostyle.render(photostyle.stylize("a.png", "b.png", "color", **SMALL)),
        lambda: photostyle.stylize("a.png", "b.png", "color", **SMALL).picture,
        lambda: photostyle.post("a.png", "median"),
        lambda: photostyle.apply("a.png", "net.safetensors", device="cpu"),
    ],
    ids=["render", "picture", "post", "apply"],
)
def test_pictures_are_not_saved_over_what_they_were_made_of(made: Any, folder: Path) -> None:
    picture, before = made(), files(folder)
    with pytest.raises(OutputError, match="is one of the inputs"):
        picture.save(Path("a.png"))
    assert files(folder) == before
    picture.save("new.png")
    picture.save("new.png")


def test_labels_that_were_painted_in_are_the_users(folder: Path) -> None:
    regions = photostyle.segment("a.png", segmenter="cluster")
    regions.save("labels")
    regions.save("labels")
    Image.new("RGB", (64, 56), "red").save("labels/content-labels.png")
    before = files(folder)
    with pytest.raises(OutputError, match=r"content-labels\.png is there already"):
        regions.save("labels")
    assert files(folder) == before


def test_a_training_and_an_export_leave_foreign_files(folder: Path) -> None:
    Image.new("RGB", (64, 64)).save("new.preview.png")
    (folder / "net.pt").write_bytes(b"mine")
    before = files(folder)
    with pytest.raises(OutputError, match=r"new\.preview\.png is there already"):
        photostyle.train("a.png", out="new.safetensors", steps=1, device="cpu")
    with pytest.raises(OutputError, match=r"net\.pt is there already"):
        photostyle.export("net.safetensors", format="torchscript")
    assert files(folder) == before
    photostyle.export("net.safetensors", "~/net.pt", format="torchscript")  # by its name
    photostyle.export("net.safetensors", format="torchscript")
    assert files(folder)["net.pt"] != b"mine"


def test_apply_replaces_its_own_results(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/b.png").write_bytes((folder / "b.png").read_bytes())
    before = files(folder)
    with pytest.raises(OutputError, match=r"b\.png is there already"):
        photostyle.apply(["a.png", "b.png"], "net.safetensors", out="out", device="cpu")
    assert files(folder) == before
    for _ in range(2):
        photostyle.apply("a.png", "~/net.safetensors", out="~/out", device="cpu")
    assert is_marked(folder / "out/a.png")


def test_apply_tells_of_broken_videos(folder: Path) -> None:
    damaged(clip(folder / "v.avi", 20, codec="mjpeg", form="yuvj420p"), 0.4, 0.55)
    told: list[photostyle.Update] = []
    done = photostyle.apply(
        ["a.png", "v.avi"], "net.safetensors", out="out", device="cpu", codec="ffv1",
        progress=told.append,
    )  # fmt: skip
    [place] = done.damaged
    read = len(facts(place)["times"])
    assert (len(done.done), done.failed, done.interrupted, done.begun) == (2, {}, False, None)
    assert f"{read} of 20 frames could be read" in done.notes[-1]
    assert done.notes[-1] in [update.note for update in told]
    assert facts(place)["codec"] == "ffv1"
    with pytest.raises(OptionError, match="codec"):
        photostyle.apply("v.avi", "net.safetensors", out="new", codec="vp9", device="cpu")
    assert not (folder / "new").exists()


def test_jobs_leave_foreign_files_and_what_they_read(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/scores.csv").write_text("mine")
    options: dict[str, Any] = {"config": "color", **SMALL}
    before = files(folder)
    with pytest.raises(OutputError, match=r"scores\.csv is there already"):
        photostyle.sweep("a.png", "b.png", {"strength": [0, 1]}, out="out", **options)
    with pytest.raises(OutputError, match=r"a\.png is one of the inputs"):
        photostyle.post("a.png", "median", out=".")
    assert files(folder) == before


def test_a_file_of_options_is_a_configuration(folder: Path) -> None:
    (folder / "night.toml").write_text('preset = "color"\n[render]\nstrength = "0"\n')
    path = Path("~/night.toml")
    for config in (path, folder / "night.toml"):
        result = photostyle.stylize("a.png", "b.png", config, **SMALL)
        assert (result.to_numpy("uint8") == np.asarray(Image.open("a.png"))).all()
    runs = photostyle.batch(
        [{"content": "~/a.png", "style": "b.png"}], out="~/out", config=path, **SMALL
    )
    assert (np.asarray(Image.open(runs.pictures[0])) == np.asarray(Image.open("a.png"))).all()
    with pytest.raises(InputError, match="preset and config"):
        photostyle.batch(
            [{"content": "a.png", "style": "b.png", "preset": "gatys"}], out="o", config=path
        )
    with pytest.raises(OptionError, match=r"nowhere\.toml"):
        photostyle.stylize("a.png", "b.png", Path("nowhere.toml"))
    scores = Path("out/plan.json")
    scores.write_text('{"preset": "color"}')
    with pytest.raises(OutputError, match=r"plan\.json is one of the inputs"):
        photostyle.sweep("a.png", "b.png", {"strength": [0, 1]}, out="out", config=scores)


def test_notes_on_pictures_come_back(folder: Path) -> None:
    frames = [Image.fromarray(RNG.integers(0, 256, (56, 64, 3), np.uint8)) for _ in range(2)]
    frames[0].save("two.tif", save_all=True, append_images=frames[1:])
    made = (
        photostyle.stylize("two.tif", "b.png", "color", **SMALL),
        photostyle.segment("two.tif", segmenter="none"),
        photostyle.post("two.tif", "median"),
        photostyle.apply("two.tif", "net.safetensors", device="cpu"),
        photostyle.apply("two.tif", "net.safetensors", device="cpu", out="out"),
        photostyle.render(photostyle.stylize("two.tif", "b.png", "color", **SMALL)),
    )
    for what in made:
        assert sum("several frames or pages" in note for note in what.notes) == 1, what
