"""A look learnt from one picture before and after somebody changed it."""

from __future__ import annotations  # help() has the names of kinds, not their lists

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief
from photostyle.color.lab import delta_e
from photostyle.color.terms import COLORS, HEIGHT
from photostyle.errors import LookError
from photostyle.finish.distil import LINEAR, QUADRATIC, distilled
from photostyle.images.given import PictureLike, picture_of
from photostyle.images.photograph import photograph
from photostyle.images.picture import (
    LUMA,
    Photo,
    fit_size,
    image_size,
    resize,
    same_proportions,
    to_array,
)
from photostyle.images.sheets import thumbnail
from photostyle.looks.drawn import Regions, planes_of, regions_of
from photostyle.looks.look import Look
from photostyle.looks.provenance import About, facts_of, png_of
from photostyle.segmentation.arrays import MaskLike

Array = NDArray[Any]

#: Long side at which a pair is compared and fitted.
SIDE = 700
#: An aligned pair has many pixels and no chance in it, so more may be learnt from it.
CUBIC = tuple(range(COLORS))
FREEDOMS = (LINEAR, QUADRATIC, CUBIC, (*CUBIC, *HEIGHT))
RIDGE = 1e-6
#: Pixels by which after may lie beside before, and least correlation of the edges of both.
APART, LEAST_EDGES = 1.5, 0.35
#: Peak of the phase correlation from which the shift that it finds is believed.
SURE = 0.15
#: Mean edge below which a picture has nothing to be aligned by.
EVEN = 2e-3


@dataclass(frozen=True)
class Learnt(Brief):
    """A look, and how far it is from the pair: mean and 95th percentile of the distance in CIELAB,
    and mean of what before and after have."""

    look: Look
    mean: float
    most: float
    change: float

    def __str__(self) -> str:
        return (
            f"The look is ΔE {self.mean:.2f} from the after (95th percentile {self.most:.2f}), "
            f"which is {self.change:.2f} from the before."
        )


def learn_look(
    before: PictureLike, after: PictureLike, masks: Regions | MaskLike | None = None
) -> Learnt:
    """The look that takes one picture to another of the same, pixel by pixel.

    Args:
        before, after: pictures in any form and of any sizes; see `stylize`.
        masks: the regions of both, in any form, for a map each.

    Raises:
        ImageError: a picture cannot be read. LookError: the two are not aligned.
    """
    photos = [
        photograph(picture_of(given, name))
        for given, name in ((before, "The before"), (after, "The after"))
    ]
    source, goal = _fitted(*photos)
    if fault := misaligned(source, goal):
        raise LookError(f"{photos[0].called} and {photos[1].called} do not align: {fault}.")
    ones = torch.ones(1, *image_size(source))
    look = Look(distilled(goal, source, ones, None, FREEDOMS, ridge=RIDGE)[0])
    regions = regions_of(photos[0], masks)
    if regions is not None:
        planes = planes_of(regions, image_size(source))
        stack = torch.stack(list(planes.values()))
        maps = distilled(goal, source, stack, None, FREEDOMS, ridge=RIDGE)
        look = replace(look, regions=dict(zip(planes, maps, strict=True)))
    made = look.changed(source, regions)
    found, whole = delta_e(made, goal), delta_e(source, goal)
    shown = png_of([thumbnail(x, 120) for x in (source, made)])
    segmenter = "none" if regions is None else "labels"
    facts = facts_of("pair", photos, segmenter=segmenter)
    look = replace(look, about=About(facts, shown))
    most = float(np.quantile(found.numpy(), 0.95))
    return Learnt(look, float(found.mean()), most, float(whole.mean()))


def _fitted(before: Photo, after: Photo) -> tuple[Tensor, Tensor]:
    """Both at one size, at most that of the smaller."""
    sizes = image_size(before.image), image_size(after.image)
    if not same_proportions(*sizes):
        (h, w), (height, width) = sizes
        raise LookError(
            f"{before.called} has {w}×{h} pixels and {after.called} {width}×{height}: they do not "
            "align; give one picture before and after, uncropped."
        )
    size = fit_size(min(sizes), SIDE)
    return resize(before.image, size), resize(after.image, size)


def misaligned(before: Tensor, after: Tensor) -> str | None:
    """What keeps two pictures 1×3×H×W from being one before and after, None for nothing: their
    edges, whatever their colours, lie elsewhere or are others."""
    edges = [_edges(x) for x in (before, after)]
    if min(float(x.mean()) for x in edges) < EVEN:
        return None
    flat = [x / (x + np.quantile(x, 0.9)) for x in edges]  # strong edges do not decide alone
    centred = [(x - x.mean()) / x.std() for x in flat]
    window = cv2.createHanningWindow(centred[0].shape[::-1], cv2.CV_32F)
    first, second = (x.astype(np.float32) for x in centred)
    (across, down), sure = cv2.phaseCorrelate(first, second, window)
    if sure > SURE and max(abs(across), abs(down)) > APART:
        return (
            f"the after lies {across:.1f} pixels to the right and {down:.1f} down, of "
            f"{before.shape[3]}×{before.shape[2]}"
        )
    likeness = float((centred[0] * centred[1]).mean())
    if likeness < LEAST_EDGES:
        return (
            f"their edges have little in common (correlation {likeness:.2f}, where {LEAST_EDGES} "
            "is needed)"
        )
    return None


def _edges(image: Tensor) -> Array:
    luma = to_array(image) @ np.array(LUMA, np.float32)
    soft = cv2.GaussianBlur(luma, (0, 0), 1.0)
    return np.hypot(*(cv2.Sobel(soft, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))))
