"""Feathered mattes: two regions at every feather, whatever file they come in, and what is none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from photostyle.errors import MaskError
from photostyle.segmentation.formats import Drawing, read_drawings
from photostyle.segmentation.masks import LabelMap
from photostyle.segmentation.pairing import pair

WIDTH, HEIGHT = 960, 640


def subject(feather: float, scale: float = 1.0) -> Image.Image:
    """A figure, white on black, whose edge is blurred by so many pixels."""
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.4, height * 0.1, width * 0.6, height * 0.4), fill=255)
    draw.polygon([(width * x, height * y) for x, y in ((0.4, 0.4), (0.6, 0.4), (0.7, 1), (0.3, 1))],
                 fill=255)  # fmt: skip
    return picture.filter(ImageFilter.GaussianBlur(feather)) if feather else picture


def read(*paths: Path, palette: str | None = None) -> tuple[LabelMap, ...]:
    return read_drawings([Drawing(path, (HEIGHT, WIDTH)) for path in paths], palette)


def check(labels: LabelMap, matte: Image.Image, feather: float, names: tuple[str, str]) -> None:
    white = np.asarray(matte) / 255
    assert {labels.names[i] for i in np.unique(labels.ids)} == set(names)
    upper = labels.ids == labels.names.index(names[1])
    assert (upper == (white > 0.5)).mean() > 0.99
    if feather < 2:
        return
    assert labels.soft is not None
    np.testing.assert_allclose(labels.soft.sum(axis=0), 1, atol=1e-5)
    assert np.abs(labels.soft[labels.names.index(names[1])] - white).mean() < 0.01


@pytest.mark.parametrize("feather", [0, 0.7, 1, 2, 3, 5, 8, 12, 20, 30, 40])
def test_two_regions_at_every_feather(tmp_path: Path, feather: float) -> None:
    matte = subject(feather)
    matte.save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    check(labels, matte, feather, ("black", "white"))


def deep(matte: Image.Image, path: Path) -> None:
    Image.fromarray(np.asarray(matte).astype(np.uint16) * 257).save(path)


def floats(matte: Image.Image, path: Path) -> None:
    Image.fromarray(np.asarray(matte).astype(np.float32) / 255).save(path)


SAVED: dict[str, tuple[str, Callable[[Image.Image, Path], None]]] = {
    "RGB": ("m.png", lambda matte, path: matte.convert("RGB").save(path)),
    "indexed": ("m.png", lambda matte, path: matte.convert("P").save(path)),
    "16 bits": ("m.png", deep),
    "floats": ("m.tif", floats),
    "JPEG": ("m.jpg", lambda matte, path: matte.save(path, quality=75)),
    "RGB JPEG": ("m.jpg", lambda matte, path: matte.convert("RGB").save(path, quality=50)),
    "WebP": ("m.webp", lambda matte, path: matte.convert("RGB").save(path, quality=80)),
}


@pytest.mark.parametrize("feather", [0, 4, 20])
@pytest.mark.parametrize("kind", SAVED)
def test_in_every_file(tmp_path: Path, kind: str, feather: float) -> None:
    matte = subject(feather / 2, 0.5)
    name, save = SAVED[kind]
    save(matte, tmp_path / name)
    (labels,) = read(tmp_path / name)
    check(labels, matte, feather / 2, ("black", "white"))


@pytest.mark.parametrize("feather", [0, 4, 20, 40])
@pytest.mark.parametrize("colours", ["photograph", "white"])
def test_as_alpha(tmp_path: Path, colours: str, feather: float) -> None:
    matte = subject(feather / 2, 0.5)
    rgb = np.random.default_rng(0).integers(0, 256, (320, 480, 3), np.uint8)
    picture = Image.fromarray(rgb if colours == "photograph" else np.full_like(rgb, 255))
    picture.putalpha(matte)
    picture.save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    check(labels, matte, feather / 2, ("outside", "inside"))


def test_a_cut_out_goes_with_a_matte(tmp_path: Path) -> None:
    matte = subject(5, 0.5)
    picture = Image.new("RGB", matte.size, (255, 255, 255))
    picture.putalpha(matte)
    picture.save(tmp_path / "c.png")
    subject(0, 0.5).save(tmp_path / "s.png")
    content, style = read(tmp_path / "c.png", tmp_path / "s.png")
    check(content, matte, 5, ("black", "white"))
    check(style, subject(0, 0.5), 0, ("black", "white"))


@pytest.mark.parametrize(("low", "high"), [(0, 200), (16, 235), (60, 255)])
def test_extremes_that_are_not_black_and_white(tmp_path: Path, low: int, high: int) -> None:
    matte = subject(10, 0.5)
    levels = low + np.asarray(matte) / 255 * (high - low)
    Image.fromarray(levels.round().astype(np.uint8)).save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    check(labels, matte, 10, ("black", "white"))


def test_between_two_colours(tmp_path: Path) -> None:
    matte = subject(10, 0.5)
    share = np.asarray(matte)[..., None] / 255
    rgb = share * (255, 255, 0) + (1 - share) * (0, 0, 255)
    Image.fromarray(rgb.round().astype(np.uint8)).save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    check(labels, matte, 10, ("blue", "yellow"))


def test_names_of_a_palette(tmp_path: Path) -> None:
    matte = subject(10, 0.5)
    matte.save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png", palette="ground=#000,figure=#fff")
    check(labels, matte, 10, ("ground", "figure"))


def test_a_folder_of_feathered_masks(tmp_path: Path) -> None:
    matte = subject(6, 0.5)
    matte.save(tmp_path / "figure.png")
    (labels,) = read(tmp_path)
    check(labels, matte, 6, ("rest", "figure"))


def test_the_softness_reaches_the_masks(tmp_path: Path) -> None:
    matte = subject(10, 0.25)
    matte.save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    image = torch.rand(1, 3, 80, 120, generator=torch.Generator().manual_seed(0))
    masks = pair(labels, labels, image, image)
    wanted = np.asarray(matte.resize((120, 80), Image.Resampling.BOX)) / 255
    for found in (masks.content, masks.style):
        assert np.abs(found[masks.names.index("white")].numpy() - wanted).mean() < 0.01


IDS = np.zeros((240, 320), np.uint8)
IDS[:, 120:] = 1
IDS[80:160, 200:280] = 2
IDS[200:, :80] = 3


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        ((0, 85, 170, 255), ("id 0", "id 85", "id 170", "id 255")),
        ((0, 1, 2, 3), ("id 0", "id 1", "id 2", "id 3")),
        ((0, 128, 255, 0), ("black", "grey", "white", "black")),
        ((0, 255, 0, 0), ("black", "white", "black", "black")),
    ],
)
def test_hard_greys_stay_what_they_are(
    tmp_path: Path, levels: tuple[int, ...], names: tuple[str, ...]
) -> None:
    Image.fromarray(np.array(levels, np.uint8)[IDS]).save(tmp_path / "m.png")
    (labels,) = read(tmp_path / "m.png")
    np.testing.assert_array_equal(np.array(labels.names)[labels.ids], np.array(names)[IDS])
    assert labels.soft is None


@pytest.mark.parametrize("name", ["m.png", "m.jpg"])
def test_several_greys_with_smooth_borders_are_no_matte(tmp_path: Path, name: str) -> None:
    picture = Image.fromarray(np.array((0, 85, 170, 255), np.uint8)[IDS])
    picture.resize((960, 720), Image.Resampling.BICUBIC).save(tmp_path / name)
    (labels,) = read(tmp_path / name)
    assert len(np.unique(labels.ids)) == 4
    assert labels.soft is None


def test_a_photograph_is_no_matte(tmp_path: Path) -> None:
    picture = Image.open(Path(__file__).parents[2] / "examples" / "city.jpg").convert("L")
    picture.save(tmp_path / "m.png")
    with pytest.raises(MaskError, match="colours that are no label's"):
        read(tmp_path / "m.png")


VOID = IDS.astype(np.int32)
VOID[:, 117:123] = -1
VOID[78:82, 198:282] = -1
#: A void pixel takes the nearest label; along the borders that is the one on its own side.
FILLED = IDS.copy()
FILLED[:200, 117:120], FILLED[200:, 117:120] = 0, 0


class TestVoid:
    @pytest.mark.parametrize("ids", [(0, 1, 2, 3), (4, 11, 23, 180)])
    @pytest.mark.parametrize("kind", ["8 bits", "16 bits", "signed", "255 in 16 bits"])
    def test_values(self, tmp_path: Path, kind: str, ids: tuple[int, ...]) -> None:
        dtype, void, name = {
            "8 bits": (np.uint8, 255, "m.png"), "16 bits": (np.uint16, 65535, "m.png"),
            "signed": (np.int32, -1, "m.tif"), "255 in 16 bits": (np.uint16, 255, "m.png"),
        }[kind]  # fmt: skip
        values = np.where(VOID < 0, void, np.array(ids)[VOID]).astype(dtype)
        Image.fromarray(values).save(tmp_path / name)
        (labels,) = read(tmp_path / name)
        self.check(labels, tuple(f"id {i}" for i in ids))

    def test_indexed(self, tmp_path: Path) -> None:
        picture = Image.fromarray(np.where(VOID < 0, 255, VOID).astype(np.uint8))
        colours = np.zeros((256, 3), np.uint8)
        colours[:4] = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
        colours[255] = 224, 224, 192
        picture.putpalette(colours.tobytes())
        picture.save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        self.check(labels, ("black", "red", "green", "blue"))

    @pytest.mark.parametrize("name", ["void", "Unlabeled", "ignore", "don't care", "no_label"])
    def test_names(self, tmp_path: Path, name: str) -> None:
        colours = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (224, 224, 192)])
        Image.fromarray(colours[VOID].astype(np.uint8)).save(tmp_path / "m.png")
        palette = f"a=#000,b=#f00,c=#0f0,d=#00f,{name}=#e0e0c0"
        (labels,) = read(tmp_path / "m.png", palette=palette)
        assert name not in labels.names
        self.check(labels, ("a", "b", "c", "d"))

    def test_holes(self, tmp_path: Path) -> None:
        colours = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)])
        picture = Image.fromarray(colours[VOID].astype(np.uint8))
        picture.putalpha(Image.fromarray(np.where(VOID < 0, 0, 255).astype(np.uint8)))
        picture.save(tmp_path / "m.png")
        (labels,) = read(tmp_path / "m.png")
        self.check(labels, ("black", "red", "green", "blue"))

    def test_nothing_else(self, tmp_path: Path) -> None:
        Image.new("RGB", (60, 40), (255, 255, 255)).save(tmp_path / "m.png")
        with pytest.raises(MaskError, match=r"m\.png has no label: all of it is void"):
            read(tmp_path / "m.png", palette="void=#fff,sky=#00f")

    def check(self, labels: LabelMap, names: tuple[str, ...]) -> None:
        found = np.array(labels.names)[labels.ids]
        wanted = np.array(names)[IDS]
        assert (found[VOID >= 0] == wanted[VOID >= 0]).all()
        assert (found == wanted).mean() > 0.985  # half of a void seam is of the other side
        assert set(np.unique(found)) == set(names)
