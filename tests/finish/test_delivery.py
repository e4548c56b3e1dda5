"""Delivery of pictures of their own: size, strength, and the file beside the result."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from photostyle.config.rendering import RenderConfig
from photostyle.finish.delivery import Grade, deliver, size_note
from photostyle.images.picture import Metadata, Photo, resize
from photostyle.matting.maps import Painted


def random_picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def photo() -> Photo:
    return Photo(random_picture(60, 80), Metadata(), Path("content.png"), "")


@pytest.fixture
def grade() -> Grade:
    masks = torch.zeros(2, 30, 40)
    masks[0, :, :20], masks[1, :, 20:] = 1.0, 1.0
    return Grade(Painted(random_picture(30, 40, seed=1), torch.ones(())), masks, ("blue", "red"))


def test_painting_is_delivered_at_its_own_size(photo: Photo, grade: Grade) -> None:
    assert torch.equal(deliver(photo, grade, RenderConfig()), grade.maps.picture)


def test_painting_is_enlarged_only_when_asked(photo: Photo, grade: Grade) -> None:
    out = deliver(photo, grade, RenderConfig(output_size=80))
    torch.testing.assert_close(out, resize(grade.maps.picture, (60, 80)))


def test_strength_blends_the_painting_with_the_content(photo: Photo, grade: Grade) -> None:
    content = resize(photo.image, (30, 40))
    half = deliver(photo, grade, RenderConfig(strength="0.5"))
    torch.testing.assert_close(half, 0.5 * (content + grade.maps.picture))
    part = deliver(photo, grade, RenderConfig(strength="1,blue=0"))
    torch.testing.assert_close(part[..., :20], content[..., :20])
    torch.testing.assert_close(part[..., 20:], grade.maps.picture[..., 20:])


def test_painting_survives_its_file(tmp_path: Path, grade: Grade) -> None:
    grade.save(tmp_path / "x.grade.safetensors")
    again = Grade.load(tmp_path / "x.grade.safetensors")
    assert isinstance(again.maps, Painted)
    assert again.names == grade.names
    torch.testing.assert_close(again.maps.picture, grade.maps.picture, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("size", "says"), [(None, None), (40, None), (60, "optimised at 40"), (90, "optimised at 40")]
)
def test_note_says_when_pixels_are_enlarged(
    photo: Photo, grade: Grade, size: int | None, says: str | None
) -> None:
    note = size_note(photo, grade, RenderConfig(output_size=size))
    assert note is None if says is None else says in note
