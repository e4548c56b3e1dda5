"""Procedural textures: spectral noise, and the surfaces of facades, roofs, streets and panes."""

from __future__ import annotations

import numpy as np


def linear(colour: str) -> np.ndarray:
    """The linear RGB of an sRGB colour written as "#rrggbb"."""
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    slope: float = 2.0,
    stretch: tuple[float, ...] | None = None,
    low: float = 1.0,
) -> np.ndarray:
    """Tileable noise of power spectrum f^-slope above `low` cycles, mean 0 and deviation 1.

    `stretch` lengthens the features along each axis.
    """
    stretch = stretch or (1.0,) * len(shape)
    axes = [np.fft.fftfreq(n) * n * s for n, s in zip(shape, stretch, strict=True)]
    radius = np.sqrt(sum(g**2 for g in np.meshgrid(*axes, indexing="ij")))
    gain = np.where(radius < low, 0.0, np.maximum(radius, 1e-6) ** (-slope / 2))
    field = np.fft.ifftn(np.fft.fftn(rng.standard_normal(shape)) * gain).real
    return (field - field.mean()) / field.std()


def grain(rng: np.random.Generator, size: int = 1024, strength: float = 0.08) -> np.ndarray:
    """A tileable brightness field (size, size) around 1, blotchy and fine at once."""
    blotch = noise(rng, (size, size), 2.2, low=3)
    fine = noise(rng, (size, size), 0.6, low=40)
    return np.clip(1 + strength * (0.7 * blotch + 0.5 * fine), 0.2, 1.8)


