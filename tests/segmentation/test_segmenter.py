"""One entry to every segmenter: what auto takes, what is refused, masks from files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from photostyle.errors import MaskError, OptionError
from photostyle.segmentation import segmenter
from photostyle.segmentation.formats import Drawing
from photostyle.segmentation.labels import PALETTE
from photostyle.segmentation.segmenter import Wishes, segment_alone, segment_pair


def landscape(height: int, width: int, seed: int) -> Tensor:
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), (0.5, 0.7, 0.95))
    picture[height // 2 :] = (0.3, 0.4, 0.2)
    picture[height // 2 :] += rng.normal(0, 0.06, (height - height // 2, width, 1))
    return torch.from_numpy(picture.clip(0, 1)).permute(2, 0, 1)[None].float()


CONTENT, STYLE = landscape(90, 120, 0), landscape(100, 90, 1)


def drawing(path: Path, image: Tensor, upper: str = "blue", lower: str = "red") -> Drawing:
    size = image.shape[2:]
    pixels = np.full((*size, 3), PALETTE[upper], np.uint8)
    pixels[size[0] // 2 :] = PALETTE[lower]
    Image.fromarray(pixels).save(path)
    return Drawing(path, (size[0], size[1]))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own cache of networks has no say in these tests."""
    monkeypatch.setattr(segmenter, "network_at_hand", lambda model: False)


def test_auto_clusters_without_masks() -> None:
    masks, made = segment_pair(CONTENT, STYLE)
    assert made.used == "cluster"
    assert {r.name for r in masks.regions} == {"blue", "red"}


def test_auto_takes_a_network_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def load(model: str | None, groups: object) -> None:
        asked.append(model)
        raise MaskError("asked")

    monkeypatch.setattr(segmenter, "network_at_hand", lambda model: True)
    monkeypatch.setattr(segmenter, "load_network", load)
    with pytest.raises(MaskError, match="asked"):
        segment_pair(CONTENT, STYLE)
    assert asked == [None]


def test_auto_takes_masks_first(tmp_path: Path) -> None:
    drawings = drawing(tmp_path / "c.png", CONTENT), drawing(tmp_path / "s.png", STYLE)
    masks, made = segment_pair(CONTENT, STYLE, drawings)
    assert made.used == "labels"
    assert [r.content_share for r in masks.regions] == [0.5, 0.5]


@pytest.mark.parametrize("kind", ["none", "labels"])
def test_one_region(kind: str) -> None:
    masks, made = segment_pair(CONTENT, STYLE, wishes=Wishes(kind))
    assert made.used == "none"
    assert [r.name for r in masks.regions] == ["all"]


@pytest.mark.parametrize("kind", ["none", "cluster", "semantic"])
def test_masks_are_never_ignored(tmp_path: Path, kind: str) -> None:
    drawings = drawing(tmp_path / "c.png", CONTENT), drawing(tmp_path / "s.png", STYLE)
    with pytest.raises(MaskError, match=f"segmenter {kind} makes its own regions"):
        segment_pair(CONTENT, STYLE, drawings, Wishes(kind))


def test_half_a_pair(tmp_path: Path) -> None:
    one = drawing(tmp_path / "m.png", CONTENT)
    with pytest.raises(MaskError, match=r"^style_mask is missing.*content_mask was given"):
        segment_pair(CONTENT, STYLE, (one, None))
    with pytest.raises(MaskError, match=r"^content_mask is missing.*style_mask was given"):
        segment_pair(CONTENT, STYLE, (None, one))


def test_proportions_are_those_of_the_files(tmp_path: Path) -> None:
    """The message gives the photograph's own size, not the working size."""
    good, bad = drawing(tmp_path / "c.png", CONTENT), drawing(tmp_path / "s.png", CONTENT)
    bad = Drawing(bad.path, (1000, 900))
    with pytest.raises(MaskError, match=r"s\.png is 120×90 pixels and the style 900×1000"):
        segment_pair(CONTENT, STYLE, (good, bad))


def test_correspondence(tmp_path: Path) -> None:
    drawings = (
        drawing(tmp_path / "c.png", CONTENT, "green", "red"),
        drawing(tmp_path / "s.png", STYLE, "blue", "red"),
    )
    masks, _ = segment_pair(CONTENT, STYLE, drawings, Wishes(correspond="green=blue"))
    assert [r.name for r in masks.regions] == ["green", "red"]
    assert masks.style[0, :50].min() == 1


def test_nothing_in_common_is_said() -> None:
    masks, made = segment_pair(torch.full((1, 3, 60, 80), 0.5), STYLE)
    assert made.used == "cluster"
    assert len(masks.regions) == 1
    assert "too little in common" in masks.warnings[0]
    assert masks.content.min() == 1


def test_one_picture_alone() -> None:
    masks, made = segment_alone(CONTENT)
    assert len(made.maps) == 1
    assert len(masks.regions) >= 2
    assert torch.equal(masks.content, masks.style)


def test_options_that_have_nothing_to_act_on_say_so() -> None:
    wishes = Wishes("none", palette="sky=#80c0ff", correspond="tower=building")
    masks, _ = segment_pair(CONTENT, STYLE, wishes=wishes)
    assert [note.split()[0] for note in masks.warnings] == ["--palette", "--correspond"]
    with pytest.raises(OptionError, match="is no colour"):
        segment_pair(CONTENT, STYLE, wishes=Wishes("cluster", palette="sky=blurp"))
