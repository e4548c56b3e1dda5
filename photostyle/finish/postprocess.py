"""Post-processing: what is done to the optimised picture, seen beside the content.

All images are 1×3×H×W float32 in [0, 1], the content at the image's size.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.images.picture import to_array
from photostyle.matting.guided import Array
from photostyle.matting.maps import LocalAffine, fit_local_affine

#: Radii and diameters given "at 512" are scaled with the picture's long side, so that an option
#: means the same look at any size.
REFERENCE_SIDE = 512
#: Photorealism weight from which `guided` holds the picture as firmly as its options say.
FULL_WEIGHT = 1e4
#: Ridge of the 3×3 affine fits of `smoothed_affine`, per pixel, on colours in [0, 1].
FIT_RIDGE = 1e-4
#: Rows that `smoothed_affine` works on at a time: few enough to stay in the processor's cache.
STRIP = 16


def guided(image: Tensor, content: Tensor, radius: float, epsilon: float) -> LocalAffine:
    """The picture's smoothed, locally affine maps of the content (a colour guided filter), which
    `render` applies to the content at any size.

    Args:
        radius: of the windows, in pixels for a long side of 512.
        epsilon: ridge on the maps, in squared units of the content.

    Source: He, Sun, Tang 2013, eq. 19; it does for whole windows what Luan et al.'s post-processing
    does for 3×3 ones, in time that does not depend on the radius.
    """
    radius = max(1, round(radius * max(image.shape[2:]) / REFERENCE_SIDE))
    return fit_local_affine(image, content, radius, epsilon)


def loosened(radius: float, epsilon: float, photoreal_weight: float) -> tuple[float, float]:
    """Radius and epsilon of `guided` for a photorealism weight.

    The projection is a photorealism constraint of its own: under a small weight it would take back
    all that the weight allowed. Below `FULL_WEIGHT` the ridge therefore shrinks with the weight
    and the windows with its cube root, so that at a hundredth of it they are about a fifth as wide;
    from there on both are as given.
    """
    share = min(1.0, max(photoreal_weight / FULL_WEIGHT, 1e-4))
    return radius * share ** (1 / 3), epsilon * share


def bilateral(image: Tensor, diameter: int, color: float) -> Tensor:
    """OpenCV's bilateral filter.

    Args:
        diameter: of the neighbourhood, in pixels for a long side of 512.
        color: range sigma, in units of the [0, 1] image; the spatial sigma is a third of the
            diameter.

    Source: Tomasi and Manduchi 1998.
    """
    diameter = max(3, round(diameter * max(image.shape[2:]) / REFERENCE_SIDE))
    out = cv2.bilateralFilter(to_array(image), diameter, color, diameter / 3)
    return _tensor(out).to(image.device)


def joint_bilateral(image: Tensor, content: Tensor, diameter: int, color: float) -> Tensor:
    """Bilateral filter whose range weights come from the content, so that its edges stay.

    Args:
        diameter: of the neighbourhood, in pixels for a long side of 512; time grows with its
            square.
        color: range sigma, in units of the [0, 1] content; the spatial sigma is a third of the
            radius.

    Source: Petschnigg et al. 2004, "Digital Photography with Flash and No-Flash Image Pairs",
    eq. 5.
    """
    radius = max(1, round(diameter * max(image.shape[2:]) / REFERENCE_SIDE / 2))
    out = torch.empty_like(image[0])
    for top in range(0, out.shape[1], STRIP):
        rows = slice(top, min(top + STRIP, out.shape[1]))
        out[:, rows] = _bilateral_rows(image[0], content[0], rows, radius, color)
    return out.clamp_(0.0, 1.0)[None]


def median(image: Tensor, diameter: int) -> Tensor:
    """Median of every channel over squares.

    Args:
        diameter: side of the squares, in pixels for a long side of 512; rounded to an odd number.
    """
    radius = max(1, round(diameter * max(image.shape[2:]) / REFERENCE_SIDE / 2))
    planes = image[0].detach().cpu().numpy()
    side = 2 * radius + 1
    from scipy import ndimage

    out = np.stack([ndimage.median_filter(p, size=side, mode="nearest") for p in planes])
    return torch.from_numpy(out)[None].to(image.device)


def smoothed_affine(image: Tensor, content: Tensor, radius: int, edge: float) -> Tensor:
    """Luan et al.'s final step: a 3×3 affine fit content → image around every pixel, its 12
    coefficients smoothed by a bilateral guided by the content, applied to the content.

    Args:
        radius: of the bilateral's window, in pixels; its spatial sigma is a third of it.
        edge: its range sigma, in units of the [0, 1] content.
    """
    coefficients = _affine_fits(content[0], image[0])  # 12×H×W
    out = torch.empty_like(image[0])
    for top in range(0, out.shape[1], STRIP):
        rows = slice(top, min(top + STRIP, out.shape[1]))
        smooth = _bilateral_rows(coefficients, content[0], rows, radius, edge)
        slope = smooth[:9].reshape(3, 3, *smooth.shape[1:])  # 9×h×W -> 3×3×h×W
        out[:, rows] = (slope * content[0][:, rows]).sum(1) + smooth[9:]
    return out.clamp_(0.0, 1.0)[None]


def _affine_fits(content: Tensor, image: Tensor) -> Tensor:
    """Ridge fits image ≈ A·content + b in every 3×3 window: 12×H×W, A row by row, then b."""

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(x[None], (1, 1, 1, 1), mode="reflect"), 3, 1)[0]

    c, v = content.double(), image.double()
    mc, mv = mean(c), mean(v)
    outer = (c[:, None] * c[None]).flatten(0, 1)  # 3×3×H×W -> 9×H×W
    cross = (v[:, None] * c[None]).flatten(0, 1)  # 3×3×H×W -> 9×H×W
    cov = mean(outer).reshape(3, 3, *c.shape[1:]) - mc[:, None] * mc[None]
    cov_vc = mean(cross).reshape(3, 3, *c.shape[1:]) - mv[:, None] * mc[None]
    ridge = FIT_RIDGE * torch.eye(3, dtype=c.dtype, device=c.device)
    # A flat window has no slope of its own; the ridge pulls it towards the gain that keeps the
    # content's contrast, not towards zero, which would blur.
    left = cov.permute(2, 3, 0, 1) + ridge  # 3×3×H×W -> H×W×3×3
    right = cov_vc.permute(2, 3, 0, 1) + ridge  # 3×3×H×W -> H×W×3×3
    slope = torch.linalg.solve(left, right, left=False).permute(2, 3, 0, 1)
    offset = mv - (slope * mc).sum(1)
    return torch.cat([slope.flatten(0, 1), offset]).float()


def _bilateral_rows(values: Tensor, guide: Tensor, rows: slice, radius: int, edge: float) -> Tensor:
    """Joint bilateral average of C×H×W `values` for some rows; what is outside has no weight."""
    height, width = guide.shape[1:]
    here = guide[:, rows]
    total = torch.zeros_like(values[:, rows])
    norm = torch.zeros_like(here[0])
    for dy in range(-radius, radius + 1):
        y0, y1 = max(rows.start + dy, 0), min(rows.stop + dy, height)
        if y0 >= y1:
            continue
        ty = slice(y0 - dy - rows.start, y1 - dy - rows.start)
        for dx in range(-radius, radius + 1):
            tx = slice(max(-dx, 0), width - max(dx, 0))
            if tx.start >= tx.stop:
                continue
            sx = slice(tx.start + dx, tx.stop + dx)
            far = (dy * dy + dx * dx) / (2 * (radius / 3) ** 2)
            change = (here[:, ty, tx] - guide[:, y0:y1, sx]).square().sum(0) / (2 * edge**2)
            weight = torch.exp(-change - far)
            total[:, ty, tx].addcmul_(values[:, y0:y1, sx], weight)
            norm[ty, tx] += weight
    return total / norm


def _tensor(array: Array) -> Tensor:
    image = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1), np.float32))
    return image.clamp_(0.0, 1.0)[None]  # H×W×3 -> 1×3×H×W
