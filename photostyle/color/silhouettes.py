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
from photostyle.color.spills import blurred, without_spills
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
    slopes, offsets = guided.coefficients(np.moveaxis(sharp[1:], 0, -1))  # K-1×3×H×W, K-1×H×W
    others = np.concatenate([slopes, offsets[:, None]], axis=1)
    weights = np.concatenate([-others.sum(axis=0, keepdims=True), others])
    weights[0, 3] += 1  # all sum to 1
    small = np.stack([cv2.resize(c, None, fx=1 / COARSE, fy=1 / COARSE) for c in colors])
    return Borders(
        torch.from_numpy(weights).float(), torch.from_numpy(np.moveaxis(small, 3, 1)).float()
    )


def decided(image: Array, masks: Array, scale: float) -> Array:
    """K×H×W masks in which the band along borders follows the colours of both sides."""
    hard = masks == masks.max(axis=0)
    depths = [[
        np.minimum(cv2.distanceTransform(x, cv2.DIST_L2, 3), 2 * BAND * scale) / scale
        for x in (own.astype(np.uint8), 1 - own.astype(np.uint8))
    ] for own in hard]  # fmt: skip
    # bounded, as there is no distance where a region is the whole picture or none of it
    near = np.stack([outside < BAND for _, outside in depths])
    border = near.sum(axis=0) > 1
    if not border.any():
        return masks.copy()
    scores = []
    for own, mask, close, (inside, _) in zip(hard, masks, near, depths, strict=True):
        core = _core(inside, scale)
        score = _likelihood(image, core if core.any() else mask, REACH * scale, border)
        score += np.where(own, TRUST + DEEPER * inside, 0.0)[border]
        scores.append(np.where(close[border], score, -1e9))
    odds = np.exp(np.array(scores) - np.max(scores, axis=0))
    out: Array = masks.copy()
    out[:, border] = odds / odds.sum(axis=0)
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
    first = away.argmin(axis=0)
    others = away.copy()
    np.put_along_axis(others, first[None], np.inf, axis=0)
    nearest = others.min(axis=0)  # of another region than the pixel's own
    colors = np.stack([
        _nearest(image, (labels == k) & (nearest > width), scale) for k in range(len(decision))
    ])  # fmt: skip
    edge = nearest <= width
    own, first, second = image[edge], first[edge], others[:, edge].argmin(axis=0)
    beside = colors[:, edge]  # K×N×3
    each = np.arange(len(own))
    here, there = beside[first, each], beside[second, each]
    line = here - there
    length = (line * line).sum(axis=-1)
    share = np.clip(((own - there) * line).sum(axis=-1) / np.maximum(length, 1e-9), 0, 1)
    told = length > LEAST_LINE
    found = np.zeros((len(decision), len(own)), decision.dtype)
    found[first, each], found[second, each] = share, 1 - share
    out = decision.copy()
    out[:, edge] = np.where(told, found, out[:, edge])
    return out, colors


def _nearest(image: Array, sure: Array, scale: float) -> Array:
    """H×W×3 colours of a region's sure pixels, the nearest ones most."""
    core = (sure if sure.any() else np.ones_like(sure)).astype(np.float32)
    own = image * core[..., None]
    total, mean = np.zeros_like(core), np.zeros_like(image)
    for share, pixels in NEARNESS:
        total += share * blurred(core, pixels * scale)
        mean += share * blurred(own, pixels * scale)
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


def _likelihood(image: Array, core: Array, sigma: float, border: Array) -> Array:
    """N, in the border's order: the logarithm of how likely a colour there is in a region near it:
    a normal distribution of its lights and one of its darks, as paint and glass of a car are far
    apart."""
    light = cv2.transform(image, np.full((1, 3), 1 / 3))
    whole = _sums(image, core)
    near, *colors = cv2.split(blurred(whole, sigma)[..., :4])
    usual = sum(colors) / 3 / (near + 1e-6)
    lights = _sums(image, core * (light > usual))
    found = [np.full(int(border.sum()), -1e9)]  # of a region without pixels
    for part in (lights, whole - lights):
        if not part[..., 0].any():
            continue
        total, mean, variance = _side(part, sigma, border)
        share = (total + 0.5 * FEW) / (near[border] + FEW)
        away = ((image[border] - mean) ** 2).sum(axis=-1)
        found.append(np.log(share) - 0.5 * away / variance - 1.5 * np.log(variance))
    return np.asarray(np.logaddexp.reduce(found, axis=0))


def _sums(image: Array, core: Array) -> Array:
    """H×W×5: weights, colours by weight, and their squares' sum by weight."""
    own = image * core[..., None]
    return np.dstack([core, own, np.einsum("ijc,ijc->ij", image, own)])


def _side(sums: Array, sigma: float, border: Array) -> tuple[Array, Array, Array]:
    """Of a region near each of the border's N places: its weight, N×3 mean colour, and variance."""
    count, *colors = cv2.sumElems(sums[..., :4])
    usual = np.array(colors) / max(count, 1e-9)
    spread = blurred(sums, sigma)[border]
    total = spread[:, 0] + FEW
    mean = (spread[:, 1:4] + FEW * usual) / total[:, None]
    square = (spread[:, 4] + FEW * (usual @ usual)) / total
    variance = np.maximum(square - (mean * mean).sum(axis=-1), 0) / 3 + NOISE
    return spread[:, 0], mean, variance
