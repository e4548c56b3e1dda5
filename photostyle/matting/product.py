"""Products with a Matting Laplacian L, and the photorealism energy Σ_c v_cᵀ L v_c."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from photostyle.errors import ImageError
from photostyle.matting.laplacian import AHEAD, pairs_ahead

#: Pixels that all offsets are gone through for before the next ones: on a CPU what they read and
#: write then stays in its cache. Measured best from 0.04 to 0.33 megapixels.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class LaplacianOperator:
    """A Matting Laplacian to multiply images with, on any torch device.

    Kept as its entries above the diagonal and multiplied in the form
    (L v)_i = Σ_j L_ij (v_j − v_i), which equals L v because rows sum to zero. On a smooth v, whose
    L v is a small difference of large sums, that leaves float32 some forty times the accuracy of a
    sparse matrix product. It is also faster than torch's CSR product on a CPU, and takes nothing
    but slices and multiply-adds, so that devices without sparse matrices (mps) need no fallback.
    A CUDA device does it in one pass, where `fused` works there.

    Attributes:
        size: (H, W) of the image.
        ahead: 12×H·W, see `pairs_ahead`; of any floating dtype and on any device.
    """

    size: tuple[int, int]
    ahead: Tensor

    @classmethod
    def of(
        cls,
        image: Tensor,
        epsilon: float = 1e-7,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> LaplacianOperator:
        """The operator of a 1×3×H×W image; arguments and errors as for `matting_laplacian`."""
        entries = pairs_ahead(image, epsilon, "float64" if dtype == torch.float64 else "float32")
        size = (image.shape[2], image.shape[3])
        # Converted before it is moved: mps has no float64.
        return cls(size, torch.from_numpy(entries).to(dtype).to(device))

    def times(self, rows: Tensor) -> Tensor:
        """Return L v for each v of C×N rows, N = H·W, of the operator's dtype and device."""
        if rows.is_cuda and (one_pass := _one_pass(rows.device, rows.dtype)):
            return one_pass(rows, self.ahead, self.size[1])
        block = _BLOCK if rows.device.type == "cpu" else rows.shape[1]
        return _in_slices(rows, self.ahead, self.size[1], block)


def _in_slices(rows: Tensor, ahead: Tensor, width: int, block: int) -> Tensor:
    """L v, offset by offset, over so many pixels at a time."""
    product = torch.zeros_like(rows)
    pixels = rows.shape[1]
    scratch = torch.empty_like(rows[:, : min(block, pixels)])
    for start in range(0, pixels, block):
        for entries, (dy, dx) in zip(ahead, AHEAD, strict=True):
            offset = dy * width + dx
            stop = min(start + block, pixels - offset)
            if stop <= start:
                continue
            here, there = slice(start, stop), slice(start + offset, stop + offset)
            step = torch.sub(rows[:, there], rows[:, here], out=scratch[:, : stop - start])
            product[:, here].addcmul_(entries[here], step)
            product[:, there].addcmul_(entries[here], step, value=-1)
    return product


@functools.cache
def _one_pass(device: torch.device, dtype: torch.dtype) -> Callable[..., Tensor] | None:
    """`fused.times` where it gives on the device what slices give; tried once, on 4×5 pixels."""
    rows = torch.arange(60.0, device=device).reshape(3, 20).sqrt().to(dtype)
    ahead = torch.linspace(-1, 1, 240, device=device).reshape(12, 20).to(dtype)
    for entries, (dy, dx) in zip(ahead, AHEAD, strict=True):
        entries[max(0, 20 - 5 * dy - dx) :] = 0
    try:
        from photostyle.matting.fused import times

        found = times(rows, ahead, 5)
    except Exception:  # no Triton, no compiler, or a driver that refuses: slices need none
        return None
    return times if torch.allclose(found, _in_slices(rows, ahead, 5, 20), rtol=1e-3) else None


class _Energy(torch.autograd.Function):
    """Multiplies once, forwards: the gradient 2 L v is at hand when the energy is."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, operator: LaplacianOperator) -> Tensor:
        rows = image.reshape(3, -1).contiguous()  # 3×N
        product = operator.times(rows)
        ctx.save_for_backward(product.view(image.shape))  # 1×3×H×W
        return (rows * product).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        if torch.is_grad_enabled():  # else 2 L v would pass for a constant, without a word
            raise RuntimeError("The Laplacian's energy can be differentiated only once.")
        (product,) = ctx.saved_tensors
        return 2 * gradient * product, None


def laplacian_energy(image: Tensor, operator: LaplacianOperator) -> Tensor:
    """Return Σ_c v_cᵀ L v_c over the colour channels v_c of an image, summed over its pixels.

    Luan et al. 2017, equation 2. It is zero where the image is locally an affine function of the
    colours that L was built from. Can be differentiated once, with the gradient 2 L v.

    Args:
        image: 1×3×H×W, of the operator's dtype and device; values outside [0, 1] are allowed.
        operator: the Laplacian of an image of the same size.

    Returns a scalar of that dtype and device. Raises ImageError where the sizes differ.
    """
    if image.shape != (1, 3, *operator.size):
        raise ImageError(
            f"The Laplacian's image should have the shape {(1, 3, *operator.size)}, the size that "
            f"the Laplacian was built at, not {tuple(image.shape)}."
        )
    energy: Tensor = _Energy.apply(image, operator)
    return energy
