"""The Matting Laplacian against two other implementations.

pymatting inverts each window's 3×3 covariance by cofactors. Where the colours of a window lie on a
line, as in grey parts of photographs, that costs it up to ten digits at ε = 1e-7, so it is the
judge of images without such windows; `_reference` below, in long double, is the judge of all.
"""

from pathlib import Path

import numpy as np
import pymatting
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from torch import Tensor

from photostyle.errors import ImageError, OptionError
from photostyle.images.picture import load_image, resize
from photostyle.matting import laplacian as matting
from photostyle.matting.laplacian import AHEAD, matting_laplacian, pairs_ahead

ODD_SIZES = [(3, 3), (3, 7), (7, 3), (5, 4), (4, 5), (61, 47)]
long_double = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 2e-19, reason="this platform's long double is a double"
)


def _random(size: tuple[int, int], seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, *size, generator=generator)


def _saturated(size: tuple[int, int]) -> Tensor:
    """Colours of which two in three parts lie beyond the ends of the range, and are cut there."""
    return (3 * _random(size) - 1).clamp(0, 1)


def _photo(shared: Path, name: str, long_side: int) -> Tensor:
    image = load_image(shared / "dpst" / "content" / name).image
    scale = long_side / max(image.shape[2:])
    return resize(image, (round(image.shape[2] * scale), round(image.shape[3] * scale)))


def _pymatting(image: Tensor, epsilon: float = 1e-7) -> sparse.csr_matrix:
    colours = np.ascontiguousarray(image[0].permute(1, 2, 0).double().numpy())  # H×W×3
    matrix = pymatting.cf_laplacian(colours, epsilon=epsilon, radius=1).tocsr()
    matrix.sum_duplicates()
    return matrix


def _reference(image: Tensor, epsilon: float = 1e-7) -> sparse.csr_matrix:
    """Every pair of every window, by Cholesky's factors of the covariance in long double."""
    colours = image[0].double().numpy().astype(np.longdouble)
    _, h, w = colours.shape
    places = list(np.ndindex(3, 3))
    x = np.stack([colours[:, y : h - 2 + y, x : w - 2 + x] for y, x in places])
    x = x.reshape(9, 3, -1)  # place × channel × window
    x -= x.sum(0) / np.longdouble(9)
    a = np.einsum("pcn,pdn->cdn", x, x)
    a[range(3), range(3)] += np.longdouble(epsilon)
    solved = np.empty_like(x)
    lower = np.zeros_like(a)
    for i in range(3):
        for j in range(i + 1):
            rest = a[i, j] - sum(lower[i, k] * lower[j, k] for k in range(j))
            lower[i, j] = np.sqrt(rest) if i == j else rest / lower[j, j]
        rest = x[:, i] - sum(lower[i, k] * solved[:, k] for k in range(i))
        solved[:, i] = rest / lower[i, i]
    values = -1 / np.longdouble(9) - np.einsum("pcn,qcn->pqn", solved, solved)
    values[range(9), range(9)] += 1
    number = np.arange(h * w).reshape(h, w)
    pixels = np.stack([number[y : h - 2 + y, x : w - 2 + x].ravel() for y, x in places])
    rows, columns = np.broadcast_arrays(pixels[:, None], pixels[None])
    triplets = (values.astype(float).ravel(), (rows.ravel(), columns.ravel()))
    return sparse.csr_matrix(triplets, shape=(h * w, h * w))


def _assert_equal(
    ours: sparse.csr_matrix, theirs: sparse.csr_matrix, frobenius: float, largest: float
) -> None:
    difference = (ours - theirs).data
    assert np.linalg.norm(difference) <= frobenius * np.linalg.norm(theirs.data)
    assert np.abs(difference).max(initial=0) <= largest * np.abs(theirs.data).max()


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("size", [*ODD_SIZES, (120, 161)])
@pytest.mark.parametrize("make", [_random, _saturated])
def test_equals_pymatting(make, size):
    image = make(size)
    _assert_equal(matting_laplacian(image), _pymatting(image), 1e-8, 1e-6)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_equals_pymatting_on_flat_images(value):
    image = torch.full((1, 3, 40, 31), value)
    _assert_equal(matting_laplacian(image), _pymatting(image), 1e-12, 1e-12)


@pytest.mark.parametrize("epsilon", [1e-7, 1e-4])
@pytest.mark.parametrize("name", ["13.png", "21.png", "57.png"])
def test_equals_pymatting_on_photographs(shared, name, epsilon):
    image = _photo(shared, name, 320)
    theirs = _pymatting(image, epsilon)
    _assert_equal(matting_laplacian(image, epsilon), theirs, 1e-8, 1e-6)


