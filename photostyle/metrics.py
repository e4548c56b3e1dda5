"""How much of the photograph is left, and how much of the style was taken.

Four measures, none of which needs an encoder: what of the picture no local affine map of the
content explains (the assumption behind the Matting Laplacian: Levin, Lischinski and Weiss, "A
Closed-Form Solution to Natural Image Matting", TPAMI 2008; Luan et al., "Deep Photo Style
Transfer", CVPR 2017), whether the edges are where they were, how far the colours of each region
are from the style's, and whether like colours came out alike (smoothness.py).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.lab import lab_of
from photostyle.errors import ImageError, MaskError
from photostyle.images.heat import heat_picture
from photostyle.images.picture import (
    LUMA,
    PROPORTION_TOLERANCE,
    check_image,
    fit_size,
    image_size,
    resize,
    same_proportions,
)
from photostyle.matting.guided import GuidedFilter
from photostyle.objective.wasserstein import MOST_PIXELS, RegionWasserstein
from photostyle.runtime.device import together
from photostyle.runtime.watching import Log
from photostyle.segmentation.masks import members, resize_masks
from photostyle.segmentation.scene import Scene
from photostyle.smoothness import gains

Array = NDArray[Any]  # float32 or float64

#: Longer side at which pictures are measured, so that results of different sizes compare.
LONG_SIDE = 512
#: Windows of `departure` have sides of 2·RADIUS + 1.
RADIUS = 4
#: Ridge on the slopes of the affine maps, per pixel: large enough that a map must not blow up
#: the content's noise to explain what was added.
RIDGE = 1e-4
#: Least variance, three channels together, that a share is taken of: four 8-bit levels in each
#: channel. Of much weaker structure the ridge lets no map explain all, and it is hardly seen.
NOISE = 3 * (4 / 255) ** 2
#: ΔE below which content and style have the same colours to begin with.
SAME_COLOURS = 0.5
#: Root mean square deviation in ΔE under which a style has no picture in it, one colour only.
ONE_COLOUR = 3.0

_LUMA = np.array(LUMA, np.float32)
_BLUR = 1.5  # standard deviation of the windows of SSIM
_SSIM_MEAN, _SSIM_VARIANCE = 0.01**2, 0.03**2
#: Percentile of the gradient that normalised edge maps set to 1, and where they end.
_STRONG, _STRONGEST = 99, 1.5
_LEVEL_EDGE = 4 / 255  # Sobel's answer to a step of one 8-bit level


@dataclass(frozen=True)
class Scores(Brief):
    """A result against its content and its style.

    Attributes:
        structure: in [0, 1], higher is better: share of the result's local variance that local
            affine maps of the content explain, over the whole picture. Does not see detail that
            was lost.
        edges: at most 1, higher is better: structural similarity of the edges of the content
            and the result.
        colour: ≥ 0, in ΔE, lower is better: sliced 2-Wasserstein distance to the style's
            colours in CIELAB, per region, area-weighted mean.
        content_colour: the same for the content itself: no style taken.
        style_taken: in [0, 1], higher is better: 1 − colour / content_colour; 1 where the
            content has the style's colours (content_colour < 0.5).
        smoothness: median gain of the differences between like colours of a region, ΔE out over
            ΔE in; 1 keeps the content's contrast.
        stain: at least 1, lower is better: 1 + the 95th percentile of such gains above the
            usual gain of their colour; 1 where like colours came out alike.
    """

    structure: float
    edges: float
    colour: float
    content_colour: float
    style_taken: float
    smoothness: float
    stain: float


def measure(
    image: Tensor,
    content: Tensor,
    style: Tensor,
    content_masks: Tensor,
    style_masks: Tensor,
    weight: Tensor | None = None,
) -> Scores:
    """Score a result, everything reduced to a long side of at most 512 pixels.

    Args:
        image, content: 1×3×H×W float32 sRGB in [0, 1]; the sizes may differ, the proportions not.
        style: 1×3×h×w, likewise, of any size.
        content_masks, style_masks: K×H×W and K×h×w float32 in [0, 1], of any size; for the pixels
            that belong see `members`. Regions under 30 pixels on a side are left out, and without
            any region the colour distances are 0.
        weight: H×W in [0, 1] of the content, of any size: how much each pixel counts.

    Raises:
        ImageError: a picture breaks the contract or the result has other proportions.
        MaskError: content and style have different numbers of masks.
    """
    for picture, name in ((image, "The result"), (content, "The content"), (style, "The style")):
        check_image(picture, name)
    _check_proportions(image, content)
    if len(content_masks) != len(style_masks):
        raise MaskError(
            "Content and style need the same number of masks, "
            f"not {len(content_masks)} and {len(style_masks)}."
        )
    # A result smaller than that is not enlarged: the content would keep detail it cannot have.
    size = fit_size(image_size(content), min(LONG_SIDE, max(image_size(image))))
    style_size = fit_size(image_size(style), LONG_SIDE)
    image, content = resize(image, size).cpu(), resize(content, size).cpu()
    style = resize(style, style_size).cpu()
    masks = resize_masks(content_masks.cpu(), size)
    partners = resize_masks(style_masks.cpu(), style_size)
    seen = np.ones(size) if weight is None else resize_masks(weight[None].cpu(), size)[0].numpy()
    pictures = _pixels(image), _pixels(content)
    (colour, content_colour), (smoothness, stain), (structure, edges) = together(
        lambda: _colour_distances((image, content), style, masks, partners),
        lambda: gains(image, content, masks),
        lambda: (_structure(*pictures, seen), _edge_similarity(*pictures, seen)),
    )
    taken = 1.0 if content_colour < SAME_COLOURS else 1 - colour / content_colour
    return Scores(
        structure=structure, edges=edges, colour=colour, content_colour=content_colour,
        style_taken=min(max(taken, 0.0), 1.0), smoothness=smoothness, stain=stain,
    )  # fmt: skip


def style_note(style: Tensor, weight: Tensor | None = None) -> str | None:
    """A sentence for the user when a style (1×3×h×w in [0, 1]) is all but one colour: `style_taken`
    then says nothing, for a picture that took that colour and lost itself scores full marks.

    Args:
        weight: h×w, 0 for pixels that do not count.
    """
    colors = style[0].reshape(3, -1)
    if weight is not None:
        colors = colors[:, weight.reshape(-1) > 0]
    lab = lab_of(colors[:, :: max(1, colors.shape[1] // MOST_PIXELS)].T)
    if float((lab - lab.mean(dim=0)).square().sum(dim=1).mean().sqrt()) >= ONE_COLOUR:
        return None
    shade = "almost black" if float(lab[:, 0].mean()) < 10 else "almost a single colour"
    return f"The style is {shade}: there is little to take, and the share taken says nothing."


def measured(image: Tensor, scene: Scene, log: Log) -> Scores:
    """The last stage: a result's scores, with a note where the style makes them say nothing."""
    with log.stage("measure"):
        content, style, masks, partners = (x.cpu() for x in scene.pair)
        scores = measure(image, content, style, masks, partners, scene.weights[0])
        if note := style_note(scene.style, scene.weights[1]):
            log.note("measure", note)
    return scores


