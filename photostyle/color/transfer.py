"""The colour start: every region of the content takes the colours of its partner in the style.

Per region a linear map carries mean and covariance exactly (Pitié and Kokaram, "The linear
Monge-Kantorovitch linear colour mapping", CVMP 2007, arranged lightness first), a smooth look-up
table (lut.py) carries the rest of the distribution, and guided-filter masks blend the regions
along the content's edges. All arithmetic is in CIELAB, where both the noise and the limits mean
the same in shadows as in highlights.
"""

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.lab import lab_of, rgb_of
from photostyle.color.lut import ColorLut, LutOptions, transport_lut
from photostyle.images.picture import to_array
from photostyle.matting.guided import GuidedFilter
from photostyle.runtime.device import together
from photostyle.segmentation.masks import Weights, counted

Array = NDArray[Any]

SAMPLES = 4096  # colours per region that the look-up table is fitted to
NOISE = np.array([0.5, 1.0, 1.0])  # std of L*, a*, b* in a photograph that means nothing
MAX_GAIN = 4.0  # largest singular value of a region's linear map
FEW_PIXELS = 200.0  # a region of so many pixels is half its own map, half the whole picture's
DENOISE = (1.5, 4.0)  # chroma gains between which smoothed chroma fades in
LEAST_SHARE = 1e-3  # of a pixel in a region, for the region's map to be asked
MIN_TONE = 0.15  # smallest slope from lightness to lightness


@dataclass(frozen=True)
class Moments:
    """Weight (pixels), mean (3,) and covariance (3, 3) of a cloud of colours."""

    weight: float
    mean: Array
    covariance: Array


@dataclass(frozen=True)
class ColorMap:
    """x ↦ (x − source) · matrixᵀ + target + lut(x), on (..., 3) CIELAB colours."""

    matrix: Array
    source: Array
    target: Array
    lut: ColorLut | None = None

    def __call__(self, lab: Array) -> Array:
        matrix, source, target = (
            x.astype(lab.dtype) for x in (self.matrix, self.source, self.target)
        )
        out: Array = (lab - source) @ matrix.T + target
        return out if self.lut is None else out + self.lut(lab)

    def chroma_gain(self) -> float:
        """How much a change of a* and b* alone is amplified."""
        return float(np.linalg.norm(self.matrix[:, 1:], ord=2))


