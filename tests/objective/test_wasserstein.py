import torch

from photostyle.color.lab import rgb_to_lab
from photostyle.objective.wasserstein import RegionWasserstein, even_axes, ordered


def picture(seed, height=40, width=50):
    random = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=random)


def colors(image):
    return rgb_to_lab(image[0].reshape(3, -1).T)


def whole(image):
    return torch.ones(1, *image.shape[2:])


def test_axes_are_unit_vectors_that_see_every_direction_alike():
    axes = even_axes(24)
    torch.testing.assert_close(axes.norm(dim=0), torch.ones(24).double())
    torch.testing.assert_close(axes @ axes.T / 24, torch.eye(3).double() / 3, atol=0.02, rtol=0)


def test_zero_for_the_same_colours_in_any_order():
    style = picture(0)
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(1))
    shuffled = style.reshape(1, 3, -1)[..., order].reshape(style.shape)
    distance = RegionWasserstein(style, whole(style), whole(style))
    assert distance(colors(shuffled)) < 1e-6


def test_a_shift_costs_its_square():
    style = picture(0)
    distance = RegionWasserstein(style, whole(style), whole(style))
    shifted = colors(style) + torch.tensor([3.0, -2.0, 6.0])
    torch.testing.assert_close(distance(shifted), torch.tensor(49.0), rtol=0.02, atol=0)


def test_regions_have_their_own_targets_and_weights():
    style = torch.cat([picture(0) * 0.2, 0.7 + picture(1) * 0.3], dim=3)
    mask = torch.zeros(2, 40, 100)
    mask[0, :, :50] = 1
    mask[1] = 1 - mask[0]
    swapped = style.roll(50, dims=3)
    distance = RegionWasserstein(style, mask, mask)
    assert distance(colors(style)) < 1e-6
    assert distance(colors(swapped)) > 100
    half_wrong = torch.cat([style[..., :50], style[..., :50]], dim=3)
    equal = distance(colors(half_wrong))
    weighted = RegionWasserstein(style, mask, mask, torch.tensor([3.0, 1.0]))(colors(half_wrong))
    torch.testing.assert_close(weighted, equal / 2)


def test_sizes_may_differ_and_empty_sides_are_left_out():
    style, content = picture(0, 30, 30), picture(0, 60, 60)
    masks, partners = torch.ones(2, 60, 60), torch.stack([torch.ones(30, 30), torch.zeros(30, 30)])
    distance = RegionWasserstein(style, masks, partners)
    assert len(distance.targets) == 1
    assert distance(colors(content)) < 15  # two samples of the same distribution
    empty = RegionWasserstein(style, masks[:1], partners[1:])
    assert empty(colors(content)) == 0


def test_gradient():
    content, style = picture(3, 8, 8).double(), picture(4, 8, 8).double()
    distance = RegionWasserstein(style, whole(content), whole(style))
    lab = colors(content).requires_grad_(True)
    assert torch.autograd.gradcheck(distance, lab, eps=1e-5, atol=1e-4)


def test_order_and_its_gradient_are_those_of_sorting():
    rows = torch.randn(4, 300, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    weights = torch.arange(300.0)
    wanted = rows.sort(dim=1).values
    found = ordered(rows)
    assert torch.equal(found, wanted)
    assert torch.equal(ordered(rows.detach()), wanted)
    gradients = [torch.autograd.grad((x * weights).sum(), rows)[0] for x in (found, wanted)]
    assert torch.equal(*gradients)


def test_equal_values_share_their_gradients():
    """Which of them comes first is the sort's own affair, another on every processor."""
    rows = torch.tensor([[0.5, 0.2, 0.5, 0.1, 0.5, 0.2]], requires_grad=True)
    (found,) = torch.autograd.grad((ordered(rows) * torch.arange(1.0, 7.0)).sum(), rows)
    assert found.tolist() == [[5.0, 2.5, 5.0, 1.0, 5.0, 2.5]]
