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
    LEAST_STYLE_SHARE,
    LabelMap,
    Masks,
    Region,
    describe,
    pair,
    resize_masks,
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


class TestPair:
    red, blue, teal = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9), (0.1, 0.4, 0.8)

    def test_pairs_by_name_not_by_id(self) -> None:
        content = label_map([[0, 1]], "sky land")
        style = label_map([[0, 0, 1, 1]], "land sky")
        masks = pair(content, style, torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 40))
        assert masks.regions == (Region("sky", 0.5, 0.5), Region("land", 0.5, 0.5))
        assert masks.content[0, :, :10].min() == 1
        assert masks.style[0, :, 20:].min() == 1
        assert masks.style[1, :, :20].min() == 1
        assert masks.warnings == ()

    @pytest.mark.parametrize(("colour", "host"), [(red, "a"), (teal, "b")])
    def test_label_that_the_style_lacks_joins_the_most_similar(
        self, colour: tuple[float, float, float], host: str
    ) -> None:
        content = label_map([[0, 2, 1, 1]], "a b c")
        style = label_map([[0, 1]], "a b")
        image = picture(content, [self.red, self.blue, colour])
        masks = pair(content, style, image, torch.zeros(1, 3, 10, 20))
        merged = {region.name: region.merged for region in masks.regions}
        assert merged == {"a": (), "b": ()} | {host: ("c",)}
        index = [region.name for region in masks.regions].index(host)
        assert masks.content[index, :, 10:20].min() == 1
        assert len(masks.warnings) == 1
        assert '"c" (25.0% of it) is not in the style' in masks.warnings[0]
        assert f'joins "{host}"' in masks.warnings[0]

    @pytest.mark.parametrize(("rows", "host"), [([0, 2, 9, 9, 1], "a"), ([0, 9, 9, 2, 1], "b")])
    def test_between_equal_colours_the_nearer_in_height_wins(
        self, rows: list[int], host: str
    ) -> None:
        content = label_map([[3 if r == 9 else r] for r in rows], "a b c d")
        image = picture(content, [self.red, self.red, self.red, self.blue])
        style = label_map([[0], [1], [3]], "a b c d")
        masks = pair(content, style, image, torch.zeros(1, 3, 30, 10))
        assert next(r.name for r in masks.regions if r.merged == ("c",)) == host

    def test_label_that_the_style_hardly_has_counts_as_absent(self) -> None:
        content = label_map([[0, 1]], "a b", repeat=40)
        sizes = torch.zeros(1, 3, 40, 80)
        for pixels, merged in ((6, ("b",)), (7, ())):
            ids = np.zeros((40, 80), np.int32)
            ids.flat[:pixels] = 1
            assert (pixels / ids.size >= LEAST_STYLE_SHARE) is (merged == ())
            masks = pair(content, LabelMap(ids, ("a", "b")), sizes, sizes)
            assert masks.regions[0].merged == merged
            if merged:
                assert "has only 0.2% of the style" in masks.warnings[0]
                assert masks.style.sum() == ids.size - pixels

    def test_style_label_that_the_content_lacks_is_in_no_region(self) -> None:
        content = label_map([[0, 1]], "a b")
        style = label_map([[0, 1, 2, 2]], "a b c")
        masks = pair(content, style, torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 40))
        assert masks.style[:, :, 20:].max() == 0
        assert masks.style[:, :, :20].sum(0).min() == 1
        assert [region.style_share for region in masks.regions] == [0.25, 0.25]
        assert masks.warnings == (
            'The style\'s "c" (50.0% of it) is not in the content and is not used.',
        )

    def test_no_shared_label_uses_both_whole(self) -> None:
        content, style = label_map([[0, 1]], "a b"), label_map([[0]], "c")
        masks = pair(content, style, torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 10))
        assert [region.name for region in masks.regions] == ["all"]
        assert masks.content.shape == (1, 10, 20)
        assert "The content (a, b) and the style (c) share no label" in masks.warnings[0]

    @pytest.mark.parametrize("factor", [0.5, 2, 3])
    def test_map_of_another_size_is_fitted(self, factor: float) -> None:
        content = label_map([[0, 1, 1], [2, 2, 0]], "a b c")
        hw = (int(20 * factor), int(30 * factor))
        masks = pair(content, content, torch.zeros(1, 3, *hw), torch.zeros(1, 3, 20, 30))
        assert masks.content.shape == (3, *hw)
        shares = [region.content_share for region in masks.regions]
        assert shares == [pytest.approx(1 / 3)] * 3
        centre = int(5 * factor)
        assert masks.content[0, centre, centre] == 1

    def test_proportions(self) -> None:
        labels = label_map([[0, 0, 0]], "a", repeat=100)
        labels = dataclasses.replace(labels, source="mask.png")
        style = torch.zeros(1, 3, 100, 300)
        pair(labels, labels, torch.zeros(1, 3, 100, 305), style)
        with pytest.raises(MaskError, match=r"mask\.png is 300×100 pixels and the content 100×300"):
            pair(labels, labels, torch.zeros(1, 3, 300, 100), style)
        with pytest.raises(MaskError, match="the style 307×100"):
            pair(labels, labels, style, torch.zeros(1, 3, 100, 307))


def test_describe_shows_every_share() -> None:
    content = label_map([[0, 1, 1, 2]], "sky land tree")
    style = label_map([[0, 1, 3, 3, 3]], "sky land tree sea")
    image = picture(content, [(0.2, 0.4, 0.9), (0.4, 0.3, 0.1), (0.3, 0.3, 0.1)])
    masks = pair(content, style, image, torch.zeros(1, 3, 10, 50))
    assert describe(masks) == [
        "region      content   style",
        "sky           25.0%   20.0%",
        "land          75.0%   20.0%  with tree",
        "(unpaired)        –   60.0%",
    ]
    assert len(describe(whole((2, 2), (2, 2)))) == 2
