"""What users of Python give by mistake: a sentence; in an unusual form: what they meant."""

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import photostyle
from photostyle.errors import InputError
from photostyle.images.given import picture_of
from photostyle.segmentation.arrays import mask_of
from photostyle.segmentation.masks import LabelMap

RNG = np.random.default_rng(7)
SHARE = np.linspace(0, 1, 60)[:, None, None]
CONTENT = SHARE * np.array([0.9, 0.6, 0.3]) + 0.05 * RNG.random((60, 80, 3))
STYLE = (CONTENT[::-1] * [0.5, 0.8, 1.0]).copy()
IDS = np.repeat(np.arange(60) // 30, 80).reshape(60, 80)
SMALL: dict[str, Any] = {"size": 64, "device": "cpu", "segmenter": "none"}


@pytest.fixture(scope="module")
def look() -> photostyle.Look:
    return photostyle.fit_look(
        STYLE, [CONTENT], "color", size=64, device="cpu", content_masks=[IDS], style_mask=IDS
    )


@pytest.fixture(scope="module")
def result() -> photostyle.Result:
    return photostyle.stylize(CONTENT, STYLE, "color", **SMALL)


PICTURES: dict[str, tuple[Callable[[], Any], str]] = {
    "nothing in it": (lambda: Image.new("RGB", (0, 0)), "which has no pixels; give a picture"),
    "no values": (lambda: torch.empty(3, 60, 80, device="meta"), "values cannot be read"),
    "sparse": (lambda: torch.rand(3, 60, 80).to_sparse(), "values cannot be read"),
    "no name of a file": (lambda: "a\0b.png", "embedded null byte"),
    "bytes": (lambda: b"city.png", "The content is a bytes; give a path, a PIL image"),
}


@pytest.mark.parametrize("case", PICTURES)
def test_pictures_without_values(case: str) -> None:
    make, says = PICTURES[case]
    with pytest.raises(InputError, match=says) as caught:
        photostyle.stylize(make(), STYLE, "color", **SMALL)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


def test_results_are_no_contents_but_say_how(result: photostyle.Result) -> None:
    for given in (result, result.picture):
        with pytest.raises(InputError, match=r"give what its to_numpy\(\) gives"):
            photostyle.stylize(given, STYLE, "color", **SMALL)  # type: ignore[arg-type]


def test_grey_with_premultiplied_alpha_and_matrices() -> None:
    grey = Image.fromarray((CONTENT * 255).astype(np.uint8)).convert("LA")
    values = picture_of(grey, "The content").image
    assert (picture_of(grey.convert("La"), "The content").image == values).all()
    plane = (CONTENT[..., 0] * 255).astype(np.uint8)
    matrix = picture_of(plane.view(np.matrix), "The content").image
    assert (matrix == picture_of(plane, "The content").image).all()


def test_one_plane_of_ids_as_torch_has_it() -> None:
    flat, plane = (mask_of(x, "The mask") for x in (IDS, torch.from_numpy(IDS)[None]))
    assert isinstance(flat, LabelMap)
    assert isinstance(plane, LabelMap)
    assert plane.names == flat.names == ("id 0", "id 1")
    assert (plane.ids == flat.ids).all()
    soft = mask_of((IDS == 1)[None].astype(np.float32), "The mask")
    assert isinstance(soft, LabelMap)
    assert soft.names == ("id 0", "rest")


MASKS: dict[str, tuple[Any, str]] = {
    "channel last": (IDS[..., None], r"give H×W, as x\[..., 0\] is"),
    "without a name": ({"": IDS == 0}, "a plane without a name"),
    "without values": (torch.zeros(60, 80, dtype=torch.long, device="meta"), "no values that can"),
}


@pytest.mark.parametrize("case", MASKS)
def test_masks_that_are_none(case: str) -> None:
    given, says = MASKS[case]
    with pytest.raises(InputError, match=says):
        photostyle.segment(CONTENT, STYLE, content_mask=given, style_mask=IDS)


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "array to render": (lambda: photostyle.render(CONTENT), "A path is needed, not ndarray"),  # type: ignore[call-overload]
    "no network": (lambda: photostyle.apply(CONTENT, None), "A path is needed, not NoneType"),  # type: ignore[call-overload]
    "list as strength": (
        lambda: photostyle.stylize(CONTENT, STYLE, "color", strength=[0.5]),  # type: ignore[arg-type]
        r"strength is \[0.5\]; it must be some words",
    ),
    "number as preset": (lambda: photostyle.preset(3), "preset 3: there is no such preset"),  # type: ignore[arg-type]
    "name as training": (
        lambda: photostyle.train(STYLE, out="n.safetensors", config="fast"),  # type: ignore[arg-type]
        "config is a str; give a TrainingConfig",
    ),
    "one value to vary": (
        lambda: photostyle.sweep(CONTENT, STYLE, {"size": 64}, out="o"),  # type: ignore[dict-item]
        r"grid size: give a list of values, such as \[64\]",
    ),
    "words as jobs": (
        lambda: photostyle.sweep(CONTENT, STYLE, {"size": [64]}, out="o", jobs="2"),  # type: ignore[arg-type]
        "jobs '2': at least 1 runs at a time, a whole number",
    ),
    "picture's name as folder": (
        lambda: photostyle.sweep(CONTENT, STYLE, {"size": [64]}, out="o.png"),
        "o.png would be a file by its name",
    ),
    "words as progress": (
        lambda: photostyle.stylize(CONTENT, STYLE, "color", progress="yes"),  # type: ignore[arg-type]
        "progress is 'yes'; give True, False, or a function",
    ),
    "no pictures to filter": (lambda: photostyle.post([], "median", out="o"), "There is no pict"),
}


