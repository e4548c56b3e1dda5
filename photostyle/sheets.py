"""Contact sheets: labelled pictures side by side on one page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from photostyle.images import resize
from photostyle.saving import atomic_path

MARGIN, LABEL = 8, 26  # pixels
PAPER, INK = (24, 24, 24), (235, 235, 235)


def contact_sheet(
    rows: Sequence[Sequence[tuple[str, Tensor]]], path: Path, height: int = 420
) -> None:
    """Writes rows of (label, 1×3×H×W image) as one PNG or JPEG, every picture `height` px high.

    Raises:
        OutputError: the sheet cannot be written there.
    """
    cells = [[(label, _thumbnail(image, height)) for label, image in row] for row in rows]
    width = max(sum(p.width + MARGIN for _, p in row) for row in cells) + MARGIN
    sheet = Image.new("RGB", (width, len(cells) * (height + LABEL + MARGIN) + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=LABEL - 10)
    for r, row in enumerate(cells):
        x, y = MARGIN, MARGIN + r * (height + LABEL + MARGIN)
        for label, picture in row:
            draw.text((x, y + 2), label, fill=INK, font=font)
            sheet.paste(picture, (x, y + LABEL))
            x += picture.width + MARGIN
    with atomic_path(path) as temporary:
        sheet.save(temporary)


def _thumbnail(image: Tensor, height: int) -> Image.Image:
    width = max(1, round(image.shape[3] * height / image.shape[2]))
    small = resize(image.detach().cpu(), (height, width))
    array = small[0].permute(1, 2, 0).mul(255).round().numpy()  # 1×3×H×W -> H×W×3
    return Image.fromarray(array.astype(np.uint8))
