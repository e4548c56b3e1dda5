"""Label pictures: clean borders from unclean files, refusals, round trips."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import Tensor

from photostyle.errors import MaskError, OutputError
from photostyle.segmentation import labels as labels_module
from photostyle.segmentation.labels import (
    MORE_COLOURS,
    PALETTE,
    legend_of,
    open_picture,
    read_labels,
    write_labels,
)
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.pairing import pair

NAMES = tuple(PALETTE)
COLOURS = np.array(list(PALETTE.values()), np.uint8)


def scene(
    background: str, shapes: list[tuple[str, tuple[int, ...]]], scale: int = 1
) -> Image.Image:
    """200×150 (times `scale`): ellipses of the named colours on a background."""
    picture = Image.new("RGB", (200 * scale, 150 * scale), PALETTE[background])
    draw = ImageDraw.Draw(picture)
    for name, box in shapes:
        draw.ellipse([scale * v for v in box], fill=PALETTE[name])
    return picture


def smooth(background: str, shapes: list[tuple[str, tuple[int, ...]]]) -> Image.Image:
    return scene(background, shapes, scale=8).resize((200, 150), Image.Resampling.BOX)


def found(path: Path) -> set[str]:
    return {NAMES[i] for i in np.unique(read_labels(path).ids)}


def ids_of(picture: Image.Image) -> np.ndarray:
    """Ids of a picture in which every pixel has exactly a palette colour."""
    rgb = np.asarray(picture)
    return (rgb[:, :, None] == COLOURS).all(-1).argmax(-1)


ALL_NINE = [
    (name, (5 + 65 * (i % 3), 3 + 49 * (i // 3), 55 + 65 * (i % 3), 47 + 49 * (i // 3)))
    for i, name in enumerate(NAMES)
]


class TestReading:
    @pytest.mark.parametrize("background", ["black", "lightblue"])
    def test_clean_picture_is_taken_as_it_is(self, tmp_path: Path, background: str) -> None:
        picture = scene(background, ALL_NINE)
        picture.save(tmp_path / "m.png")
        labels = read_labels(tmp_path / "m.png")
        assert labels.names == NAMES
        assert labels.ids.dtype == np.int32
        np.testing.assert_array_equal(labels.ids, ids_of(picture))

    @pytest.mark.parametrize(
        "convert",
        [
            lambda p: p.convert("RGBA"),
            lambda p: p.convert("P", palette=Image.Palette.ADAPTIVE, colors=16),
            lambda p: p.quantize(12, dither=Image.Dither.NONE),
        ],
        ids=["rgba", "adaptive", "quantized"],
    )
    def test_other_colour_modes(
        self, tmp_path: Path, convert: Callable[[Image.Image], Image.Image]
    ) -> None:
        picture = scene("yellow", ALL_NINE)
        convert(picture).save(tmp_path / "m.png")
        np.testing.assert_array_equal(read_labels(tmp_path / "m.png").ids, ids_of(picture))

    def test_alpha_is_ignored(self, tmp_path: Path) -> None:
        picture = scene("red", [("blue", (50, 50, 120, 120))])
        expected = ids_of(picture)
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        picture.save(tmp_path / "m.png")
        np.testing.assert_array_equal(read_labels(tmp_path / "m.png").ids, expected)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "I"])
    def test_grey_modes(self, tmp_path: Path, mode: str) -> None:
        grey = scene("black", [("white", (20, 20, 90, 90)), ("grey", (110, 20, 180, 90))])
        if mode == "1":
            grey = scene("black", [("white", (20, 20, 90, 90))])
        expected = ids_of(grey)
        if mode in ("I;16", "I"):
            deep = np.asarray(grey.convert("L")).astype(np.uint16) * 257
            picture = Image.fromarray(deep if mode == "I;16" else deep.astype(np.int32))
        else:
            picture = grey.convert(mode)
        suffix = "tif" if mode == "I" else "png"
        picture.save(tmp_path / f"m.{suffix}")
        np.testing.assert_array_equal(read_labels(tmp_path / f"m.{suffix}").ids, expected)

    def test_orientation_is_applied(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned a quarter clockwise
        picture = Image.new("RGB", (40, 20), PALETTE["red"])
        picture.paste(PALETTE["blue"], (0, 0, 20, 20))
        picture.save(tmp_path / "m.png", exif=exif)
        ids = read_labels(tmp_path / "m.png").ids
        assert ids.shape == (40, 20)
        assert {NAMES[i] for i in ids[:20].ravel()} == {"blue"}
        assert {NAMES[i] for i in ids[20:].ravel()} == {"red"}


class TestBorders:
    @pytest.mark.parametrize(
        ("background", "shapes"),
        [
            ("black", [("white", (20, 20, 150, 120))]),
            ("red", [("green", (20, 20, 90, 120)), ("lightblue", (110, 20, 190, 120))]),
            ("blue", [("yellow", (20, 20, 150, 120))]),
            ("purple", [("green", (20, 20, 150, 120)), ("white", (60, 50, 100, 100))]),
            ("black", [("white", (10, 20, 90, 120)), ("grey", (110, 20, 190, 120))]),
        ],
    )
    @pytest.mark.parametrize("quality", [None, 95, 75, 50])
    def test_blends_are_no_labels(
        self,
        tmp_path: Path,
        background: str,
        shapes: list[tuple[str, tuple[int, ...]]],
        quality: int | None,
    ) -> None:
        path = tmp_path / ("m.png" if quality is None else "m.jpg")
        smooth(background, shapes).save(path, **({} if quality is None else {"quality": quality}))
        assert found(path) == {background, *(name for name, _ in shapes)}
        # Against the crisp drawing only pixels on the border may differ, by the one on the
        # other side of it.
        ids, crisp = read_labels(path).ids, ids_of(scene(background, shapes))
        wrong = ids != crisp
        reach = 1 if quality is None else 2
        near = np.zeros_like(wrong)
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                near |= np.roll(crisp, (dy, dx), (0, 1)) == ids
        assert near.all()
        assert wrong.mean() < 0.02

    def test_half_blend_alone_is_no_grey(self, tmp_path: Path) -> None:
        """A border that is exactly (128, 128, 128) everywhere."""
        picture = Image.new("RGB", (60, 60), PALETTE["black"])
        picture.paste(PALETTE["white"], (30, 0, 60, 60))
        picture.paste(PALETTE["grey"], (29, 0, 31, 60))
        picture.save(tmp_path / "m.png")
        assert found(tmp_path / "m.png") == {"black", "white"}

    def test_grey_border_beside_a_grey_region_stays_out_of_it(self, tmp_path: Path) -> None:
        picture = smooth("black", [("white", (10, 20, 90, 120)), ("grey", (110, 20, 190, 120))])
        picture.save(tmp_path / "m.png")
        assert not (read_labels(tmp_path / "m.png").ids[:, :100] == NAMES.index("grey")).any()

    @pytest.mark.parametrize("radius", [2, 5, 8])
    def test_feathered_border_splits_in_the_middle(self, tmp_path: Path, radius: int) -> None:
        picture = Image.new("RGB", (200, 150), PALETTE["black"])
        picture.paste(PALETTE["white"], (100, 0, 200, 150))
        picture.filter(ImageFilter.GaussianBlur(radius)).save(tmp_path / "m.png")
        ids = read_labels(tmp_path / "m.png").ids
        assert found(tmp_path / "m.png") == {"black", "white"}
        edges = (ids == NAMES.index("black")).sum(axis=1)
        assert abs(edges - 100).max() <= 1

    @pytest.mark.parametrize("level", [60, 100, 160, 200])
    def test_mixed_pixel_goes_to_the_larger_part(self, tmp_path: Path, level: int) -> None:
        picture = Image.new("RGB", (60, 60), PALETTE["black"])
        picture.paste(PALETTE["white"], (30, 0, 60, 60))
        picture.paste((level, level, level), (30, 0, 31, 60))
        picture.save(tmp_path / "m.png")
        ids = read_labels(tmp_path / "m.png").ids
        assert {NAMES[i] for i in ids[:, 30]} == {"white" if level > 127 else "black"}

    def test_thin_lines_of_a_label_that_counts_are_kept(self, tmp_path: Path) -> None:
        picture = scene("black", [("white", (10, 20, 90, 120))])
        ImageDraw.Draw(picture).line([(150, 0), (150, 149)], fill=PALETTE["white"])
        picture.save(tmp_path / "m.png")
        np.testing.assert_array_equal(read_labels(tmp_path / "m.png").ids, ids_of(picture))

    def test_speck_takes_the_label_around_it(self, tmp_path: Path) -> None:
        picture = scene("black", [("white", (10, 20, 90, 120))])
        picture.paste(PALETTE["red"], (150, 50, 152, 52))
        picture.paste((200, 120, 40), (170, 50, 180, 60))
        picture.save(tmp_path / "m.png")
        assert found(tmp_path / "m.png") == {"black", "white"}
        assert {NAMES[i] for i in read_labels(tmp_path / "m.png").ids[45:65, 140:].ravel()} == {
            "black"
        }


def test_pixels_too_few_for_a_region_are_named(tmp_path: Path) -> None:
    picture = scene("black", [("white", (20, 20, 150, 120))])
    picture.putpixel((5, 5), PALETTE["red"])
    picture.save(tmp_path / "m.png")
    (note,) = read_labels(tmp_path / "m.png").notes
    assert '"red" has no more than 1 scattered pixel,' in note
    assert str(tmp_path / "m.png") in note


class TestRefusals:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(MaskError, match=r"none\.png does not exist"):
            read_labels(tmp_path / "none.png")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MaskError, match="is not a file"):
            read_labels(tmp_path)

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "m.png").touch()
        with pytest.raises(MaskError, match=r"m\.png is empty"):
            read_labels(tmp_path / "m.png")

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif"])
    def test_truncated(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"m.{suffix}"
        data = io.BytesIO()
        form = {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix)
        scene("black", ALL_NINE).save(data, form)
        path.write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
        with pytest.raises(MaskError, match=rf"m\.{suffix} is damaged or incomplete"):
            read_labels(path)

    def test_no_picture(self, tmp_path: Path) -> None:
        (tmp_path / "m.png").write_text("not a picture")
        with pytest.raises(MaskError, match=r"m\.png is not a picture"):
            read_labels(tmp_path / "m.png")

    def test_too_many_pixels(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scene("black", ALL_NINE).save(tmp_path / "m.png")
        monkeypatch.setattr(labels_module, "MOST_PIXELS", 29_999)
        with pytest.raises(MaskError, match="megapixels"):
            read_labels(tmp_path / "m.png")
        monkeypatch.undo()
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 14_999)
        with pytest.raises(MaskError, match="megapixels"):
            read_labels(tmp_path / "m.png")

    @pytest.mark.parametrize("quality", [None, 75])
    def test_areas_of_foreign_colours(self, tmp_path: Path, quality: int | None) -> None:
        picture = scene("black", [("white", (10, 20, 90, 120))])
        ImageDraw.Draw(picture).rectangle((120, 20, 190, 120), fill=(200, 120, 40))
        path = tmp_path / ("m.png" if quality is None else "m.jpg")
        picture.save(path, **({} if quality is None else {"quality": quality}))
        with pytest.raises(MaskError, match=r"m\..* (19|2[0-4])% .*mostly \(") as caught:
            read_labels(path)
        for name, colour in PALETTE.items():
            assert f"{name} {colour}" in str(caught.value)
        assert "(200, 120, 40)" in str(caught.value) or quality

    def test_photograph(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(60, 190, (80, 80, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "m.png")
        with pytest.raises(MaskError, match="colours that are no label's"):
            read_labels(tmp_path / "m.png")

    def test_nothing_solid(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 8, (80, 80))
        Image.fromarray(COLOURS[noise]).save(tmp_path / "m.png")
        with pytest.raises(MaskError, match=r"m\.png has no solid area"):
            read_labels(tmp_path / "m.png")


class TestWriting:
    def test_any_map_comes_back(self, tmp_path: Path) -> None:
        ids = np.random.default_rng(0).integers(0, 9, (37, 53)).astype(np.int32)
        write_labels(tmp_path / "m.png", LabelMap(ids, NAMES))
        labels = read_labels(tmp_path / "m.png")
        assert labels.names == NAMES
        np.testing.assert_array_equal(labels.ids, ids)
        with Image.open(tmp_path / "m.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), COLOURS[ids])

    def test_more_than_nine_with_names_of_their_own(self, tmp_path: Path) -> None:
        colours = {f"region {rgb}": rgb for rgb in (*PALETTE.values(), *MORE_COLOURS.values())}
        ids = np.random.default_rng(1).integers(0, len(colours), (37, 53)).astype(np.int32)
        write_labels(tmp_path / "m.png", LabelMap(ids, tuple(colours)), colours)
        assert legend_of(open_picture(tmp_path / "m.png")) == colours
        labels = read_labels(tmp_path / "m.png", colours)
        assert labels.names == tuple(colours)
        np.testing.assert_array_equal(labels.ids, ids)

    def test_names_in_any_order(self, tmp_path: Path) -> None:
        ids = np.array([[0, 1], [1, 0]], np.int32)
        write_labels(tmp_path / "m.png", LabelMap(ids, ("red", "blue")))
        labels = read_labels(tmp_path / "m.png")
        assert [[labels.names[i] for i in row] for row in labels.ids] == [
            ["red", "blue"],
            ["blue", "red"],
        ]

    def test_overwrites_and_leaves_nothing_beside(self, tmp_path: Path) -> None:
        path = tmp_path / "m.png"
        path.write_text("old")
        write_labels(path, LabelMap(np.zeros((4, 4), np.int32), NAMES))
        assert list(tmp_path.iterdir()) == [path]

    def test_refusals(self, tmp_path: Path) -> None:
        ids = np.zeros((4, 4), np.int32)
        with pytest.raises(MaskError, match="cannot hold sky"):
            write_labels(tmp_path / "m.png", LabelMap(ids, ("sky",)))
        with pytest.raises(OutputError, match=r"must end in \.png"):
            write_labels(tmp_path / "m.jpg", LabelMap(ids, NAMES))
        (tmp_path / "file").touch()
        with pytest.raises(OutputError, match="cannot be written"):
            write_labels(tmp_path / "file" / "m.png", LabelMap(ids, NAMES))


def image(path: Path) -> Tensor:
    pixels = np.array(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def test_published_masks(shared: Path) -> None:
    """On real files: a partition, and the regions that counting nearest colours gives."""
    for path in sorted((shared / "dpst" / "content_mask").glob("*.png")):
        folder = shared / "dpst"
        style_path = folder / "style_mask" / path.name
        content = image(folder / "content" / path.name)
        style = image(folder / "style" / path.name)
        masks = pair(read_labels(path), read_labels(style_path), content, style)
        assert masks.content.shape[1:] == content.shape[2:]
        assert torch.equal(masks.content.sum(0), torch.ones(content.shape[2:])), path.name
        assert set(masks.content.unique().tolist()) <= {0.0, 1.0}
        for mask_path in (path, style_path):
            rgb = np.asarray(Image.open(mask_path).convert("RGB")).astype(np.int32)
            distance = ((rgb[:, :, None] - COLOURS.astype(np.int32)) ** 2).sum(-1)
            nearest = np.bincount(distance.argmin(-1).ravel(), minlength=9) / rgb[..., 0].size
            ours = np.bincount(read_labels(mask_path).ids.ravel(), minlength=9) / rgb[..., 0].size
            assert set(np.flatnonzero(ours)) >= set(np.flatnonzero(nearest > 0.02)), mask_path
            assert np.abs(ours - nearest)[nearest > 0.02].max() < 0.01, mask_path
            assert ours[nearest <= 0.02].sum() < 0.02, mask_path
