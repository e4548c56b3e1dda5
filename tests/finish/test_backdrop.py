"""A backdrop of one colour stays of one colour."""

import torch
from torch import Tensor

from photostyle.finish.backdrop import with_even_backdrop
from photostyle.finish.distil import regional_look
from photostyle.segmentation.scene import Scene

SIZE = (96, 128)


def product(backdrop: float, share: float = 0.7) -> Tensor:
    """A textured thing before a wall of one grey that has so much of the picture."""
    generator = torch.Generator().manual_seed(3)
    picture = 0.1 + 0.5 * torch.rand(1, 3, *SIZE, generator=generator)
    picture[..., round((1 - share) * SIZE[1]) :] = backdrop
    return picture


def rainbow() -> Tensor:
    """Red rises downwards, blue to the right."""
    y, x = torch.meshgrid(*(torch.linspace(0, 1, n) for n in SIZE), indexing="ij")
    return torch.stack([y, torch.full_like(y, 0.5), x])[None]


def test_backdrop_gets_the_mean_of_what_it_became() -> None:
    content, image = product(0.95), rainbow()
    found = with_even_backdrop(image, content)
    wall = content[0, 0] == 0.95
    mean = image[0][:, wall].mean(dim=1)
    torch.testing.assert_close(found[0][:, wall], mean[:, None].expand(3, int(wall.sum())))
    assert torch.equal(found[0][:, ~wall], image[0][:, ~wall])


def test_noise_and_any_tone_of_the_backdrop_change_nothing() -> None:
    for tone in (0.02, 0.5, 0.98):
        content = product(tone)
        noise = 0.012 * torch.rand(content.shape, generator=torch.Generator().manual_seed(1))
        found = with_even_backdrop(rainbow(), (content + noise - 0.006).clamp(0, 1))
        wall = content[0, 0] == tone
        assert found[0][:, wall].std(dim=1).max() < 1e-6


def test_a_small_even_part_is_no_backdrop() -> None:
    image = rainbow()
    assert with_even_backdrop(image, product(0.95, share=0.2)) is image


def test_a_sky_that_changes_slowly_is_no_backdrop() -> None:
    image, sky = rainbow(), torch.linspace(0.5, 0.9, SIZE[0])[None, None, :, None]
    assert with_even_backdrop(image, sky.expand(1, 3, *SIZE).contiguous()) is image


def test_what_does_not_count_is_no_backdrop() -> None:
    """A cut-out: the colour hidden under nothing at all may have any share."""
    content, image = product(0.95), rainbow()
    weight = (content[0, 0] != 0.95).float()
    assert with_even_backdrop(image, content, weight) is image


def test_looks_of_whole_pictures_leave_a_backdrop_even() -> None:
    content, image = product(0.9), rainbow()
    ones = torch.ones(1, *SIZE)
    scene = Scene(content, rainbow(), ones, ones)
    result = regional_look(image, None, scene, as_one=True).apply(content)
    wall = content[0, 0] == 0.9
    assert result[0][:, wall].std(dim=1).max() < 0.02
    drawn = regional_look(image, None, scene, as_one=False).apply(content)
    assert drawn[0][:, wall].std(dim=1).max() > 0.1  # whoever draws a region has it as it is
