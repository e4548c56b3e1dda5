"""The finished picture, and what makes it of the content."""

import pytest
import torch
from torch import Tensor

from photostyle.finishing import finished
from photostyle.render import LocalAffine, Painted
from photostyle.stages import PostprocessConfig


@pytest.fixture
def content() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("step", ["guided", "affine", "bilateral", "none"])
def test_pixels_are_delivered_as_they_are_finished(
    step: str, content: Tensor, image: Tensor
) -> None:
    options = PostprocessConfig(postprocess=step)
    picture, made = finished(image, content, content, options, "pixels")
    assert isinstance(made, Painted)
    assert torch.equal(made.picture, picture)
    same, maps = finished(image, content, content, options, "maps")
    assert torch.equal(same, picture)
    assert isinstance(maps, LocalAffine)
    if step == "none":
        assert torch.equal(picture, image)
    else:
        assert (picture - image).abs().max() > 0.01


def test_guided_picture_is_its_maps(content: Tensor, image: Tensor) -> None:
    picture, maps = finished(image, content, content, PostprocessConfig(), "maps")
    torch.testing.assert_close(maps.apply(content), picture)
