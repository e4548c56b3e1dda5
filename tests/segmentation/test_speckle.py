"""Speckle in label pictures: what is taken as a label's, and what stays foreign."""

import hashlib
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from photostyle.errors import MaskError
from photostyle.segmentation.formats import Drawing, read_drawings
from photostyle.segmentation.labels import PALETTE, read_labels
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.speckle import between, scattered, speckle_share, stray

NINE = np.array(list(PALETTE.values()), np.uint8)
OTHER = np.array(
    [(128, 200, 250), (90, 60, 20), (200, 30, 90), (40, 140, 60), (230, 200, 120)], np.uint8
)
CITY = np.array(
    [(70, 130, 180), (220, 20, 60), (128, 64, 128), (107, 142, 35), (0, 0, 142), (70, 70, 70)],
    np.uint8,
)
SIZE = 300, 400

#: What the masks of Luan et al. were read as before speckle was sorted: the start of the SHA-256
#: of the ids, content and style.
AS_BEFORE = {
    "13": ("ef7ea917", "16a43dbb"), "15": ("059e42b8", "eef0102f"), "16": ("707d66a8", "8f425d74"),
    "20": ("233516e8", "38cfc180"), "21": ("0beac2ef", "6ff7bc6e"), "29": ("42818aa3", "23a5ccb4"),
    "3": ("0d3763e1", "be8491bf"), "33": ("b01e1c62", "103b22e5"), "34": ("b78d76b7", "628b4106"),
    "40": ("a90a5589", "0c54bcd7"), "46": ("e942d5d7", "4143a726"), "50": ("5236fc62", "919fe439"),
    "57": ("2f82f611", "7d47917c"), "58": ("90a3bbd5", "af87403d"), "60": ("f8c269f3", "3c78a272"),
    "7": ("27168098", "d069be79"),
}  # fmt: skip


