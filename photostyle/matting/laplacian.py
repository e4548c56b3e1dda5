"""The Matting Laplacian of an image, as a sparse matrix or as its pairs of pixels.

Levin, Lischinski and Weiss, "A Closed-Form Solution to Natural Image Matting", TPAMI 2008; as a
term of style transfer: Luan, Paris, Shechtman and Bala, "Deep Photo Style Transfer", CVPR 2017.

Pixels are numbered row by row, everywhere in this module: pixel (y, x) of an H×W image has the
number y·W + x, which is what `image[0].reshape(3, H * W)` of a 1×3×H×W tensor gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import as_strided
from torch import Tensor

from photostyle.errors import ImageError, OptionError
from photostyle.images.picture import check_image

if TYPE_CHECKING:
    from scipy import sparse

Array = npt.NDArray[Any]

# From a pixel to its neighbours within two steps (they share a window) that have a greater number.
AHEAD = tuple((dy, dx) for dy in range(3) for dx in range(-2, 3) if (dy, dx) > (0, 0))

# Pixels whose windows are worked on together; measured best from 0.33 to 2 megapixels.
_STRIP = 1 << 14
_THREADS = 2


def matting_laplacian(
    image: Tensor, epsilon: float = 1e-7, dtype: npt.DTypeLike = np.float64
) -> sparse.csr_matrix:
    """Return the Matting Laplacian L of an image: symmetric, semi-definite, rows sum to zero.

    L_ij = Σ_k δ_ij − (1 + (I_i − μ_k)ᵀ (Σ_k + ε/9 · 1)⁻¹ (I_j − μ_k)) / 9 over the 3×3 windows k
    with both pixels (Levin et al. 2008, equation 12), I the colours, μ_k and Σ_k their mean and
    covariance in the window. Windows that would cross the border are skipped.

    Args:
        image: 1×3×H×W float tensor in [0, 1] on any device, H and W at least 3.
        epsilon: ε above, positive, in squared colour values; 1e-7 is Luan et al.'s.
        dtype: of the entries, which are computed in float64 whatever is asked for.

    Returns N×N, N = H·W: 25 entries a row, fewer near the border; columns sorted, none twice;
    int32 indices where they fit. Raises ImageError for another kind of image or one too small to
    hold a window, OptionError where epsilon is not positive.
    """
    from scipy import sparse  # runs do without: they multiply with `pairs_ahead`

    colours = _colours(image, epsilon)
    _, height, width = colours.shape
    starts = _row_starts(height, width)
    entries = np.empty(starts[-1], dtype)
    columns = np.empty(starts[-1], starts.dtype)

    def write(ahead: Array, strip: tuple[int, int]) -> None:
        _write(_stencils(ahead, width), strip, height, starts, entries, columns)

    _in_strips(colours, epsilon, write)
    matrix = sparse.csr_matrix((entries, columns, starts), shape=(starts.size - 1,) * 2, copy=False)
    matrix.has_canonical_format = True  # as written; spares scipy a look at every entry
    return matrix


def pairs_ahead(image: Tensor, epsilon: float, dtype: npt.DTypeLike) -> Array:
    """The entries of L above its diagonal: all of L, which is symmetric with rows that sum to zero.

    Args, errors: as for `matting_laplacian`.

    Returns 12×N: of every pixel its entries with the neighbours at the offsets `AHEAD`, zero where
    those lie outside the image.
    """
    colours = _colours(image, epsilon)
    _, height, width = colours.shape
    entries = np.zeros((len(AHEAD), height * width), dtype)

    def write(ahead: Array, strip: tuple[int, int]) -> None:
        for row, products, (dy, _) in zip(entries, ahead[1:], AHEAD, strict=True):
            first = max(strip[0] - dy, 0)  # pairs that reach into the strip
            place = slice(first * width, (strip[1] - dy) * width)
            np.negative(products[(first - strip[0] + 2) * width :][: place.stop - place.start],
                        out=row[place], casting="same_kind")  # fmt: skip

    _in_strips(colours, epsilon, write)
    return entries


def _in_strips(
    colours: Array, epsilon: float, work: Callable[[Array, tuple[int, int]], None]
) -> None:
    """Does the work on what `_ahead` gives of every strip of rows, strips in any order."""
    _, height, width = colours.shape
    rows = max(4, min(height, _STRIP // width))
    tops = range(0, height, rows)

    def some(tops: range) -> None:
        scratch = np.zeros((9, 4, (rows + 4) * width + 2))
        for top in tops:
            strip = (top, min(top + rows, height))
            work(_ahead(colours, strip, epsilon, scratch), strip)

    with ThreadPoolExecutor(_THREADS) as pool:  # numpy lets go of the interpreter's lock
        list(pool.map(some, (tops[first::_THREADS] for first in range(_THREADS))))


def _colours(image: Tensor, epsilon: float) -> Array:
    check_image(image.to(torch.float32), "The Matting Laplacian's image")
    _, _, height, width = image.shape
    if min(height, width) < 3:
        raise ImageError(
            "The Matting Laplacian needs an image of at least 3×3 pixels, not "
            f"{width}×{height} (width × height)."
        )
    if not epsilon > 0:
        raise OptionError(f"The Matting Laplacian's epsilon should be above 0, not {epsilon:g}.")
    colours: Array = image.detach().cpu().numpy()[0]  # 3×H×W
    return colours


def _row_starts(height: int, width: int) -> Array:
    """Where each matrix row starts among the entries (N + 1 numbers), from the image's size."""
    near_y, near_x = (
        np.minimum(np.arange(n), 2) + np.minimum(np.arange(n)[::-1], 2) + 1 for n in (height, width)
    )
    total = int(near_y.sum()) * int(near_x.sum())
    starts = np.zeros(height * width + 1, np.int32 if total < 2**31 else np.int64)
    np.cumsum(np.multiply.outer(near_y, near_x).ravel(), out=starts[1:])
    return starts


