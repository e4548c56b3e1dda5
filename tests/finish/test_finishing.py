"""The finished picture, and what makes it of the content."""

import pytest
import torch
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.config.config import Config
from photostyle.finish.finishing import finished
from photostyle.matting.maps import LocalAffine, Painted
from photostyle.runtime.memory import Memory
from photostyle.runtime.watching import Log, Silent
from photostyle.segmentation.scene import Scene


@pytest.fixture
def content() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(1))


def scene(content: Tensor) -> Scene:
    whole = torch.ones(1, 40, 50)
    return Scene(content, content, whole, whole)


def log() -> Log:
    return Log(Silent(), Memory(limit=0))


@pytest.mark.parametrize("step", ["guided", "affine", "bilateral", "none"])
def test_pixels_are_delivered_as_they_are_finished(
    step: str, content: Tensor, image: Tensor
) -> None:
    pixels, maps_of = ({"postprocess": step, "deliver": x} for x in ("pixels", "maps"))
    picture, made = finished(image, content, scene(content), Config().with_options(pixels), log())
    assert isinstance(made, Painted)
    assert torch.equal(made.picture, picture)
    same, maps = finished(image, content, scene(content), Config().with_options(maps_of), log())
    assert torch.equal(same, picture)
    assert isinstance(maps, LocalAffine)
    if step == "none":
        assert torch.equal(picture, image)
    else:
        assert (picture - image).abs().max() > 0.01


def test_guided_picture_is_its_maps(content: Tensor, image: Tensor) -> None:
    picture, maps = finished(image, content, scene(content), Config(), log())
    torch.testing.assert_close(maps.apply(content), picture)


def test_rare_colors_turn_the_patch_towards_its_own_chroma() -> None:
    content = torch.tensor([0.2, 0.5, 0.15])[None, :, None, None].expand(1, 3, 40, 50).clone()
    content = content + 0.03 * torch.rand(content.shape, generator=torch.Generator().manual_seed(2))
    content[:, :, 15:23, 20:28] = torch.tensor([0.7, 0.1, 0.1])[:, None, None]
    dyed = 0.5 * content + 0.5 * torch.tensor([0.6, 0.4, 0.0])[None, :, None, None]

    def chroma(keep: float) -> Tensor:
        config = Config().with_options({"rare_colors": keep})
        picture = finished(dyed, dyed, scene(content), config, log())[0]
        return rgb_to_lab(picture[0].reshape(3, -1).T)[:, 1:].reshape(40, 50, 2)

    own = rgb_to_lab(content[0].reshape(3, -1).T)[:, 1:].reshape(40, 50, 2)
    away = [float((chroma(keep) - own)[17:21, 22:26].norm(dim=-1).mean()) for keep in (0.0, 1.0)]
    assert away[1] < 0.6 * away[0]
    torch.testing.assert_close(chroma(1.0)[:5], chroma(0.0)[:5], rtol=0, atol=1.0)