def departure(image: Tensor, content: Tensor) -> Tensor:
    """Where a picture departs from its content: H×W float32 in [0, 1], on the image's device.

    Per pixel, the share of the image's variance in the 9×9 window around it, three channels
    together, that the best affine map of the content's colours there leaves unexplained. Windows
    end at the border. With colours I, μ and Σ their mean and covariance in the window, and
    covariance c with a channel v, the map is a = (Σ + ε·1)⁻¹c, ε = 1e-4, and what it leaves is
    var(v) − 2aᵀc + aᵀΣa (ridge regression; Levin et al. 2008, equation 7, centred). Variances
    under four 8-bit levels per channel count as that much, so that noise in a plain surface is not
    reported as a large share of next to nothing.

    Args:
        image, content: 1×3×H×W float32 sRGB in [0, 1], of one size.

    Raises ImageError where they are not.
    """
    check_image(image, "The result")
    check_image(content, "The content")
    if image_size(image) != image_size(content):
        raise ImageError(
            f"The result should have the content's size, {_named(content)}, not {_named(image)}."
        )
    energy, variance = _energies(_pixels(image), _pixels(content))
    share = np.clip(energy / np.maximum(variance, NOISE), 0, 1).astype(np.float32)
    return torch.from_numpy(share).to(image.device)


def heatmap(image: Tensor, content: Tensor) -> Tensor:
    """`departure` as a picture over the content: 1×3×H×W float32 in [0, 1], on the image's device.

    Takes and raises what `departure` does.
    """
    return heat_picture(departure(image, content), content)


def _named(image: Tensor) -> str:
    return f"{image.shape[-1]}×{image.shape[-2]}"


def _pixels(image: Tensor) -> Array:
    pixels: Array = image.detach()[0].permute(1, 2, 0).cpu().numpy()  # H×W×3
    return pixels


def _check_proportions(image: Tensor, content: Tensor) -> None:
    (height, width), (h, w) = image_size(image), image_size(content)
    # Rounding to whole pixels is a matter of small pictures, not of other proportions.
    allowed = max(PROPORTION_TOLERANCE, 1 / min(height, width, h, w))
    if not same_proportions((height, width), (h, w), allowed):
        raise ImageError(
            f"The result should have the content's proportions, {_named(content)}, "
            f"but is {_named(image)}."
        )