def _ahead(colours: Array, strip: tuple[int, int], epsilon: float, scratch: Array) -> Array:
    """−L at, and ahead of, the pixels from two rows above a strip of R rows to its end.

    Returns 13×(R + 2)·W: the diagonal, then the `AHEAD` offsets. Only windows that touch the
    strip count, so that in the two rows above it just the pairs that reach into it are complete.
    """
    top, bottom = strip
    _, height, width = colours.shape
    # One after the other, the windows centred on each pixel from row top − 3 to row `bottom`,
    # and one more at either end. Windows that do not exist or would cross the border are zero.
    windows = scratch[:, :, : (bottom - top + 4) * width + 2]
    first, last = max(top - 1, 1), min(bottom + 1, height - 1)
    start, stop = ((row - top + 3) * width + 1 for row in (first, last))
    windows[:, :, :start] = 0
    windows[:, :, stop:] = 0
    rows = colours[:, first - 1 : last + 1].astype(np.float64).reshape(3, -1)
    _whiten(rows, width, epsilon, windows[:, :, start + 1 : stop - 1])
    windows[:, :, start:stop:width] = 0
    windows[:, :, start + width - 1 : stop : width] = 0
    products = np.empty((13, (bottom - top + 2) * width))
    for out, (dy, dx) in zip(products, ((0, 0), *AHEAD), strict=True):
        _pair_products(windows, width, dy, dx, out)
    over_y = _windows_over(np.arange(top - 2, bottom), height)
    over_x = _windows_over(np.arange(width), width)
    products[0] -= np.multiply.outer(over_y, over_x).ravel()
    return products


def _whiten(colours: Array, width: int, epsilon: float, out: Array) -> None:
    """Write u_p with u_p · u_q = (1 + (I_p − μ)ᵀ (Σ + ε/9)⁻¹ (I_q − μ)) / 9 for each window.

    Three of its four numbers are p's row of the upper part of Q in QR = [X; √ε · 1], X the
    window's 9×3 centred colours, by modified Gram-Schmidt; the fourth is 1/3. 9Σ + ε = XᵀX + ε is
    never formed: that would square the condition number, and ε = 1e-7 lets that grow to 1e8.

    Args:
        colours: 3×M, rows of pixels one after the other.
        width: pixels a row.
        epsilon: ε.
        out: 9×4×(M − 2·width − 2): the place in the window, u_p, the window. Windows centred on
            an end of a row wrap around and are of no use; to leave them out would cost more.
    """
    triples = colours[:, :-2] + colours[:, 1:-1] + colours[:, 2:]
    mean = triples[:, : -2 * width] + triples[:, width:-width] + triples[:, 2 * width :]
    mean /= 9
    for u, (dy, dx) in zip(out, np.ndindex(3, 3), strict=True):
        place = dy * width + dx
        np.subtract(colours[:, place : place + mean.shape[1]], mean, out=u[:3])
    out[:, 3] = 1 / 3
    tails = np.zeros((3, 3, mean.shape[1]))  # the lower part of Q, upper triangular
    tails[range(3), range(3)] = np.sqrt(epsilon)
    for j in range(3):
        column, tail = out[:, j], tails[: j + 1, j]
        for i in range(j):
            other, other_tail = out[:, i], tails[: i + 1, i]
            along = _dot(other, column) + _dot(other_tail, tail[: i + 1])
            column -= other * along
            tail[: i + 1] -= other_tail * along
        inverse = 1 / np.sqrt(_dot(column, column) + _dot(tail, tail))
        column *= inverse
        tail *= inverse


