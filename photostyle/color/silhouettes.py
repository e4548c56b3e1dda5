"""Regions that end where the picture's edges do, also where they were drawn roughly.

Near a border the local colours of both sides decide: every pixel of the band goes to the region
whose nearby colours it resembles, the less easily the deeper it lies in its own. An affine function
of the content's colours, fitted in small windows, carries that to any size, and the colours of both
sides tell what a pixel that is half of each is made of.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.spills import without_spills
from photostyle.images.picture import to_array
from photostyle.matting.guided import GuidedFilter

Array = NDArray[Any]

BAND, CORE = 10.0, 6.0  # pixels at a long side of 512: how far from a border is decided anew, and
# how far from it a region's own colours are sure
REACH = 24.0  # standard deviation, in the same pixels, over which a side's colours are taken
NOISE = 0.03**2  # variance of a side's colours that is always allowed
TRUST, DEEPER = 3.0, 0.5  # logarithm of the odds that the drawing is worth at a border, and more
# for every pixel into the region
WINDOW, EPSILON = 2.5, 2e-5  # of the guided fit, in the same pixels and in squared colour
EDGE = 2.5  # of the same pixels on each side of a border that may be of both
LEAST_LINE = 0.15**2  # squared distance of two sides' colours below which a mixture says nothing
#: Over how many of the same pixels, and with what share, colours spread to the mixed ones.
NEARNESS = ((1.0, 2.0), (1e-3, 6.0), (1e-6, 20.0))
FEW = 1e-3  # weight of a region's mean colour where none of its own is near
COARSE = 2  # the sides' colours are kept at one in so many pixels


@dataclass(frozen=True)
class Borders(Brief):
    """Where regions end, at any size.

    Attributes:
        weights: K×4×h×w float32: slopes over r, g, b and offset of every region's weight.
        colors: K×3×h'×w' float32: the region's own colours near each place.
    """

    weights: Tensor
    colors: Tensor


def borders_of(content: Tensor, masks: Tensor) -> Borders:
    """The borders of regions.

    Args:
        content: 1×3×H×W in [0, 1]. masks: K×H×W, summing to 1 over K.
    """
    image = to_array(content).astype(np.float32)
    if len(masks) == 1:
        return Borders(torch.zeros(1, 4, 1, 1), torch.zeros(1, 3, 1, 1))
    scale = max(image.shape[:2]) / 512
    drawn, sure = without_spills(image, masks.cpu().numpy(), scale)
    decision = np.where(sure, drawn, decided(image, drawn, scale))
    sharp, colors = mixed(image, decision, scale)
    # The ridge is far below what float32 windows can tell from nothing.
    guided = GuidedFilter(image.astype(np.float64), max(1, round(WINDOW * scale)), EPSILON)
    slopes, offsets = guided.coefficients(np.moveaxis(sharp, 0, -1))  # K×3×H×W, K×H×W
    weights = np.concatenate([slopes, offsets[:, None]], axis=1)
    small = np.stack([cv2.resize(c, None, fx=1 / COARSE, fy=1 / COARSE) for c in colors])
    return Borders(
        torch.from_numpy(weights).float(), torch.from_numpy(np.moveaxis(small, 3, 1)).float()
    )


def decided(image: Array, masks: Array, scale: float) -> Array:
    """K×H×W masks in which the band along borders follows the colours of both sides."""
    hard = masks == masks.max(axis=0)
    scores, near = [], []
    for own, mask in zip(hard, masks, strict=True):
        inside, outside = (
            np.minimum(cv2.distanceTransform(x, cv2.DIST_L2, 3), 2 * BAND * scale) / scale
            for x in (own.astype(np.uint8), 1 - own.astype(np.uint8))
        )  # bounded, as there is no distance where a region is the whole picture or none of it
        core = _core(inside, scale)
        score = _likelihood(image, core if core.any() else mask, REACH * scale)
        score += np.where(own, TRUST + DEEPER * inside, 0.0)
        near.append(outside < BAND)
        scores.append(np.where(near[-1], score, -1e9))
    odds = np.exp(np.array(scores) - np.max(scores, axis=0))
    odds /= odds.sum(axis=0)
    border = (np.sum(near, axis=0) > 1)[None]
    out: Array = np.where(border, odds, masks)
    return out


def mixed(image: Array, decision: Array, scale: float) -> tuple[Array, Array]:
    """K×H×W masks in which the pixels along a border are mixtures of both sides, and the sides'
    colours K×H×W×3.

    A pixel of an edge is part of one region and part of the next; its share is where its colour
    lies on the line between theirs.
    """
    labels = decision.argmax(axis=0)
    width = max(1.0, EDGE * scale)
    away = np.stack([
        cv2.distanceTransform((labels != k).astype(np.uint8), cv2.DIST_L2, 3)
        for k in range(len(decision))
    ])  # fmt: skip
    inside = np.stack([np.delete(away, k, axis=0).min(axis=0) for k in range(len(decision))])
    colors = np.stack([
        _nearest(image, (labels == k) & (inside[k] > width), scale) for k in range(len(decision))
    ])  # fmt: skip
    first, second = np.argsort(away, axis=0, kind="stable")[:2]
    edge = np.sort(away, axis=0)[1] <= width
    here, there = (
        np.take_along_axis(colors, which[None, ..., None], axis=0)[0] for which in (first, second)
    )
    line = here - there
    length = (line * line).sum(axis=-1)
    share = np.clip(((image - there) * line).sum(axis=-1) / np.maximum(length, 1e-9), 0, 1)
    edge &= length > LEAST_LINE
    out = decision.copy()
    for k in range(len(decision)):
        part = np.where(first == k, share, np.where(second == k, 1 - share, 0.0))
        out[k] = np.where(edge, part, out[k])
    return out, colors


def _nearest(image: Array, sure: Array, scale: float) -> Array:
    """H×W×3 colours of a region's sure pixels, the nearest ones most."""
    core = (sure if sure.any() else np.ones_like(sure)).astype(np.float32)
    own = image * core[..., None]
    total, mean = np.zeros_like(core), np.zeros_like(image)
    for share, pixels in NEARNESS:
        total += share * _blur(core, pixels * scale)
        mean += share * _blur(own, pixels * scale)
    usual = own.sum(axis=(0, 1)) / core.sum()
    out: Array = (mean + 1e-9 * usual) / (total + 1e-9)[..., None]
    return out


