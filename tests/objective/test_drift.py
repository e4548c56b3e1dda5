import pytest
import torch

from photostyle.color.lab import rgb_to_lab
from photostyle.objective.drift import Drift, activity, low_pass, region_weights


def textured(height=64, width=80):
    random = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, height, width, generator=random)


def colors(image):
    return rgb_to_lab(image[0].reshape(3, -1).T)


def whole(image):
    return torch.ones(1, *image.shape[2:])


def stain(image, strength=10.0):
    """A soft patch of a* in the middle, as N×3 CIELAB."""
    height, width = image.shape[2:]
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)
    patch = strength * torch.exp(-8 * (x.square() + y.square()))
    return torch.stack([0 * patch, patch, 0 * patch], dim=-1).reshape(-1, 3)


def test_a_quadratic_map_of_the_colours_is_no_drift():
    content = textured()
    drift = Drift(content, whole(content), torch.ones(1, 64, 80), plain=0.0)
    lab = colors(content)
    z = lab / 50 - 1
    mapped = lab @ torch.tensor([[0.5, 0.2, 0.0], [0.1, 0.9, 0.3], [0.0, -0.4, 1.2]]) + 5 * z**2
    assert drift(mapped + 7) < 1e-4


def test_a_stain_is_drift_of_about_its_energy():
    content = textured()
    drift = Drift(content, whole(content), torch.ones(1, 64, 80), plain=0.0)
    patch = stain(content)
    energy = (patch - patch.mean(0)).square().sum(1).mean()
    found = drift(colors(content) + patch)
    assert 0.5 * energy < found < 1.1 * energy


def test_plain_surfaces_weigh_more():
    content = textured()
    weights = {
        a: Drift(content, whole(content), torch.full((1, 64, 80), a), plain=9.0) for a in (0, 1)
    }
    patch = colors(content) + stain(content) * torch.rand(64 * 80, 1)
    # The light basis takes a part of the patch on the plain one.
    assert weights[0](patch) > 2 * weights[1](patch)


def test_light_may_fall_over_a_plain_backdrop_but_not_over_texture():
    content = torch.full((1, 3, 64, 80), 0.9)
    fall = torch.linspace(-20, 20, 80).expand(64, 80).reshape(-1, 1) * torch.tensor([1.0, 0, 0])
    lab = colors(content) + fall
    assert Drift(content, whole(content), torch.zeros(1, 64, 80), plain=0.0)(lab) < 50
    assert Drift(content, whole(content), torch.ones(1, 64, 80), plain=0.0)(lab) > 100


def test_fine_texture_is_no_drift():
    content = textured(128, 128)
    drift = Drift(content, whole(content), torch.ones(1, 128, 128), plain=0.0)
    noise = 10 * torch.randn(128 * 128, 3, generator=torch.Generator().manual_seed(1))
    assert drift(colors(content) + noise) < 0.06 * 300


def test_activity_tells_texture_from_surface_on_both_sides_of_a_border():
    content = textured(64, 128)
    content[..., :64] = 0.8
    masks = torch.zeros(2, 64, 128)
    masks[0, :, :64] = 1
    masks[1] = 1 - masks[0]
    active = activity(content, masks)
    assert active[0, :, :64].max() < 0.1  # the texture next door does not count
    assert active[1, :, 64:].min() > 0.9
    weights = region_weights(active, masks)
    assert weights[0] == pytest.approx(0.02, abs=0.01)
    assert weights[1] > 0.9


def test_low_pass_keeps_the_mean_and_the_constants():
    torch.testing.assert_close(
        low_pass(torch.full((1, 2, 9, 7), 3.0), 2.0), torch.full((1, 2, 9, 7), 3.0)
    )
    spike = torch.zeros(1, 1, 41, 41)
    spike[..., 20, 20] = 1
    blurred = low_pass(spike, 2.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    variance = (blurred[0, 0].sum(0) * (torch.arange(41) - 20.0) ** 2).sum()
    assert variance == pytest.approx(4, rel=0.03)


def test_tiny_and_empty_regions_are_left_out():
    content = textured(6, 6)
    drift = Drift(content, whole(content), activity(content, whole(content)), plain=10.0)
    assert drift(colors(content)) == 0


def test_gradient():
    content = textured(12, 12).double()
    drift = Drift(content, whole(content).double(), torch.ones(1, 12, 12).double(), plain=1.0)
    lab = (colors(content) + stain(content).double()).requires_grad_(True)
    assert torch.autograd.gradcheck(drift, lab, eps=1e-4, atol=1e-5)
