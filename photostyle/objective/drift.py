"""Slow colour drift within a material: what makes a recoloured photograph look stained.

A colour transfer gives equal colours of the content equal colours in the result. What an
optimiser adds to that, a pink patch on a white car, comes as a low-frequency difference that no
map of the content's colours explains. This measures it: per region, the best quadratic map from
content to result is taken off in CIELAB, and the low-passed rest is squared. A broad change of
light over a plain backdrop is no stain, and is let through.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.runtime.device import constant
from photostyle.segmentation.masks import members

#: Standard deviation of the low-pass and of the windows, as a share of the long side.
SIGMA = 0.02
#: Standard deviation in ΔE at which a window holds a picture rather than a plain surface.
PLAIN_DEVIATION = 2.0
#: How far from the region's border windows stay, as a share of the long side.
BORDER = 0.01
#: Ridge of the quadratic fit, per pixel.
RIDGE = 1e-4
#: Scale of the basis of light falls. Small against the ridge's square root, so that a fall of
#: light is explained in part only: it is let through, at a price.
LIGHT = 0.05
#: Least weight of a region in the style terms, however plain.
LEAST_WEIGHT = 0.02
LEAST_PIXELS = 50
#: Standard deviation in ΔE from which a style region counts as fully textured.
FULL_CONTRAST = 300.0**0.5
#: Least sigma in pixels to which a picture may be shrunk before it is blurred.
LEAST_SIGMA = 3.0


@dataclass(frozen=True)
class _RegionFit:
    pixels: Tensor  # M row numbers
    basis: Tensor  # M×B
    inverse: Tensor  # B×B, of the normal equations
    weight: Tensor  # 1×1×H×W, zero outside the region
    spread: Tensor  # 1×1×H×W, the low-passed mask


class Drift:
    """Callable on the picture's N×3 CIELAB values: mean weighted squared drift, in ΔE².

    Args:
        content: 1×3×H×W. masks: K×H×W; for the pixels that belong see `members`.
        activity: K×H×W from `activity`.
        plain: how much more drift weighs where there is nothing to see but a surface.
    """

    def __init__(self, content: Tensor, masks: Tensor, activity: Tensor, plain: float) -> None:
        self.size = content.shape[2], content.shape[3]
        self.sigma = SIGMA * max(self.size)
        colors = _color_basis(rgb_to_lab(content[0].reshape(3, -1).T))
        self.regions: list[_RegionFit] = []
        for inside, active in zip(members(masks), activity, strict=True):
            pixels = inside.reshape(-1).nonzero()[:, 0]
            if len(pixels) < LEAST_PIXELS:
                continue
            basis = torch.cat([colors[pixels], _light_basis(1 - active)[pixels]], dim=1)
            hard = inside.to(content)[None, None]
            weight = hard * (1 + plain * (1 - active))
            spread = low_pass(hard, self.sigma) + 1e-6
            self.regions.append(_RegionFit(pixels, basis, _inverse(basis), weight, spread))
        self.count = sum(len(region.pixels) for region in self.regions)

    def __call__(self, lab: Tensor) -> Tensor:
        loss = lab.sum() * 0.0
        for region in self.regions:
            values = lab[region.pixels]
            fit = region.basis @ (region.inverse @ (region.basis.T @ values))
            rest = torch.zeros_like(lab).index_copy(0, region.pixels, values - fit)
            plane = rest.T.reshape(1, 3, *self.size)  # N×3 -> 1×3×H×W
            slow = low_pass(plane, self.sigma) / region.spread
            loss = loss + (slow.square() * region.weight).sum()
        return loss / max(1, self.count)


def activity(content: Tensor, masks: Tensor) -> Tensor:
    """How much picture, in [0, 1], lies around each pixel: K×H×W, each region seen by itself.

    0 is a plain surface; a window whose colours deviate by several ΔE is near 1. The region's
    own border does not count, for the object behind it is no texture of the backdrop.
    """
    size = content.shape[2], content.shape[3]
    sigma, border = SIGMA * max(size), max(1, round(BORDER * max(size)))
    lab = rgb_to_lab(content[0].reshape(3, -1).T).T.reshape(1, 3, *size)
    out = []
    for mask in members(masks):
        hard = mask.to(content)[None, None]
        core = 1 - F.max_pool2d(1 - hard, 2 * border + 1, stride=1, padding=border)
        if core.sum() < 0.2 * hard.sum():  # a region of thin parts is all border
            core = hard
        share = low_pass(core, sigma).clamp(min=1e-4)
        # Centred, because the variance is a difference of two squares.
        rest = (lab - (lab * core).sum((2, 3), keepdim=True) / core.sum().clamp(min=1)) * core
        mean = low_pass(rest, sigma) / share
        variance = low_pass(rest.square(), sigma) / share - mean.square()
        out.append(1 - torch.exp(-variance.clamp(min=0).sum(dim=1) / PLAIN_DEVIATION**2))
    return torch.cat(out)


def region_weights(activity: Tensor, masks: Tensor) -> Tensor:
    """K factors for the style terms: a plain region cannot take a textured one's statistics."""
    mean = (masks * activity).sum(dim=(1, 2)) / masks.sum(dim=(1, 2)).clamp(min=1)
    return mean.clamp(min=LEAST_WEIGHT)


