"""`compare`: the scores of any pictures."""

from __future__ import annotations  # help() has the names of kinds, not their lists

from collections.abc import Mapping, Sequence

from photostyle.images.given import PictureLike, listed, picture_of
from photostyle.images.photograph import seen_photograph, unframed
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.metrics import LONG_SIDE, Scores, measure
from photostyle.segmentation.arrays import MaskLike
from photostyle.segmentation.masks import counted
from photostyle.segmentation.segmenter import load_masks

#: The row of the content itself.
CONTENT = "(content)"


def compare(
    results: PictureLike | Sequence[PictureLike] | Mapping[str, PictureLike],
    content: PictureLike,
    style: PictureLike,
    *,
    content_mask: MaskLike | None = None,
    style_mask: MaskLike | None = None,
) -> dict[str, Scores]:
    """How much of the photograph is left and how much of the style was taken, whoever made it.

    Args:
        results: pictures in any form (see `stylize`), one, several, or by name.
        content, style: what they were made of, and after.
        content_mask, style_mask: masks in any form; without them the pictures are taken whole.

    Returns:
        The scores by name, those of the content itself first, as "(content)"; files are named by
        their paths, other pictures "result 1" and so on.

    Raises:
        InputError: a picture or mask that cannot be used, or other proportions.
    """
    pair = tuple(
        seen_photograph(picture_of(x, name), name)
        for x, name in ((content, "The content"), (style, "The style"))
    )
    mine, its = (resize(x.image, fit_size(image_size(x.image), LONG_SIDE)) for x in pair)
    weight, other = (
        x.weight_at(image_size(image)) for x, image in zip(pair, (mine, its), strict=True)
    )
    masks = load_masks(content_mask, style_mask, mine, its, (weight, other))
    own = counted(masks.content, weight)
    pictures = {CONTENT: mine}
    for name, given in _named(results).items():
        pictures[name] = unframed(picture_of(given, name).shown, pair[0])
    return {
        name: measure(image, mine, its, own, masks.style, weight)
        for name, image in pictures.items()
    }


def _named(
    results: PictureLike | Sequence[PictureLike] | Mapping[str, PictureLike],
) -> dict[str, PictureLike]:
    if isinstance(results, Mapping):
        return dict(results)
    named = {}
    for number, given in enumerate(listed(results), start=1):
        photo = picture_of(given, f"Result {number}")
        named[f"result {number}" if photo.path is None else str(photo.path)] = photo
    return dict(named)
