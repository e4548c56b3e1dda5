"""Masks as other programs make them: each format from a file made here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from photostyle.errors import MaskError, OptionError
from photostyle.segmentation.formats import Drawing, parse_palette, read_drawings
from photostyle.segmentation.labels import MORE_COLOURS, PALETTE, write_labels
from photostyle.segmentation.masks import LabelMap

#: Three regions, 60×80: a left half, and a right one with a box in it.
IDS = np.zeros((60, 80), np.int32)
IDS[:, 40:] = 1
IDS[20:40, 50:70] = 2

SKY, LAND, HOUSE = (128, 200, 250), (90, 60, 20), (200, 30, 90)


def coloured(*colours: tuple[int, int, int], ids: np.ndarray = IDS) -> Image.Image:
    return Image.fromarray(np.array(colours, np.uint8)[ids])


def read(*paths: Path, palette: str | None = None) -> tuple[LabelMap, ...]:
    return read_drawings([Drawing(path, IDS.shape) for path in paths], palette)


def names_at(labels: LabelMap) -> np.ndarray:
    return np.array(labels.names)[labels.ids]


def expect(labels: LabelMap, names: tuple[str, ...], ids: np.ndarray = IDS) -> None:
    np.testing.assert_array_equal(names_at(labels), np.array(names)[ids])


class TestColours:
    def test_palette_that_both_files_share_is_learnt(self, tmp_path: Path) -> None:
        coloured(SKY, LAND, HOUSE).save(tmp_path / "c.png")
        coloured(LAND, SKY, SKY).save(tmp_path / "s.png")
        content, style = read(tmp_path / "c.png", tmp_path / "s.png")
        expect(content, ("#80c8fa", "#5a3c14", "#c81e5a"))
        expect(style, ("#5a3c14", "#80c8fa", "#80c8fa"))
        assert content.names == style.names

    @pytest.mark.parametrize("quality", [95, 75])
    def test_learnt_from_jpegs_with_soft_borders(self, tmp_path: Path, quality: int) -> None:
        for name, colours in (("c", (SKY, LAND, HOUSE)), ("s", (LAND, SKY, HOUSE))):
            large = coloured(*colours).resize((640, 480), Image.Resampling.BICUBIC)
            large.save(tmp_path / f"{name}.jpg", quality=quality)
        content, style = read(tmp_path / "c.jpg", tmp_path / "s.jpg")
        crisp = np.kron(IDS, np.ones((8, 8), int))
        first = [content.names[content.ids[y, x]] for y, x in ((240, 100), (40, 500), (240, 480))]
        mine = names_at(content)
        assert len(set(first)) == 3
        assert (mine == np.array(first)[crisp]).mean() > 0.98
        assert style.names[style.ids[40, 500]] == first[0]
        assert style.names[style.ids[240, 100]] == first[1]

    def test_colours_that_the_nine_would_confuse(self, tmp_path: Path) -> None:
        for name in "cs":
            coloured((0, 0, 255), (0, 40, 220), (255, 0, 0)).save(tmp_path / f"{name}.png")
        for labels in read(tmp_path / "c.png", tmp_path / "s.png"):
            assert len(np.unique(labels.ids)) == 3

    def test_colour_of_one_file_only_is_no_palette(self, tmp_path: Path) -> None:
        coloured(SKY, LAND, HOUSE).save(tmp_path / "c.png")
        coloured((0, 0, 255), (255, 0, 0), (0, 0, 0)).save(tmp_path / "s.png")
        with pytest.raises(MaskError, match=r"c\.png has .* colours that are no label's"):
            read(tmp_path / "c.png", tmp_path / "s.png")

    def test_given_palette(self, tmp_path: Path) -> None:
        for name in "cs":
            coloured(SKY, LAND, SKY).save(tmp_path / f"{name}.png")
        for labels in read(tmp_path / "c.png", tmp_path / "s.png",
                           palette="sky=#80c8fa,land=#5a3c14"):  # fmt: skip
            expect(labels, ("sky", "land", "sky"))

    @pytest.mark.parametrize("text", ["sky", "sky=blau", "a=#fff,a=#000", "a=#fff,b=#fff", "=#fff"])
    def test_bad_palettes(self, text: str) -> None:
        with pytest.raises(OptionError, match="palette"):
            parse_palette(text)

    def test_photograph_of_many_colours(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(60, 190, (80, 80, 3), np.uint8)
        for name in "cs":
            Image.fromarray(noise).save(tmp_path / f"{name}.jpg")
        with pytest.raises(MaskError, match=r"c\.jpg"):
            read(tmp_path / "c.jpg", tmp_path / "s.jpg")

    def test_forty_colours_of_a_jpeg_of_the_nine(self, tmp_path: Path) -> None:
        picture = coloured(PALETTE["blue"], PALETTE["red"], PALETTE["white"]).resize((320, 240))
        picture.save(tmp_path / "c.jpg", quality=30)
        picture.save(tmp_path / "s.png")
        assert len(Image.open(tmp_path / "c.jpg").getcolors(10**6)) > 40
        content, _ = read(tmp_path / "c.jpg", tmp_path / "s.png")
        assert set(np.unique(names_at(content))) == {"blue", "red", "white"}


LEGEND_NAMES = ("sky", "land", "tower")
LEGEND = dict(zip(LEGEND_NAMES, MORE_COLOURS.values(), strict=False))


class TestLegend:
    def test_names_come_back(self, tmp_path: Path) -> None:
        for name in "cs":
            write_labels(tmp_path / f"{name}.png", LabelMap(IDS, LEGEND_NAMES), LEGEND)
        for labels in read(tmp_path / "c.png", tmp_path / "s.png"):
            expect(labels, LEGEND_NAMES)

    def test_names_serve_a_file_that_a_paint_program_saved(self, tmp_path: Path) -> None:
        for name in "cs":
            write_labels(tmp_path / f"{name}.png", LabelMap(IDS, LEGEND_NAMES), LEGEND)
        with Image.open(tmp_path / "s.png") as picture:
            painted = picture.convert("RGB")
        ImageDraw.Draw(painted).rectangle((0, 0, 9, 9), fill=LEGEND["tower"])
        painted.save(tmp_path / "s.png")
        content, style = read(tmp_path / "c.png", tmp_path / "s.png")
        expected = IDS.copy()
        expected[:10, :10] = 2
        expect(content, LEGEND_NAMES)
        expect(style, LEGEND_NAMES, expected)


class TestIds:
    @pytest.mark.parametrize(
        ("dtype", "values"),
        [(np.uint8, (0, 1, 2)), (np.uint8, (3, 17, 150)), (np.uint16, (0, 1, 2)),
         (np.uint16, (0, 300, 40000)), (np.int32, (5, 6, 1000))],
    )  # fmt: skip
    def test_integers(self, tmp_path: Path, dtype: type, values: tuple[int, ...]) -> None:
        name = "m.tif" if dtype is np.int32 else "m.png"
        Image.fromarray(np.array(values, dtype)[IDS]).save(tmp_path / name)
        (labels,) = read(tmp_path / name)
        expect(labels, tuple(f"id {value}" for value in values))

    @pytest.mark.parametrize("levels", [(0, 128, 255), (0, 255, 255)])
    def test_black_grey_and_white_stay_colours(
        self, tmp_path: Path, levels: tuple[int, ...]
    ) -> None:
        Image.fromarray(np.array(levels, np.uint8)[IDS]).save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        named = {0: "black", 128: "grey", 255: "white"}
        expect(labels, tuple(named[level] for level in levels))

    def test_indexed_picture_goes_by_its_colours(self, tmp_path: Path) -> None:
        for name, order in (("c", (0, 1, 2)), ("s", (2, 0, 1))):
            picture = Image.fromarray(np.argsort(order)[IDS].astype(np.uint8))
            picture.putpalette(np.array([(SKY, LAND, HOUSE)[i] for i in order], np.uint8).tobytes())
            picture.save(tmp_path / f"{name}.png")
        content, style = read(tmp_path / "c.png", tmp_path / "s.png")
        np.testing.assert_array_equal(names_at(content), names_at(style))
        assert len(np.unique(content.ids)) == 3

    def test_indexed_picture_with_a_palette_that_says_nothing(self, tmp_path: Path) -> None:
        picture = Image.fromarray(IDS.astype(np.uint8))
        picture.putpalette([0, 0, 0] * 256)
        picture.save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        expect(labels, ("id 0", "id 1", "id 2"))


class TestAlpha:
    @pytest.mark.parametrize("kind", ["one colour", "photograph"])
    def test_cut_out(self, tmp_path: Path, kind: str) -> None:
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 255, (*IDS.shape, 3), np.uint8)
        picture = Image.fromarray(noise if kind == "photograph" else np.zeros_like(noise))
        picture.putalpha(Image.fromarray(((IDS == 2) * 255).astype(np.uint8)))
        picture.save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        expect(labels, ("outside", "outside", "inside"))

    def test_labels_with_holes_stay_labels(self, tmp_path: Path) -> None:
        picture = coloured(PALETTE["blue"], PALETTE["red"], PALETTE["red"])
        picture.putalpha(Image.fromarray(((IDS != 2) * 255).astype(np.uint8)))
        picture.save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        expect(labels, ("blue", "red", "red"))


class TestFolder:
    def fill(self, folder: Path, **masks: np.ndarray) -> Path:
        folder.mkdir()
        for name, mask in masks.items():
            Image.fromarray(mask).save(folder / f"{name}.png")
        return folder

    @pytest.mark.parametrize("white", [255, 1])
    def test_a_file_per_region(self, tmp_path: Path, white: int) -> None:
        masks = {n: ((i == IDS) * white).astype(np.uint8) for i, n in enumerate(("sky", "land"))}
        (labels,) = read(self.fill(tmp_path / "masks", **masks))
        expect(labels, ("sky", "land", "rest"))

    def test_alpha(self, tmp_path: Path) -> None:
        rgba = np.zeros((*IDS.shape, 4), np.uint8)
        rgba[..., 3] = (IDS == 2) * 255
        (labels,) = read(self.fill(tmp_path / "masks", house=rgba))
        expect(labels, ("rest", "rest", "house"))

    def test_brighter_wins_where_masks_overlap(self, tmp_path: Path) -> None:
        sky = np.full(IDS.shape, 200, np.uint8)
        (labels,) = read(self.fill(tmp_path / "m", sky=sky, tower=((IDS == 2) * 255).astype("u1")))
        expect(labels, ("sky", "sky", "tower"))

    def test_empty_region_is_said(self, tmp_path: Path) -> None:
        empty, full = np.zeros(IDS.shape, np.uint8), np.full(IDS.shape, 255, np.uint8)
        (labels,) = read(self.fill(tmp_path / "masks", land=full, sky=empty))
        assert "'sky' is left out" in labels.notes[0]

    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda f, self: self.fill(f), "holds no masks"),
            (lambda f, self: self.fill(f, a=np.zeros((4, 4), "u1")), "only empty masks"),
            (
                lambda f, self: self.fill(f, a=np.ones((4, 4), "u1"), b=np.ones((4, 5), "u1")),
                "must have one size",
            ),
        ],
    )
    def test_refusals(
        self, tmp_path: Path, make: Callable[[Path, "TestFolder"], Path], says: str
    ) -> None:
        with pytest.raises(MaskError, match=says):
            read(make(tmp_path / "masks", self))
