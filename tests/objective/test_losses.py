"""Terms of the objective against float64 code written straight from the formulas."""

import pytest
import torch
from torch import Tensor

from photostyle.objective.losses import (
    as_rows,
    gamut_loss,
    gram_distance,
    masked_gram,
    moment_distance,
    moments,
    onward_gram,
    region_rows,
    tv_loss,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.fixture
def features(generator: torch.Generator) -> Tensor:
    return torch.randn(1, 7, 6, 9, generator=generator, dtype=torch.float64)


@pytest.fixture
def masks(generator: torch.Generator) -> Tensor:
    """Three soft regions that sum to 1; each is zero somewhere."""
    raw = torch.rand(3, 6, 9, generator=generator, dtype=torch.float64) - 0.4
    raw = raw.clamp(min=0) + 1e-3 * torch.eye(3, dtype=torch.float64)[:, :, None].repeat(1, 2, 9)
    return raw / raw.sum(0)


def reference_gram(features: Tensor, mask: Tensor, scaling: str) -> Tensor:
    """The formula, pixel by pixel."""
    channels, height, width = features.shape[1:]
    gram = torch.zeros(channels, channels, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            f, m = features[0, :, y, x], mask[y, x]
            gram += torch.outer(f, f) * (m if scaling == "target" else m * m)
    if scaling == "target":
        return gram / mask.sum()
    return gram / (channels * height * width * mask.mean())


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_added_in_its_place_is_the_sum(
    memory_format: torch.memory_format, features: Tensor, masks: Tensor
) -> None:
    regions = [region_rows(mask, scaling="target", channels=7) for mask in masks]
    whole = region_rows(torch.ones(6, 9, dtype=torch.float64), scaling="target", channels=7)
    kernel = torch.randn(4, 7, 3, 3, dtype=torch.float64).to(memory_format=memory_format)
    leaf = features.to(memory_format=memory_format).requires_grad_(True)

    def gradients(of_map) -> list[Tensor]:
        x = 2 * leaf
        grams = of_map(x, [*regions, whole])
        further = torch.nn.functional.conv2d(x, kernel)
        total = grams.square().sum() + further.square().sum()
        return [torch.autograd.grad(total, leaf, retain_graph=True)[0] for _ in range(2)]

    expected = gradients(lambda x, r: masked_gram(as_rows(x), r))
    for found, one in zip(gradients(onward_gram), expected, strict=True):
        torch.testing.assert_close(found, one)


@pytest.mark.parametrize("scaling", ["target", "dpst"])
def test_masked_gram_is_the_formula(features: Tensor, masks: Tensor, scaling: str) -> None:
    rows = as_rows(features)
    regions = [region_rows(m, scaling=scaling, channels=7) for m in masks]
    grams = masked_gram(rows, regions)
    for gram, mask in zip(grams, masks, strict=True):
        torch.testing.assert_close(gram, reference_gram(features, mask, scaling), rtol=1e-12,
                                   atol=1e-12)  # fmt: skip


def test_masked_gram_gradient(features: Tensor, masks: Tensor) -> None:
    regions = [region_rows(m, scaling="target", channels=7) for m in masks]
    rows = as_rows(features).clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions), rows)


def test_whole_region_gradient(features: Tensor) -> None:
    everywhere = region_rows(torch.ones(6, 9, dtype=torch.float64), scaling="target", channels=7)
    part = torch.zeros(6, 9, dtype=torch.float64)
    part[2:4, 1:5] = 0.5
    regions = [everywhere, region_rows(part, scaling="target", channels=7)]
    assert everywhere.index is None
    assert regions[1].index is not None
    rows = as_rows(features).clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions), rows)
    assert torch.autograd.gradcheck(lambda r: masked_gram(r, regions[::-1]), rows)


def test_rows_of_channels_last_features_share_memory(features: Tensor) -> None:
    last = features.contiguous(memory_format=torch.channels_last)
    assert as_rows(last).data_ptr() == last.data_ptr()
    torch.testing.assert_close(as_rows(last)[9 * 2 + 3], features[0, :, 2, 3])


def test_empty_mask_has_no_rows() -> None:
    assert region_rows(torch.zeros(3, 3), scaling="target", channels=2) is None


