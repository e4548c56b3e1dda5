"""The content's colours kept: luminance alone, and the style matched first."""

import pytest
import torch
from torch import Tensor

from photostyle.color.preserve import prepared, recombined
from photostyle.segmentation.scene import Scene

TO_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)


@pytest.fixture
def scene() -> Scene:
    generator = torch.Generator().manual_seed(1)
    content = 0.3 + 0.2 * torch.rand(1, 3, 40, 50, generator=generator)
    style = torch.rand(1, 3, 30, 60, generator=generator) * torch.tensor([1.0, 0.6, 0.2]).view(
        1, 3, 1, 1
    )
    return Scene(content, style, torch.ones(1, 40, 50), torch.ones(1, 30, 60), (style.flip(3),))


def yiq(image: Tensor) -> Tensor:
    return torch.einsum("ij,jhw->ihw", TO_YIQ, image[0])


def test_none_changes_nothing(scene: Scene) -> None:
    assert prepared(scene, "none") is scene
    assert torch.equal(recombined(scene.style, scene.content, "none"), scene.style)


def test_luminance_is_styled_with_the_contents_spread(scene: Scene) -> None:
    seen = prepared(scene, "luminance")
    for picture in (seen.content, seen.style, *seen.more):
        assert torch.equal(picture[:, 0], picture[:, 1])
    assert seen.style.mean().item() == pytest.approx(seen.content.mean().item(), abs=1e-3)
    assert seen.style.std().item() == pytest.approx(seen.content.std().item(), rel=2e-2)


def test_recombined_has_the_images_brightness_and_the_contents_chroma(scene: Scene) -> None:
    painted = scene.content.flip(2) * 0.9
    out = recombined(painted, scene.content, "luminance")
    assert out.min() > 0
    assert out.max() < 1  # nothing was clipped
    torch.testing.assert_close(yiq(out)[0], yiq(painted)[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(yiq(out)[1:], yiq(scene.content)[1:], atol=1e-5, rtol=0)


def test_match_gives_every_style_the_contents_colours(scene: Scene) -> None:
    seen = prepared(scene, "match")
    assert seen.content is scene.content
    for before, after in zip((scene.style, *scene.more), (seen.style, *seen.more), strict=True):
        assert after.shape == before.shape
        gaps = [(x.mean(dim=(2, 3)) - scene.content.mean(dim=(2, 3))).abs().max() for x in
                (before, after)]  # fmt: skip
        assert gaps[1] < 0.1 * gaps[0]


def test_match_goes_region_by_region() -> None:
    content, style = torch.zeros(1, 3, 40, 40), torch.zeros(1, 3, 40, 40)
    noise = 0.05 * torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(3))
    content[:, 0, :, :20], content[:, 2, :, 20:] = 0.8, 0.8
    style[:, 1, :20], style[:, 0, 20:] = 0.7, 0.7
    masks, partners = torch.zeros(2, 40, 40), torch.zeros(2, 40, 40)
    masks[0, :, :20], masks[1, :, 20:] = 1.0, 1.0
    partners[0, :20], partners[1, 20:] = 1.0, 1.0
    seen = prepared(Scene(content + noise, style + noise, masks, partners), "match")
    top, bottom = seen.style[0, :, :16].mean(dim=(1, 2)), seen.style[0, :, 24:].mean(dim=(1, 2))
    assert top[0] > top[2] + 0.3
    assert bottom[2] > bottom[0] + 0.3
