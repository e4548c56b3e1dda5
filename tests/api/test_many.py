"""`sweep`, `batch` and `post` from Python: pictures in any form, values as Python has them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import photostyle
from photostyle.errors import InputError, JobsError, OptionError
from photostyle.finish.postprocess import bilateral
from photostyle.images.picture import load_image

RNG = np.random.default_rng(2)
CONTENT = (RNG.random((50, 60, 3)) * 0.3 + np.linspace(0, 0.7, 60)[:, None]).astype(np.float32)
STYLE = RNG.integers(40, 200, (52, 56, 3), np.uint8)
SMALL: dict[str, Any] = {"size": 64, "device": "cpu", "segmenter": "none"}


def test_sweep_over_values_and_pictures_in_memory(tmp_path: Path) -> None:
    told: list[photostyle.Update] = []
    other = Image.fromarray(STYLE[::-1])
    grid = {"strength": [0, 0.5], "style": [STYLE, other]}
    runs = photostyle.sweep(
        CONTENT, None, grid, out=tmp_path / "out", config="color", progress=told.append, **SMALL
    )
    assert runs.summary is not None
    assert (runs.summary.jobs, runs.summary.now) == (4, 4)
    assert [update.done for update in told] == [1, 2, 3, 4]
    assert {update.total for update in told} == {4}
    rows = runs.rows()
    assert [row["strength"] for row in rows] == ["0", "0", "0.5", "0.5"]
    assert all(row["structure"] > 0.9 for row in rows)
    assert len(runs.pictures) == 4
    first = load_image(runs.pictures[0])
    assert first.metadata.bit_depth == 16
    given = np.rint(CONTENT * 65535)
    assert (np.rint(first.image[0].permute(1, 2, 0).numpy() * 65535) == given).all()
    assert (runs._repr_png_() or b"").startswith(b"\x89PNG")
    assert len(repr(runs)) < 200
    again = photostyle.sweep(CONTENT, None, grid, out=tmp_path / "out", config="color", **SMALL)
    assert again.summary is not None
    assert (again.summary.before, again.summary.now) == (4, 0)


def test_words_of_the_command_line_are_the_same_axis(tmp_path: Path) -> None:
    common: dict[str, Any] = {"config": "color", **SMALL}
    photostyle.sweep(CONTENT, STYLE, {"strength": [0.25, 0.5]}, out=tmp_path, **common)
    for grid in ({"strength": "0.25..0.5:lin2"}, ["strength=0.25,0.5"]):
        runs = photostyle.sweep(CONTENT, STYLE, grid, out=tmp_path, **common)
        assert runs.summary is not None
        assert runs.summary.before == 2


def test_a_plan_only_tells(tmp_path: Path) -> None:
    runs = photostyle.sweep(
        CONTENT, STYLE, {"strength": [0, 1]}, out=tmp_path, config="color", plan=True, **SMALL
    )
    assert runs.estimate.startswith("2 jobs, 0 of them done, 2 to do")
    assert runs.summary is None
    assert not list(tmp_path.glob("*.png"))


def test_batch_of_dicts(tmp_path: Path) -> None:
    mask = np.zeros((50, 60), int)
    mask[25:] = 1
    soft = np.stack([np.ones((52, 56)), np.zeros((52, 56))])
    soft[:, 26:] = soft[::-1, 26:].copy()
    runs = photostyle.batch(
        [
            {"content": CONTENT, "style": STYLE, "name": "one", "strength": 0},
            {"content": CONTENT, "style": Image.fromarray(STYLE), "preset": "photoreal-fast",
             "iterations": 1, "content_mask": mask, "style_mask": soft},
        ],
        out=tmp_path, config="color", size=64, device="cpu",
    )  # fmt: skip
    assert not runs.failed
    assert runs.pictures[0].name == "one.png"
    recipe = photostyle.load_recipe(runs.pictures[1])
    recipe.verify()
    assert recipe.config.preset == "photoreal-fast"
    assert recipe.config.segmentation.segmenter == "labels"


@pytest.mark.parametrize(
    ("job", "says"),
    [
        ({"content": CONTENT}, "Job 1: this job has no style"),
        ({"content": CONTENT * 255, "style": STYLE}, r"Job 1: the content is a NumPy .* x / 255"),
        ({"content": CONTENT, "style": STYLE, "sise": 3}, "Job 1: sise is no option"),
        ({"content": CONTENT, "style": STYLE, "name": "../x"}, "Job 1: .* leave the output"),
        ({"content": CONTENT, "style": STYLE, "content_mask": STYLE}, "masks come in pairs"),
    ],
)
def test_unfit_jobs_are_numbered(tmp_path: Path, job: dict[str, Any], says: str) -> None:
    with pytest.raises(JobsError, match=says):
        photostyle.batch([job], out=tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"jobs": 0}, "jobs 0: at least 1 runs at a time"),
        ({"gpus": 1.0}, "gpus belongs to executor ray"),
        ({"executor": "cloud"}, "executor is 'cloud'; choose from local, ray"),
        ({"format": "gif"}, "format is 'gif'; choose from png"),
        ({"retry_faild": True}, "did you mean retry_failed"),
        ({"size": 3}, "size is 3; it must be at least 32"),
    ],
)
def test_unfit_options_are_refused(tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says.replace("?", r"\?")):
        photostyle.sweep(CONTENT, STYLE, {"strength": [0, 1]}, out=tmp_path / "o", **options)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        ({}, "grid is missing"),
        ({"strenght": [1]}, "there is nothing called strenght; did you mean strength"),
        ({"size": [300, 300]}, "two of the values are the same"),
        ({"size": ["big"]}, "size is 'big'; it must be a whole number"),
        ({"style": [STYLE.astype(int)]}, "The style is a NumPy array .* int64"),
    ],
)
def test_unfit_axes_are_refused(tmp_path: Path, grid: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        photostyle.sweep(CONTENT, STYLE, grid, out=tmp_path)


def test_post_in_memory_and_into_a_folder(tmp_path: Path) -> None:
    soft = photostyle.post(CONTENT, "bilateral:d=5,sigma_color=0.2")
    image = photostyle.load_image(_saved(tmp_path / "c.png")).image
    expected = bilateral(image, 5, 0.2)
    assert (soft.image - expected).abs().max() < 1e-4
    chain = ["guided", "median"]
    both = photostyle.post(CONTENT, chain, content=CONTENT)
    runs = photostyle.post(
        [CONTENT, tmp_path / "c.png"], chain, content=CONTENT, out=tmp_path / "o"
    )
    assert len(runs.pictures) == 2
    for path in runs.pictures:
        assert (load_image(path).image - both.image).abs().max() < 2e-4
    with pytest.raises(OptionError, match="guided looks at the content; give it as content="):
        photostyle.post(CONTENT, "guided")
    with pytest.raises(OptionError, match="several need a folder, out="):
        photostyle.post([CONTENT, CONTENT], "median")  # type: ignore[call-overload]


def _saved(path: Path) -> Path:
    Image.fromarray(np.rint(CONTENT * 255).astype(np.uint8)).save(path)
    photo = load_image(path)
    deep = photostyle.Metadata(bit_depth=16)
    photostyle.save_image(path, photo.image.new_tensor(CONTENT.transpose(2, 0, 1))[None], deep)
    return path
