"""What a result shows of itself: sheets, regions, and where it departs from its content."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photostyle.images.picture import image_size, resize
from photostyle.images.sheets import drawn_sheet
from photostyle.images.shown import Picture
from photostyle.metrics import heatmap
from photostyle.segmentation.masks import Masks
from photostyle.segmentation.preview import colours_of, preview_row
from photostyle.smoothness import stain_map

#: Height in pixels at which the style pictures of a result are kept, and of what a notebook shows.
KEPT, NOTEBOOK = 512, 240


def kept_view(image: Tensor) -> Tensor:
    """A 1×3×H×W picture, no higher than is shown, on the CPU."""
    height, width = image_size(image)
    size = (KEPT, max(1, round(width * KEPT / height))) if height > KEPT else (height, width)
    return resize(image.detach().cpu(), size)


def sheet(content: Tensor, styles: Sequence[Tensor], image: Tensor, height: int = 420) -> Picture:
    """Content, styles and result side by side, each 1×3×H×W, drawn `height` pixels high."""
    row = [("content", content), *(("style", style) for style in styles), ("result", image)]
    return as_picture(drawn_sheet([row], height))


def regions(content: Tensor, style: Tensor, masks: Masks, title: str) -> Picture:
    """Content and style as they are and under the colours of their regions."""
    colours = colours_of(masks.names)
    return as_picture(drawn_sheet([preview_row(content, style, masks, colours, title)]))


def departures(content: Tensor, image: Tensor) -> Picture:
    """Where the result is no local affine map of its content; see `metrics.heatmap`."""
    return Picture(heatmap(image, resize(content, image_size(image))))


def stains(content: Tensor, image: Tensor, masks: Tensor) -> Picture:
    """Where like colours of the content came out unlike; see `smoothness.stain_map`."""
    return Picture(stain_map(image, resize(content, image_size(image)), masks))


def as_picture(drawn: Image.Image) -> Picture:
    """An 8-bit RGB picture as a `Picture`."""
    values = np.asarray(drawn, np.float32).transpose(2, 0, 1) / 255  # 3×H×W
    return Picture(torch.from_numpy(values)[None])
