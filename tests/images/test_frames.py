"""Frames around photographs: found to the line where they are, and never where there is none."""

import io
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from photostyle.images.frames import Frame, frame_of

EXAMPLES = Path(__file__).parents[2] / "examples"
BLACK, WHITE, GREY, CREAM = (0, 0, 0), (255, 255, 255), (128, 128, 128), (240, 230, 200)


def photo(height: int = 160, width: int = 240, seed: int = 0) -> np.ndarray:
    """H×W×3 uint8: soft blobs of all colours, with grain."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), 9)
    pixels = soft / soft.std() * 55 + 120 + rng.normal(0, 4, soft.shape)
    return pixels.clip(0, 255).astype(np.uint8)


def framed(
    pixels: np.ndarray, sides: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> np.ndarray:
    """With so many lines at the top, at the bottom, on the left and on the right."""
    return cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_CONSTANT, value=colour)


def found(pixels: np.ndarray) -> Frame | None:
    return frame_of(pixels.astype(np.float32) / 255)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def example(name: str) -> np.ndarray:
    return np.asarray(Image.open(EXAMPLES / name).convert("RGB").resize((320, 214)))


@pytest.mark.parametrize(
    ("sides", "colour"),
    [
        ((20, 20, 20, 20), WHITE), ((20, 20, 20, 20), BLACK), ((20, 20, 20, 20), CREAM),
        ((12, 50, 12, 12), WHITE), ((40, 44, 60, 62), BLACK), ((1, 1, 1, 1), BLACK),
        ((25, 25, 0, 0), BLACK), ((0, 0, 30, 30), WHITE), ((25, 25, 0, 0), GREY),
        ((0, 12, 0, 0), WHITE), ((8, 0, 8, 0), BLACK), ((0, 0, 0, 9), WHITE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["made", "city.jpg", "night.jpg"])
def test_to_the_line(
    name: str, sides: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    pixels = photo() if name == "made" else example(name)
    assert found(framed(pixels, sides, colour)) == Frame(*sides)


@pytest.mark.parametrize("colour", [WHITE, BLACK, GREY])
@pytest.mark.parametrize("sides", [(24, 24, 24, 24), (24, 24, 0, 0), (16, 40, 16, 16)])
@pytest.mark.parametrize("quality", [95, 85])
def test_of_a_jpeg(
    sides: tuple[int, int, int, int], colour: tuple[int, int, int], quality: int
) -> None:
    frame = found(jpeg(framed(photo(), sides, colour), quality))
    assert frame is not None
    assert np.abs(np.subtract(list(vars(frame).values()), sides)).max() <= 1


def test_of_a_scan_and_of_a_reduced_picture() -> None:
    rng = np.random.default_rng(0)
    scan = framed(photo(), (20, 20, 20, 20), (238, 236, 230)) + rng.normal(0, 2, (200, 280, 3))
    assert found(scan.clip(0, 255)) == Frame(20, 20, 20, 20)
    reduced = cv2.resize(framed(photo(480, 720), (60, 60, 60, 60), WHITE), (410, 293),
                         interpolation=cv2.INTER_AREA)  # fmt: skip
    frame = found(reduced)
    assert frame is not None
    assert all(28 <= n <= 31 for n in vars(frame).values())


def test_a_line_within_a_mat_within_a_rim() -> None:
    pixels = framed(photo(), (3, 3, 3, 3), (40, 30, 20))
    pixels = framed(framed(pixels, (25, 35, 25, 25), WHITE), (4, 4, 4, 4), BLACK)
    assert found(pixels) == Frame(32, 42, 32, 32)


def test_a_night_sky_in_a_letterbox_is_cut_at_the_bar_alone() -> None:
    night = photo(200, 300)
    night[:90] = 0
    assert found(framed(night, (30, 30, 0, 0), BLACK)) == Frame(30, 30, 0, 0)


def skyline() -> np.ndarray:
    """A black sky that ends at houses of all heights."""
    pixels, rng, x = photo(200, 300), np.random.default_rng(3), 0
    while x < 300:
        width = int(rng.integers(8, 30))
        pixels[: int(rng.integers(40, 110)), x : x + width] = 0
        x += width
    return pixels


def noisy_sky() -> np.ndarray:
    pixels = skyline().astype(float)
    dark = pixels.max(axis=2) == 0
    pixels[dark] = np.random.default_rng(0).normal(4, 1.5, (dark.sum(), 3))
    return pixels.clip(0, 255).astype(np.uint8)


def level(colour: tuple[int, int, int], rows: int) -> np.ndarray:
    pixels = photo(200, 300)
    pixels[:rows] = colour
    return pixels


def disc(radius: int, ground: tuple[int, int, int]) -> np.ndarray:
    pixels, (y, x) = photo(200, 300), np.mgrid[:200, :300]
    pixels[np.hypot(y - 100, x - 150) > radius] = ground
    return pixels


def stars() -> np.ndarray:
    rng = np.random.default_rng(0)
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[rng.integers(0, 200, 150), rng.integers(0, 300, 150)] = 255
    return pixels


def page() -> np.ndarray:
    picture = Image.new("RGB", (300, 200), WHITE)
    for line in range(12):
        ImageDraw.Draw(picture).text((20, 15 + 14 * line), "lorem ipsum dolor sit amet", fill=0)
    return np.asarray(picture)


def falling(*levels: int) -> np.ndarray:
    rows = np.concatenate([np.linspace(a, b, 80) for a, b in itertools.pairwise(levels)])
    return np.broadcast_to(rows[:, None, None], (len(rows), 120, 3)).astype(np.uint8)


def flag() -> np.ndarray:
    return np.repeat(np.array([BLACK, WHITE, BLACK], np.uint8), 40, axis=0)[:, None].repeat(180, 1)


NONE = {
    "photograph": photo(), "city": example("city.jpg"), "night": example("night.jpg"),
    "skyline": skyline(), "noisy sky": noisy_sky(), "black upper half": level(BLACK, 100),
    "dark upper half": level((5, 5, 15), 90), "blue sky": level((90, 140, 220), 40),
    "white sky": level(WHITE, 60), "small disc": disc(10, WHITE), "disc": disc(70, WHITE),
    "moon": disc(30, BLACK), "stars": stars(), "page": page(), "ramp": falling(0, 255),
    "there and back": falling(0, 220, 0), "flag": flag(), "flat": np.full((80, 120, 3), 100),
}  # fmt: skip


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("quality", [None, 80])
def test_where_there_is_none(name: str, quality: int | None) -> None:
    pixels = NONE[name].astype(np.uint8)
    assert found(pixels if quality is None else jpeg(pixels, quality)) is None