def _core(inside: Array, scale: float) -> Array:
    """H×W: the pixels of a region that are surely its own, given their depth in it: deep ones, and
    the middles of what is thin, a spire or a mast."""
    side = 2 * round(2 * CORE * scale) + 1
    thickest = cv2.dilate(inside, np.ones((side, side), np.uint8))
    sure: Array = (inside > np.minimum(CORE, 0.5 * thickest)) & (inside > 0)
    return sure.astype(np.float32)


def _likelihood(image: Array, core: Array, sigma: float) -> Array:
    """H×W logarithm of how likely a colour is in a region near there: a normal distribution of its
    lights and one of its darks, as paint and glass of a car are far apart."""
    light = image.mean(axis=-1)
    near = _blur(core, sigma)
    usual = _blur(light * core, sigma) / (near + 1e-6)
    found = [np.full_like(light, -1e9)]  # of a region without pixels
    for part in (core * (light > usual), core * (light <= usual)):
        if not part.any():
            continue
        own = _blur(part, sigma)
        mean, variance = _side(image, part, own, sigma)
        share = (own + 0.5 * FEW) / (near + FEW)
        away = ((image - mean) ** 2).sum(axis=-1)
        found.append(np.log(share) - 0.5 * away / variance - 1.5 * np.log(variance))
    return np.asarray(np.logaddexp.reduce(found, axis=0))


def _side(image: Array, core: Array, near: Array, sigma: float) -> tuple[Array, Array]:
    """H×W×3 mean colour of a region near each place, and its H×W variance; `near` is the blurred
    core."""
    usual = (image * core[..., None]).sum(axis=(0, 1)) / max(core.sum(), 1e-9)
    total = near + FEW
    mean = (_blur(image * core[..., None], sigma) + FEW * usual) / total[..., None]
    square = _blur((image * image).sum(axis=-1) * core, sigma) + FEW * (usual @ usual)
    variance = np.maximum(square / total - (mean * mean).sum(axis=-1), 0) / 3 + NOISE
    return mean, variance


def _blur(plane: Array, sigma: float) -> Array:
    """Gaussian blur; a wide one at a quarter of the size, where it is the same and cheap."""
    if sigma < 4:
        return cv2.GaussianBlur(plane, (0, 0), max(0.3, sigma))
    size = plane.shape[1::-1]
    small = cv2.resize(plane, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), size)
