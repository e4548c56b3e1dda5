"""Results show themselves, in notebooks and in a line or two, and save all or nothing."""

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

import photostyle
from photostyle.errors import ImageError, OutputError
from photostyle.runtime import updates

RNG = np.random.default_rng(1)
CONTENT = RNG.integers(0, 256, (60, 90, 3), np.uint8)
STYLE = RNG.integers(60, 120, (70, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def result() -> photostyle.Result:
    return photostyle.stylize(
        CONTENT, STYLE, "photoreal-fast", size=64, iterations=3, device="cpu", segmenter="none"
    )


def test_for_pil_and_numpy(result: photostyle.Result) -> None:
    floats = result.to_numpy()
    assert floats.shape == (60, 90, 3)
    assert floats.dtype == np.float32
    assert (result.to_numpy("uint8") == np.rint(floats * 255)).all()
    assert (result.to_numpy(np.uint16) == np.rint(floats * np.float32(65535))).all()
    assert (np.asarray(result.to_pil()) == result.to_numpy("uint8")).all()
    floats[:] = 0
    assert result.image.any()
    for unfit in ("int64", "bool", "nonsense"):
        with pytest.raises(ImageError, match="ask for uint8, uint16 or float32"):
            result.to_numpy(unfit)


def test_notebooks_show_content_style_and_result(result: photostyle.Result) -> None:
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        assert shown.format == "PNG"
        assert 300 < shown.width <= 720
        pixels = np.asarray(shown).astype(int)
    text, margin = 26, 8
    third = pixels[margin + text :, -result.image.shape[3] * 2 :]
    assert third.std() > 10
    views = result.sheet(), result.preview(), result.heatmap(), result.stain_map(), result.picture
    for view in views:
        assert view._repr_png_().startswith(b"\x89PNG")
    assert result.heatmap().image.shape == result.image.shape


def parts(value: Any) -> Iterator[Any]:
    """A dataclass and all that hang on it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield value
        for f in dataclasses.fields(value):
            yield from parts(getattr(value, f.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from parts(item)


def test_every_repr_is_short(result: photostyle.Result) -> None:
    found = {type(part).__name__: repr(part) for part in parts(result)}
    expected = {"Result", "Config", "Step", "Masks", "Grade", "Photograph", "Scores", "Inputs"}
    assert expected <= set(found)
    for name, words in found.items():
        assert len(words) < 420, name
        assert "tensor(" not in words
        assert words.count("\n") == (name == "Result")
    assert found["Step"].startswith("Step(3/3 at ")
    assert "'photoreal-fast', size=64, segmenter='none'" in found["Config"]
    first, second = repr(result).splitlines()
    assert "90×60" in first
    assert "style taken" in first
    assert "regions: all" in second


def test_saves_by_words_or_path(result: photostyle.Result, tmp_path: Path) -> None:
    result.save(str(tmp_path / "a.png"))
    result.save(tmp_path / "b.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.grade.safetensors", "a.json", "a.png", "b.grade.safetensors", "b.jpg", "b.json",
    ]  # fmt: skip


@pytest.mark.parametrize("side", ["r.json", "r.grade.safetensors"])
def test_saves_all_or_nothing(result: photostyle.Result, tmp_path: Path, side: str) -> None:
    (tmp_path / side).mkdir()
    (tmp_path / "r.png").write_bytes(b"before")
    with pytest.raises(OutputError, match=r"r\."):
        result.save(tmp_path / "r.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([side, "r.png"])
    assert (tmp_path / "r.png").read_bytes() == b"before"
    with pytest.raises(OutputError, match="should end in one of"):
        result.save(tmp_path / "r.xyz")


def test_function_is_told_of_stages_and_steps() -> None:
    told: list[photostyle.Update] = []
    photostyle.stylize(
        CONTENT, STYLE, "photoreal-fast", size=64, iterations=3, device="cpu", segmenter="none",
        progress=told.append,
    )  # fmt: skip
    stages = list(dict.fromkeys(update.stage for update in told))
    assert stages[0] == "load"
    assert stages[-1] == "measure"
    steps = [update for update in told if update.step]
    assert [(u.done, u.total, u.solve, u.solves) for u in steps] == [
        (n, 3, 1, 1) for n in (1, 2, 3)
    ]  # fmt: skip
    assert all(len(repr(update)) < 200 for update in told)


def test_interruption_by_the_function_keeps_the_best_picture() -> None:
    def stop(update: photostyle.Update) -> None:
        if update.done == 2:
            raise KeyboardInterrupt

    result = photostyle.stylize(
        CONTENT, STYLE, "photoreal-fast", size=64, device="cpu", segmenter="none", progress=stop
    )
    assert result.interrupted
    assert "interrupted after" in repr(result)


def test_bar_counts_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Kept(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **names: Any) -> None:
            super().__init__(*args, **names, file=io.StringIO())
            bars.append(self)

    monkeypatch.setattr("tqdm.auto.tqdm", Kept)
    with updates.Watched(True) as watched:
        watched.listener.stage("load", "")
        for n in (1, 2, 3):
            watched.teller.tell(photostyle.Update("optimise", done=n, total=3))
    (bar,) = bars
    assert (bar.n, bar.total, bar.desc) == (3, 3, "optimise")
    assert bar.disable  # closed
