"""Noise of a photograph and its fine detail, which a steep colour map must not enlarge."""

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]

#: Window of what counts as fine detail, noise among it, in pixels at the picture's own size.
GRAIN = 3
#: Deviations of the picture's noise up to which detail counts as such, and the bounds of that
#: variance in squared colour.
DEVIATIONS, LEAST, MOST = 5.0, 1e-5, 2e-4
#: Second difference across and down, whose answer to white noise of deviation 1 has deviation 1
#: (Immerkær 1996), and a normal distribution's deviation over its median distance.
SECOND = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32) / 6
PER_MEDIAN = 1 / 0.6745
#: Bands of rows that are looked at, and the share of pixels, the flattest ones, that counts.
BANDS, ROWS, FLATTEST = 8, 64, 0.4
#: Pixels of a band that suffice: those of wide pictures have fewer rows, down to so many.
ENOUGH, FEWEST = 25_000, 16


def grain_variance(content: Tensor) -> float:
    """Variance below which detail of a content 1×3×H×W in [0, 1] may be noise."""
    height, width = content.shape[2:]
    rows = min(ROWS, max(FEWEST, ENOUGH // width))
    starts = np.unique(np.linspace(0, max(height - rows, 0), BANDS).astype(int))
    bands = [_noise_in(content[0, :, y : y + rows]) for y in starts]
    seen = np.concatenate([answer for answer, _ in bands]), np.concatenate([s for _, s in bands])
    if not len(seen[0]):
        return LEAST
    answers, slopes = seen
    flat = answers[slopes <= np.quantile(slopes, FLATTEST)]
    noise = PER_MEDIAN * float(np.median(flat))
    return min(max((DEVIATIONS * noise) ** 2, LEAST), MOST)


def _noise_in(band: Tensor) -> tuple[Array, Array]:
    """N×3 second differences of a band's unclipped pixels (3×rows×W), and N, how steep it is."""
    image = np.ascontiguousarray(band.permute(1, 2, 0).cpu().numpy(), dtype=np.float32)
    answer = np.abs(cv2.filter2D(image, -1, SECOND))
    broad = cv2.GaussianBlur(image, (0, 0), 2.0)
    across, down = (cv2.Sobel(broad, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    channels = cv2.split(image)
    live = (np.minimum.reduce(channels) > 0.02) & (np.maximum.reduce(channels) < 0.98)
    steep = np.einsum("ijc,ijc->ij", across, across) + np.einsum("ijc,ijc->ij", down, down)
    return answer[live], steep[live]


def smoothed(content: Tensor, rows: slice, variance: float) -> Tensor:
    """3×rows×W of a content 1×3×H×W without its detail below a variance: each channel guided by
    itself (He, Sun and Tang 2013)."""
    first = max(0, rows.start - 2 * GRAIN)
    planes = []
    for plane in content[0, :, first : rows.stop + 2 * GRAIN].cpu().numpy():
        centred = plane - 0.5  # the variance is a difference of two squares
        mean = _box(centred)
        share = np.maximum(_box(centred * centred) - mean * mean, 0)
        share /= share + variance
        planes.append(_box(share) * centred + _box(mean - share * mean) + 0.5)
    smooth = torch.from_numpy(np.stack(planes)).to(content)
    return smooth[:, rows.start - first : rows.stop - first]


def _box(plane: Array) -> Array:
    side = 2 * GRAIN + 1
    out: Array = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101)
    return out
