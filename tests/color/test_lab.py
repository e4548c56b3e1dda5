import cv2
import numpy as np
import torch

from photostyle.color.lab import lab_of, lab_to_rgb, rgb_of, rgb_to_lab


def colors():
    return torch.rand(400, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_against_opencv():
    rgb = torch.cat([colors(), 0.02 * colors()]).float()
    expected = cv2.cvtColor(rgb.numpy()[None], cv2.COLOR_RGB2LAB)[0]
    # OpenCV interpolates its curves.
    np.testing.assert_allclose(rgb_to_lab(rgb).numpy(), expected, atol=0.5)


def test_white_grey_black():
    rgb = torch.tensor([[1.0, 1, 1], [0.5, 0.5, 0.5], [0, 0, 0]], dtype=torch.float64)
    expected = torch.tensor([[100.0, 0, 0], [53.3889, 0, 0], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(rgb_to_lab(rgb), expected, atol=1e-3, rtol=0)


def test_round_trip():
    for dtype, budget in ((torch.float64, 1e-5), (torch.float32, 2e-5)):
        rgb = torch.cat([colors(), 0.01 * colors()]).to(dtype)
        torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=budget, rtol=0)


def test_gradients():
    rgb = (0.1 + 0.8 * colors()[:5]).requires_grad_(True)
    assert torch.autograd.gradcheck(rgb_to_lab, rgb)
    edge = torch.tensor([[0.0, 0, 0], [1, 1, 1], [-0.1, 0, 1.2]], requires_grad=True)
    rgb_to_lab(edge).sum().backward()
    assert torch.isfinite(edge.grad).all()


def test_parts_are_the_whole():
    rgb = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(5))
    lab = rgb_to_lab(rgb)
    torch.testing.assert_close(lab_of(rgb), lab, atol=1e-3, rtol=0)
    torch.testing.assert_close(rgb_of(lab), lab_to_rgb(lab), atol=1e-5, rtol=0)
    assert lab_of(rgb[:0]).shape == (0, 3)