def style_contrast(style: Tensor, masks: Tensor) -> Tensor:
    """K factors in [0, 1] for the Gram terms: a style region without contrast has no texture to
    give, and its statistics would only blotch.

    Args:
        style: 1×3×h×w. masks: K×h×w.
    """
    lab = rgb_to_lab(style[0].reshape(3, -1).T)  # N×3
    shares = masks.flatten(1)  # K×N
    shares = shares / shares.sum(dim=1, keepdim=True).clamp(min=1e-6)
    mean = shares @ lab
    variance = torch.stack(
        [s @ (lab - m).square().sum(1) for s, m in zip(shares, mean, strict=True)]
    )
    return (variance / FULL_CONTRAST**2).clamp(max=1.0)


def low_pass(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of 1×C×H×W planes, edge values repeated beyond the border.

    A wide one is done on a smaller picture, where it costs a hundredth and differs by little.
    """
    size = (image.shape[2], image.shape[3])
    factor = max(1, int(sigma / LEAST_SIGMA))
    small = (max(1, size[0] // factor), max(1, size[1] // factor))
    if small != size:
        image = F.interpolate(image, small, mode="area")
    image = _blur(image, sigma / factor)
    return image if small == size else F.interpolate(image, size, mode="bilinear")


def _blur(image: Tensor, sigma: float) -> Tensor:
    reach = max(1, int(3 * sigma))
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    channels = image.shape[1]
    tall = kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    wide = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    image = F.conv2d(F.pad(image, (0, 0, reach, reach), "replicate"), tall, groups=channels)
    return F.conv2d(F.pad(image, (reach, reach, 0, 0), "replicate"), wide, groups=channels)


def _color_basis(lab: Tensor) -> Tensor:
    """N×10: constant, linear and quadratic terms of colours scaled to about [-1, 1]."""
    z = lab / 50 - constant((1.0, 0.0, 0.0), lab)
    i, j = torch.triu_indices(3, 3)
    return torch.cat([torch.ones_like(z[:, :1]), z, z[:, i] * z[:, j]], dim=1)


def _light_basis(plain: Tensor) -> Tensor:
    """N×5: linear and quadratic falls of light over the plain parts of an H×W picture."""
    height, width = plain.shape
    y = torch.linspace(-1, 1, height, device=plain.device)[:, None].expand(height, width)
    x = torch.linspace(-1, 1, width, device=plain.device)[None].expand(height, width)
    falls = torch.stack([x, y, x * y, x.square() - 0.5, y.square() - 0.5], dim=-1)
    return (LIGHT * falls * plain.square()[..., None]).reshape(-1, 5)  # H×W×5 -> N×5


def _inverse(basis: Tensor) -> Tensor:
    precise = basis.double()
    ridge = RIDGE * len(basis) * torch.eye(basis.shape[1], device=basis.device).double()
    inverse: Tensor = torch.linalg.inv(precise.T @ precise + ridge).to(basis)
    return inverse
