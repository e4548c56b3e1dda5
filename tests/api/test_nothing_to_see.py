"""Pictures in memory that are transparent, or have a frame, in every function that takes one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photostyle
from photostyle.errors import ImageError
from photostyle.feedforward.style_model import StyleModel
from tests.feedforward.test_network import network
from tests.feedforward.test_style_model import info

RNG = np.random.default_rng(4)
PICTURE = RNG.integers(0, 256, (64, 80, 3), dtype=np.uint8)
UNSEEN = np.dstack([PICTURE, np.zeros((64, 80), np.uint8)])
MODEL = StyleModel(network().eval(), info())

CALLS: dict[str, Callable[[Any], Any]] = {
    "segment": lambda x: photostyle.segment(x),
    "segment a style": lambda x: photostyle.segment(PICTURE, x),
    "stylize": lambda x: photostyle.stylize(x, PICTURE, "color"),
    "stylize after": lambda x: photostyle.stylize(PICTURE, x, "color"),
    "compare": lambda x: photostyle.compare(PICTURE, x, PICTURE),
    "compare a style": lambda x: photostyle.compare(PICTURE, PICTURE, x),
    "compare methods": lambda x: photostyle.compare_methods(x, PICTURE, ["color"]),
    "apply": lambda x: photostyle.apply(x, MODEL),
    "post": lambda x: photostyle.post(x, "median"),
}


@pytest.mark.parametrize("call", CALLS)
def test_wholly_transparent(call: str) -> None:
    with pytest.raises(ImageError, match="is wholly transparent: there is nothing in it to see"):
        CALLS[call](UNSEEN)


def test_of_several_files_the_others_are_styled(tmp_path: Path) -> None:
    applied = photostyle.apply([UNSEEN, PICTURE], MODEL, out=tmp_path)
    assert len(applied.done) == 1
    (error,) = applied.failed.values()
    assert "is wholly transparent" in str(error)


def framed() -> np.ndarray:
    picture = np.full((104, 120, 3), 255, np.uint8)
    picture[20:84, 20:100] = PICTURE
    return picture


@pytest.mark.parametrize(
    "call",
    [
        lambda x: photostyle.apply(x, MODEL),
        lambda x: photostyle.post(x, "median"),
        lambda x: photostyle.stylize(x, PICTURE, "color", size=96),
    ],
)
def test_a_frame_comes_out_as_it_went_in(call: Callable[[Any], Any]) -> None:
    given = framed()
    before = given.copy()
    result = call(given).to_numpy("uint8")
    assert (given == before).all()
    assert (result[:18] == 255).all()
    assert (result[:, :18] == 255).all()
    assert (result[22:82, 22:98] != 255).any()


def test_a_frame_counts_for_nothing() -> None:
    inner = photostyle.apply(PICTURE, MODEL).to_numpy()
    plain = photostyle.compare(PICTURE, PICTURE, PICTURE)["(content)"]
    with_frame = photostyle.compare(framed(), framed(), framed())["(content)"]
    assert with_frame.structure == pytest.approx(plain.structure, abs=1e-3)
    assert with_frame.content_colour == pytest.approx(plain.content_colour, abs=0.5)
    assert inner.shape == (64, 80, 3)
    found = photostyle.segment(framed())
    assert any("the frame around the photograph" in note for note in found.notes)


@pytest.mark.parametrize("depth", ["uint8", "float32"])
def test_what_is_transparent_in_part_stays_so(depth: str) -> None:
    alpha = np.zeros((64, 80), np.uint8)
    alpha[:, 20:] = 255
    given: Any = np.dstack([PICTURE, alpha])
    if depth == "float32":
        given = (given / 255).astype(np.float32)
    for result in (photostyle.apply(given, MODEL), photostyle.post(given, "median")):
        assert (result.to_numpy("uint8")[..., 3] == alpha).all()