def test_part_of_a_region_weighs_by_the_whole(features: Tensor, masks: Tensor) -> None:
    """Gram matrices and moments of the parts add up to those of the map."""
    for statistic in (masked_gram, moments):
        total = 0
        for rows in (slice(0, 2), slice(2, 6)):
            regions = [
                region_rows(m[rows], scaling="target", channels=7, total=m.sum()) for m in masks
            ]
            total = total + statistic(as_rows(features[:, :, rows]), regions)
        regions = [region_rows(m, scaling="target", channels=7) for m in masks]
        torch.testing.assert_close(total, statistic(as_rows(features), regions))


def test_region_outside_a_part_has_no_gradient_there(features: Tensor) -> None:
    empty = region_rows(
        torch.zeros(6, 9, dtype=torch.float64), scaling="target", channels=7,
        total=torch.tensor(5.0),
    )  # fmt: skip
    rows = as_rows(features).clone().requires_grad_(True)
    (grad,) = torch.autograd.grad(masked_gram(rows, [empty]).sum(), rows)
    assert not grad.any()


def test_moments_are_weighted_means(features: Tensor, masks: Tensor) -> None:
    regions = [region_rows(m, scaling="target", channels=7) for m in masks]
    found = moments(as_rows(features), regions)
    for region, mask in zip(found, masks, strict=True):
        share = mask / mask.sum()
        torch.testing.assert_close(region[0], (features[0] * share).sum(dim=(1, 2)))
        torch.testing.assert_close(region[1], (features[0].square() * share).sum(dim=(1, 2)))
    rows = as_rows(features).clone().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda r: moments(r, regions), rows)


@pytest.mark.parametrize("relative", [False, True])
def test_moment_distance_compares_means_and_deviations(relative: bool) -> None:
    """Means 1 and 3, deviations 2 and 1, for one channel."""
    found, wanted = (torch.tensor([[[m], [m * m + d * d]]]) for m, d in ((1.0, 2.0), (3.0, 1.0)))
    expected = (4 + 1) / (9 + 1 if relative else 1)
    distance = moment_distance(found, wanted, relative=relative)
    assert distance.tolist() == pytest.approx([expected], rel=1e-5)


def test_gram_distance_is_one_for_nothing_of_the_style(generator: torch.Generator) -> None:
    targets = torch.randn(2, 5, 5, generator=generator)
    distance = gram_distance(torch.zeros_like(targets), targets, relative=True)
    assert distance.tolist() == pytest.approx([1.0, 1.0], rel=1e-6)
    plain = gram_distance(torch.zeros_like(targets), targets, relative=False)
    assert plain.tolist() == pytest.approx((targets**2).mean(dim=(1, 2)).tolist(), rel=1e-6)


@pytest.mark.parametrize("form", ["squares", "power", "length"])
def test_tv_is_its_formula(form: str, generator: torch.Generator) -> None:
    """Pixel by pixel on the 0–255 scale; differences to the right and below, 0 at the border."""
    image = torch.rand(1, 3, 5, 7, generator=generator, dtype=torch.float64)
    v = 255 * image[0]
    total = 0.0
    for c in range(3):
        for y in range(5):
            for x in range(7):
                dx = (v[c, y, x + 1] - v[c, y, x]).item() if x < 6 else 0.0
                dy = (v[c, y + 1, x] - v[c, y, x]).item() if y < 4 else 0.0
                square = dx * dx + dy * dy
                total += {"squares": square / 2, "power": square**1.25, "length": square**0.5}[form]
    assert tv_loss(image, form).item() == pytest.approx(total / 35, rel=1e-3)


@pytest.mark.parametrize("form", ["squares", "power", "length"])
def test_tv_of_a_flat_picture_has_a_gradient(form: str) -> None:
    image = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    (grad,) = torch.autograd.grad(tv_loss(image, form), image)
    assert torch.equal(grad, torch.zeros_like(grad))


def test_gamut_loss_sees_only_what_is_outside() -> None:
    image = torch.full((1, 3, 2, 2), 0.5)
    assert gamut_loss(image).item() == 0.0
    image[0, 0, 0, 0], image[0, 1, 1, 1] = 1.2, -0.1
    assert gamut_loss(image).item() == pytest.approx((0.2**2 + 0.1**2) / 4, rel=1e-5)
