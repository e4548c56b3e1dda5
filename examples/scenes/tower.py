"""High-rise buildings at night: curtain walls and punched facades with lit rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Geometry
from .texture import cell_uv

LIT = (8, 8)  # columns and rows of the lit-room atlas
DARK = 16  # its first cells show dark rooms


@dataclass(frozen=True)
class Tower:
    """A tower of rectangular plan. style is "glass", "punched" or "flats"; sizes in metres."""

    width: float
    depth: float
    floors: int
    style: str
    seed: int
    storey: float = 3.7
    bay: float = 1.6
    busy: float = 0.35
    tone: tuple[float, float, float] = (0.3, 0.3, 0.3)

    @property
    def height(self) -> float:
        """Height of the roof above the ground."""
        return self.storey * self.floors + 1.5


def rooms(
    rng: np.random.Generator, floors: int, bays: int, busy: float, office: bool
) -> np.ndarray:
    """Atlas cell per window (floors, bays): offices light up in runs, flats one by one."""
    cells = rng.integers(0, DARK, (floors, bays))
    kinds = LIT[0] * LIT[1] - DARK
    for floor in range(floors):
        mood = busy * rng.choice([0.15, 0.7, 1.5, 2.4], p=[0.3, 0.35, 0.25, 0.1])
        bay, lamp = 0, int(rng.integers(kinds))
        while bay < bays:
            run = int(rng.integers(2, 9)) if office else int(rng.integers(1, 4))
            if rng.random() < min(mood, 0.95):
                kind = lamp if office and rng.random() < 0.7 else int(rng.integers(kinds))
                cells[floor, bay : bay + run] = DARK + kind
            bay += run
    return cells


def panes(
    geometry: Geometry,
    rng: np.random.Generator,
    u: np.ndarray,
    z: np.ndarray,
    out: float,
    cells: np.ndarray,
) -> None:
    """Window quads; u (B, 2), z (F, 2), cells (F, B). Lit ones go to "lit", others to "dim"."""
    floors, bays = cells.shape
    corners = np.zeros((floors, bays, 4, 3))
    corners[..., 0] = u[None][:, :, [0, 1, 1, 0]]
    corners[..., 2] = z[:, None][:, :, [0, 0, 1, 1]]
    corners[..., 1] = out + 0.006 * rng.standard_normal((floors, bays, 4))
    uv = np.zeros((floors, bays, 4, 2))
    for index in np.unique(cells):
        (u0, u1), (v0, v1) = cell_uv(int(index), *LIT)
        uv[cells == index] = [[u0, v0], [u1, v0], [u1, v1], [u0, v1]]
    lit = cells >= DARK
    for name, chosen in (("lit", lit), ("dim", ~lit)):
        if chosen.any():
            geometry.quads(name, corners[chosen], uv[chosen])


def many(
    geometry: Geometry, material: str, low: np.ndarray, high: np.ndarray, colour: np.ndarray
) -> None:
    """Fronts, undersides and flanks of N boxes standing out of a wall, low and high (N, 3)."""
    (a, b, c), (d, e, f) = low.T, high.T
    front = [(a, e, c), (d, e, c), (d, e, f), (a, e, f)]
    left = [(a, b, c), (a, e, c), (a, e, f), (a, b, f)]
    right = [(d, e, c), (d, b, c), (d, b, f), (d, e, f)]
    under = [(a, b, c), (d, b, c), (d, e, c), (a, e, c)]
    over = [(a, e, f), (d, e, f), (d, b, f), (a, b, f)]
    quads = [
        np.stack([np.stack(p, -1) for p in side], 1) for side in (front, left, right, under, over)
    ]
    geometry.quads(material, np.concatenate(quads), colour=colour)


def side(geometry: Geometry, rng: np.random.Generator, tower: Tower, wide: float) -> None:
    """One face of a tower along u, from the ground floor's lobby to the parapet."""
    bays = max(3, round(wide / tower.bay))
    step = wide / bays
    floors, storey = tower.floors, tower.storey
    tone = np.array(tower.tone)
    base = np.arange(floors) * storey
    left = np.arange(bays) * step
    glass = tower.style == "glass"
    margin, sill, head = (0.05, 0.75, 0.25) if glass else (0.22 * step, 0.95, 0.75)
    recess = -0.06 if glass else -0.28
    geometry.rect("core", (0, wide), (0, tower.height), recess - 0.05, colour=tone * 0.6)
    cells = rooms(rng, floors, bays, tower.busy, tower.style != "flats")
    cells[0] = DARK + rng.integers(0, LIT[0] * LIT[1] - DARK)
    panes(
        geometry,
        rng,
        np.stack([left + margin, left + step - margin], 1),
        np.stack([base + sill, base + storey - head], 1),
        recess,
        cells,
    )
    pier, out = margin, 0.1 if glass else 0.0
    starts = np.r_[left, wide] - pier
    low = np.stack([starts, np.full(bays + 1, recess), np.zeros(bays + 1)], 1)
    high = np.stack([starts + 2 * pier, np.full(bays + 1, out), np.full(bays + 1, tower.height)], 1)
    many(geometry, "metal" if glass else "facade", low, high, tone)
    edge = np.stack([np.zeros(floors), np.full(floors, recess), base - head], 1)
    far = np.stack([np.full(floors, wide), np.full(floors, 0.02), base + sill], 1)
    many(geometry, "dimpanel" if glass else "facade", edge, far, tone * 0.9)
    if tower.style == "flats":
        slabs(geometry, rng, tower, wide, tone)


