"""Display matrices against the standard's own formula."""

import itertools

import numpy as np
import pytest

from photostyle.films.turning import Turn

POSITIONS = [
    m for m in itertools.product((-1, 0, 1), repeat=4) if abs(m[0] * m[3] - m[1] * m[2]) == 1
    and sum(map(abs, m)) == 2
]  # fmt: skip


@pytest.mark.parametrize("position", POSITIONS)
def test_every_point_is_shown_where_the_matrix_says(position: tuple[int, ...]) -> None:
    a, b, c, d = position
    stored = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    turn = Turn.of((a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30))
    shown = {
        (a * x + c * y, b * x + d * y): stored[y, x].tolist() for y in range(4) for x in range(6)
    }
    left, top = min(p for p, _ in shown), min(q for _, q in shown)
    upright = turn.upright(stored)
    assert upright.shape[:2] == ((6, 4) if turn.swaps else (4, 6))
    for (p, q), colour in shown.items():
        assert upright[q - top, p - left].tolist() == colour
    assert np.array_equal(turn.stored(upright), stored)


def test_no_matrix_and_odd_angles_turn_nothing() -> None:
    half = 46341  # 45 degrees
    assert Turn.of(None) == Turn() == Turn.of((half, half, 0, -half, half, 0, 0, 0, 1 << 30))


def test_there_are_eight_positions() -> None:
    assert len(POSITIONS) == 8
