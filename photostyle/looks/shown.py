"""A look as one picture: what it makes of swatches, of grey, of every hue and of a photograph."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import photostyle
from photostyle.images.picture import fit_size, image_size, load_image, resize
from photostyle.images.sheets import EDGE, INK, PAPER
from photostyle.looks.lattice import ColourMap
from photostyle.looks.look import Look

Array = NDArray[Any]

SIDE, GAP, LABEL = 260, 16, 24
INKS = (255, 90, 90), (90, 220, 110), (110, 140, 255)  # of the curves
#: The photograph that comes with a checkout.
EXAMPLE = Path(photostyle.__file__).parents[1] / "examples" / "city.jpg"
#: sRGB of things that everybody knows the colour of: skins, skies, leaves, bricks, and pure hues.
SWATCHES = (
    "73523f c39479 e8c4a8 6d7fa0 a7c4e0 d9e7f2 4f6a34 8aa05a "
    "b7a46b a5553f d1803f e6c34a c63a3a 3f8f5a 3b57a8 7a4a8a "
    "f4f1ea c9c9c9 9a9a9a 6b6b6b 3d3d3d 141414 e08fa0 4fa8b0"
)


def show_look(look: Look, photo: Tensor | None = None) -> Image.Image:
    """The picture of a look.

    Args:
        photo: 1×3×H×W to show it on; the example's city without it, or a gradient where there is no
            checkout.
    """
    panels = [_Panel("swatches: before over after", _swatches), _Panel("tone curves", _curves),
              _Panel("hues before", lambda _: _wheel()),
              _Panel("hues after", lambda f: f(_wheel()))]  # fmt: skip
    rows = ["whole", *look.regions]
    width = len(panels) * (SIDE + GAP) + GAP
    pair = _pair(look, _example() if photo is None else photo, width - 2 * GAP)
    heights = LABEL + SIDE + 40 + 2 * GAP
    page = Image.new("RGB", (width, LABEL + len(rows) * heights + pair.height + LABEL + GAP), PAPER)
    _write(page, (GAP, 6), f"{look.title}   {look.sha256[:12]}")
    for n, name in enumerate(rows):
        top = LABEL + n * heights + GAP
        colors = _function(look.colour_map(name if n else None))
        for k, panel in enumerate(panels):
            left = GAP + k * (SIDE + GAP)
            title = panel.title if k else f"{name}: {panel.title}"
            _write(page, (left, top), title)
            page.paste(_picture(panel.draw(colors)), (left, top + LABEL))
        grey = _ramp(colors, width - 2 * GAP)
        page.paste(_picture(grey), (GAP, top + LABEL + SIDE + 8))
    page.paste(pair, (GAP, page.height - pair.height - GAP))
    _write(page, (GAP, page.height - pair.height - GAP - LABEL), "before and after, the whole")
    return page


#: N…×3 colours in [0, 1] to the look's, at the middle of the height.
Colors = Callable[[Array], Array]


@dataclass(frozen=True)
class _Panel:
    title: str
    draw: Callable[[Colors], Array]


def _function(colour_map: ColourMap) -> Colors:
    def mapped(colors: Array) -> Array:
        flat = torch.from_numpy(colors.reshape(-1, 3).T.astype(np.float32))
        found: Array = colour_map(flat).T.numpy().reshape(colors.shape)
        return found

    return mapped


def _swatches(colors: Colors) -> Array:
    """Every swatch before, in its upper half, and after."""
    own = np.array([[int(word[i : i + 2], 16) for i in (0, 2, 4)] for word in SWATCHES.split()])
    own = own.reshape(6, 4, 3) / 255
    both = np.stack([own, colors(own)], axis=1).reshape(12, 4, 3)
    return _enlarged(both, (SIDE, SIDE))


def _ramp(colors: Colors, width: int) -> Array:
    grey = np.linspace(0, 1, width)[:, None] * np.ones(3)
    return _enlarged(np.stack([grey, colors(grey)]), (40, width))


def _enlarged(colors: Array, size: tuple[int, int]) -> Array:
    return cv2.resize(colors.astype(np.float32), size[::-1], interpolation=cv2.INTER_NEAREST)


def _curves(colors: Colors) -> Array:
    """What a grey ramp becomes in red, green and blue."""
    plane = np.full((SIDE, SIDE, 3), np.array(PAPER, np.uint8) + 12, np.uint8)
    for n in range(5):
        at = n * (SIDE - 1) // 4
        plane[at], plane[:, at] = EDGE, EDGE
    cv2.line(plane, (0, SIDE - 1), (SIDE - 1, 0), (130, 130, 130), 1, cv2.LINE_AA)
    x = np.linspace(0, 1, SIDE)
    for channel, ink in zip(colors(x[:, None] * np.ones(3)).T, INKS, strict=True):
        points = np.stack([x, 1 - channel], axis=1) * (SIDE - 1)
        cv2.polylines(plane, [points.round().astype(np.int32)], False, ink, 2, cv2.LINE_AA)
    out: Array = plane.astype(np.float32) / 255
    return out


def _wheel() -> Array:
    """All hues around, grey in the middle, at one lightness of HSV."""
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE * 2 - 1
    radius = np.hypot(x, y)
    hsv = np.stack(
        [np.degrees(np.arctan2(y, x)) % 360, radius.clip(0, 1), 0.8 * np.ones_like(x)], -1
    )
    rgb = cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB)
    return np.where((radius <= 1)[..., None], rgb, 0.0)


def _example() -> Tensor:
    if EXAMPLE.is_file():
        return load_image(EXAMPLE).image
    across = torch.linspace(0, 1, 360).expand(240, 360)
    down = torch.linspace(1, 0, 240)[:, None].expand(240, 360)
    return torch.stack([across, down, 0.5 * (across + 1 - down)])[None].contiguous()


def _pair(look: Look, photo: Tensor, width: int) -> Image.Image:
    side = (width - GAP) // 2
    height, wide = image_size(photo)
    size = fit_size((height, wide), max(side, round(side * height / wide)))
    small = resize(photo, size)
    page = Image.new("RGB", (width, size[0]), PAPER)
    for left, image in ((0, small), (side + GAP, look.changed(small))):
        page.paste(_picture(image[0].permute(1, 2, 0).numpy()), (left, 0))
    return page


def _picture(rgb: Array) -> Image.Image:
    return Image.fromarray(np.rint(rgb * 255).astype(np.uint8))


def _write(page: Image.Image, at: tuple[int, int], words: str) -> None:
    ImageDraw.Draw(page).text(at, words, fill=INK, font=ImageFont.load_default(size=14))
