"""The regions of a picture that a look is put on: given, found by the look's names, or none."""

from pathlib import Path

from photostyle.errors import MaskError
from photostyle.images.photograph import Photograph
from photostyle.looks.drawn import segmented
from photostyle.looks.look import Look
from photostyle.segmentation.masks import LabelMap, Masks
from photostyle.segmentation.segmenter import Wishes
from photostyle.segmentation.semantic import network_at_hand


def regions_for(
    look: Look,
    photo: Photograph,
    mask: Path | LabelMap | None = None,
    wishes: Wishes | None = None,
) -> tuple[Masks | None, str]:
    """The regions of a picture, None for none, and a few words on how they were found.

    Args:
        mask: its masks, where they are given.
        wishes: of its segmenters, "auto" takes the network that the look was fitted with, where it
            is on this machine; "semantic" a network in any case; "none" no regions.

    Raises:
        MaskError: a mask that cannot be used, or that names no region of the look.
        WeightsError: a network that cannot be used.
    """
    wishes = wishes or Wishes()
    how = wishes.segmenter
    if not look.regions or (how == "none" and mask is None):
        return None, "the look of the whole"
    if mask is None and how == "auto":
        known = look.about.facts.get("segmenter") == "semantic"
        if not known or not network_at_hand(wishes.segmenter_model):
            return None, "the look of the whole, as no regions were given"
        wishes = Wishes("semantic", wishes.segmenter_model, wishes.segmenter_groups)
    masks, made = segmented(photo, mask, wishes)
    shared = [name for name in masks.names if name in look.regions]
    if not shared and mask is not None:
        called = mask.source if isinstance(mask, LabelMap) else mask
        raise MaskError(
            f"{called} has the regions {', '.join(masks.names)}, none of which the look knows; it "
            f"has {', '.join(look.regions)}."
        )
    return masks, f"{', '.join(shared) or 'none'} by {made.used}"
