"""Curves over rounds as a picture, for a sheet."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

PAPER, INK, GRID = (24, 24, 24), (235, 235, 235), (70, 70, 70)
COLORS = ((90, 180, 250), (250, 150, 70), (110, 210, 110), (240, 110, 160), (190, 150, 250),
          (230, 220, 90))  # fmt: skip
LEFT, RIGHT, TOP, BOTTOM = 44, 130, 24, 28


def curves(title: str, series: Mapping[str, Sequence[float]], size: tuple[int, int]) -> Tensor:
    """1×3×H×W picture of numbers in [0, 1] by round, from 1, each named at its end.

    Args:
        size: (height, width).
    """
    height, width = size
    sheet = Image.new("RGB", (width, height), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    rounds = max(map(len, series.values()))
    least = min(min(values) for values in series.values())
    low = max(0.0, np.floor(10 * least - 0.5) / 10)

    def place(number: int, value: float) -> tuple[float, float]:
        across = LEFT + (width - LEFT - RIGHT) * (number - 1) / max(rounds - 1, 1)
        return across, TOP + (height - TOP - BOTTOM) * (1 - (value - low) / (1 - low))

    draw.text((LEFT, 4), title, fill=INK, font=font)
    for value in np.linspace(low, 1, 5):
        y = place(1, float(value))[1]
        draw.line((LEFT, y, width - RIGHT, y), fill=GRID)
        draw.text((6, y - 8), f"{value:.2f}", fill=INK, font=font)
    for number in {1, rounds}:
        draw.text((place(number, low)[0] - 4, height - BOTTOM + 6), f"{number}", INK, font)
    ends: list[float] = []
    for n, (name, values) in enumerate(series.items()):
        color = COLORS[n % len(COLORS)]
        points = [place(number, value) for number, value in enumerate(values, start=1)]
        draw.line([*points, points[-1]], fill=color, width=2)
        y = points[-1][1] - 8
        while any(abs(y - other) < 14 for other in ends):  # names of like ends stand apart
            y += 14
        ends.append(y)
        draw.text((width - RIGHT + 6, y), name, fill=color, font=font)
    pixels = np.asarray(sheet, np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