def slabs(
    geometry: Geometry, rng: np.random.Generator, tower: Tower, wide: float, tone: np.ndarray
) -> None:
    """Balcony slabs with solid or glazed fronts, some bays wide."""
    base = np.arange(1, tower.floors) * tower.storey
    for place in np.arange(1.0, wide - 4.0, rng.uniform(6.5, 9.0)):
        reach = rng.uniform(3.2, 4.6)
        size = len(base)
        low = np.stack([np.full(size, place), np.zeros(size), base - 0.1], 1)
        many(geometry, "facade", low, low + [reach, 1.5, 0.22], tone * 1.2)
        rail = np.stack([np.full(size, place), np.full(size, 1.42), base + 0.12], 1)
        many(geometry, "dimpanel", rail, rail + [reach, 0.05, 0.95], tone)


def add_tower(geometry: Geometry, tower: Tower, heading: tuple[float, float]) -> None:
    """A tower whose front left corner is the frame's origin and whose front runs along u."""
    rng = np.random.default_rng(tower.seed)
    place, along = geometry.origin.copy(), np.array([*heading, 0.0])
    along = along / np.linalg.norm(along)
    back = np.array([-along[1], along[0], 0.0])
    faces = (
        (place, along, tower.width),
        (place + tower.width * along, back, tower.depth),
        (place + tower.depth * back, -back, tower.depth),
    )
    for origin, run, wide in faces:
        with geometry.frame(origin, run[:2]):
            side(geometry, rng, tower, wide)
    with geometry.frame(place, along[:2]):
        crown(geometry, rng, tower)


def crown(geometry: Geometry, rng: np.random.Generator, tower: Tower) -> None:
    """Roof slab, plant rooms, masts and now and then a red warning light."""
    wide, deep, top = tower.width, tower.depth, tower.height
    tone = np.array(tower.tone)
    geometry.box("facade", (0, wide), (-deep, 0), (top - 0.4, top), tone)
    for _ in range(int(rng.integers(1, 4))):
        size = rng.uniform(0.15, 0.4, 2) * [wide, deep]
        u, out = rng.uniform(0.05, 0.5) * wide, -rng.uniform(0.1, 0.5) * deep
        geometry.box(
            "facade",
            (u, u + size[0]),
            (out - size[1], out),
            (top, top + rng.uniform(2.5, 6.0)),
            tone * 0.8,
        )
    if tower.floors > 24 and rng.random() < 0.6:
        u, mast = wide * rng.uniform(0.3, 0.7), top + rng.uniform(9.0, 24.0)
        geometry.tube("iron", [(u, -deep / 2, top), (u, -deep / 2, mast)], [0.35, 0.08], 6)
        geometry.box(
            "beacon", (u - 0.25, u + 0.25), (-deep / 2 - 0.25, -deep / 2 + 0.25), (mast, mast + 0.5)
        )
    if tower.floors > 14 and rng.random() < 0.25:
        colour = "neonwhite" if rng.random() < 0.6 else "neonblue"
        geometry.rect(colour, (0, wide), (top - 0.9, top - 0.55), 0.12)
