"""The flow network: its inverse, its gradients without memory, and sizes that do not divide."""

import pytest
import torch

from photostyle.universal.flow import FlowNetwork
from photostyle.universal.transfers import adain

SIZES = [(1, 1), (7, 5), (33, 50), (67, 93)]


def network(flows: int = 3, blocks: int = 2, width: int = 8, saving: bool = True) -> FlowNetwork:
    """With weights as after a training: all of them away from where they began."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = FlowNetwork(blocks, flows, width, saving)
        made.begin(torch.rand(2, 3, 32, 32))
        for weight in made.parameters():
            weight.data += 0.02 * torch.randn_like(weight)
    return made


def picture(size: tuple[int, int], count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_the_inverse_gives_the_picture_back(size: tuple[int, int]) -> None:
    flow, image = network(flows=8), picture(size)
    latents = flow.encode(image)
    assert latents.maps.shape[1] == 48
    back = flow.decode(latents)
    assert back.shape == image.shape
    assert (back - image).abs().max() <= 1e-5


@torch.no_grad()
def test_latents_are_not_the_picture() -> None:
    flow, image = network(), picture((16, 16))
    shuffled = torch.nn.functional.pixel_unshuffle(image, 4)
    assert (flow.encode(image).maps - shuffled).abs().max() > 0.5


@torch.no_grad()
def test_normalisation_begins_at_mean_0_and_deviation_1() -> None:
    flow, images = FlowNetwork(1, 1, 4), picture((32, 32), count=3)
    flow.begin(images)
    maps = flow.steps[1](flow.steps[0](images))
    assert maps.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    assert (maps.std(dim=(0, 2, 3)) - 1).abs().max() < 1e-3


def gradients(flow: FlowNetwork, pairs: torch.Tensor) -> list[torch.Tensor]:
    flow.zero_grad()
    pairs = pairs.clone().requires_grad_(True)
    (flow(pairs) ** 2).mean().backward()
    grads = [w.grad for w in flow.parameters()]
    assert pairs.grad is not None
    assert all(g is not None for g in grads)
    return [pairs.grad, *(g for g in grads if g is not None)]


def test_gradients_are_those_of_plain_autograd() -> None:
    flow = network().double()
    pairs = torch.cat([picture((18, 14)), picture((18, 14)).flip(3)], dim=1).double()
    saving = gradients(flow, pairs)
    flow.saving = False
    for found, wanted in zip(saving, gradients(flow, pairs), strict=True):
        assert (found - wanted).abs().max() <= 1e-8 * wanted.abs().max()


def kept_bytes(flow: FlowNetwork, pairs: torch.Tensor) -> int:
    """Bytes of activations that a step keeps for its gradient."""
    sizes = {}
    weights = {w.data_ptr() for w in flow.parameters()}

    def pack(x: torch.Tensor) -> torch.Tensor:
        if x.data_ptr() not in weights:
            sizes[x.data_ptr()] = x.numel() * x.element_size()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        flow(pairs).sum()
    return sum(sizes.values())


def test_memory_of_a_step_does_not_grow_with_the_flows() -> None:
    pairs = picture((32, 32), count=2).repeat(1, 2, 1, 1)
    saving = [kept_bytes(network(flows=n), pairs) for n in (2, 6)]
    plain = [kept_bytes(network(flows=n, saving=False), pairs) for n in (2, 6)]
    assert saving[1] == saving[0]
    assert plain[1] > 2 * plain[0]
    assert plain[1] > 10 * saving[1]


@torch.no_grad()
def test_a_style_that_is_the_content_changes_nothing() -> None:
    flow, image = network(), picture((21, 30))
    assert (flow(image.repeat(1, 2, 1, 1)) - image).abs().max() < 1e-4


@torch.no_grad()
def test_training_moves_latents_by_adain() -> None:
    flow, content, style = network(), picture((16, 16)), picture((16, 16)).flip(2) ** 2
    own, its = flow.encode(content), flow.encode(style)
    wanted = flow.decode(own.moved(adain(own.maps, its.maps)))
    assert (flow(torch.cat([content, style], dim=1)) - wanted).abs().max() < 1e-5