def color_start(
    content: Tensor,
    style: Tensor,
    content_masks: Tensor,
    style_masks: Tensor,
    lut: LutOptions | None = None,
    weights: Weights = (None, None),
) -> Tensor:
    """The content in the style's colours, region by region.

    Args:
        content: 1×3×H×W float32, sRGB in [0, 1].
        style: 1×3×h×w likewise, of any size.
        content_masks: K×H×W float32 in [0, 1], summing to 1 over K.
        style_masks: K×h×w, the partners; an empty one takes the whole style.
        lut: options of the non-linear part; None for the defaults, ``rounds=0`` for none.
        weights: H×W and h×w, how much each pixel counts; the style's masks have theirs already.

    Returns:
        1×3×H×W float32 in [0, 1]; the content itself where style and masks equal it.
    """
    source, target = _to_lab(content), _to_lab(style)
    masks = content_masks.detach().cpu().numpy()
    own = counted(content_masks, weights[0]).detach().cpu().numpy()
    maps = region_maps(source, target, own, style_masks.detach().cpu().numpy(), lut, weights)
    radius = max(2, round(max(source.shape[:2]) / 32))
    soft = soft_masks(to_array(content), masks, radius, 1e-3)
    source = _quiet_chroma(source, to_array(content), soft, maps, max(2, radius // 2))
    return _from_lab(_blended(source, soft, maps)).to(content)


def _blended(source: Array, soft: Array, maps: list[ColorMap]) -> Array:
    """H×W×3 colours under the maps of the regions that they have a share in, K×H×W."""
    colors, shares = source.reshape(-1, 3), soft.reshape(len(soft), -1)
    out, total = np.zeros_like(colors), np.zeros((len(colors), 1), colors.dtype)
    for share, one in zip(shares, maps, strict=True):
        here = np.flatnonzero(share > LEAST_SHARE)
        if len(here):
            part = share[here, None]
            out[here] += part * one(colors[here])
            total[here] += part
    return np.asarray((out / total).reshape(source.shape))


def region_maps(
    source: Array,
    target: Array,
    source_masks: Array,
    target_masks: Array,
    lut: LutOptions | None = None,
    weights: Weights = (None, None),
) -> list[ColorMap]:
    """One map per region, between CIELAB pictures H×W×3 and h×w×3; weights as for `color_start`."""
    lut = lut or LutOptions()
    x, y = source.reshape(-1, 3), target.reshape(-1, 3)
    mine, its = (
        np.concatenate([masks.reshape(len(masks), -1), _ones(z, weight)])
        for z, masks, weight in zip((x, y), (source_masks, target_masks), weights, strict=True)
    )
    clouds = list(zip(all_moments(x, mine), all_moments(y, its), strict=True))
    whole = clouds.pop()

    def region(k: int) -> ColorMap:
        own = clouds[k]
        count = min(own[0].weight, own[1].weight)
        trust = count / (count + FEW_PIXELS)
        linear = _linear_map(*(_mix(o, g, trust) for o, g in zip(own, whole, strict=True)))
        if lut.rounds == 0 or trust <= 0.5:
            return linear
        return _with_lut(
            linear, sample(x, mine[k], SAMPLES), sample(y, its[k], SAMPLES), trust, lut
        )

    return together(*(functools.partial(region, k) for k in range(len(clouds))))


def _ones(colors: Array, weight: Tensor | None) -> Array:
    """1×N, how much each of N colours counts."""
    if weight is None:
        return np.ones((1, len(colors)), np.float32)
    plane: Array = weight.cpu().numpy().reshape(1, -1)
    return plane


def monge_kantorovich(source: Array, target: Array) -> Array:
    """The symmetric positive T with T · source · T = target, for covariances of any size.

    T = A^-½ (A^½ B A^½)^½ A^-½ (Pitié and Kokaram, eq. 9), in float64; A must be regular.
    """
    root, inverse = _power(source, 0.5), _power(source, -0.5)
    out: Array = inverse @ _power(root @ target @ root, 0.5) @ inverse
    return out


def lightness_first(source: Array, target: Array) -> Array:
    """The T with T · source · Tᵀ = target, for 3×3 covariances, that reads lightness alone for
    lightness (the first axis) and moves chroma, given lightness, by Monge-Kantorovich.

    A triangular (Knothe-Rosenblatt) arrangement: what is lighter in the content stays lighter,
    where the plain Monge-Kantorovich map may light a tree and darken the house before it because
    their hues differ.
    """
    slope, wanted = source[1:, 0] / source[0, 0], target[1:, 0] / target[0, 0]
    chroma = monge_kantorovich(
        source[1:, 1:] - np.outer(slope, source[0, 1:]),
        target[1:, 1:] - np.outer(wanted, target[0, 1:]),
    )
    gain = np.sqrt(target[0, 0] / source[0, 0])
    out = np.zeros((3, 3))
    out[0, 0] = gain
    out[1:, 0] = wanted * gain - chroma @ slope
    out[1:, 1:] = chroma
    return out


def moments(colors: Array, weights: Array) -> Moments:
    """Weighted moments of N×3 colours; all zero without any weight."""
    w = weights.astype(np.float64)
    total = float(w.sum())
    if total <= 0:
        return Moments(0.0, np.zeros(3), np.zeros((3, 3)))
    mean = w @ colors / total
    centered = colors - mean
    return Moments(total, mean, (centered * w[:, None]).T @ centered / total)


def all_moments(colors: Array, weights: Array) -> list[Moments]:
    """`moments` of N×3 colours by each of K×N weights, at once and in the colours' precision."""
    middle = colors.mean(axis=0)
    planes = np.ascontiguousarray((colors - middle).T)  # 3×N
    rows, columns = np.triu_indices(3)
    known = np.concatenate([np.ones_like(planes[:1]), planes, planes[rows] * planes[columns]])
    sums = (weights.astype(colors.dtype, copy=False) @ known.T).astype(np.float64)  # K×10
    found = []
    for total, *first, second in ((row[0], row[1:4], row[4:]) for row in sums):
        if total <= 0:
            found.append(Moments(0.0, np.zeros(3), np.zeros((3, 3))))
            continue
        mean = first[0] / total
        square = np.zeros((3, 3))
        square[rows, columns] = square[columns, rows] = second / total
        found.append(Moments(float(total), middle + mean, square - np.outer(mean, mean)))
    return found


def sample(colors: Array, weights: Array, count: int) -> Array:
    """count colours drawn in proportion to the weights, at even steps of their running sum."""
    running = np.cumsum(weights.astype(np.float64))
    at = (np.arange(count) + 0.5) / count * running[-1]
    drawn: Array = colors[np.minimum(np.searchsorted(running, at), len(colors) - 1)]
    return drawn.astype(np.float64)


def soft_masks(image: Array, masks: Array, radius: int, epsilon: float) -> Array:
    """K×H×W masks guided by the H×W×3 image, so that they end where its edges do; sum 1."""
    if len(masks) == 1:
        return np.ones_like(masks)
    guided = GuidedFilter(image, radius, epsilon)
    soft = np.stack([np.clip(guided(mask), 0, 1) for mask in masks]) + 1e-6
    out: Array = soft / soft.sum(axis=0)
    return out


def _linear_map(source: Moments, target: Moments) -> ColorMap:
    noise = np.diag(NOISE**2)
    matrix = lightness_first(source.covariance + noise, target.covariance + noise)
    # Directions in which the content only has noise keep their own small variation: Wiener's
    # factor, variance over variance plus noise, says how much of it is picture.
    signal = source.covariance @ np.linalg.inv(source.covariance + noise)
    matrix = matrix @ signal + np.minimum(1.0, _diagonal_gain(matrix)) * (np.eye(3) - signal)
    left, gain, right = np.linalg.svd(matrix)
    matrix = (left * np.minimum(gain, MAX_GAIN)) @ right
    return ColorMap(matrix, source.mean, target.mean)


def _diagonal_gain(matrix: Array) -> Array:
    return np.asarray(np.abs(np.diag(matrix))[:, None])


def _with_lut(
    linear: ColorMap, source: Array, target: Array, trust: float, options: LutOptions
) -> ColorMap:
    """The linear map and the table for what is left, weakened until tone is monotone."""
    lut = transport_lut(source, linear(source), target, options).scaled(trust)
    steepest = np.diff(lut.nodes[..., 0], axis=0).min() / lut.cell()[0]
    tone = linear.matrix[0, 0]
    if tone + steepest < MIN_TONE * min(1.0, tone):
        lut = lut.scaled(max(0.0, (1 - MIN_TONE) * tone / -steepest))
    return replace(linear, lut=lut)


def _quiet_chroma(
    lab: Array, guide: Array, soft: Array, maps: list[ColorMap], radius: int
) -> Array:
    """Chroma smoothed along the picture where a map would amplify its noise."""
    low, high = DENOISE
    excess = [np.clip((one.chroma_gain() - low) / (high - low), 0, 1) for one in maps]
    weight = sum(e * m for e, m in zip(excess, soft, strict=True))
    if not np.any(weight):
        return lab
    calm = GuidedFilter(guide, radius, 1e-3)(lab[..., 1:])
    out: Array = lab.copy()
    out[..., 1:] += weight[..., None] * (calm - lab[..., 1:])
    return out


def _mix(own: Moments, whole: Moments, trust: float) -> Moments:
    return Moments(
        own.weight,
        trust * own.mean + (1 - trust) * whole.mean,
        trust * own.covariance + (1 - trust) * whole.covariance,
    )


def _power(matrix: Array, exponent: float) -> Array:
    """A power of a symmetric matrix; eigenvalues that rounding made negative count as tiny."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values = np.maximum(values, max(values.max(), 1e-30) * 1e-12)
    out: Array = (vectors * values**exponent) @ vectors.T
    return out


def _to_lab(image: Tensor) -> Array:
    """H×W×3 float32."""
    pixels = image[0].detach().cpu()
    return np.asarray(lab_of(pixels.flatten(1).T).reshape(*pixels.shape[1:], 3).numpy())


def _from_lab(lab: Array) -> Tensor:
    """1×3×H×W float32 in [0, 1]; a colour outside sRGB gives up chroma, not lightness."""
    flat = torch.from_numpy(lab.reshape(-1, 3))
    rgb = rgb_of(flat)
    outside = ((rgb < 0) | (rgb > 1)).any(dim=1).nonzero()[:, 0]
    own = rgb[outside]
    grey = rgb_of(flat[outside] * flat.new_tensor([1.0, 0.0, 0.0])).clamp(0, 1)
    away = own - grey
    room = torch.where(away > 0, 1 - grey, grey)
    keep = (room / away.abs().clamp(min=1e-9)).amin(dim=1, keepdim=True).clamp(max=1)
    rgb[outside] = (grey + keep * away).clamp(0, 1)
    return rgb.reshape(lab.shape).permute(2, 0, 1)[None].float().contiguous()  # 1×3×H×W
