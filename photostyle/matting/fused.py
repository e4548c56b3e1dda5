"""The Laplacian's product in one pass over its entries, as a kernel in Triton for CUDA devices.

Importing this needs Triton, which comes with PyTorch's CUDA builds; running it, a C compiler.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

#: Pixels of one program.
_BLOCK = 256
#: Entries are counted in 32 bits.
_MOST = (1 << 31) // 12


def times(rows: Tensor, ahead: Tensor, width: int) -> Tensor:
    """Return L v for each v of C×N rows, as `LaplacianOperator.times`; every sum in one order.

    Args:
        rows: C at most 4, of any floating dtype.
        ahead: 12×N of the same dtype and device, see `pairs_ahead`.
        width: of the image.

    Raises: OverflowError for more pixels than it counts; whatever Triton raises.
    """
    channels, pixels = rows.shape
    if pixels > _MOST:
        raise OverflowError(f"{pixels} pixels are more than {_MOST}.")
    rows, ahead, product = rows.contiguous(), ahead.contiguous(), torch.empty_like(rows)
    _stencil[(triton.cdiv(pixels, _BLOCK),)](
        rows, ahead, product, pixels, channels, width, BLOCK=_BLOCK
    )
    return product


@triton.jit  # type: ignore[untyped-decorator]
def _stencil(rows, ahead, product, pixels, channels, width, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = tl.arange(0, 4)[:, None]  # a power of two, as Triton wants it
    place = channel * pixels + at[None, :]  # 4×BLOCK
    inside = (channel < channels) & (at < pixels)[None, :]
    here = tl.load(rows + place, mask=inside, other=0.0)
    total = tl.zeros_like(here)
    for k in tl.static_range(12):  # in the order of `AHEAD`
        step = ((k + 3) // 5) * width + (k + 3) % 5 - 2
        entry = tl.load(ahead + k * pixels + at, mask=at < pixels - step, other=0.0)
        there = tl.load(rows + place + step, mask=inside & (at < pixels - step)[None, :], other=0.0)
        total += entry[None, :] * (there - here)
        behind = (at >= step) & (at < pixels)
        entry = tl.load(ahead + k * pixels + at - step, mask=behind, other=0.0)
        there = tl.load(rows + place - step, mask=inside & behind[None, :], other=0.0)
        total += entry[None, :] * (there - here)
    tl.store(product + place, total, mask=inside)
