"""Paired region masks: their contract and their resampling.

A label map says which named region each pixel belongs to; pairing.py makes `Masks` of two of them,
the form that every later stage reads. A picture without masks is one region that covers
everything, so no later stage asks whether there are any.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.brief import Brief
from photostyle.errors import MaskError
from photostyle.places import as_seen

#: How much each pixel of content and style counts, H×W in [0, 1]: 0 for what is not seen; None
#: where all count alike.
Weights = tuple[Tensor | None, Tensor | None]

SUM_TOLERANCE = 1e-4
"""How far from 1 the regions of a pixel may sum before `Masks` refuses them."""


@dataclass(frozen=True)
class Region(Brief):
    """One paired region.

    `content_share` and `style_share` are its shares of the two pictures' areas, in [0, 1].
    `merged` names the labels of either picture that were folded in, `why` the reason of each and
    `shares` its share of its own picture.
    """

    name: str
    content_share: float
    style_share: float
    merged: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Masks(Brief):
    """Soft masks of the paired regions, in the order of `regions`.

    `content` is K×H×W and `style` K×h×w, float32 in [0, 1], on any device. Over K the content
    sums to 1 at every pixel. The style sums to 1 or less: a style label that the content lacks
    belongs to no region, because its pixels would falsify the statistics of any other.
    Raises MaskError where that does not hold.
    """

    content: Tensor
    style: Tensor
    regions: tuple[Region, ...]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len({region.name for region in self.regions}) != len(self.regions) or not self.regions:
            raise MaskError("masks need at least one region, and every region a name of its own.")
        _check_stack(self.content, len(self.regions), "content")
        _check_stack(self.style, len(self.regions), "style")
        content_sum, style_sum = self.content.sum(0), self.style.sum(0)
        if (content_sum - 1).abs().max() > SUM_TOLERANCE:
            raise MaskError("the content masks must sum to 1 at every pixel.")
        if style_sum.max() > 1 + SUM_TOLERANCE:
            raise MaskError("the style masks must sum to at most 1 at every pixel.")

    @property
    def names(self) -> tuple[str, ...]:
        """The regions' names, in order."""
        return tuple(region.name for region in self.regions)


@dataclass(frozen=True, eq=False)
class LabelMap(Brief):
    """Which region each pixel belongs to: `names[ids[y, x]]`.

    `ids` is H×W int32 with values in 0 … len(names) - 1; not every name has to occur. `source`
    is what messages call the map, usually its file; `notes` is what the user should know about how
    it came about. `soft`, where there is any, is K×H×W float32 in [0, 1], the share that each name
    has of a pixel; over K it sums to 1. Names are kept as people see them. Raises MaskError where
    that does not hold.
    """

    ids: NDArray[np.int32]
    names: tuple[str, ...]
    source: str = field(default="the label map")
    notes: tuple[str, ...] = ()
    soft: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(as_seen, self.names)))
        if self.soft is not None and self.soft.shape != (len(self.names), *self.ids.shape):
            raise MaskError(f"{self.source} must have soft labels of its size, one for each name.")
        if self.ids.ndim != 2 or self.ids.dtype != np.int32 or self.ids.size == 0:
            raise MaskError(f"{self.source} must be height×width int32 with at least one pixel.")
        if len(set(self.names)) != len(self.names):
            raise MaskError(f"{self.source} must give every label a name of its own.")
        if self.ids.min() < 0 or self.ids.max() >= len(self.names):
            raise MaskError(f"{self.source} must use ids from 0 to {len(self.names) - 1} only.")


#: What datasets call pixels without a label.
VOID = ("void", "unlabeled", "unlabelled", "not labeled", "not labelled", "no label", "ignore",
        "ignored", "dont care", "undefined", "unannotated")  # fmt: skip


def without_void(labels: LabelMap) -> LabelMap:
    """The map with pixels of a label that means "no label" given to the nearest other.

    Raises:
        MaskError: there is no other label.
    """
    void = [is_void(name) for name in labels.names]
    known = ~np.array(void)[labels.ids]
    if known.all() and not any(void):
        return labels
    if not known.any():
        raise MaskError(
            f"{labels.source} has no label: all of it is {labels.names[void.index(True)]}."
        )
    kept = [name for name, out in zip(labels.names, void, strict=True) if not out]
    index = np.array([kept.index(n) if n in kept else 0 for n in labels.names], np.int32)
    soft = labels.soft
    if soft is not None:  # no label takes part in any other
        soft = soft[[labels.names.index(name) for name in kept]]
        soft = soft / np.maximum(soft.sum(axis=0), 1e-6)
        soft = np.moveaxis(spread(np.moveaxis(soft, 0, -1), known), -1, 0)
    return replace(labels, ids=spread(index[labels.ids], known), names=tuple(kept), soft=soft)


