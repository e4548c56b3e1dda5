"""Pairing label maps: who goes with whom, what is merged and why, soft edges."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.errors import MaskError, OptionError
from photostyle.segmentation.masks import LabelMap, Region, whole
from photostyle.segmentation.pairing import (
    LEAST_CONTENT_SHARE,
    LEAST_STYLE_SHARE,
    Rules,
    describe,
    pair,
    parse_correspond,
)


def label_map(rows: list[list[int]], names: str, repeat: int = 10) -> LabelMap:
    ids = np.repeat(np.repeat(np.array(rows, np.int32), repeat, 0), repeat, 1)
    return LabelMap(ids, tuple(names.split()))


def picture(labels: LabelMap, colours: list[tuple[float, float, float]]) -> Tensor:
    """An image 1×3×H×W in which each label has one colour."""
    return torch.tensor(colours)[torch.from_numpy(labels.ids).long()].permute(2, 0, 1)[None]


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
        "land          75.0%   20.0%  with tree (is not in the style; most like it)",
        "(unpaired)        –   60.0%",
    ]
    assert len(describe(whole((2, 2), (2, 2)))) == 2


class TestMeanings:
    near = {"lake": ("land",), "sea": ("lake",)}  # noqa: RUF012

    def test_meaning_comes_before_colour(self) -> None:
        content = label_map([[0, 1, 2]], "sky land lake")
        image = picture(content, [(0.2, 0.4, 0.9), (0.4, 0.3, 0.1), (0.2, 0.4, 0.8)])
        style = label_map([[0, 1]], "sky land")
        plain = pair(content, style, image, torch.zeros(1, 3, 10, 20))
        assert plain.regions[0].merged == ("lake",)
        masks = pair(content, style, image, torch.zeros(1, 3, 10, 20), Rules(near=self.near))
        assert masks.regions[1].merged == ("lake",)
        assert masks.regions[1].why == ("is not in the style; nearest in meaning",)
        assert "nearest in meaning" in masks.warnings[0]

    def test_style_label_joins_what_it_means(self) -> None:
        content = label_map([[0, 1]], "sky lake")
        style = label_map([[0, 1, 2, 3]], "sky lake sea fire")
        images = torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 40)
        masks = pair(content, style, *images, Rules(near=self.near))
        assert [r.style_share for r in masks.regions] == [0.25, 0.5]
        assert masks.regions[1].merged == ("the style's sea",)
        assert next(w for w in masks.warnings if "fire" in w).endswith("is not used.")


class TestCorrespond:
    def test_words(self) -> None:
        assert parse_correspond("tower=building, lake = water") == {
            "tower": "building", "lake": "water"
        }  # fmt: skip

    @pytest.mark.parametrize("text", ["tower", "=water", "a=", "a=b,a=c", "a=b,,c=d"])
    def test_bad_words(self, text: str) -> None:
        with pytest.raises(OptionError, match="correspond"):
            parse_correspond(text)

    def test_other_partner(self) -> None:
        content, style = label_map([[0, 1]], "a b"), label_map([[0, 1]], "b c")
        image = torch.zeros(1, 3, 10, 20)
        masks = pair(content, style, image, image, Rules({"a": "c"}))
        assert [r.name for r in masks.regions] == ["a", "b"]
        assert masks.style[0, :, 10:].min() == 1
        assert masks.style[1, :, :10].min() == 1

    def test_two_after_one(self) -> None:
        content, style = label_map([[0, 1, 1]], "tower building"), label_map([[0]], "building")
        images = torch.zeros(1, 3, 10, 30), torch.zeros(1, 3, 10, 10)
        masks = pair(content, style, *images, Rules({"tower": "building"}))
        assert [r.name for r in masks.regions] == ["building"]
        assert masks.regions[0].merged == ("tower",)
        assert masks.content.min() == 1

    @pytest.mark.parametrize("pairs", [{"d": "b"}, {"a": "d"}])
    def test_unknown_names(self, pairs: dict[str, str]) -> None:
        content = label_map([[0, 1]], "a b")
        image = torch.zeros(1, 3, 10, 20)
        with pytest.raises(OptionError, match="no region 'd'; it has a, b"):
            pair(content, content, image, image, Rules(pairs))


def test_tiny_region_is_absorbed() -> None:
    ids = np.zeros((100, 200), np.int32)
    ids[:, 100:] = 1
    ids[50, 50] = 2
    assert 1 / ids.size < LEAST_CONTENT_SHARE
    labels = LabelMap(ids, ("sky", "land", "speck"))
    image = picture(labels, [(0.2, 0.4, 0.9), (0.4, 0.3, 0.1), (0.2, 0.4, 0.9)])
    style = label_map([[0, 1, 2]], "sky land speck")
    masks = pair(labels, style, image, torch.zeros(1, 3, 10, 30))
    assert masks.regions[0].merged == ("speck",)
    assert "is too small" in masks.warnings[0]


class TestSoftness:
    def test_edges_move_to_the_picture_s(self) -> None:
        rng = np.random.default_rng(0)
        image = torch.full((1, 3, 64, 64), 0.2)
        image[..., 32:] = 0.8
        image += torch.from_numpy(rng.normal(0, 0.01, image.shape)).float()
        ids = np.zeros((64, 64), np.int32)
        ids[:, 34:] = 1  # two pixels off
        labels = LabelMap(ids, ("a", "b"))
        hard = pair(labels, labels, image, image)
        soft = pair(labels, labels, image, image, Rules(softness=40))
        wrong = [float(m.content[0, :, 32:34].mean()) for m in (hard, soft)]
        assert wrong[0] == 1
        assert wrong[1] < 0.6
        assert (soft.content.sum(0) - 1).abs().max() < 1e-5
        assert soft.content[0, :, :20].min() == 1
        assert soft.content[0, :, 50:].max() == 0

    def test_what_is_in_no_region_stays_so(self) -> None:
        content, style = label_map([[0, 1]], "a b"), label_map([[0, 1, 2]], "a b c")
        images = torch.rand(1, 3, 10, 20), torch.rand(1, 3, 10, 30)
        masks = pair(content, style, *images, Rules(softness=100))
        assert masks.style[:, :, 20:].max() == 0
        assert (masks.style[:, :, :20].sum(0) - 1).abs().max() < 1e-5
