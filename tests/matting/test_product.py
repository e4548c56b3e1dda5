"""The Laplacian's product and its energy against scipy's product with the same matrix."""

import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.matting import product
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.product import LaplacianOperator, laplacian_energy
from tests.matting.test_laplacian import ODD_SIZES, _photo, _random, _relative


def _operator(image: Tensor, dtype: torch.dtype = torch.float64) -> LaplacianOperator:
    return LaplacianOperator.of(image, dtype=dtype)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_operator_and_energy_equal_the_sparse_product(size):
    content, image = _random(size), _random(size, seed=1).double()
    matrix = matting_laplacian(content)
    rows = image.reshape(3, -1)
    expected = (matrix @ rows.numpy().T).T
    assert _relative(_operator(content).times(rows).numpy(), expected) <= 1e-12
    energy = laplacian_energy(image, _operator(content))
    assert energy.item() == pytest.approx((rows.numpy() * expected).sum(), rel=1e-12)


def test_gradcheck():
    image = _random((5, 6), seed=1).double().requires_grad_()
    operator = _operator(_random((5, 6)))
    assert torch.autograd.gradcheck(lambda v: laplacian_energy(v, operator), image)


def test_gradient_of_an_image_that_is_not_contiguous():
    columns_first = _random((6, 5), seed=1).double().requires_grad_()
    operator = _operator(_random((5, 6)))
    assert torch.autograd.gradcheck(
        lambda v: 3 * laplacian_energy(v.transpose(2, 3), operator), columns_first
    )


def test_cannot_be_differentiated_twice():
    image = _random((5, 6), seed=1).double().requires_grad_()
    energy = laplacian_energy(image, _operator(_random((5, 6))))
    with pytest.raises(RuntimeError, match="only once"):
        torch.autograd.grad(energy, image, create_graph=True)


def test_an_affine_change_of_colour_costs_nothing(shared):
    content = _photo(shared, "13.png", 200).double()
    operator = _operator(content)
    mix = torch.tensor([[0.5, 0.2, 0.1], [-0.2, 0.7, 0.1], [0.1, 0.1, 0.4]], dtype=torch.float64)
    graded = torch.einsum("dc,bchw->bdhw", mix, content) + 0.1
    random = _random((content.shape[2], content.shape[3])).double()
    assert laplacian_energy(graded, operator) <= 1e-6 * laplacian_energy(random, operator)


# An affine change of colour is the hard case: L v is next to nothing beside the sums it comes of.
@pytest.mark.parametrize("kind", ["random", "contrast", "grain"])
def test_single_precision_stays_within_its_budget(shared, kind):
    content = _photo(shared, "13.png", 320)
    noise = _random((content.shape[2], content.shape[3]), seed=2)
    image = {"random": noise, "contrast": content**1.3, "grain": content + 0.003 * noise}[kind]
    exact = matting_laplacian(content) @ image.double().reshape(3, -1).numpy().T
    found = _operator(content, torch.float32).times(image.reshape(3, -1))
    assert _relative(found.numpy().T, exact) <= 1e-5
    energy = laplacian_energy(image, _operator(content, torch.float32)).item()
    expected = float((exact.T * image.double().reshape(3, -1).numpy()).sum())
    assert energy == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_equals_cpu():
    content, image = _random((40, 50)), _random((40, 50), seed=1)
    there = LaplacianOperator.of(content, device="cuda")
    assert product._one_pass(torch.device("cuda"), torch.float32), "slices did it"
    here = _operator(content, torch.float32)
    energies = []
    gradients = []
    for operator, device in ((there, "cuda"), (here, "cpu")):
        variable = image.to(device).requires_grad_()
        energy = laplacian_energy(variable, operator)
        energy.backward()
        energies.append(energy.item())
        gradients.append(variable.grad.cpu().numpy())
    assert energies[0] == pytest.approx(energies[1], rel=1e-5)
    assert _relative(gradients[0], gradients[1]) <= 1e-5


def test_refuses_an_image_of_another_size():
    with pytest.raises(ImageError, match=r"\(1, 3, 5, 6\).*not \(1, 3, 6, 5\)"):
        laplacian_energy(_random((6, 5)), _operator(_random((5, 6)), torch.float32))


@pytest.mark.parametrize("block", [1, 7, 61 * 47, 1 << 20])
def test_blocks_do_not_change_the_product(monkeypatch, block):
    content, rows = _random((61, 47)), _random((61, 47), seed=1).double().reshape(3, -1)
    monkeypatch.setattr(product, "_BLOCK", block)
    expected = (matting_laplacian(content) @ rows.numpy().T).T
    assert _relative(_operator(content).times(rows).numpy(), expected) <= 1e-12


#: Triton's own interpreter runs kernels without a GPU; it is chosen as Triton is imported.
IN_ONE_PASS = """
import torch
from photostyle.matting.fused import times
from photostyle.matting.laplacian import matting_laplacian
from photostyle.matting.product import LaplacianOperator, _one_pass

assert _one_pass(torch.device("cpu"), torch.float32)
for size in ((3, 3), (3, 7), (7, 3), (5, 4), (33, 40)):
    torch.manual_seed(0)
    image, rows = torch.rand(1, 3, *size), torch.rand(3, size[0] * size[1], dtype=torch.float64)
    expected = torch.from_numpy((matting_laplacian(image) @ rows.numpy().T).T)
    for dtype, budget in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        ahead = LaplacianOperator.of(image, dtype=dtype).ahead
        found = times(rows.to(dtype), ahead, size[1])
        assert found.dtype == dtype
        assert (found - expected).abs().max() <= budget * expected.abs().max()
"""


def test_the_kernel_for_cuda_equals_the_sparse_product():
    pytest.importorskip("triton")
    own = {**os.environ, "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, "-c", IN_ONE_PASS], capture_output=True, env=own)
    assert done.returncode == 0, done.stderr.decode()


def test_slices_do_it_where_the_kernel_does_not_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "photostyle.matting.fused", None)  # as without Triton
    assert product._one_pass.__wrapped__(torch.device("cpu"), torch.float32) is None
