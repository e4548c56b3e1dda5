"""Town houses with relief: recessed windows, sills, mouldings, shopfronts, balconies, roofs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Geometry
from .texture import cell_uv, linear

PANES = (8, 6)  # columns and rows of the window atlas
AWNINGS = ("#7c2f2a", "#2f4a3a", "#c9b48a", "#33435c", "#8a8478", "#a8552f")
SIGNS = ("#26302b", "#3b2a22", "#1f2733", "#54241f", "#c4b594", "#2e2e2e")
PAINT = ("#e9e4d6", "#d9d3c2", "#3f4a42", "#5b4a38", "#efece4", "#6d7468")


@dataclass(frozen=True)
class House:
    """One house front: `wall` names its facade material; sizes in metres.

    roof is "mansard", "pitched" or "gable".
    """

    wall: str
    width: float
    floors: int
    roof: str
    seed: int
    depth: float = 12.0
    storey: float = 3.3
    ground: float = 4.2
    balconies: bool = False
    shutters: bool = False

    @property
    def height(self) -> float:
        """Height of the eaves above the street."""
        return self.ground + self.storey * self.floors


def window(
    geometry: Geometry,
    rng: np.random.Generator,
    u: tuple[float, float],
    z: tuple[float, float],
    paint: np.ndarray,
    recess: float = 0.2,
) -> None:
    """A casement window: frame, glazing bars and panes that each sit a little askew."""
    (a, b), (c, d) = u, z
    bar, out = 0.07, (-recess - 0.05, -recess + 0.02)
    middle, split = (a + b) / 2, c + 0.72 * (d - c)
    for x in ((a, a + bar), (b - bar, b), (middle - 0.05, middle + 0.05)):
        geometry.box("frame", x, out, z, paint)
    for y in ((c, c + bar), (d - bar, d), (split - 0.035, split + 0.035)):
        geometry.box("frame", u, (out[0], out[1] - 0.01), y, paint)
    cell = int(rng.integers(PANES[0] * PANES[1]))
    for left, right in ((a, middle), (middle, b)):
        for low, high in ((c, split), (split, d)):
            part = (
                (left - a) / (b - a),
                (right - a) / (b - a),
                (low - c) / (d - c),
                (high - c) / (d - c),
            )
            (u0, u1), (v0, v1) = cell_uv(cell, *PANES, part)
            tilt = rng.normal(0, 0.006, 4) - recess - 0.02
            corners = [
                (left, tilt[0], low),
                (right, tilt[1], low),
                (right, tilt[1] + tilt[3] - tilt[0], high),
                (left, tilt[3], high),
            ]
            uv = np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])
            geometry.quads("glass", [corners], uv)


def opening(
    geometry: Geometry,
    house: House,
    u: tuple[float, float],
    z: tuple[float, float],
    cell: tuple[float, float, float, float],
    recess: float = 0.2,
) -> None:
    """The wall around an opening, filling `cell` (u0, u1, z0, z1), and the opening's reveals."""

    def strip(u0: float, u1: float, z0: float, z1: float) -> None:
        uv = ((u0 / house.width, u1 / house.width), (z0 / house.height, z1 / house.height))
        geometry.rect(house.wall, (u0, u1), (z0, z1), 0.0, uv)

    u0, u1, z0, z1 = cell
    strip(u0, u[0], z0, z1)
    strip(u[1], u1, z0, z1)
    strip(u[0], u[1], z0, z[0])
    strip(u[0], u[1], z[1], z1)
    (a, b), (c, d) = u, z
    sides = [
        [(a, 0, c), (a, -recess, c), (a, -recess, d), (a, 0, d)],
        [(b, -recess, c), (b, 0, c), (b, 0, d), (b, -recess, d)],
        [(a, -recess, d), (b, -recess, d), (b, 0, d), (a, 0, d)],
        [(a, 0, c), (b, 0, c), (b, -recess, c), (a, -recess, c)],
    ]
    spot = np.array([a / house.width, c / house.height])
    uv = np.broadcast_to(spot + 0.01 * np.array([[0, 0], [1, 0], [1, 1], [0, 1]]), (4, 4, 2))
    geometry.quads(house.wall, sides, uv)


def surround(
    geometry: Geometry,
    u: tuple[float, float],
    z: tuple[float, float],
    tint: np.ndarray,
    style: int,
) -> None:
    """Sill, jambs and lintel of one window; style 2 adds a small cornice above."""
    geometry.box("trim", (u[0] - 0.16, u[1] + 0.16), (-0.05, 0.14), (z[0] - 0.12, z[0]), tint)
    if style == 0:
        return
    for x in ((u[0] - 0.16, u[0]), (u[1], u[1] + 0.16)):
        geometry.box("trim", x, (-0.02, 0.05), z, tint)
    geometry.box("trim", (u[0] - 0.16, u[1] + 0.16), (-0.02, 0.06), (z[1], z[1] + 0.22), tint)
    if style == 2:
        top = z[1] + 0.22
        geometry.box("trim", (u[0] - 0.28, u[1] + 0.28), (-0.02, 0.2), (top, top + 0.09), tint)
        geometry.box(
            "trim", (u[0] - 0.34, u[1] + 0.34), (-0.02, 0.28), (top + 0.09, top + 0.15), tint
        )


