"""Regions to look at: their colours, overlays on the pictures, and the legend."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from photostyle.errors import MaskError
from photostyle.images.picture import image_size, resize
from photostyle.segmentation.labels import NAMED
from photostyle.segmentation.masks import Masks, resize_masks

RGB = tuple[int, int, int]

#: The order in which regions that are not called after a colour get theirs.
ORDER = (
    "blue", "lightblue", "red", "green", "yellow", "purple", "orange", "violet", "wine", "mint",
    "teal", "rose", "olive", "brown", "sand", "white", "grey", "black",
)  # fmt: skip
MOST_REGIONS = 60
LEVELS = (0, 51, 102, 153, 204, 255)  # of which further colours are made
OPACITY = 0.55


def colours_of(names: Sequence[str]) -> dict[str, RGB]:
    """A colour for every region: its own if it is called after one, else the next that is free.

    Beyond the named colours come those of a regular grid that lie farthest from all before.

    Raises:
        MaskError: more regions than there are colours to tell apart.
    """
    if len(names) > MOST_REGIONS:
        raise MaskError(f"{len(names)} regions are too many to paint; {MOST_REGIONS} is the most.")
    free = [NAMED[name] for name in ORDER if name not in names]
    taken = [NAMED[name] for name in names if name in NAMED]
    need = len(names) - len(taken)
    chosen = free[:need]
    grid = np.array([(r, g, b) for r in LEVELS for g in LEVELS for b in LEVELS])
    while len(chosen) < need:
        used = np.array(taken + chosen)
        gaps = np.abs(grid[:, None] - used).max(axis=2).min(axis=1)
        r, g, b = (int(v) for v in grid[gaps.argmax()])
        chosen.append((r, g, b))
    rest = iter(chosen)
    return {name: NAMED[name] if name in NAMED else next(rest) for name in names}


def overlay(image: Tensor, masks: Tensor, colours: Sequence[RGB]) -> Tensor:
    """The image 1×3×H×W under the colours of its masks K×h×w; what is in none stays bare."""
    fitted = resize_masks(masks, image_size(image)).cpu()
    paint = torch.tensor(colours, dtype=torch.float32) / 255  # K×3
    layer = torch.einsum("khw,kc->chw", fitted, paint)[None]
    cover = fitted.sum(0).clamp(max=1) * OPACITY
    return (image.cpu() * (1 - cover) + layer * OPACITY).clamp(0, 1)


def preview_row(
    content: Tensor, style: Tensor, masks: Masks, colours: Mapping[str, RGB], title: str
) -> list[tuple[str, Tensor]]:
    """Content and style as they are and under their regions, for `sheets.contact_sheet`."""
    paint = [colours[region.name] for region in masks.regions]
    views = (overlay(content, masks.content, paint), overlay(style, masks.style, paint))
    # A regular size keeps rows of one sheet aligned.
    pictures = [content, views[0], style, views[1]]
    titles = ("content", f"content, {title}", "style", f"style, {title}")
    return [(t, resize(p, image_size(p))) for t, p in zip(titles, pictures, strict=True)]


def legend(colours: Mapping[str, RGB]) -> list[str]:
    """A line for every region: its name, its colour and the colour's name, where it has one."""
    called = {rgb: name for name, rgb in NAMED.items()}
    width = max(len(name) for name in colours)
    return [
        f"{name:<{width}}  #{r:02x}{g:02x}{b:02x}  {called.get((r, g, b), '')}".rstrip()
        for name, (r, g, b) in colours.items()
    ]
