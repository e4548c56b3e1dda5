"""Local affine maps: exactness, strength, and sizes."""

import pytest
import torch
from torch import Tensor

from photostyle.matting.maps import STRIP, LocalAffine, Painted, fit_local_affine


def random_picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def recolored(content: Tensor) -> Tensor:
    slope = torch.tensor([[0.5, 0.1, 0.0], [0.0, 0.7, 0.1], [0.1, 0.0, 0.6]])
    return torch.einsum("ij,njhw->nihw", slope, content) + torch.tensor([0.1, 0.05, 0.2]).view(
        3, 1, 1
    )


def test_global_affine_map_is_found_and_carried_to_any_size() -> None:
    content = random_picture(40, 50)
    maps = fit_local_affine(recolored(content), content, radius=4, epsilon=1e-7)
    for size in ((40, 50), (97, 33), (3, 5)):
        large = random_picture(*size, seed=1)
        torch.testing.assert_close(maps.apply(large), recolored(large), atol=1e-4, rtol=0)


def test_apply_is_bilinear_in_the_maps() -> None:
    """Against torch's own interpolation of all twelve coefficients at once."""
    generator = torch.Generator().manual_seed(2)
    maps = LocalAffine(torch.randn(12, 7, 9, generator=generator) * 0.2)
    content = random_picture(3 * STRIP + 5, 31)
    size = (content.shape[2], content.shape[3])
    dense = torch.nn.functional.interpolate(maps.coefficients[None], size, mode="bilinear")[0]
    slopes = dense[:9].reshape(3, 3, *size)
    expected = ((slopes * content).sum(1) + dense[9:]).clamp(0, 1)
    torch.testing.assert_close(maps.apply(content)[0], expected, atol=1e-6, rtol=0)


def test_strength_runs_from_the_content_to_the_result() -> None:
    content = random_picture(20, 30)
    maps = fit_local_affine(recolored(content), content, radius=3, epsilon=1e-6)
    torch.testing.assert_close(
        maps.faded(torch.tensor(0.0)).apply(content), content, atol=1e-6, rtol=0
    )
    torch.testing.assert_close(maps.faded(torch.tensor(1.0)).apply(content), maps.apply(content))
    half = 0.5 * (content + maps.apply(content))
    torch.testing.assert_close(
        maps.faded(torch.tensor(0.5)).apply(content), half, atol=1e-5, rtol=0
    )


def test_strength_may_differ_by_place() -> None:
    content = random_picture(20, 30)
    maps = fit_local_affine(recolored(content), content, radius=3, epsilon=1e-6)
    strength = torch.zeros(20, 30)
    strength[:, 15:] = 1.0
    mixed = maps.faded(strength).apply(content)
    torch.testing.assert_close(mixed[..., :15], content[..., :15], atol=1e-6, rtol=0)
    torch.testing.assert_close(mixed[..., 15:], maps.apply(content)[..., 15:])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (STRIP, 2), (STRIP + 1, 2)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    content = random_picture(16, 16)
    maps = fit_local_affine(recolored(content), content, radius=40, epsilon=1e-5)
    assert maps.apply(random_picture(*size)).shape == (1, 3, *size)


def test_values_stay_in_range() -> None:
    maps = LocalAffine(torch.full((12, 4, 4), 2.0))
    out = maps.apply(random_picture(9, 9))
    assert out.max() == 1.0
    assert maps.faded(torch.tensor(0.0)).apply(torch.ones(1, 3, 2, 2)).max() <= 1.0


def test_painting_covers_the_content_by_its_strength() -> None:
    painting, content = random_picture(20, 30), random_picture(20, 30, seed=1)
    painted = Painted(painting, torch.ones(()))
    assert torch.equal(painted.apply(content), painting)
    assert painted.size_on((400, 600)) == (20, 30)
    strength = torch.zeros(20, 30)
    strength[:, 15:] = 0.25
    out = painted.faded(strength).apply(content)
    assert torch.equal(out[..., :15], content[..., :15])
    torch.testing.assert_close(out[..., 15:], content.lerp(painting, 0.25)[..., 15:])
    assert painted.apply(random_picture(7, 90)).shape == (1, 3, 7, 90)
