"""The finished picture, and what makes it of the content."""

import pytest
import torch
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.color.regional import RegionalLook
from photostyle.config.config import Config
from photostyle.finish.distil import regional_look
from photostyle.finish.finishing import Maps, finished
from photostyle.matting.maps import LocalAffine, Painted
from photostyle.optimize.start import Start
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


def finish(image: Tensor, start: Tensor, content: Tensor, **options: object) -> tuple[Tensor, Maps]:
    config = Config().with_options(options)
    picture, maps = finished(image, Start(start), scene(content), config, log())
    return (maps.apply(content) if picture is None else picture), maps


@pytest.mark.parametrize("step", ["distil", "guided", "affine", "bilateral", "none"])
def test_pixels_are_delivered_as_they_are_finished(
    step: str, content: Tensor, image: Tensor
) -> None:
    picture, made = finish(image, content, content, postprocess=step, deliver="pixels")
    assert isinstance(made, Painted)
    assert torch.equal(made.picture, picture)
    same, maps = finish(image, content, content, postprocess=step, deliver="maps")
    assert torch.equal(same, picture)
    assert isinstance(maps, RegionalLook if step == "distil" else LocalAffine)
    if step == "none":
        assert torch.equal(picture, image)
    else:
        assert (picture - image).abs().max() > 0.01


@pytest.mark.parametrize("step", ["distil", "guided"])
def test_picture_is_its_maps(step: str, content: Tensor, image: Tensor) -> None:
    picture, maps = finish(image, content, content, postprocess=step)
    torch.testing.assert_close(maps.apply(content), picture)


def test_weight_goes_by_decades_from_the_free_picture_to_the_start(
    content: Tensor, image: Tensor
) -> None:
    start, image = 0.7 * content, 0.8 - 0.6 * content + 0.1 * image
    weights = (1.0, 1e4, 1e6, 1e7, 1e9)
    pictures = [finish(image, start, content, photoreal_weight=w)[0] for w in weights]
    to_image = [float((p - image).square().mean()) for p in pictures]
    assert to_image == sorted(to_image)
    distilled = regional_look(start, None, scene(content), as_one=False).apply(content)
    assert torch.equal(pictures[3], distilled)
    assert torch.equal(pictures[4], distilled)
    kinds = [finish(image, start, content, photoreal_weight=w)[1] for w in (1e3, 1e4)]
    assert [type(maps) for maps in kinds] == [LocalAffine, RegionalLook]


@pytest.mark.parametrize(("step", "elsewhere"), [("distil", 3.0), ("guided", 1.0)])
def test_rare_colors_turn_the_patch_towards_its_own_chroma(step: str, elsewhere: float) -> None:
    content = torch.tensor([0.2, 0.5, 0.15])[None, :, None, None].expand(1, 3, 40, 50).clone()
    content = content + 0.03 * torch.rand(content.shape, generator=torch.Generator().manual_seed(2))
    content[:, :, 15:23, 20:28] = torch.tensor([0.7, 0.1, 0.1])[:, None, None]
    dyed = 0.5 * content + 0.5 * torch.tensor([0.6, 0.4, 0.0])[None, :, None, None]

    def chroma(keep: float) -> Tensor:
        picture = finish(dyed, dyed, content, postprocess=step, rare_colors=keep)[0]
        return rgb_to_lab(picture[0].reshape(3, -1).T)[:, 1:].reshape(40, 50, 2)

    own = rgb_to_lab(content[0].reshape(3, -1).T)[:, 1:].reshape(40, 50, 2)
    away = [float((chroma(keep) - own)[17:21, 22:26].norm(dim=-1).mean()) for keep in (0.0, 1.0)]
    assert away[1] < 0.6 * away[0]
    torch.testing.assert_close(chroma(1.0)[:5], chroma(0.0)[:5], rtol=0, atol=elsewhere)
