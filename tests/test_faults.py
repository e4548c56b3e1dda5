"""Warnings on results: what is put into a picture is found, and where it lies."""

import numpy as np
import pytest
import torch
from torch import Tensor

from photostyle.faults import faults
from photostyle.segmentation.masks import Region

SIZE = (120, 160)
WHOLE = torch.ones(1, *SIZE)


def scene() -> Tensor:
    """1×3×H×W: plain colours from black to white in broad fields, with a little noise."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    grey = ((rows // 20) * 8 + columns // 20) / 47
    rng = np.random.default_rng(0)
    planes = np.stack([grey, grey * 0.9 + 0.05, 1 - 0.8 * grey]) * 0.98
    noisy = planes + rng.normal(0, 0.004, planes.shape)
    return torch.from_numpy(noisy.clip(0, 1).astype(np.float32))[None]


def test_nothing_on_the_content_or_a_map_of_its_colours() -> None:
    content = scene()
    for image in (content, content**1.3, (0.9 * content).roll(1, dims=1)):
        assert faults(image, content, WHOLE, [content]) == ()


@pytest.mark.parametrize(
    ("rows", "columns", "place"),
    [
        (slice(45, 75), slice(0, 30), "at the left"),
        (slice(0, 30), slice(125, 160), "at the top right"),
        (slice(45, 75), slice(65, 95), "in the middle"),
        (slice(95, 120), slice(65, 95), "at the bottom"),
    ],
)
def test_a_stain_and_its_place(rows: slice, columns: slice, place: str) -> None:
    rng = np.random.default_rng(1)
    grey = 0.5 + rng.normal(0, 0.01, (1, 3, *SIZE)).astype(np.float32)
    content = torch.from_numpy(grey)
    content[..., :4, :], content[..., -4:, :] = 0.02, 0.98  # light and dark, so it is not flat
    image = content.clone()
    image[0, 0, rows, columns] += 0.2
    assert faults(image, content, WHOLE) == (f"stain {place}",)
    assert faults(image, content) == ()  # regions unknown: two colours may be two regions


def test_a_speck_is_no_stain() -> None:
    content = scene()
    image = content.clone()
    image[0, 0, 60:68, 80:88] = 1
    assert faults(image, content, WHOLE, [content]) == ()


def test_stains_everywhere() -> None:
    content = torch.full((1, 3, *SIZE), 0.5)
    image = content.clone()
    image[0, 0] += 0.4 * (torch.arange(SIZE[1]) // 40 % 2)
    assert faults(image, content, WHOLE) == ("stains over much of the picture",)


def test_fog_unless_the_style_has_it() -> None:
    content = scene()
    veiled = 0.35 + 0.65 * content
    assert faults(veiled, content, WHOLE, [content]) == ("fog: no dark tones are left",)
    assert faults(veiled, content, WHOLE, [veiled]) == ()
    assert faults(veiled, content, WHOLE) == ()  # the style is not known


def test_flat_unless_one_of_both_is() -> None:
    content = scene()
    flat = 0.05 + 0.4 * content
    assert faults(flat, content, WHOLE, [content]) == ("flat: little contrast is left",)
    assert faults(flat, content, WHOLE, [flat]) == ()


def test_regions_that_took_after_what_looks_like_them() -> None:
    lacks = "is not in the style"
    sky = Region(
        "sky", 0.6, 0.5, ("roof", "cloud", "speck", "the style's sea"),
        (f"{lacks}; most like it", f"{lacks}; nearest in meaning", "is too small; most like it",
         "not in the content; nearest in meaning"),
        (0.2, 0.1, 0.001, 0.3),
    )  # fmt: skip
    content = scene()
    assert faults(content, content, WHOLE, regions=[sky]) == ("roof paired with sky?",)
