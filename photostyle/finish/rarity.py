"""Colours that are rare in their region: a trunk among leaves, a flag, a person on a lawn.

What is asked of a region, its colours' statistics, is met by dyeing everything in it, and one map
of its colours dyes small things of another material along with the rest. They are found by the
density of the region's own chroma, and keep part of theirs.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from photostyle.color.lab import lab_to_rgb, rgb_to_lab
from photostyle.matting.guided import Array, GuidedFilter
from photostyle.segmentation.masks import counted, members

#: a* and b* reach so far from grey; bins of the histogram; deviation of its blur: all in ΔE.
REACH, BIN, BLUR = 104.0, 2.0, 4.0
#: Density, as a share of the region's median, from which a colour counts as one of its own.
COMMON = 0.25
#: Radius of the windows along the content's edges, as a share of the long side, and their ridge.
WINDOW, EPSILON = 6 / 512, 1e-3
#: Regions of fewer pixels have no colours of their own to be rare among.
LEAST_PIXELS = 200


def rarity(content: Tensor, masks: Tensor, weight: Tensor | None = None) -> Tensor:
    """How rare each place's colour is in its region: H×W in [0, 1] for a 1×3×H×W content.

    Args:
        masks: K×H×W, summing to 1 over K. weight: H×W, of the pixels.
    """
    guide = content[0].detach().cpu().permute(1, 2, 0).double().numpy()  # 1×3×H×W -> H×W×3
    smooth = GuidedFilter(guide, max(1, round(WINDOW * max(guide.shape))), EPSILON)
    chroma = smooth(_lab(content)[..., 1:])
    common = np.zeros(guide.shape[:2])
    inner = members(counted(masks, weight)).cpu().numpy()
    for mask, inside in zip(masks.detach().cpu().double().numpy(), inner, strict=True):
        few = int(inside.sum()) < LEAST_PIXELS
        common += mask * (1.0 if few else _commonness(chroma, inside))
    rare = 1 - np.clip(smooth(np.clip(common, 0, 1)), 0, 1)
    return torch.from_numpy(rare).float()


def kept_chroma(image: Tensor, content: Tensor, share: Tensor) -> Tensor:
    """The image with part of the content's own chroma, in its own lightness.

    Args:
        image, content: 1×3×H×W in [0, 1].
        share: H×W in [0, 1] of the content's chroma. In a place that became darker the content's
            chroma fades in proportion, as a surface's does in less light.
    """
    found, own = (rgb_to_lab(x[0].reshape(3, -1).T) for x in (image, content))
    light = (found[:, :1] / own[:, :1].clamp(min=1.0)).clamp(0.0, 1.0)
    part = share.to(found).reshape(-1, 1)
    mixed = torch.lerp(found[:, 1:], own[:, 1:] * light, part)
    rgb = lab_to_rgb(torch.cat([found[:, :1], mixed], dim=1)).clamp(0.0, 1.0)
    out = torch.where(part > 0, rgb, image[0].reshape(3, -1).T)
    return out.T.reshape(image.shape)


def _commonness(chroma: Array, inside: Array) -> Array:
    """Density of each place's chroma among those inside, 1 from `COMMON` of their median on."""
    edges = np.arange(-REACH, REACH + BIN, BIN)
    counts = np.histogramdd(chroma[inside], bins=[edges, edges])[0]
    density = cv2.GaussianBlur(counts, (0, 0), BLUR / BIN)
    last = len(edges) - 2
    at = np.clip(((chroma + REACH) / BIN).astype(int), 0, last)
    here: Array = density[at[..., 0], at[..., 1]]
    out: Array = np.clip(here / (COMMON * np.median(here[inside])), 0, 1)
    return out


def _lab(image: Tensor) -> Array:
    """H×W×3 float64."""
    flat = rgb_to_lab(image[0].detach().cpu().double().reshape(3, -1).T)
    out: Array = flat.reshape(*image.shape[2:], 3).numpy()  # N×3 -> H×W×3
    return out