def regions(count: int, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """H×W ids below `count`: twice as many cells around random points."""
    points = np.random.default_rng(seed).random((2 * count, 2)) * size  # (2K, 2)
    y, x = np.indices(size)
    gaps = (y - points[:, :1, None]) ** 2 + (x - points[:, 1:, None]) ** 2  # (2K, H, W)
    return gaps.argmin(axis=0) % count


def jpeg(rgb: np.ndarray, quality: int = 75) -> np.ndarray:
    """What 4:2:0 JPEG makes of H×W×3."""
    data = io.BytesIO()
    Image.fromarray(rgb).save(data, "JPEG", quality=quality, subsampling=2)
    return np.array(Image.open(data))


def speckled(rgb: np.ndarray, change: tuple[int, int, int], share: float, side: int) -> np.ndarray:
    """Squares at random places whose colour is changed, away from 0 and 255 where it must."""
    out, rng, made = rgb.copy(), np.random.default_rng(1), 0
    while made < share * out[..., 0].size:
        y, x = (int(rng.integers(0, n - side)) for n in out.shape[:2])
        colour = rgb[y, x].astype(int)
        moved = np.where((colour + change < 0) | (colour + change > 255), -1, 1) * change + colour
        out[y : y + side, x : x + side] = moved.clip(0, 255)
        made += side * side
    return out


def read(folder: Path, *pictures: np.ndarray) -> tuple[LabelMap, ...]:
    drawings = []
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{i}.png")
        drawings.append(Drawing(folder / f"{i}.png", picture.shape[:2]))
    return read_drawings(drawings)


def check(labels: LabelMap, ids: np.ndarray, least: float = 0.99, reach: int = 7) -> None:
    """Each region has one label of its own; interiors lie `reach` pixels from every border."""
    of = [np.bincount(labels.ids[ids == k], minlength=99).argmax() for k in range(ids.max() + 1)]
    assert len(set(of)) == len(of)
    wrong = labels.ids != np.array(of)[ids]
    square = np.ones((2 * reach + 1,) * 2, np.uint8)
    drawn = ids.astype(np.uint8)
    assert not wrong[cv2.dilate(drawn, square) == cv2.erode(drawn, square)].any()
    assert wrong.mean() <= 1 - least


class TestReading:
    @pytest.mark.parametrize("palette", [NINE, OTHER, CITY], ids=["nine", "other", "city"])
    @pytest.mark.parametrize("quality", [95, 75, 50])
    def test_jpegs(self, tmp_path: Path, palette: np.ndarray, quality: int) -> None:
        ids, theirs = regions(len(palette), 0), regions(len(palette), 1)
        content, style = read(tmp_path, jpeg(palette[ids], quality), jpeg(palette[theirs], quality))
        least = 0.99 if quality >= 75 else 0.98
        check(content, ids, least)
        check(style, theirs, least)

    @pytest.mark.parametrize("palette", [OTHER, CITY], ids=["other", "city"])
    def test_small_jpegs_of_another_palette(self, tmp_path: Path, palette: np.ndarray) -> None:
        """Few flat areas are left at this size."""
        ids = regions(len(palette), 3, (150, 200))
        content, _ = read(tmp_path, jpeg(palette[ids]), palette[ids])
        check(content, ids, 0.98)

    @pytest.mark.parametrize("palette", [NINE, OTHER, CITY], ids=["nine", "other", "city"])
    @pytest.mark.parametrize("change", [(-6, 20, 14), (-40, 35, 30)])
    @pytest.mark.parametrize("side", [1, 2, 4])
    def test_speckle_beside_the_labels(
        self, tmp_path: Path, palette: np.ndarray, change: tuple[int, int, int], side: int
    ) -> None:
        ids = regions(len(palette))
        drawn = speckled(palette[ids], change, 0.08, side)
        content, style = read(tmp_path, drawn, palette[ids])
        check(content, ids, 0.995)
        np.testing.assert_array_equal(np.unique(content.ids), np.unique(style.ids))
        (note,) = content.notes
        assert "0.png: " in note
        assert "% of its area is speckle" in note
        assert 6 <= int(note.split(": ")[1].split("%")[0]) <= 8
        assert not style.notes

    def test_clumps_that_come_to_more_than_a_foreign_area_may(self, tmp_path: Path) -> None:
        """Flat specks far from all nine, together 8 % of the picture."""
        ids = regions(9)
        drawn = speckled(NINE[ids], (-70, 60, 50), 0.15, 7)
        (labels,) = read(tmp_path, drawn)
        assert (labels.ids == ids).mean() > 0.985
        assert "speckle" in labels.notes[0]

    @pytest.mark.parametrize("radius", [1, 2, 4])
    def test_soft_borders_split_in_the_middle(self, tmp_path: Path, radius: int) -> None:
        rgb = np.zeros((*SIZE, 3), np.uint8)
        rgb[:, :200], rgb[:, 200:] = PALETTE["red"], PALETTE["blue"]
        soft = np.array(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(radius)))
        (labels,) = read(tmp_path, soft)
        red = (labels.ids == list(PALETTE).index("red")).sum(axis=1)
        assert abs(red - 200).max() <= 1
        assert len(np.unique(labels.ids)) == 2

    def test_two_kinds_of_speckle(self, tmp_path: Path) -> None:
        """Clean pixels beside it, and compressed on top."""
        ids = regions(9)
        drawn = speckled(NINE[ids], (-40, 35, 30), 0.03, 3)
        drawn = speckled(drawn, (-6, 20, 14), 0.06, 3)
        content, style = read(tmp_path, drawn, jpeg(drawn, 60))
        check(content, ids)
        check(style, ids, 0.98)

    @pytest.mark.parametrize("palette", [NINE, OTHER, CITY], ids=["nine", "other", "city"])
    def test_clean_pictures_are_exact_and_quiet(self, tmp_path: Path, palette: np.ndarray) -> None:
        ids = regions(len(palette))
        ids[100:103, 50:53] = (ids[100, 50] + 1) % len(palette)
        for labels in read(tmp_path, palette[ids], palette[ids]):
            check(labels, ids, 1)
            assert not labels.notes

    def test_real_areas_in_near_colours_are_regions(self, tmp_path: Path) -> None:
        colours = np.array([(0, 0, 142), (0, 0, 110), (0, 0, 80), (70, 70, 70)], np.uint8)
        ids = regions(4)
        for labels in read(tmp_path, colours[ids], colours[ids]):
            check(labels, ids, 0.9999)

    def test_wide_ramps_are_no_areas(self, tmp_path: Path) -> None:
        """Flat in small, far from all nine and together more than a foreign area may have."""
        rgb = np.zeros((*SIZE, 3), np.uint8)
        rgb[:, :200], rgb[:, 200:] = PALETTE["red"], PALETTE["blue"]
        soft = Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(18))
        soft.save(tmp_path / "m.png")
        red = (read_labels(tmp_path / "m.png").ids == list(PALETTE).index("red")).sum(axis=1)
        assert abs(red - 200).max() <= 1


