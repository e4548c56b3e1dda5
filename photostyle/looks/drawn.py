"""The regions of one picture as a look takes them: segmented, by name, or masks in any form."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from photostyle.errors import MaskError
from photostyle.images.photograph import Photograph
from photostyle.images.picture import image_size
from photostyle.objective.styles import fitted_image
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.masks import LabelMap, Masks, resize_masks
from photostyle.segmentation.segmenter import Segmented, Wishes, drawings_of, segment_alone

#: Long side at which the borders of regions are found, and the shortest that is kept.
SIDE, LEAST_SIDE = 700, 48
#: The name of what no region covers.
REST = "rest"

#: The regions of a picture: as segmented, or H×W planes in [0, 1] by name.
Regions: TypeAlias = Masks | Mapping[str, Tensor]


def segmented(
    photo: Photograph, mask: Path | LabelMap | None, wishes: Wishes
) -> tuple[Masks, Segmented]:
    """The picture's own regions, and how they were made; see `segment_alone`."""
    small = fitted_image(photo.image, SIDE, LEAST_SIDE)
    [drawing] = drawings_of([mask], [photo])
    return segment_alone(small, drawing, wishes, photo.weight_at(image_size(small)))


def regions_of(photo: Photograph, masks: Regions | MaskLike | None) -> Regions | None:
    """The regions that were given for a picture, whatever they came as.

    Raises:
        MaskError: they cannot be used, or have other proportions than the picture.
    """
    if masks is None or isinstance(masks, Masks):
        return masks
    if isinstance(masks, Mapping) and all(isinstance(x, Tensor) for x in masks.values()):
        return masks  # type: ignore[return-value]  # mypy does not narrow the values
    return segmented(photo, mask_of(masks, "The mask"), Wishes("labels"))[0]


def planes_of(masks: Regions, size: tuple[int, int]) -> dict[str, Tensor]:
    """h×w planes of all regions by name, summing to 1 with what none of them covers."""
    if isinstance(masks, Masks):
        return dict(zip(masks.names, resize_masks(masks.content, size), strict=True))
    if any(one.ndim != 2 for one in masks.values()):
        raise MaskError("The regions of a look are planes of height×width, one for each name.")
    planes = {name: resize_masks(one[None].float().cpu(), size)[0] for name, one in masks.items()}
    total = sum(planes.values(), torch.zeros(size))
    rest = (1 - total).clamp(min=0)
    planes = {name: one / total.clamp(min=1) for name, one in planes.items()}
    if rest.max() > 1e-3:
        planes[REST] = planes.get(REST, torch.zeros(size)) + rest
    return planes
