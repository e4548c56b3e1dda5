"""Cuts are found, and flashes, fades and pans are none."""

from collections.abc import Iterable

import numpy as np
import pytest

from photostyle.films.shots import CutFinder

SIZE = 72, 128


def find_shots(frames: Iterable[np.ndarray]) -> list[tuple[int, int]]:
    finder = CutFinder()
    for pixels in frames:
        finder.show(pixels)
    return finder.shots()


def world(seed: int) -> np.ndarray:
    """A wide picture, 120×512×3 in [0, 1]: forms of many sizes in the colours of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :512]
    base = rng.uniform(0.1, 0.9, 3)
    forms = np.full((120, 512, 3), base)
    for _ in range(60):
        cy, cx = rng.uniform(0, 120), rng.uniform(0, 512)
        inside = (abs(y - cy) < rng.uniform(3, 30)) & (abs(x - cx) < rng.uniform(3, 40))
        forms[inside] = np.clip(base + rng.normal(0, 0.25, 3), 0, 1)
    return forms


def shot(seed: int, frames: int, pan: float = 0.0, gain: float = 1.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed + 100)
    picture = world(seed)
    shown = []
    for n in range(frames):
        left = int(n * pan) % (512 - SIZE[1])
        view = picture[20 : 20 + SIZE[0], left : left + SIZE[1]] * gain**n
        noisy = view + rng.normal(0, 0.02, view.shape)
        shown.append(np.rint(noisy.clip(0, 1) * 255).astype(np.uint8))
    return shown


def faded(frames: list[np.ndarray], first: float, last: float) -> list[np.ndarray]:
    gains = np.linspace(first, last, len(frames))
    return [(f * g).astype(np.uint8) for f, g in zip(frames, gains, strict=True)]


def test_cuts_are_found_to_the_frame() -> None:
    lengths = [20, 9, 31, 14]
    frames = [f for seed, n in enumerate(lengths) for f in shot(seed, n, pan=2 * seed)]
    assert find_shots(frames) == [(0, 20), (20, 29), (29, 60), (60, 74)]


def test_sixteen_bits_give_the_same() -> None:
    frames = [*shot(0, 12), *shot(1, 12)]
    deep = [f.astype(np.uint16) * 257 for f in frames]
    assert find_shots(deep) == find_shots(frames) == [(0, 12), (12, 24)]


def test_a_flash_is_no_cut() -> None:
    frames = shot(0, 40)
    frames[10] = np.full_like(frames[10], 255)
    for n in (20, 21, 22):
        frames[n] = np.clip(frames[n].astype(int) + 150, 0, 255).astype(np.uint8)
    assert find_shots(frames) == [(0, 40)]


@pytest.mark.parametrize("pan", [4, 16, 30])
def test_a_pan_is_no_cut_however_fast(pan: int) -> None:
    assert find_shots(shot(2, 12, pan=pan)) == [(0, 12)]


def test_light_that_changes_slowly_and_a_dissolve_are_no_cuts() -> None:
    assert find_shots(shot(3, 40, gain=0.97)) == [(0, 40)]
    one, other = shot(0, 30), shot(1, 30)
    mixed = zip(faded(one, 1, 0), faded(other, 0, 1), strict=True)
    assert find_shots(a + b for a, b in mixed) == [(0, 30)]


def test_through_black_only_another_picture_is_another_shot() -> None:
    black = [np.zeros((*SIZE, 3), np.uint8)] * 6
    out = faded(shot(0, 20), 1, 0)
    [(start, cut), (second, end)] = find_shots([*out, *black, *faded(shot(1, 20), 0, 1)])
    assert (start, end, second) == (0, 46, cut)
    assert 18 <= cut <= 28
    assert find_shots([*out, *black, *faded(shot(0, 20), 0, 1)]) == [(0, 46)]


def test_films_of_a_frame_or_none() -> None:
    assert find_shots([]) == []
    assert find_shots(shot(0, 1)) == [(0, 1)]
    assert find_shots([*shot(0, 2), *shot(1, 2)]) == [(0, 2), (2, 4)]