@pytest.mark.parametrize("case", CALLS)
def test_calls_that_cannot_be_meant(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call, says = CALLS[case]
    with pytest.raises(InputError, match=says) as caught:
        call()
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))
    assert not any(tmp_path.iterdir())


def test_words_alone_are_one_axis(tmp_path: Path) -> None:
    runs = photostyle.sweep(
        CONTENT, STYLE, "size=64,80", out=tmp_path / "o", config="color", plan=True
    )
    assert runs.estimate.startswith("2 jobs")


def test_looks_take_regions_in_any_form(look: photostyle.Look, tmp_path: Path) -> None:
    Image.fromarray(IDS.astype(np.uint8)).save(tmp_path / "ids.png")
    planes = {"id 0": IDS == 0, "id 1": IDS == 1}
    given: list[Any] = [IDS, planes, tmp_path / "ids.png", torch.from_numpy(IDS)]
    made = [look.apply(CONTENT, one).image for one in given]
    assert max(float((one - made[0]).abs().max()) for one in made) < 1e-6
    assert (made[0] - look.apply(CONTENT).image).abs().max() > 0.01
    with pytest.raises(InputError, match=r"no\.png does not exist"):
        look.apply(CONTENT, "no.png")
    learnt = photostyle.learn_look(CONTENT, (CONTENT**1.4).clip(0, 1), IDS).look
    assert list(learnt.regions) == ["id 0", "id 1"]


def test_tables_of_what_a_look_lacks(look: photostyle.Look, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no region 'sea'; there is id 0, id 1"):
        look.to_cube(tmp_path / "a.cube", region="sea")
    with pytest.raises(InputError, match=r"size 17\.5 is none; give 2 to"):
        look.to_cube(tmp_path / "a.cube", size=17.5)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


def test_results_and_looks_in_sets_and_copies(
    look: photostyle.Look, result: photostyle.Result
) -> None:
    again = pickle.loads(pickle.dumps(look))
    assert again == copy.deepcopy(look) == look != photostyle.Look(look.whole)
    assert len({look, again}) == 1
    assert len({result, result, copy.copy(result)}) == 2  # each is its own
    assert result != copy.deepcopy(result)
    assert (pickle.loads(pickle.dumps(result)).image == result.image).all()


def test_reprs_are_short(look: photostyle.Look, tmp_path: Path) -> None:
    methods = photostyle.compare_methods(CONTENT, STYLE, ["color"], **SMALL)
    lut = look.to_cube(tmp_path / "a.cube", size=9)
    for one in (methods, lut, look, look.about):
        assert len(repr(one)) < 220
        assert "\n" not in repr(one)


def test_help_names_kinds_in_a_word() -> None:
    for function in (photostyle.stylize, photostyle.batch, photostyle.Look.apply):
        assert function.__annotations__["return"] in ("Result", "Runs", "Picture")
    assert photostyle.stylize.__annotations__["content"] == "PictureLike"
