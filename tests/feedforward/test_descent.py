"""What moves a network's weights: against the formulas, and remembered to the last bit."""

import copy

import pytest
import torch

from photostyle.feedforward.descent import Descent
from photostyle.feedforward.network import TransformNetwork

RATE = 1e-2


@pytest.fixture
def network() -> TransformNetwork:
    torch.manual_seed(0)
    return TransformNetwork(width=0.2, blocks=1)


def with_gradients(network: TransformNetwork, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        gradient = torch.empty_like(parameter)  # laid out as autograd does
        parameter.grad = gradient.copy_(torch.randn(parameter.shape, generator=generator))


def test_a_kernels_first_step_is_the_nearest_orthogonal_matrix(network: TransformNetwork) -> None:
    """Against the singular value decomposition: the step has the gradient's singular vectors and
    singular values near 1, times 0.2·√(longer side); Newton-Schulz in bfloat16 gives 0.7 to 1.2."""
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    with_gradients(network, 1)
    Descent(network, "muon").step(RATE)
    kernels = 0
    for name, parameter in network.named_parameters():
        step = (before[name] - parameter.detach()) / RATE
        if parameter.ndim < 4:  # Adam's
            assert torch.allclose(step, parameter.grad.sign(), atol=1e-3)
            continue
        kernels += 1
        gradient = parameter.grad.flatten(1).double()
        u, _, v = torch.linalg.svd(gradient, full_matrices=False)
        values = u.T @ step.flatten(1).double() @ v.T / (0.2 * max(gradient.shape) ** 0.5)
        diagonal = values.diagonal()
        assert diagonal.min() > 0.6, name
        assert diagonal.max() < 1.3, name
        assert (values - diagonal.diag()).abs().max() < 0.1, name
    assert kernels == 8


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_restored_it_goes_on_to_the_same_weights(network: TransformNetwork, kind: str) -> None:
    descent = Descent(network, kind)
    with_gradients(network, 1)
    descent.step(RATE)
    other = copy.deepcopy(network)
    restored = Descent(other, kind)
    restored.restore(descent.tensors())
    for one, moves in ((network, descent), (other, restored)):
        with_gradients(one, 2)
        moves.step(0.5 * RATE)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_cleared_of_gradients_nothing_moves(network: TransformNetwork, kind: str) -> None:
    before = [p.detach().clone() for p in network.parameters()]
    with_gradients(network, 1)
    descent = Descent(network, kind)
    descent.clear()
    descent.step(RATE)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_tensors_of_another_network_do_not_fit(network: TransformNetwork) -> None:
    descent = Descent(network, "muon")
    with_gradients(network, 1)
    descent.step(RATE)
    wider = Descent(TransformNetwork(width=0.3, blocks=1), "muon")
    with pytest.raises(ValueError, match="a moment of shape"):
        wider.restore(descent.tensors())
    with pytest.raises(ValueError, match="a moment of shape"):
        Descent(network, "adam").restore(descent.tensors())
    with pytest.raises(KeyError):
        Descent(network, "muon").restore({})


def test_kernels_in_another_layout_are_refused(network: TransformNetwork) -> None:
    plain = network.to(memory_format=torch.contiguous_format)
    with pytest.raises(ValueError, match="channels-last"):
        Descent(plain, "muon")
