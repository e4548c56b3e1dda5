"""A whole town house: shop floor, upper floors, sides, cornice and roof."""

from __future__ import annotations

import numpy as np

from .facade import PAINT, House, balcony, opening, shopfront, shutters, surround, window
from .mesh import Geometry
from .roof import add_roof, cornice
from .texture import linear


def add_house(geometry: Geometry, house: House) -> None:
    """Add a whole house whose front starts at the current frame's origin and runs along u."""
    rng = np.random.default_rng(house.seed)
    tint = linear("#d8cfba") * rng.uniform(0.55, 1.05)
    paint = linear(str(rng.choice(PAINT)))
    wood = linear(str(rng.choice(["#4d5f4a", "#6b7f88", "#7b4a35", "#8d8a7e", "#33506b"])))
    shopfront(geometry, rng, house, tint)
    bays = max(2, round(house.width / rng.uniform(2.2, 2.9)))
    step, style = house.width / bays, int(rng.integers(0, 3))
    wide = min(1.25, 0.48 * step)
    for floor in range(house.floors):
        base = house.ground + floor * house.storey
        tall = (2.15 if floor == 0 else 1.95) - 0.1 * floor
        for bay in range(bays):
            middle = (bay + 0.5) * step
            u, z = (middle - wide / 2, middle + wide / 2), (base + 0.75, base + 0.75 + tall)
            if house.balconies and floor in (1, house.floors - 1):
                z = (base + 0.08, z[1])
            opening(
                geometry, house, u, z, (bay * step, (bay + 1) * step, base, base + house.storey)
            )
            window(geometry, rng, u, z, paint * rng.uniform(0.9, 1.05))
            surround(geometry, u, z, tint, style if floor < house.floors - 1 else min(style, 1))
            if house.shutters:
                shutters(geometry, rng, u, z, wood)
        if house.balconies and floor in (1, house.floors - 1):
            balcony(geometry, rng, (0.3, house.width - 0.3), base + 0.1)
        elif floor:
            geometry.box("trim", (0, house.width), (-0.02, 0.08), (base - 0.1, base + 0.06), tint)
    side = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    for x in (0.0, house.width):
        wall = [
            (x, 0, 0),
            (x, -house.depth, 0),
            (x, -house.depth, house.height),
            (x, 0, house.height),
        ]
        geometry.quads(house.wall, [wall], side)
    geometry.tube("iron", [(0.12, 0.1, 0.3), (0.12, 0.1, house.height - 0.4)], [0.06, 0.06])
    cornice(geometry, house, tint)
    add_roof(geometry, rng, house)
