"""The finished picture, and what makes it of the content."""

import pytest
import torch
from torch import Tensor

from photostyle.config import Config
from photostyle.finishing import finished
from photostyle.objective import Scene
from photostyle.render import LocalAffine, Painted


@pytest.fixture
def content() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(1))


def scene(content: Tensor) -> Scene:
    whole = torch.ones(1, 40, 50)
    return Scene(content, content, whole, whole)


@pytest.mark.parametrize("step", ["guided", "affine", "bilateral", "none"])
def test_pixels_are_delivered_as_they_are_finished(
    step: str, content: Tensor, image: Tensor
) -> None:
    pixels, maps_of = ({"postprocess": step, "deliver": x} for x in ("pixels", "maps"))
    picture, made = finished(image, content, scene(content), Config().with_options(pixels))
    assert isinstance(made, Painted)
    assert torch.equal(made.picture, picture)
    same, maps = finished(image, content, scene(content), Config().with_options(maps_of))
    assert torch.equal(same, picture)
    assert isinstance(maps, LocalAffine)
    if step == "none":
        assert torch.equal(picture, image)
    else:
        assert (picture - image).abs().max() > 0.01


def test_guided_picture_is_its_maps(content: Tensor, image: Tensor) -> None:
    picture, maps = finished(image, content, scene(content), Config())
    torch.testing.assert_close(maps.apply(content), picture)
