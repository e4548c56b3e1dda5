"""Generated scenes."""

import numpy as np
import torch

from photostyle.feedforward.scenes import fractal, scene


def test_a_scene_is_a_picture_and_repeats() -> None:
    one, again = (scene(np.random.default_rng([1, 7]), 48) for _ in range(2))
    other = scene(np.random.default_rng([1, 8]), 48)
    assert one.shape == (3, 48, 48)
    assert one.dtype == torch.float32
    assert 0 <= one.min() < one.max() <= 1
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_scenes_have_colours_edges_and_flat_parts() -> None:
    pictures = torch.stack([scene(np.random.default_rng([2, n]), 64) for n in range(20)])
    steps = (pictures[..., 1:] - pictures[..., :-1]).abs().mean(dim=1)
    assert (steps > 0.15).float().mean() > 0.01  # edges
    assert (steps < 0.03).float().mean() > 0.4  # surfaces
    assert pictures.mean(dim=(2, 3)).std() > 0.1  # not one colour for all


def test_textures_have_a_falling_spectrum() -> None:
    field = fractal(np.random.default_rng(0), 64)
    assert abs(field.mean()) < 1e-3
    assert abs(field.std() - 1) < 1e-3
    power = np.abs(np.fft.rfft2(field)) ** 2
    assert power[1:4, 1:4].mean() > 20 * power[16:24, 16:24].mean()
