"""Masks as arrays: ids, soft planes, planes by name and label pictures in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from photostyle.errors import MaskError
from photostyle.segmentation.arrays import mask_of
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.segmenter import load_masks

IDS = np.zeros((40, 60), np.int64)
IDS[:20], IDS[20:, 30:] = 3, 7
RAMP = np.linspace(0, 1, 60, dtype=np.float32)[None].repeat(40, 0)


def labels(given: Any) -> LabelMap:
    found = mask_of(given, "The content's mask")
    assert isinstance(found, LabelMap)
    return found


@pytest.mark.parametrize(
    "given",
    [IDS, IDS.astype(np.uint8), IDS.astype(np.int32), torch.from_numpy(IDS),
     Image.fromarray(IDS.astype(np.uint8))],
    ids=["int64", "uint8", "int32", "tensor", "PIL"],
)  # fmt: skip
def test_integers_are_ids(given: Any) -> None:
    found = labels(given)
    assert found.names == ("id 0", "id 3", "id 7")
    assert (np.array([0, 3, 7])[found.ids] == IDS).all()


def test_truth_values_are_two_regions() -> None:
    assert labels(IDS > 0).names == ("id 0", "id 1")


def test_flat_colours_are_regions_by_their_names() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20] = 0, 0, 255
    picture[20:, 30:] = 1, 2, 3
    for given in (picture, Image.fromarray(picture), Image.fromarray(picture).quantize(3)):
        found = labels(given)
        assert set(found.names) == {"black", "blue", "#010203"}
        assert (found.ids[:20] == found.names.index("blue")).all()


def test_soft_masks_stay_soft_up_to_the_run() -> None:
    image = torch.rand(1, 3, 40, 60)
    masks = load_masks(np.stack([RAMP, 1 - RAMP]), np.stack([RAMP, 1 - RAMP]), image, image)
    assert masks.names == ("id 0", "id 1")
    assert np.abs(masks.content[0].numpy() - RAMP).max() < 1e-5
    assert np.abs(masks.style[1].numpy() - (1 - RAMP)).max() < 1e-5


def test_soft_masks_at_another_size_are_averaged() -> None:
    image = torch.rand(1, 3, 20, 30)
    masks = load_masks(np.stack([RAMP, 1 - RAMP]), np.stack([RAMP, 1 - RAMP]), image, image)
    expected = RAMP.reshape(20, 2, 30, 2).mean(axis=(1, 3))
    assert np.abs(masks.content[0].numpy() - expected).max() < 1e-5


def test_planes_by_name_and_what_they_leave() -> None:
    sky = np.where(IDS == 3, np.uint8(255), np.uint8(0))
    found = labels({"sky": sky, "lake": torch.from_numpy(IDS == 7)})
    assert found.names == ("sky", "lake", "rest")
    assert (found.ids == np.select([IDS == 3, IDS == 7], [0, 1], 2)).all()


def test_region_that_is_nowhere_the_strongest_gives_way() -> None:
    planes = np.stack([0.6 * np.ones_like(RAMP), 0.4 * np.ones_like(RAMP)])
    image = torch.rand(1, 3, 40, 60)
    masks = load_masks(planes, planes, image, image)
    assert masks.names == ("id 0",)
    assert (masks.content - 1).abs().max() < 1e-5


def test_paths_stay_paths(tmp_path: Path) -> None:
    assert mask_of(str(tmp_path), "x") == tmp_path
    assert mask_of(None, "x") is None


UNFIT = {
    "negative": (IDS - 1, "holds -1; ids are whole numbers from 0"),
    "a photograph": (np.arange(2400).reshape(40, 60), "2400 different values"),
    "floats": (RAMP, "holds no integers; give an id for every pixel"),
    "NaN": (np.stack([RAMP, 1 - RAMP]) * np.nan, "values from nan"),
    "0 … 255": (np.stack([RAMP, 1 - RAMP]) * 255, r"from 0 to 255; .*\[0, 1\]"),
    "too much": (np.stack([RAMP, RAMP + 0 * RAMP]), r"sums to 2 over the regions"),
    "planes last": (
        np.stack([RAMP > 0.3, RAMP <= 0.3], axis=-1),
        r"give K×H×W, as x.transpose\(2, 0, 1\) is",
    ),
    "nothing": (IDS[:0], "no pixels"),
    "four axes": (IDS[None, None], "unknown shape; give H×W integers"),
    "no planes": ({}, "one height and width"),
    "two sizes": ({"a": IDS > 3, "b": IDS[:5] > 3}, "one height and width"),
    "a number": (3, "is a int; give a path"),
    "many colours": (
        np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8),
        "has 2400 colours; a label picture has flat ones",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_unfit_masks_end_in_a_sentence(case: str) -> None:
    given, says = UNFIT[case]
    with pytest.raises(MaskError, match=f"^The content's mask .*{says}"):
        mask_of(given, "The content's mask")


def test_other_proportions_are_refused() -> None:
    image = torch.rand(1, 3, 40, 60)
    with pytest.raises(MaskError, match=r"The content's mask .* is 40×40 pixels .* proportions"):
        load_masks(IDS[:, :40], IDS, image, image)
