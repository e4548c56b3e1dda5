"""Label maps beside their images: brought to their size, counted, and made into masks."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.errors import MaskError
from photostyle.images.picture import PROPORTION_TOLERANCE, same_proportions, to_array
from photostyle.matting.guided import GuidedFilter
from photostyle.segmentation.masks import LabelMap, resize_masks, spread

Array = NDArray[Any]

POSITION_WEIGHT = 50.0
"""What the whole height of the picture counts for in `looks`, in CIELAB units: as much as the
step from mid-grey to white."""

EDGE_EPSILON, EDGE_CUT = 1e-3, 0.03
"""Regularisation of the filter that softens edges, and the value below which a mask is zero."""


def check_proportions(labels: LabelMap, size: Sequence[int], role: str) -> None:
    """Raise MaskError unless the map has the proportions of its picture of (height, width)."""
    (h, w), (height, width) = labels.ids.shape, size
    if not same_proportions((h, w), size):
        raise MaskError(
            f"{labels.source} is {w}×{h} pixels and the {role} {width}×{height}: "
            f"a mask must have its picture's proportions, within {PROPORTION_TOLERANCE:.0%}."
        )


def weight_plane(weight: Tensor | None) -> Array | None:
    """H×W float64 weights of an image's pixels; None where all count alike."""
    return None if weight is None else weight.detach().cpu().double().numpy()


def fitted_ids(
    labels: LabelMap, image: Tensor, role: str, weight: Array | None
) -> NDArray[np.int32]:
    """The map's ids at its image's size, nearest neighbour (pixel centres on pixel centres); what
    is not seen has those of the nearest that is."""
    (h, w), (height, width) = labels.ids.shape, image.shape[-2:]
    ids = labels.ids
    if (h, w) != (height, width):
        check_proportions(labels, (height, width), role)
        rows = (2 * np.arange(height) + 1) * h // (2 * height)
        columns = (2 * np.arange(width) + 1) * w // (2 * width)
        ids = labels.ids[rows[:, None], columns]  # (height, width)
    return ids if weight is None else spread(ids, weight > 0)


def shares_of_labels(
    ids: NDArray[np.int32], names: tuple[str, ...], weight: Array | None
) -> dict[str, float]:
    """Share of the picture of each label that occurs, in the order of `names`."""
    counts = np.bincount(ids.ravel(), None if weight is None else weight.ravel(), len(names))
    return {name: float(n / counts.sum()) for name, n in zip(names, counts, strict=True) if n}


def looks(
    content: Tensor, ids: NDArray[np.int32], weight: Array | None, count: int
) -> NDArray[np.float64]:
    """Per label: mean L, a, b (CIELAB, L in [0, 100]) and mean row, × `POSITION_WEIGHT` / height.

    Shape count×4; a label without pixels has zeros.
    """
    height, width = ids.shape
    lab = cv2.cvtColor(to_array(content), cv2.COLOR_RGB2LAB)
    row = np.repeat(np.arange(height) * (POSITION_WEIGHT / height), width)
    flat, seen = ids.ravel(), np.ones(ids.size) if weight is None else weight.ravel()
    values = [*lab.reshape(-1, 3).T, row]  # four of (H*W,)
    sums = [np.bincount(flat, weights=seen * v, minlength=count) for v in values]
    pixels = np.bincount(flat, weights=seen, minlength=count)
    return np.stack(sums, axis=1) / np.where(pixels > 0, pixels, 1)[:, None]


def region_masks(
    ids: NDArray[np.int32], labels: LabelMap, index: Mapping[str, int], count: int, *, whole: bool
) -> Tensor:
    """K×H×W float32 masks, soft where the labels are; a label that `index` lacks is in none.

    Args:
        whole: they sum to 1 everywhere, also where soft ones have shares of such a label.
    """
    region = np.array([index.get(name, -1) for name in labels.names])
    hard = np.stack([region[ids] == k for k in range(count)]).astype(np.float32)
    if labels.soft is None:
        return torch.from_numpy(hard)
    planes = resize_masks(torch.from_numpy(labels.soft), ids.shape).numpy()
    soft = np.stack([planes[region == k].sum(axis=0) for k in range(count)]).clip(0, 1)
    if whole:
        total = soft.sum(axis=0)
        soft = np.where(total > 0.1, soft / np.maximum(total, 0.1), hard)
    return torch.from_numpy(np.asarray(soft, dtype=np.float32))


def softened(masks: Tensor, image: Tensor, softness: float) -> Tensor:
    """The masks with edges that follow the image's (guided filter); their sum stays."""
    if softness <= 0 or (len(masks) == 1 and float(masks.min()) == 1):
        return masks
    radius = max(1, round(softness * max(image.shape[-2:]) / 512))
    guided = GuidedFilter(to_array(image), radius, EDGE_EPSILON)
    covered = masks.sum(0).numpy()
    planes = np.stack([guided(plane) for plane in masks.numpy()])
    planes = ((planes - EDGE_CUT) / (1 - 2 * EDGE_CUT)).clip(0, 1) * covered
    total = planes.sum(axis=0)
    soft = np.where(total > 0.1, planes * (covered / np.maximum(total, 0.1)), masks.numpy())
    return torch.from_numpy(soft.astype(np.float32))
