"""Lit rooms, street lights and the materials that only the night scene needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import texture
from .materials import glossy, image, matte, rgb, vertex_colour
from .tower import DARK, LIT

WARM, NEUTRAL, COOL = (1.0, 0.56, 0.22), (1.0, 0.76, 0.48), (0.80, 0.93, 1.0)


def office(rng: np.random.Generator, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A lit office: ceiling strips seen from below, desks and people against the light."""
    room = 0.35 + 0.5 * np.exp(-5 * y)
    strip = (np.abs(y - rng.uniform(0.06, 0.2)) < 0.03) & (np.abs(x - 0.5) < rng.uniform(0.2, 0.45))
    room = room + 2.2 * strip
    for _ in range(int(rng.integers(1, 4))):
        place, wide, tall = rng.uniform(0, 0.9), rng.uniform(0.06, 0.3), rng.uniform(0.1, 0.45)
        room = np.where((x > place) & (x < place + wide) & (y > 1 - tall), 0.35 * room, room)
    if rng.random() < 0.35:
        down = rng.uniform(0.2, 0.9)
        room = np.where(y < down, 0.32 * (0.8 + 0.2 * np.sin(170 * y)), room)
    return room


def flat(rng: np.random.Generator, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A lit living room: the glow of one or two lamps, curtains, dark furniture."""
    room = np.full(x.shape, 0.12)
    for _ in range(int(rng.integers(1, 3))):
        centre = rng.uniform(0.1, 0.9), rng.uniform(0.15, 0.7)
        far = (x - centre[0]) ** 2 + (0.7 * (y - centre[1])) ** 2
        room = room + 0.8 * np.exp(-far / 0.08) + 2.0 * np.exp(-far / 0.003)
    tall = rng.uniform(0.1, 0.35)
    room = np.where(y > 1 - tall * (x < rng.uniform(0.3, 1.0)), 0.25 * room, room)
    if rng.random() < 0.6:
        folds = 0.5 + 0.2 * np.sin(60 * x + 2 * np.sin(11 * x))
        room = np.where(np.abs(x - 0.5) > rng.uniform(0.05, 0.4), folds * room.mean(), room)
    return room


def lit_atlas(rng: np.random.Generator, height: int = 64, width: int = 48) -> np.ndarray:
    """Radiance of all window cells; the first DARK ones are rooms without light."""
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    cells = []
    for index in range(LIT[0] * LIT[1]):
        if index < DARK:
            cells.append(np.full((height, width, 3), 0.02))
            continue
        tone = np.array([WARM, NEUTRAL, COOL][rng.choice(3, p=[0.42, 0.38, 0.2])])
        room = office(rng, y, x) if index % 2 else flat(rng, y, x)
        cells.append(room[..., None] * tone * rng.uniform(0.35, 1.2))
    return texture.atlas(cells, LIT[0])


def glow(colour: tuple[float, float, float], power: float, weight: float) -> dict[str, Any]:
    """A black surface that shines; `weight` is how often paths aim at it."""
    return {
        **matte(rgb("#202020")),
        "light": {
            "type": "area",
            "sampling_weight": weight,
            "radiance": {"type": "rgb", "value": (np.array(colour) * power).tolist()},
        },
    }


def night_materials(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Towers, lamps and signs."""
    dark = {"type": "twosided", "bsdf": {"type": "plastic", "diffuse_reflectance": rgb("#16181a")}}
    lit = {"type": "area", "sampling_weight": 0.0, "radiance": image(1.5 * lit_atlas(rng))}
    bare = {"type": "plastic", "diffuse_reflectance": rgb("#16181a")}
    return {
        "lit": {**bare, "light": lit},
        "dim": dark,
        "core": matte(vertex_colour()),
        "facade": matte(vertex_colour()),
        "metal": glossy(vertex_colour(), 0.35),
        "dimpanel": glossy(vertex_colour(), 0.2),
        "lamp": glow((1.0, 0.62, 0.27), 420.0, 1.0),
        "lampnear": glow((1.0, 0.62, 0.27), 150.0, 0.5),
        "lampwhite": glow((1.0, 0.86, 0.66), 90.0, 0.7),
        "beacon": glow((1.0, 0.06, 0.03), 60.0, 0.0),
        "neonwhite": glow((0.9, 0.95, 1.0), 4.0, 0.0),
        "neonblue": glow((0.12, 0.3, 1.0), 5.0, 0.0),
        "porthole": glow((1.0, 0.66, 0.32), 3.0, 0.0),
    }