class TestRefusals:
    @pytest.mark.parametrize("quality", [None, 95, 75, 50])
    @pytest.mark.parametrize("colour", [(200, 120, 40), (70, 70, 70), (255, 128, 0)])
    def test_area_of_a_foreign_colour(
        self, tmp_path: Path, colour: tuple[int, int, int], quality: int | None
    ) -> None:
        rgb = NINE[regions(9)]
        y, x = np.indices(SIZE)
        rgb[(y - 150) ** 2 + (x - 200) ** 2 < 62**2] = colour
        rgb = rgb if quality is None else jpeg(rgb, quality)
        Image.fromarray(rgb).save(tmp_path / "m.png")
        with pytest.raises(
            MaskError, match=r"([89]|10)% of its area in colours that are no label's"
        ):
            read_labels(tmp_path / "m.png")

    def test_foreign_area_among_speckle(self, tmp_path: Path) -> None:
        rgb = NINE[regions(9)]
        rgb[80:190, 100:230] = 200, 120, 40
        Image.fromarray(speckled(rgb, (-6, 20, 14), 0.08, 2)).save(tmp_path / "m.png")
        with pytest.raises(MaskError, match=r"mostly \(200, 120, 40\)"):
            read_labels(tmp_path / "m.png")

    def test_photographs(self, shared: Path) -> None:
        for name in ("29", "7", "40"):
            for folder in ("content", "style"):
                with pytest.raises(MaskError, match="colours that are no label's"):
                    read_labels(shared / "dpst" / folder / f"{name}.png")


def test_published_masks_are_read_as_before(shared: Path) -> None:
    for name, expected in AS_BEFORE.items():
        for folder, start in zip(("content_mask", "style_mask"), expected, strict=True):
            labels = read_labels(shared / "dpst" / folder / f"{name}.png")
            assert hashlib.sha256(labels.ids.tobytes()).hexdigest().startswith(start), (
                folder,
                name,
            )
            assert not labels.notes


class TestParts:
    def test_between(self) -> None:
        ends = [(255, 0, 0), (0, 0, 255)]
        assert between((128, 0, 128), ends)
        assert between((128, 20, 120), ends)
        assert between((249, 20, 14), ends)
        assert not between((128, 128, 128), ends)
        assert not between((128, 128, 128), [])

    def test_scattered(self) -> None:
        here = np.zeros((200, 200), bool)
        here[10:190:20, 10:190:20] = True
        assert scattered(here)
        here[100:110, 100:110] = True
        assert not scattered(here)

    def test_two_pieces_of_a_colour_are_no_speckle(self) -> None:
        here = np.zeros((200, 200), bool)
        here[20:24, 20:24] = here[60:64, 60:64] = True
        assert not scattered(here)

    def test_share_leaves_borders_out(self) -> None:
        ids = np.zeros((100, 100), np.int32)
        ids[:, 50:] = 1
        exact = ids.astype(np.int8)
        exact[:, 48:52] = -1
        assert speckle_share(exact, ids) == 0
        exact[:50, :10] = -1
        assert speckle_share(exact, ids) == 0.05

    def test_areas_go_to_the_label_that_they_are_clearly_nearest(self) -> None:
        """(249, 20, 14) is red's, where red's own tolerance would leave it out."""
        own = np.array([(255, 0, 0), (0, 0, 255)], np.int16)
        rgb = np.full((60, 60, 3), (0, 0, 255), np.uint8)
        rgb[:, :20] = 249, 20, 14
        rgb[:, 40:] = 200, 120, 40
        near = np.where(rgb[..., 2] == 255, 1, -1).astype(np.int8)
        sorted_, foreign = stray(rgb, near, np.ones((60, 60), bool), own)
        assert (sorted_[:, :20] == 0).all()
        assert (sorted_[:, 40:] == -1).all()
        assert foreign[:, 41:].all()
        assert not foreign[:, :40].any()