@long_double
@pytest.mark.parametrize("name", ["29.png", "33.png", "34.png", "60.png"])
def test_equals_long_double_on_photographs_with_grey_parts(shared, name):
    image = _photo(shared, name, 256)
    image[:, :, :20] = 1  # white, and one saturated channel
    image[:, 0, 20:60] = 1
    _assert_equal(matting_laplacian(image), _reference(image), 1e-12, 1e-11)


@long_double
def test_equals_long_double_on_a_grey_image():
    image = _random((40, 50))[:, :1].expand(1, 3, 40, 50)
    _assert_equal(matting_laplacian(image), _reference(image), 1e-12, 1e-11)


@long_double
@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    levels=st.sampled_from([1, 2, 3, 255]),
    epsilon=st.sampled_from([1e-9, 1e-7, 1e-3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_small_images_of_few_or_many_colours(height, width, levels, epsilon, seed):
    image = torch.round(_random((height, width), seed) * levels) / levels
    ours = matting_laplacian(image, epsilon)
    _assert_equal(ours, _reference(image, epsilon), 1e-11, 1e-11)
    eigenvalues = np.linalg.eigvalsh(ours.toarray())
    assert eigenvalues[0] >= -1e-9 * eigenvalues[-1]


@pytest.mark.parametrize("size", ODD_SIZES)
def test_is_canonical_symmetric_and_has_rows_that_sum_to_zero(size):
    ours = matting_laplacian(_random(size))
    height, width = size
    pixels = height * width
    assert ours.shape == (pixels, pixels)
    assert ours.nnz == (5 * height - 6) * (5 * width - 6)
    assert ours.indices.dtype == ours.indptr.dtype == np.int32
    fresh = sparse.csr_matrix((ours.data, ours.indices, ours.indptr), ours.shape)
    assert fresh.has_canonical_format  # looked up in the entries: sorted, none twice
    assert (ours != ours.T).nnz == 0
    assert np.abs(ours.sum(axis=1)).max() <= 1e-9 * np.abs(ours.data).max()


@pytest.mark.parametrize("strip", [1, 47 * 5, 47 * 7 + 3])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_neither_strips_nor_threads_change_the_matrix(monkeypatch, strip, threads):
    image = _random((61, 47))
    whole = matting_laplacian(image)
    monkeypatch.setattr(matting, "_STRIP", strip)
    monkeypatch.setattr(matting, "_THREADS", threads)
    cut = matting_laplacian(image)
    assert np.array_equal(cut.indices, whole.indices)
    assert np.array_equal(cut.indptr, whole.indptr)
    assert np.abs(cut.data - whole.data).max() <= 1e-12


def test_pixels_are_numbered_row_by_row():
    image = torch.zeros(1, 3, 5, 8)
    image[..., 5:] = 1  # an edge between columns 4 and 5 cuts windows in two
    ours = matting_laplacian(image)
    here = 2 * 8 + 4
    assert abs(ours[here, here + 1]) < 1e-3 * abs(ours[here, here - 8])


def test_entries_in_single_precision():
    image = _random((20, 30))
    single = matting_laplacian(image, dtype=np.float32)
    assert single.dtype == np.float32
    _assert_equal(single, matting_laplacian(image), 1e-7, 1e-7)


@pytest.mark.parametrize("size", [(2, 9), (9, 2), (1, 1)])
def test_refuses_images_that_hold_no_window(size):
    with pytest.raises(ImageError, match=rf"at least 3×3 pixels, not {size[1]}×{size[0]} "):
        matting_laplacian(_random(size))


@pytest.mark.parametrize(
    "image", [torch.rand(3, 9, 9), torch.rand(1, 1, 9, 9), torch.full((1, 3, 9, 9), torch.nan)]
)
def test_refuses_what_is_no_image(image):
    with pytest.raises(ImageError, match="Matting Laplacian's image"):
        matting_laplacian(image)


@pytest.mark.parametrize("epsilon", [0.0, -1e-7, float("nan")])
def test_refuses_an_epsilon_that_is_not_positive(epsilon):
    with pytest.raises(OptionError, match="epsilon should be above 0"):
        matting_laplacian(_random((5, 5)), epsilon)


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("strip", [1, 47 * 7 + 3, 1 << 14])
def test_pairs_ahead_are_the_matrix_above_its_diagonal(monkeypatch, size, strip):
    monkeypatch.setattr(matting, "_STRIP", strip)
    image, (height, width) = _random(size), size
    expected = sparse.triu(matting_laplacian(image), 1).toarray()
    pairs = pairs_ahead(image, 1e-7, np.float64)
    found = np.zeros_like(expected)
    for y, x in np.ndindex(height, width):
        for entries, (dy, dx) in zip(pairs, AHEAD, strict=True):
            inside = y + dy < height and 0 <= x + dx < width
            assert inside or not entries[y * width + x]
            if inside:
                found[y * width + x, (y + dy) * width + x + dx] = entries[y * width + x]
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()
