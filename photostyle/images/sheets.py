"""Contact sheets: labelled pictures side by side on one page."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor

from photostyle.images.formats.stored import MANIFEST_KEY
from photostyle.images.picture import resize
from photostyle.images.saving import atomic_path, save_image

#: What a sheet says of itself, where a result has its manifest.
KIND = "contact sheet"
MARGIN, LABEL = 8, 26  # pixels
#: Letters that are no other with a mark.
_PLAIN = {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ł": "l", "Ł": "L", "đ": "d"}
LINE, LEAST_WIDTH = 18, 210  # of the text under a cell of a grid
PAPER, INK, EDGE, MARK = (24, 24, 24), (235, 235, 235), (90, 90, 90), (240, 168, 96)
#: What a line that warns begins with.
WARNING = "! "

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    rows: Sequence[Sequence[tuple[str, Tensor]]], path: Path, height: int = 420
) -> None:
    """Writes rows of (label, 1×3×H×W image) as one picture, every picture `height` px high.

    Raises:
        OutputError: the sheet cannot be written there.
    """
    save_sheet(drawn_sheet(rows, height), path)


def drawn_sheet(rows: Sequence[Sequence[tuple[str, Tensor]]], height: int = 420) -> Image.Image:
    """Rows of (label, 1×3×H×W image) as one picture; see `contact_sheet`."""
    cells = [[(label, thumbnail(image, height)) for label, image in row] for row in rows]
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
    return sheet


@dataclass(frozen=True)
class Cell:
    """A picture, None where there is none yet, and the lines under it."""

    picture: Image.Image | None
    lines: tuple[str, ...]


def grid_sheet(cells: Sequence[Cell], columns: int, path: Path, top: Sequence[Cell] = ()) -> None:
    """Writes cells in rows of `columns` as one picture, a row of others above them.

    Raises:
        OutputError: the sheet cannot be written there.
    """
    save_sheet(drawn_grid(cells, columns, top), path)


def drawn_grid(cells: Sequence[Cell], columns: int, top: Sequence[Cell] = ()) -> Image.Image:
    """Cells in rows of `columns` as one picture; see `grid_sheet`."""
    rows = [list(top)] if top else []
    rows += [list(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    known = [c.picture for row in rows for c in row if c.picture]
    width = max([LEAST_WIDTH, *(p.width for p in known)])
    height = max([LINE, *(p.height for p in known)])
    deep = [height + max(len(c.lines) for c in row) * LINE + 2 * MARGIN for row in rows]
    across = width + MARGIN
    size = (max(map(len, rows), default=1) * across + MARGIN, sum(deep) + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            _draw_cell(sheet, cell, (MARGIN + c * across, MARGIN + sum(deep[:r])), (width, height))
    return sheet


def is_sheet(path: Path) -> bool:
    """Whether a file is a PNG that this module wrote."""
    try:
        with Image.open(path) as picture:
            return picture.info.get(MANIFEST_KEY) == KIND
    except Exception:  # damaged files make the decoders raise nearly anything
        return False


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Writes a page of pictures in the format of the path's suffix; a PNG says what it is.

    Raises:
        OutputError: the sheet cannot be written there.
    """
    if path.suffix.lower() != ".png":
        pixels = torch.from_numpy(np.array(sheet.convert("RGB"))).permute(2, 0, 1)  # 3×H×W
        save_image(path, pixels[None].float() / 255)
        return
    text = PngImagePlugin.PngInfo()
    text.add_text(MANIFEST_KEY, KIND)
    with atomic_path(path) as temporary:
        sheet.save(temporary, pnginfo=text)


def _draw_cell(sheet: Image.Image, cell: Cell, at: tuple[int, int], size: tuple[int, int]) -> None:
    (x, y), (width, height) = at, size
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=LINE - 5)
    if cell.picture:
        sheet.paste(cell.picture, (x, y + height - cell.picture.height))
    else:
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=EDGE)
    for n, line in enumerate(cell.lines):
        words = _shortened(_written(line, font), font, width)
        ink = MARK if line.startswith(WARNING) else INK
        draw.text((x, y + height + 3 + n * LINE), words, fill=ink, font=font)


def _written(line: str, font: Font) -> str:
    """The line in letters that the font has: ü as u, ß as ss, and ? for what is like none."""

    def plain(letter: str) -> str:
        if letter.isascii() or _shape(letter, font) != _shape("\uffff", font):
            return letter
        bare = unicodedata.normalize("NFKD", _PLAIN.get(letter, letter))
        return "".join(c for c in bare if c.isascii()) or "?"

    return "".join(map(plain, line))


def _shape(letter: str, font: Font) -> bytes:
    return bytes(font.getmask(letter))


def _shortened(line: str, font: Font, width: int) -> str:
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line + "…"


def thumbnail(image: Tensor, height: int) -> Image.Image:
    """A 1×3×H×W image in [0, 1] as an 8-bit picture of that height."""
    width = max(1, round(image.shape[3] * height / image.shape[2]))
    small = resize(image.detach().cpu(), (height, width))
    array = small[0].permute(1, 2, 0).mul(255).round().numpy()  # 1×3×H×W -> H×W×3
    return Image.fromarray(array.astype(np.uint8))
