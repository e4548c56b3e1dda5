"""From the options and inputs of a run to its masks: one entry to every way of segmenting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from photostyle.brief import Brief
from photostyle.errors import MaskError, unpaired
from photostyle.images.picture import Photo, image_size, to_array
from photostyle.segmentation.arrays import MaskLike, mask_of
from photostyle.segmentation.cluster import cluster_pair
from photostyle.segmentation.fitting import check_proportions
from photostyle.segmentation.formats import Drawing, parse_palette, read_drawings
from photostyle.segmentation.masks import LabelMap, Masks, Weights, whole, without_void
from photostyle.segmentation.pairing import Rules, pair, parse_correspond
from photostyle.segmentation.semantic import (
    SemanticNetwork,
    load_groups,
    load_network,
    network_at_hand,
)

#: What messages call masks that are not files.
CONTENT_MASK, STYLE_MASK = "The content's mask", "The style's mask"
#: Regions without a meaning are named after the colours of their label picture.
CLUSTER_NAMES = ("blue", "red", "green", "yellow", "lightblue", "purple")


@dataclass(frozen=True)
class Wishes(Brief):
    """What is asked of the segmentation; see `SegmentationConfig` for the meaning of each."""

    segmenter: str = "auto"
    segmenter_model: str | None = None
    segmenter_groups: str | None = None
    regions: int = 0
    correspond: str | None = None
    palette: str | None = None
    edge_softness: float = 0.0


@dataclass(frozen=True)
class Segmented(Brief):
    """Label maps of content and style, and what made them.

    Attributes:
        maps: one per picture.
        used: labels, semantic, cluster or none.
        fingerprint: SHA-256 of the network and its table, or empty.
        near: which labels mean nearly the same.
    """

    maps: tuple[LabelMap, ...]
    used: str
    fingerprint: str = ""
    near: dict[str, tuple[str, ...]] | None = None


def segment_pair(
    content: Tensor,
    style: Tensor,
    drawings: Sequence[Drawing | LabelMap | None] = (None, None),
    wishes: Wishes | None = None,
    weights: Weights = (None, None),
) -> tuple[Masks, Segmented]:
    """The masks of two images.

    Args:
        content, style: 1×3×H×W at the working size, RGB in [0, 1].
        drawings: the label pictures or other masks of the two, in files or made already, where
            there are any.
        wishes: see `Wishes`.
        weights: of the two images, see `Scene`.

    Returns:
        The masks, and what made them.

    Raises:
        MaskError: a mask that cannot be used, or only one of two.
        WeightsError: a network that cannot be used.
        OptionError: an option that does not fit.
    """
    wishes = wishes or Wishes()
    correspond = parse_correspond(wishes.correspond) if wishes.correspond else {}
    images = content, style
    made = segment(images, drawings, wishes, weights)
    if made.used == "none":
        masks = whole(image_size(content), image_size(style), weight=weights[1])
    else:
        rules = Rules(correspond, made.near or {}, wishes.edge_softness, made.used == "labels")
        masks = pair(made.maps[0], made.maps[1], content, style, rules, weights)
    notes = _notes(made, masks, wishes)
    return (replace(masks, warnings=(*masks.warnings, *notes)) if notes else masks), made


def drawings_of(
    masks: Sequence[Path | LabelMap | None], photos: Sequence[Photo]
) -> tuple[Drawing | LabelMap | None, ...]:
    """The mask files or folders that belong to pictures; None for a picture without one, and what
    is a label map already as it is."""
    return tuple(
        Drawing(mask, image_size(photo.image), photo.path) if isinstance(mask, Path) else mask
        for mask, photo in zip(masks, photos, strict=True)
    )


def _notes(made: Segmented, masks: Masks, wishes: Wishes) -> list[str]:
    """Sentences on pictures that do not pair, and on options that had nothing to act on."""
    notes = []
    if made.used == "cluster" and len(masks.regions) == 1:
        notes.append(
            "The pictures have too little in common to pair regions, so both are used whole."
        )
    if wishes.palette and made.used != "labels":
        parse_palette(wishes.palette)  # an unfit one is refused all the same
        notes.append("--palette has no effect: it names the colours of masks, and there are none.")
    if wishes.correspond and made.used == "none":
        notes.append("--correspond has no effect: there is one region and nothing to pair.")
    return notes


def load_masks(
    content_mask: MaskLike | None,
    style_mask: MaskLike | None,
    content: Tensor,
    style: Tensor,
    weights: Weights = (None, None),
) -> Masks:
    """The masks of two images 1×3×H×W as they were given, one region without; see
    `segment_pair`."""
    masks = mask_of(content_mask, CONTENT_MASK), mask_of(style_mask, STYLE_MASK)
    drawings = [
        Drawing(mask, image_size(image)) if isinstance(mask, Path) else mask
        for mask, image in zip(masks, (content, style), strict=True)
    ]
    return segment_pair(content, style, drawings, Wishes("labels"), weights)[0]


def segment_alone(
    image: Tensor,
    drawing: Drawing | LabelMap | None = None,
    wishes: Wishes | None = None,
    weight: Tensor | None = None,
) -> tuple[Masks, Segmented]:
    """The regions of one picture, as masks in which it is its own partner; see `segment_pair`."""
    wishes = wishes or Wishes()
    made = segment([image], [drawing], wishes, [weight])
    return pair(made.maps[0], made.maps[0], image, image, None, (weight, weight)), made


def segment(
    images: Sequence[Tensor],
    drawings: Sequence[Drawing | LabelMap | None],
    wishes: Wishes,
    weights: Sequence[Tensor | None],
) -> Segmented:
    """The label maps of one picture, of two, or of several contents and their style, which are then
    not clustered; see `segment_pair`."""
    given = [drawing for drawing in drawings if drawing is not None]
    kind = _kind(wishes, bool(given))
    if kind == "labels" and given:
        return Segmented(_drawn(drawings, wishes), "labels")
    if kind == "semantic":
        return _semantic(images, wishes, weights)
    if kind == "cluster" and len(images) < 3:  # more have no place of their own in the tree
        return Segmented(_clustered(images, wishes, weights), "cluster")
    return Segmented(tuple(_unlabelled(image) for image in images), "none")


def _kind(wishes: Wishes, given: bool) -> str:
    kind = wishes.segmenter
    if given and kind not in ("auto", "labels"):
        raise MaskError(
            f"--segmenter {kind} makes its own regions, but masks were given; leave one of them "
            "out."
        )
    if kind != "auto":
        return kind
    if given:
        return "labels"
    return "semantic" if network_at_hand(wishes.segmenter_model) else "cluster"


def _drawn(drawings: Sequence[Drawing | LabelMap | None], wishes: Wishes) -> tuple[LabelMap, ...]:
    missing = [i for i, drawing in enumerate(drawings) if drawing is None]
    if missing:
        style = len(drawings) > 1 and missing[0] == len(drawings) - 1
        raise MaskError(unpaired(*((True, None) if style else (None, True))))
    complete = [drawing for drawing in drawings if drawing is not None]
    files = [drawing for drawing in complete if isinstance(drawing, Drawing)]
    read = iter(read_drawings(files, wishes.palette))
    maps = tuple(without_void(d) if isinstance(d, LabelMap) else next(read) for d in complete)
    for n, (labels, drawing) in enumerate(zip(maps, complete, strict=True)):
        if isinstance(drawing, Drawing):  # the others meet their pictures when they are paired
            role = "style" if 0 < n == len(maps) - 1 else "content"
            check_proportions(labels, drawing.picture_size, role)
    return maps


def _clustered(
    images: Sequence[Tensor], wishes: Wishes, weights: Sequence[Tensor | None]
) -> tuple[LabelMap, ...]:
    arrays = [to_array(image) for image in images]
    planes = [None if weight is None else weight.cpu().numpy() for weight in weights]
    mine, theirs, count = cluster_pair(
        arrays[0], arrays[-1], wishes.regions, (planes[0], planes[-1])
    )
    names = CLUSTER_NAMES[:count]
    maps = (LabelMap(ids, names, "the clustering") for ids in (mine, theirs))
    return tuple(maps)[: len(images)]


def _semantic(
    images: Sequence[Tensor], wishes: Wishes, weights: Sequence[Tensor | None]
) -> Segmented:
    groups = load_groups(wishes.segmenter_groups)
    network: SemanticNetwork = load_network(wishes.segmenter_model, groups)
    maps = tuple(network.label(*one) for one in zip(images, weights, strict=True))
    return Segmented(maps, "semantic", network.fingerprint, dict(groups.near))


def _unlabelled(image: Tensor) -> LabelMap:
    return LabelMap(np.zeros(image_size(image), np.int32), ("all",))
