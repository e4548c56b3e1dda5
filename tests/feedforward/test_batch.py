"""The objective over a batch against one objective for each picture."""

import torch

from photostyle.config.stages import EncoderConfig, ObjectiveConfig
from photostyle.config.training import TERMS
from photostyle.encoders.builtin import BankEncoder
from photostyle.feedforward.batch import BatchObjective
from photostyle.objective.objective import build_objective
from photostyle.segmentation.scene import Scene

TAPS = EncoderConfig(content_layers=("relu2_1", "relu3_1"), style_layers=("relu1_1", "relu3_1"))
WEIGHTS = ObjectiveConfig(tv_weight=1e-3, plain_regions="full")


def objective(content: torch.Tensor, style: torch.Tensor):
    masks = [x.new_ones(1, *x.shape[2:]) for x in (content, style)]
    return build_objective(Scene(content, style, *masks), BankEncoder(), TAPS, WEIGHTS, TERMS, None)


def test_is_the_mean_of_the_pictures_own_objectives() -> None:
    torch.manual_seed(0)
    contents, images = torch.rand(3, 3, 32, 40), torch.rand(3, 3, 32, 40) * 1.2 - 0.1
    style = torch.rand(1, 3, 48, 36)
    images.requires_grad_(True)
    batch = BatchObjective(objective(torch.rand(1, 3, 32, 40), style))
    total, terms = batch(images, contents)
    single = [
        objective(content[None], style)(image[None])
        for content, image in zip(contents, images, strict=True)
    ]
    assert set(terms) == {"content", "style", "tv", "gamut"}
    for name, value in terms.items():
        expected = torch.stack([parts[name] for _, parts in single]).mean()
        assert torch.allclose(value, expected, rtol=1e-5)
    expected = torch.stack([whole for whole, _ in single]).mean()
    assert torch.allclose(total, expected, rtol=1e-5)
    assert torch.allclose(total, torch.stack(list(terms.values())).sum(), rtol=1e-5)
    (gradient,) = torch.autograd.grad(total, images)
    (other,) = torch.autograd.grad(expected, images)
    assert torch.allclose(gradient, other, rtol=1e-3, atol=1e-7)