def courses(
    rng: np.random.Generator,
    size: tuple[int, int],
    rows: int,
    columns: int,
    joint: tuple[float, float],
    spread: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Masonry in running bond: (brightness per stone, joint mask), both (height, width).

    `joint` is the joint's share of a stone's height and width.
    """
    height, width = size
    y = np.arange(height)[:, None] / height * rows
    x = np.arange(width)[None] / width * columns + 0.5 * (np.floor(y) % 2)
    tone = 1 + spread * rng.standard_normal((rows, columns + 1))
    brightness = tone[np.floor(y).astype(int), np.floor(x).astype(int) % (columns + 1)]
    mortar = ((y % 1) < joint[0]) | ((x % 1) < joint[1])
    return brightness, mortar


def weather(
    rng: np.random.Generator, size: tuple[int, int], metres: tuple[float, float], dirt: float
) -> np.ndarray:
    """Brightness (height, width), row 0 at the eaves: rain streaks, soot, a dirty base."""
    height = size[0]
    z = (1 - (np.arange(height)[:, None] + 0.5) / height) * metres[0]
    streak = np.clip(noise(rng, size, 1.6, (0.06, 1.0), low=2), 0, 3)
    under_eaves = np.exp(-(metres[0] - z) / 2.2)
    patch = noise(rng, size, 2.4, low=2)
    soot = 0.10 * np.clip(patch, -1, 3) + 0.14 * streak * (0.25 + under_eaves)
    base = 0.45 * np.exp(-z / 0.7) + 0.15 * np.exp(-z / 3.0)
    return np.clip(1 - dirt * (soot + base), 0.15, 1.3)


def facade(
    rng: np.random.Generator,
    colour: np.ndarray,
    kind: str,
    metres: tuple[float, float],
    dirt: float = 1.0,
    size: int = 1024,
) -> np.ndarray:
    """Reflectance (size, size, 3) of one facade `metres` (height, width) large, row 0 on top.

    kind is "plaster", "brick" or "stone".
    """
    shape = (size, size)
    hue = 1 + 0.025 * noise(rng, (*shape, 1), 2.0, low=3) * np.array([1.0, 0.2, -0.8])
    albedo = colour * grain(rng, size, 0.05)[..., None] * hue
    if kind == "brick":
        rows, columns = int(metres[0] / 0.085), int(metres[1] / 0.25)
        tone, mortar = courses(rng, shape, rows, columns, (0.16, 0.06), 0.16)
        albedo = albedo * np.clip(tone, 0.4, 1.6)[..., None]
        joint = 0.5 * albedo + 0.5 * np.array([0.3, 0.28, 0.25])
        albedo = np.where(mortar[..., None], joint, albedo)
    elif kind == "stone":
        rows, columns = int(metres[0] / 0.42), int(metres[1] / 0.95)
        tone, mortar = courses(rng, shape, rows, columns, (0.05, 0.025), 0.055)
        albedo = albedo * tone[..., None] * np.where(mortar, 0.72, 1.0)[..., None]
    aged = albedo * weather(rng, shape, metres, dirt)[..., None]
    return np.clip(aged, 0.01, 0.9).astype(np.float32)


def tiles(
    rng: np.random.Generator,
    colour: np.ndarray,
    rows: int,
    columns: int,
    spread: float,
    joint: float = 0.14,
    size: int = 1024,
) -> np.ndarray:
    """A tileable bond of roof tiles, slates or paving stones, reflectance (size, size, 3)."""
    tone, gap = courses(rng, (size, size), rows, columns, (joint, joint * rows / columns), spread)
    shade = tone * np.where(gap, 0.55, 1.0) * grain(rng, size, 0.13)
    warm = 1 + 0.05 * noise(rng, (size, size, 1), 1.5, low=4) * np.array([1.0, 0.0, -1.0])
    return np.clip(colour * shade[..., None] * warm, 0.01, 0.9).astype(np.float32)


def rough(
    rng: np.random.Generator, colour: np.ndarray, strength: float = 0.1, size: int = 1024
) -> np.ndarray:
    """A tileable rough surface without pattern (asphalt, concrete), (size, size, 3)."""
    field = grain(rng, size, strength)
    cracks = np.abs(noise(rng, (size, size), 2.2, low=4)) < 0.012
    field = np.where(cracks, 0.8 * field, field)
    return np.clip(colour * field[..., None], 0.01, 0.9).astype(np.float32)


def pane_cell(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """What one window shows by day (height, width, 3), row 0 on top: room, curtains, blinds."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    room = 0.012 + 0.03 * rng.random() * np.exp(-4 * y)
    cell = np.repeat(room[..., None], 3, axis=2) * np.array([1.0, 0.95, 0.85])
    cloth = np.array([0.55, 0.52, 0.46]) * rng.uniform(0.35, 1.0)
    folds = 0.75 + 0.25 * np.sin(x * rng.uniform(40, 70) + 3 * np.sin(9 * x + rng.random()))
    kind = rng.choice(["dark", "sides", "blind", "net", "half"], p=[0.3, 0.27, 0.15, 0.18, 0.1])
    if kind == "sides":
        drawn = np.abs(x - 0.5) > rng.uniform(0.2, 0.42)
        cell = np.where(drawn[..., None], cloth * folds[..., None], cell)
    elif kind == "blind":
        slats = 0.8 + 0.2 * np.sin(y * 150)
        down = y < rng.uniform(0.25, 1.0)
        cell = np.where(down[..., None], 0.6 * cloth * slats[..., None], cell)
    elif kind == "net":
        cell = 0.5 * cell + 0.4 * cloth * (0.6 + 0.4 * folds[..., None])
    elif kind == "half":
        cell = np.where((y > 0.5)[..., None], 0.7 * cloth * folds[..., None], cell)
    return cell


def atlas(cells: list[np.ndarray], columns: int) -> np.ndarray:
    """Cells of equal size laid out in rows of `columns`, the first at the top left."""
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows, axis=0).astype(np.float32)


def cell_uv(
    index: int, columns: int, rows: int, part: tuple[float, float, float, float] = (0, 1, 0, 1)
) -> tuple[tuple[float, float], tuple[float, float]]:
    """((u0, u1), (v0, v1)) of `part` (left, right, bottom, top) of an atlas cell."""
    column, row = index % columns, rows - 1 - index // columns
    trim = 0.03
    left, right, bottom, top = (trim + (1 - 2 * trim) * p for p in part)
    return (
        ((column + left) / columns, (column + right) / columns),
        ((row + bottom) / rows, (row + top) / rows),
    )