def _dot(left: Array, right: Array) -> Array:
    products: Array = np.einsum("pn,pn->n", left, right)
    return products


def _pair_products(windows: Array, width: int, dy: int, dx: int, out: Array) -> None:
    """Write Σ u_p · u_q over the windows that pixels p and q = p + (dy, dx) share, for every p."""
    by_place, by_number, by_window = windows.strides
    # p is at (py, px) of the window centred one row and one pixel on, less (py, px): as py grows
    # by one, the place moves on by three and the window back by one row.
    px = max(0, -dx)
    shape = (3 - dy, 3 - abs(dx), 4, out.size)
    strides = (3 * by_place - width * by_window, by_place - by_window, by_number, by_window)
    p, q = (
        as_strided(windows[place, :, 2 * width + 2 - px :], shape, strides, writeable=False)
        for place in (px, px + 3 * dy + dx)
    )
    np.einsum("abcn,abcn->n", p, q, out=out)


def _windows_over(position: Array, length: int) -> Array:
    """How many windows of three lie over each position on an axis, none crossing its ends."""
    first = np.maximum(position - 1, 1)
    last = np.minimum(position + 1, length - 2)
    counts: Array = np.maximum(last - first + 1, 0)
    return counts


def _stencils(ahead: Array, width: int) -> Array:
    """From `_ahead` to all 25 entries of a strip's pixels in L, R×W×5×5, by symmetry.

    Entry (y, x, 2 + dy, 2 + dx) belongs to pixel (y, x) and its neighbour at (dy, dx); where that
    lies outside the image, it has no meaning.
    """
    above = 2 * width
    stencils = np.empty((ahead.shape[1] - above, 25))
    np.negative(ahead[0, above:], out=stencils[:, 12])
    for products, (dy, dx) in zip(ahead[1:], AHEAD, strict=True):
        np.negative(products[above:], out=stencils[:, 12 + 5 * dy + dx])
        back = dy * width + dx
        outside = max(0, back - above)  # the first pixels have no such neighbour
        behind = products[above - back + outside : products.size - back]
        np.negative(behind, out=stencils[outside:, 12 - 5 * dy - dx])
    return stencils.reshape(-1, width, 5, 5)  # R×W×5×5


def _write(
    stencils: Array,
    strip: tuple[int, int],
    height: int,
    starts: Array,
    entries: Array,
    columns: Array,
) -> None:
    """Write a strip's stencils where they belong among the entries and columns of the matrix."""
    width = stencils.shape[1]
    reach = np.arange(-2, 3)
    numbers = np.arange(width)[:, None, None] + width * reach[:, None] + reach  # W×5×5
    for top, bottom, up, down in _alike(height, *strip):
        place = slice(starts[top * width], starts[bottom * width])
        row_entries = entries[place].reshape(bottom - top, -1)
        row_columns = columns[place].reshape(bottom - top, -1)
        first = np.arange(top, bottom, dtype=columns.dtype)[:, None] * width
        done = 0
        for left, right, back, on in _alike(width, 0, width):
            part = np.s_[left:right, 2 + up : 3 + down, 2 + back : 3 + on]
            number = numbers[part].ravel().astype(columns.dtype)
            here = np.s_[:, done : done + number.size]
            values = stencils[top - strip[0] : bottom - strip[0]][:, *part]
            row_entries[here] = values.reshape(bottom - top, -1)
            np.add(first, number, out=row_columns[here])
            done += number.size


def _alike(length: int, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut start…stop on an axis into runs of positions whose neighbours lie in the image alike.

    Yields (first, past the last, least step, greatest step), the steps within −2…2.
    """
    cuts = {start, stop} | ({1, 2, length - 2, length - 1} & set(range(start, stop)))
    for first, past in pairwise(sorted(cuts)):
        yield first, past, max(-2, -first), min(2, length - past)
