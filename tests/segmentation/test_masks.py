"""Region masks: the contract, area resampling, pairing."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photostyle.errors import MaskError
from photostyle.segmentation.masks import (
    LabelMap,
    Masks,
    Region,
    counted,
    members,
    resize_masks,
    spread,
    whole,
)


def one_hot(ids: np.ndarray, count: int) -> Tensor:
    return torch.from_numpy((ids[None] == np.arange(count)[:, None, None]).astype(np.float32))


def label_map(rows: list[list[int]], names: str, repeat: int = 10) -> LabelMap:
    ids = np.repeat(np.repeat(np.array(rows, np.int32), repeat, 0), repeat, 1)
    return LabelMap(ids, tuple(names.split()))


def picture(labels: LabelMap, colours: list[tuple[float, float, float]]) -> Tensor:
    """An image 1×3×H×W in which each label has one colour."""
    return torch.tensor(colours)[torch.from_numpy(labels.ids).long()].permute(2, 0, 1)[None]


def overlaps(n: int, size: int) -> np.ndarray:
    """size×n weights of an area average, by the definition: overlap of footprints."""
    weights = np.zeros((size, n))
    for i in range(size):
        low, high = i * n / size, (i + 1) * n / size
        for j in range(n):
            weights[i, j] = max(0.0, min(high, j + 1) - max(low, j)) / (high - low)
    return weights


class TestMasks:
    halves = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    regions = (Region("sky", 0.5, 0.5), Region("land", 0.5, 0.5))

    def test_style_may_leave_pixels_out(self) -> None:
        style = torch.tensor([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])
        assert Masks(self.halves, style, self.regions).warnings == ()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"content": torch.tensor([[[1.0, 0.0]], [[0.0, 0.9]]])}, "content masks must sum"),
            ({"style": torch.tensor([[[1.0, 0.5]], [[0.1, 1.0]]])}, "style masks must sum"),
            ({"content": torch.ones(1, 1, 2)}, "content masks must be float32, 2×height×width"),
            ({"style": torch.ones(2, 2)}, "style masks must be float32"),
            ({"content": halves.double()}, "not 2×1×2 float64"),
            ({"content": torch.tensor([[[2.0]], [[-1.0]]])}, "values from 0 to 1"),
            ({"content": torch.tensor([[[float("nan")]], [[1.0]]])}, "values from 0 to 1"),
            ({"content": torch.ones(2, 0, 4)}, "must have pixels"),
            ({"style": torch.tensor([[[1.0]], [[0.0]]])}, "cover some of the style"),
            ({"regions": ()}, "at least one region"),
            ({"regions": (Region("a", 1, 1), Region("a", 1, 1))}, "a name of its own"),
        ],
    )
    def test_refuses_what_breaks_the_contract(self, change: dict[str, object], words: str) -> None:
        right = Masks(self.halves, self.halves, self.regions)
        with pytest.raises(MaskError, match=words):
            dataclasses.replace(right, **change)

    def test_whole_is_one_region_over_both_pictures(self) -> None:
        masks = whole((3, 4), (5, 6))
        assert torch.equal(masks.content, torch.ones(1, 3, 4))
        assert torch.equal(masks.style, torch.ones(1, 5, 6))
        assert masks.regions == (Region("all", 1.0, 1.0),)


class TestLabelMap:
    @pytest.mark.parametrize(
        ("ids", "names", "words"),
        [
            (np.zeros((2, 2)), ("a",), "int32"),
            (np.zeros((0, 2), np.int32), ("a",), "at least one pixel"),
            (np.zeros(2, np.int32), ("a",), "height×width"),
            (np.full((2, 2), 1, np.int32), ("a",), "ids from 0 to 0"),
            (np.full((2, 2), -1, np.int32), ("a",), "ids from 0 to 0"),
            (np.zeros((2, 2), np.int32), ("a", "a"), "a name of its own"),
        ],
    )
    def test_refuses_what_breaks_the_contract(
        self, ids: np.ndarray, names: tuple[str, ...], words: str
    ) -> None:
        with pytest.raises(MaskError, match=words):
            LabelMap(ids, names)


class TestResizeMasks:
    @given(
        old=st.tuples(st.integers(1, 60), st.integers(1, 60)),
        new=st.tuples(st.integers(1, 60), st.integers(1, 60)),
        count=st.integers(1, 5),
        seed=st.integers(0, 1000),
    )
    @settings(max_examples=60, deadline=None)
    def test_sums_stay_one_and_areas_stay(
        self, old: tuple[int, int], new: tuple[int, int], count: int, seed: int
    ) -> None:
        ids = np.random.default_rng(seed).integers(0, count, old)
        masks = one_hot(ids, count)
        small = resize_masks(masks, new)
        assert small.shape == (count, *new)
        assert small.dtype == torch.float32
        assert (small.sum(0) - 1).abs().max() <= 1e-6
        assert small.min() >= 0
        assert small.max() <= 1
        areas = small.double().mean((1, 2)) - masks.double().mean((1, 2))
        assert areas.abs().max() <= 1e-6

    @pytest.mark.parametrize("new", [(29, 44), (234, 350), (7, 5), (1, 1), (300, 600), (500, 100)])
    def test_is_the_overlap_of_footprints(self, new: tuple[int, int]) -> None:
        masks = one_hot(np.random.default_rng(1).integers(0, 3, (234, 351)), 3)
        rows, columns = overlaps(234, new[0]), overlaps(351, new[1])
        expected = np.einsum("ih,khw,jw->kij", rows, masks.numpy(), columns, optimize=True)
        np.testing.assert_allclose(resize_masks(masks, new).numpy(), expected, atol=1e-6)

    def test_agrees_with_opencv_when_shrinking(self) -> None:
        mask = np.random.default_rng(2).random((467, 700)).astype(np.float32)
        expected = cv2.resize(mask, (87, 58), interpolation=cv2.INTER_AREA)
        ours = resize_masks(torch.from_numpy(mask)[None], (58, 87))[0].numpy()
        np.testing.assert_allclose(ours, expected, atol=2e-6)

    def test_style_that_is_partly_in_no_region_stays_so(self) -> None:
        masks = torch.zeros(2, 6, 6)
        masks[0, :, :2] = 1
        assert torch.equal(
            resize_masks(masks, (1, 3))[:, 0], torch.tensor([[1.0, 0, 0], [0.0] * 3])
        )

    def test_same_size_is_untouched(self) -> None:
        masks = one_hot(np.eye(4, dtype=int), 2)
        assert resize_masks(masks, (4, 4)) is masks

    def test_refuses_no_pixels(self) -> None:
        with pytest.raises(MaskError, match="5×0"):
            resize_masks(torch.ones(1, 4, 4), (0, 5))


class TestMembers:
    def test_whole_pixels_belong_by_their_majority(self) -> None:
        masks = torch.tensor([[[0.2, 0.5, 0.6, 1.0]], [[0.8, 0.5, 0.4, 0.0]]])
        wanted = [[[False, False, True, True]], [[True, False, False, False]]]
        assert members(masks).tolist() == wanted

    @pytest.mark.parametrize("weight", [0.05, 0.25, 0.7])
    def test_pixels_that_count_in_part_are_drawn_in_proportion(self, weight: float) -> None:
        masks = counted(one_hot(np.arange(60 * 80).reshape(60, 80) // 40 % 2, 2),
                        torch.full((60, 80), weight))  # fmt: skip
        found = members(masks)
        assert torch.equal(found, members(masks))
        for area in (found[:, :, :40], found[:, :30], found[0, 20:40, 20:40], found[1, 10:30, 50:]):
            drawn = area if area.ndim == 3 else area[None]
            share = float(drawn.any(dim=0).double().mean())
            assert share == pytest.approx(weight, abs=0.03) or share == 0

    def test_what_does_not_count_never_belongs(self) -> None:
        weight = torch.zeros(20, 30)
        weight[:10] = 1
        found = members(counted(torch.ones(1, 20, 30), weight))
        assert torch.equal(found[0], weight > 0)


def test_spread_takes_the_nearest() -> None:
    values = np.arange(12, dtype=np.int32).reshape(3, 4)
    known = np.zeros((3, 4), bool)
    known[0, 0] = known[2, 3] = True
    assert spread(values, known).tolist() == [[0, 0, 0, 11], [0, 0, 11, 11], [0, 11, 11, 11]]
    colours = np.stack([values, values * 2], axis=2)
    np.testing.assert_array_equal(spread(colours, known)[..., 1], 2 * spread(values, known))