def is_void(name: str) -> bool:
    """Whether a label's name says that it is none."""
    plain = " ".join(name.casefold().replace("'", "").replace("-", " ").replace("_", " ").split())
    return plain in VOID or plain.replace(" ", "") in [v.replace(" ", "") for v in VOID]


def whole(
    content_hw: Sequence[int],
    style_hw: Sequence[int],
    warnings: tuple[str, ...] = (),
    weight: Tensor | None = None,
) -> Masks:
    """The unmasked case: one region "all" over both pictures, given as (height, width), but for
    what of the style has no weight."""
    region = Region("all", 1.0, 1.0)
    style = counted(torch.ones(1, *style_hw), weight)
    return Masks(torch.ones(1, *content_hw), style, (region,), warnings)


def counted(masks: Tensor, weight: Tensor | None) -> Tensor:
    """Masks K×H×W in which a pixel counts by its weight, of H×W in [0, 1]; None for all alike."""
    return masks if weight is None else masks * weight.to(masks)


def spread(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """H×W or H×W×C values with each that is not known replaced by the nearest one that is; some
    must be."""
    if known.all():
        return values
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, *values.shape[2:]), values.dtype)
    table[nearest[known]] = values[known]
    found: NDArray[Any] = table[nearest]
    return found


def members(masks: Tensor) -> Tensor:
    """K×H×W bool: the pixels that stand for a region, where one is in it or out of it.

    A pixel belongs to the region that has more than half of what all have of it. Where they have
    less than 1, as of transparent pixels, it is drawn by lot in proportion, always the same ones.
    """
    total = masks.sum(dim=0)
    if not masks.numel() or float(total.min()) > 1 - SUM_TOLERANCE:
        return masks > 0.5
    height, width = total.shape
    y = torch.arange(height, device=masks.device, dtype=torch.float64)[:, None]
    x = torch.arange(width, device=masks.device, dtype=torch.float64)
    # Evenly spread in the plane (the R2 sequence), so that small areas have their share as well.
    lot = (0.5 + 0.7548776662466927 * y + 0.5698402909980532 * x) % 1.0
    drawn = total > lot * (1 - 2 * SUM_TOLERANCE) + SUM_TOLERANCE
    return (masks > 0.5 * total + 1e-6) & drawn


def resize_masks(masks: Tensor, hw: Sequence[int]) -> Tensor:
    """Resample masks K×H×W to K×h×w by the exact area average, on the device they are on.

    Each output pixel is the mean of the input over its own footprint, fractions of pixels
    included, so what sums to 1 (or less) still does, at every ratio and in both directions, and
    no pixel loses its region. float32 in [0, 1].
    """
    if tuple(masks.shape[-2:]) == tuple(hw):
        return masks
    if min(hw) < 1:
        raise MaskError(f"masks cannot be resized to {hw[1]}×{hw[0]} pixels.")
    # Running sums need float64, which not every device has; region by region they stay small.
    planes = [_area_rows(_area_rows(m.detach().cpu(), hw[0]).T, hw[1]).T for m in masks]
    return torch.stack(planes).clamp(0, 1).to(masks.device, torch.float32)  # (K, h, w)


def _check_stack(masks: Tensor, count: int, role: str) -> None:
    if masks.dtype != torch.float32 or masks.ndim != 3 or masks.shape[0] != count:
        shape = "×".join(str(n) for n in masks.shape)
        raise MaskError(
            f"the {role} masks must be float32, {count}×height×width for {count} regions, "
            f"not {shape} {str(masks.dtype).removeprefix('torch.')}."
        )
    # Written so that NaN fails it too.
    if masks.numel() == 0 or not bool((masks >= 0).all() and (masks <= 1 + SUM_TOLERANCE).all()):
        raise MaskError(f"the {role} masks must have pixels, all with values from 0 to 1.")
    if float(masks.amax(dim=(1, 2)).min()) == 0:
        raise MaskError(f"every region must cover some of the {role}.")


def _area_rows(plane: Tensor, size: int) -> Tensor:
    """Area-average the first axis of n×m to size×m (float64): differences of the running sum."""
    plane = plane.to(torch.float64)
    n = plane.shape[0]
    edge = torch.arange(size + 1) * n
    row, rest = edge // size, (edge % size).to(torch.float64) / size
    running = torch.zeros(n + 1, plane.shape[1], dtype=torch.float64)
    torch.cumsum(plane, 0, out=running[1:])
    at_edge = running[row] + rest[:, None] * plane[row.clamp(max=n - 1)]
    return at_edge.diff(dim=0) * (size / n)
