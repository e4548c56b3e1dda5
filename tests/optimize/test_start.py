"""Starting pictures."""

import pytest
import torch

from photostyle.optimize.start import start_image
from photostyle.segmentation.scene import Scene


@pytest.fixture
def scene() -> Scene:
    generator = torch.Generator().manual_seed(0)
    content = torch.rand(1, 3, 40, 50, generator=generator) * 0.5
    style = torch.rand(1, 3, 30, 30, generator=generator) * 0.3 + 0.6
    return Scene(content, style, torch.ones(1, 40, 50), torch.ones(1, 30, 30))


def test_color_has_the_styles_mean(scene: Scene) -> None:
    start = start_image(scene, "color", 0)
    means = [x.mean(dim=(0, 2, 3)) for x in (start, scene.style, scene.content)]
    assert (means[0] - means[1]).abs().max() < 0.1 * (means[2] - means[1]).abs().max()


def test_content_is_a_copy(scene: Scene) -> None:
    start = start_image(scene, "content", 0)
    assert torch.equal(start, scene.content)
    assert start.data_ptr() != scene.content.data_ptr()


def test_style_is_brought_to_the_contents_size(scene: Scene) -> None:
    assert start_image(scene, "style", 0).shape == scene.content.shape


def test_noise_follows_its_seed(scene: Scene) -> None:
    first, again, other = (start_image(scene, "noise", seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