def _energies(image: Array, content: Array) -> tuple[Array, Array]:
    """Unexplained and whole variance of each pixel's window, summed over channels: H×W float64.

    Takes H×W×3.
    """
    fit = GuidedFilter(content.astype(np.float64), RADIUS, RIDGE)
    energy, variance = np.zeros((2, *fit.count.shape))
    for channel in np.moveaxis(image.astype(np.float64), 2, 0):
        plane = channel - channel.mean()  # centred, or the variances are differences of squares
        mean = _window_mean(plane, fit)
        whole = np.maximum(_window_mean(plane * plane, fit) - mean * mean, 0)
        covariance = [
            _window_mean(guide * plane, fit) - guide_mean * mean
            for guide, guide_mean in zip(fit.guide, fit.mean, strict=True)
        ]
        energy += np.clip(whole - _explained(covariance, fit.inverse), 0, whole)
        variance += whole
    return energy, variance


def _explained(covariance: list[Array], inverse: list[Array]) -> Array:
    """2aᵀc − aᵀΣa = aᵀc + ε aᵀa, since Σa = c − ε a: no Σ is needed."""
    rows = ((0, 1, 2), (1, 3, 4), (2, 4, 5))  # of the symmetric inverse's six entries
    explained = np.zeros_like(covariance[0])
    for row, c in zip(rows, covariance, strict=True):
        slope = sum(inverse[k] * other for k, other in zip(row, covariance, strict=True))
        explained += slope * (c + RIDGE * slope)
    return explained


def _window_mean(plane: Array, fit: GuidedFilter) -> Array:
    side = (2 * RADIUS + 1, 2 * RADIUS + 1)
    total: Array = cv2.boxFilter(
        np.ascontiguousarray(plane), -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return total / fit.count


def _structure(image: Array, content: Array, seen: Array) -> float:
    """Of energies, not the mean of shares: a large plain sky must not outvote the picture. Pixels
    count by their H×W weights."""
    energy, variance = (np.average(x, weights=seen) for x in _energies(image, content))
    return 1.0 - float(energy / max(variance, NOISE))


def _edge_similarity(image: Array, content: Array, seen: Array) -> float:
    """Mean SSIM (Wang et al. 2004, equation 13) of the edge maps of two H×W×3 pictures, by the
    pixels' H×W weights."""
    x, y = _edge_map(image, seen), _edge_map(content, seen)
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x) - mean_x**2 + _blurred(y * y) - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _SSIM_MEAN) / (mean_x**2 + mean_y**2 + _SSIM_MEAN)
    structure = (2 * covariance + _SSIM_VARIANCE) / (variances + _SSIM_VARIANCE)
    return float(np.average(luminance * structure, weights=seen))


def _edge_map(image: Array, seen: Array) -> Array:
    """H×W float64 gradient magnitude of the luma, 1 at a strong edge of this very picture, where
    that is seen."""
    luma = (image @ _LUMA).astype(np.float64)
    across = cv2.Sobel(luma, -1, 1, 0, borderType=cv2.BORDER_REFLECT)
    down = cv2.Sobel(luma, -1, 0, 1, borderType=cv2.BORDER_REFLECT)
    magnitude: Array = np.hypot(across, down)
    strong = max(float(np.percentile(magnitude[seen > 0], _STRONG)), _LEVEL_EDGE)
    return np.minimum(magnitude / strong, _STRONGEST)


def _blurred(plane: Array) -> Array:
    out: Array = cv2.GaussianBlur(plane, (0, 0), _BLUR, borderType=cv2.BORDER_REFLECT)
    return out


def _colour_distances(
    images: tuple[Tensor, ...], style: Tensor, masks: Tensor, partners: Tensor
) -> list[float]:
    """For each 1×3×H×W image, the area-weighted mean of its regions' distances to the style."""
    colors = [image.detach()[0].reshape(3, -1) for image in images]
    flat = style.reshape(1, 3, 1, -1)  # 1×3×h×w -> 1×3×1×hw
    totals, area = [0.0] * len(images), 0
    for mask, partner in zip(members(masks), members(partners), strict=True):
        inside, source = (m.reshape(-1).nonzero()[:, 0] for m in (mask, partner))
        pixels, sample = _thinned(inside), _thinned(source)
        distance = RegionWasserstein(
            flat[..., sample], torch.ones(1, 1, len(pixels)), torch.ones(1, 1, len(sample))
        )
        if not distance.targets:  # too small to say
            continue
        area += len(inside)
        # It gives the square, of which no mean over regions is a ΔE.
        labs = (lab_of(rgb[:, pixels].T) for rgb in colors)
        roots = [max(float(distance(lab)), 0.0) ** 0.5 for lab in labs]
        totals = [t + len(inside) * root for t, root in zip(totals, roots, strict=True)]
    return [total / max(area, 1) for total in totals]


def _thinned(rows: Tensor) -> Tensor:
    """As many of the row numbers as the distance uses, always the same, in order."""
    if len(rows) <= MOST_PIXELS:
        return rows
    chosen = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:MOST_PIXELS]
    return rows[chosen.sort().values]
