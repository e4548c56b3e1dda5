"""What looks wrong in a result, in a few words: measures of it turned into warnings.

The limits come from looking at results of 16 photographs after their own and after others' styles,
with regions drawn, found and none: each limit parts those at which somebody would stop from those
that pass. They say where to look, and are no verdict.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.lab import rgb_to_lab
from photostyle.images.picture import image_size, reduced
from photostyle.segmentation.masks import Region, resize_masks
from photostyle.smoothness import SIDE, stains

Array = NDArray[Any]

#: Stains: smoothing in pixels at a long side of 512, the value of `smoothness.stains` from which
#: they are seen (0.25 is 10.5 ΔE), and the share of the picture below which one is not.
BLUR, SEEN, LEAST_STAIN = 5.0, 0.25, 0.01
#: A stain of more than that is everywhere.
EVERYWHERE = 0.35
#: Fog: L* by which the darkest pixels are lighter than those of content and style.
FOG = 12.0
#: Flat: share of the lesser of both contrasts that is left.
FLAT = 0.6
#: What "darkest" and "lightest" mean, in percent.
ENDS = 2, 98
#: Share of the content below which nothing is said of a region.
LEAST_REGION = 0.03


def faults(
    image: Tensor,
    content: Tensor,
    masks: Tensor | None = None,
    styles: Sequence[Tensor] = (),
    regions: Sequence[Region] = (),
) -> tuple[str, ...]:
    """Warnings on a result, such as "stain at the left"; none where it passes.

    Args:
        image, content: 1×3×H×W float32 sRGB in [0, 1], of one size.
        masks: K×h×w of the content's regions; None where they are not known, and nothing is said
            of stains: two regions may make two things of one colour.
        styles: 1×3×h×w each, what the result takes after; without any, nothing is said of fog.
        regions: what was paired, and why.
    """
    small, before = _small(image), _small(content)
    size = image_size(before)
    found = []
    if masks is not None:
        found.append(_stained(stains(small, before, resize_masks(masks.cpu(), size)).numpy()))
    if styles:
        found.append(_veiled(small, [before, *map(_small, styles)]))
    return (*(words for words in found if words), *_mispaired(regions))


def _small(image: Tensor) -> Tensor:
    return reduced(image, SIDE).cpu()


def _stained(heat: Array) -> str | None:
    """The stains of a map, H×W in [0, 1], and where they lie."""
    from scipy import ndimage

    seen = ndimage.gaussian_filter(heat, BLUR * max(heat.shape) / SIDE) > SEEN
    if seen.mean() > EVERYWHERE:
        return "stains over much of the picture"
    labels, count = ndimage.label(seen)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    large = [i for i in np.argsort(-sizes) if sizes[i] >= LEAST_STAIN * heat.size]
    if not large:
        return None
    centres = [ndimage.center_of_mass(labels == i + 1) for i in large]
    places = list(dict.fromkeys(_place(y / heat.shape[0], x / heat.shape[1]) for y, x in centres))
    return f"{'stain' if len(places) == 1 else 'stains'} {' and '.join(places[:2])}"


def _place(down: float, across: float) -> str:
    """A place in the picture, given in [0, 1], in words."""
    vertical = ("top ", "", "bottom ")[min(int(3 * down), 2)]
    horizontal = ("left", "", "right")[min(int(3 * across), 2)]
    words = f"{vertical}{horizontal}".strip()
    return f"at the {words}" if words else "in the middle"


def _veiled(image: Tensor, others: Sequence[Tensor]) -> str | None:
    """Fog, where the darkest is lighter than in any other; or little contrast."""
    (dark, light), *known = (_ends(picture) for picture in (image, *others))
    if dark - max(low for low, _ in known) > FOG:
        return "fog: no dark tones are left"
    if light - dark < FLAT * min(high - low for low, high in known):
        return "flat: little contrast is left"
    return None


def _ends(image: Tensor) -> tuple[float, float]:
    """L* of the darkest and of the lightest pixels."""
    lightness = rgb_to_lab(image[0].reshape(3, -1).T)[:, 0].numpy()
    low, high = np.percentile(lightness, ENDS)
    return float(low), float(high)


def _mispaired(regions: Sequence[Region]) -> list[str]:
    """Labels of the content without a partner that took after what merely looks like them."""
    return [
        f"{name} paired with {region.name}?"
        for region in regions
        for name, why, share in zip(region.merged, region.why, region.shares, strict=False)
        if share >= LEAST_REGION and why.endswith("most like it")
    ]
