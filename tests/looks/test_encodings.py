"""Encodings against their published numbers, and back again."""

import pytest
import torch

from photostyle.errors import OptionError
from photostyle.looks.encodings import ENCODINGS, from_srgb, to_srgb

#: sRGB values and their light by IEC 61966-2-1.
GREYS = {0.0: 0.0, 0.5: 0.21404114, 1.0: 1.0}


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_there_and_back(name: str) -> None:
    rgb = torch.linspace(0, 1, 1001, dtype=torch.float64)
    assert (to_srgb(from_srgb(rgb, name), name) - rgb).abs().max() < 2e-6


@pytest.mark.parametrize(
    ("name", "black", "middle", "white"),
    [
        ("srgb", 0, 0.5, 1),
        ("linear", 0, GREYS[0.5], 1),
        ("rec709", 0, GREYS[0.5] ** (1 / 2.4), 1),
        # Kodak: code 95 is black, 685 is white; 18 % grey lies near 470.
        ("log", 95 / 1023, None, 685 / 1023),
    ],
)
def test_published_values(name: str, black: float, middle: float | None, white: float) -> None:
    found = from_srgb(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64), name).tolist()
    assert found[0] == pytest.approx(black, abs=1e-6)
    assert found[2] == pytest.approx(white, abs=1e-6)
    if middle is not None:
        assert found[1] == pytest.approx(middle, abs=1e-6)


def test_grey_of_18_percent_in_log_is_where_kodak_has_it() -> None:
    grey = to_srgb(torch.tensor([0.18], dtype=torch.float64), "linear")
    assert from_srgb(grey, "log").item() * 1023 == pytest.approx(470, abs=13)


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_beyond_black_and_white_all_is_finite(name: str) -> None:
    rgb = torch.tensor([-0.5, -0.01, 1.5])
    assert from_srgb(rgb, name).isfinite().all()
    assert to_srgb(rgb, name).isfinite().all()


def test_another_name_is_refused() -> None:
    with pytest.raises(OptionError, match="srgb, rec709, linear, log"):
        from_srgb(torch.zeros(1), "adobe")