def shutters(
    geometry: Geometry,
    rng: np.random.Generator,
    u: tuple[float, float],
    z: tuple[float, float],
    tint: np.ndarray,
) -> None:
    """Open louvred shutters beside a window, some of them pulled nearly shut."""
    half = (u[1] - u[0]) / 2
    for x in ((u[0] - half - 0.02, u[0] - 0.02), (u[1] + 0.02, u[1] + half + 0.02)):
        if rng.random() < 0.08:
            x = (
                (x[0] + half * 0.9, x[1] + half * 0.9)
                if x[1] < u[1]
                else (x[0] - half * 0.9, x[1] - half * 0.9)
            )
        out = 0.02 + 0.05 * rng.random()
        shade = tint * rng.uniform(0.85, 1.1)
        geometry.box("frame", x, (out, out + 0.03), z, shade)
        for low in np.arange(z[0] + 0.08, z[1] - 0.08, 0.075):
            geometry.box(
                "frame",
                (x[0] + 0.05, x[1] - 0.05),
                (out + 0.02, out + 0.045),
                (low, low + 0.045),
                shade,
                0.005,
            )


def balcony(
    geometry: Geometry, rng: np.random.Generator, u: tuple[float, float], floor: float
) -> None:
    """A stone slab on consoles with an iron railing, sometimes with plants."""
    geometry.box("trim", u, (-0.02, 0.62), (floor - 0.16, floor - 0.02))
    for x in np.arange(u[0] + 0.15, u[1], 1.3):
        geometry.box("trim", (x - 0.08, x + 0.08), (-0.02, 0.45), (floor - 0.42, floor - 0.16))
    for z in (floor + 0.05, floor + 0.55, floor + 0.95):
        geometry.box("iron", u, (0.56, 0.59), (z, z + 0.03))
    for x in np.arange(u[0], u[1], 0.13):
        geometry.box("iron", (x, x + 0.018), (0.56, 0.585), (floor, floor + 0.95))
    if rng.random() < 0.45:
        count = int(40 * (u[1] - u[0]))
        spot = np.stack(
            [
                rng.uniform(*u, count),
                rng.uniform(0.4, 0.68, count),
                floor + 0.72 + 0.16 * rng.standard_normal(count),
            ],
            axis=-1,
        )
        leaf = spot[:, None] + 0.09 * rng.standard_normal((count, 4, 3))
        hue = linear("#44602c") if rng.random() < 0.6 else linear("#a0383c")
        geometry.quads("planter", leaf, colour=hue * rng.uniform(0.5, 1.5, (count, 1)))


def shopfront(geometry: Geometry, rng: np.random.Generator, house: House, tint: np.ndarray) -> None:
    """The ground floor: large panes between piers, a sign board, awnings, a house door."""
    bays = max(2, round(house.width / 3.4))
    step, top = house.width / bays, house.ground - 0.95
    door = int(rng.integers(bays))
    sign = linear(str(rng.choice(SIGNS)))
    awning = linear(str(rng.choice(AWNINGS))) if rng.random() < 0.55 else None
    for bay in range(bays):
        u = (bay * step + 0.32, (bay + 1) * step - 0.32)
        cell = (bay * step, (bay + 1) * step, 0.0, house.ground)
        if bay == door:
            middle = sum(u) / 2
            u = (middle - 0.75, middle + 0.75)
            opening(geometry, house, u, (0.0, top), cell, 0.4)
            geometry.box("frame", u, (-0.45, -0.38), (0.0, top - 0.6), sign * 0.8 + 0.01)
            for x in (u[0] + 0.12, middle + 0.06):
                for z in ((0.25, 1.0), (1.15, top - 0.8)):
                    geometry.box("frame", (x, x + 0.55), (-0.4, -0.36), z, sign * 1.1 + 0.01)
            window(geometry, rng, u, (top - 0.6, top), sign, 0.38)
            continue
        opening(geometry, house, u, (0.5, top), cell, 0.3)
        window(geometry, rng, u, (0.5, top), sign, 0.28)
        geometry.box("frame", (u[0], u[1]), (-0.3, 0.03), (0.12, 0.5), sign)
        if awning is not None:
            drop, reach = top - 0.75, 1.35
            for stripe, x in enumerate(np.arange(u[0] - 0.1, u[1] + 0.1, 0.22)):
                shade = awning if stripe % 2 else np.minimum(awning * 1.25 + 0.02, 0.8)
                edge = [
                    (x, reach, drop),
                    (x + 0.22, reach, drop),
                    (x + 0.22, 0.05, top + 0.1),
                    (x, 0.05, top + 0.1),
                ]
                flap = [(x, reach, drop - 0.22), (x + 0.22, reach, drop - 0.22), edge[1], edge[0]]
                geometry.quads("cloth", [edge, flap], colour=shade)
    geometry.box("frame", (0.25, house.width - 0.25), (-0.02, 0.1), (top + 0.15, top + 0.7), sign)
    geometry.box(
        "trim", (0.0, house.width), (-0.02, 0.24), (house.ground - 0.16, house.ground), tint
    )
