"""The night scene: a modern skyline across a wide river, late in the blue hour."""

from __future__ import annotations

import numpy as np

from . import lights, materials, riverside, sky, street, tree, water
from .camera import Camera
from .city import flat
from .develop import Film
from .materials import Scene
from .mesh import Geometry
from .tower import Tower, add_tower

FILM = Film(
    exposure=4.2,
    contrast=1.12,
    balance=(1.0, 1.0, 1.04),
    glare=0.10,
    grain=0.013,
    haze=(0.052, 0.043, 0.052),
    reach=2600.0,
    saturation=1.04,
)
LEVEL, SHORE = 2.6, 190.0  # height of the far promenade, its distance (y)
STONES = (
    (0.34, 0.32, 0.29),
    (0.24, 0.22, 0.2),
    (0.42, 0.4, 0.37),
    (0.3, 0.2, 0.15),
    (0.2, 0.21, 0.23),
)


def camera(width: int, height: int) -> Camera:
    """A view over the water from a balustrade on the near bank."""
    return Camera((0.0, 0.0, 8.4), 0.0, 58.0, 0.62, width, height)


def skyline(geometry: Geometry, rng: np.random.Generator) -> None:
    """Low houses on the front, blocks behind them, towers in two groups beyond."""
    ranks = (
        (224.0, 4, 9, 0.9),
        (262.0, 6, 15, 0.85),
        (310.0, 8, 20, 0.8),
        (390.0, 8, 26, 0.75),
        (520.0, 10, 30, 0.7),
        (700.0, 10, 34, 0.7),
    )
    for distance, least, most, packed in ranks:
        x = -0.62 * distance
        while x < 0.62 * distance:
            wide = rng.uniform(16.0, 34.0)
            if rng.random() < packed:
                centre = x / distance
                boost = 1 + 0.55 * np.exp(-(((centre + 0.2) / 0.13) ** 2))
                floors = int(rng.integers(least, most) * (boost if distance > 250 else 1))
                place(geometry, rng, (x, distance + rng.uniform(0, 14)), wide, floors)
            x += wide + rng.uniform(1.5, 14.0)
    for x, y, wide, floors in (
        (-92.0, 330.0, 30.0, 36),
        (-50.0, 420.0, 34.0, 47),
        (-150.0, 450.0, 30.0, 41),
        (25.0, 480.0, 32.0, 34),
        (175.0, 430.0, 30.0, 31),
    ):
        place(geometry, rng, (x, y), wide, floors, "glass")


def place(
    geometry: Geometry,
    rng: np.random.Generator,
    corner: tuple[float, float],
    wide: float,
    floors: int,
    style: str = "",
) -> None:
    """One tower at `corner`, turned a little, with its own facade."""
    style = style or str(rng.choice(["glass", "punched", "flats"], p=[0.3, 0.4, 0.3]))
    tower = Tower(
        width=wide,
        depth=rng.uniform(16.0, 30.0),
        floors=floors,
        style=style,
        seed=int(rng.integers(1 << 30)),
        storey=rng.uniform(3.1, 4.0),
        bay=rng.uniform(1.4, 3.2),
        busy=rng.uniform(0.2, 0.75),
        tone=STONES[int(rng.integers(len(STONES)))],
    )
    with geometry.frame((*corner, LEVEL), (1.0, 0.0)):
        add_tower(geometry, tower, (1.0, rng.normal(0, 0.09)))


def shore(geometry: Geometry, rng: np.random.Generator) -> None:
    """The far quay with its promenade, lamps, people, trees, and a road with cars."""
    with geometry.frame((-260.0, SHORE, 0.0), (1.0, 0.0)):
        riverside.quay(geometry, 520.0, LEVEL, 0.3)
        flat(geometry, "paving", (0, 520), (-14.0, -0.5), LEVEL)
        flat(geometry, "asphalt", (0, 520), (-26.0, -14.0), LEVEL - 0.1)
        flat(geometry, "paving", (0, 520), (-700.0, -26.0), LEVEL - 0.02)
    with geometry.frame((-260.0, SHORE + 0.4, LEVEL + 0.3), (1.0, 0.0)):
        street.railing(geometry, 520.0, 0.9, 0.4)
    for x in np.arange(-125.0, 130.0, 13.0):
        with geometry.frame((x + rng.normal(0, 0.3), SHORE + 3.0, LEVEL), (1.0, 0.0)):
            street.lamp(geometry, 4.4, "lamp")
    kinds = [
        tree.grow(rng, rng.uniform(8.0, 10.5), 0.42, 2, colour, 1)
        for colour in ("#566636", "#4c6033", "#5b6a3b")
    ]
    for x in np.arange(-150.0, 150.0, 8.5):
        if rng.random() < 0.86:
            spot = (x + rng.normal(0, 0.7), SHORE + 8.0 + rng.normal(0, 0.8), LEVEL)
            tree.plant(geometry, rng, kinds[int(rng.integers(3))], spot, rng.uniform(0.7, 1.15))
    for _ in range(60):
        spot = (rng.uniform(-110, 110), SHORE + rng.uniform(1.5, 6.0), LEVEL)
        with geometry.frame(spot, (rng.choice([-1.0, 1.0]), rng.normal(0, 0.2))):
            street.person(geometry, rng)


def deck_lamp(geometry: Geometry, tall: float) -> None:
    """A plain mast with a lamp on an arm."""
    geometry.tube("iron", [(0, 0, 0), (0, 0, tall)], [0.09, 0.06], 8)
    geometry.box("iron", (-0.05, 0.05), (-0.1, 1.3), (tall - 0.05, tall + 0.05))
    geometry.box("lampwhite", (-0.14, 0.14), (0.6, 1.3), (tall - 0.16, tall - 0.05))


def cable_bridge(geometry: Geometry, length: float, level: float) -> None:
    """A cable-stayed bridge along u: a slim lit deck, two pylons, fans of cables."""
    pale = np.full(3, 0.55)
    geometry.box("facade", (0, length), (-9.0, 9.0), (level - 1.5, level), pale * 0.8)
    for out in (-9.05, 9.0):
        geometry.rect("neonwhite", (0, length), (level - 0.5, level - 0.4), 9.06)
        with geometry.frame(
            geometry.origin + geometry.axes[1] * out + [0, 0, level], geometry.axes[0][:2]
        ):
            street.railing(geometry, length, 1.1, 0.5)
    for x in np.arange(8.0, length, 17.0):
        for out, turn in ((8.6, -1.0), (-8.6, 1.0)):
            spot = geometry.origin + x * geometry.axes[0] + out * geometry.axes[1] + [0, 0, level]
            with geometry.frame(spot, turn * -geometry.axes[0][:2]):
                deck_lamp(geometry, 6.5)
    for x in (0.52 * length,):
        top = level + 33.0
        for out in (-1.0, 1.0):
            legs = [(x, 11 * out, -2), (x, 10.5 * out, level), (x, 3.0 * out, top)]
            geometry.tube("facade", legs, [1.9, 1.6, 1.1], 12, pale)
            for k in range(1, 14):
                for way in (-1.0, 1.0):
                    foot = x + way * (6.0 + 5.6 * k)
                    z = level + 9 + 1.7 * k
                    share = (z - level) / 33.0
                    geometry.tube(
                        "cable",
                        [(foot, 8.9 * out, level), (x, out * (10.5 - 7.5 * share), z)],
                        [0.07, 0.07],
                        5,
                        pale,
                    )
        geometry.box("facade", (x - 0.8, x + 0.8), (-8.5, 8.5), (level + 11.0, level + 12.4), pale)


def afloat(geometry: Geometry, rng: np.random.Generator) -> None:
    """Boats at rest and under way, with lit cabins."""
    fleet = (
        (-62.0, 96.0, 17.0, "#dfe2e4", 1.0),
        (-18.0, 150.0, 22.0, "#c9cdd2", -1.0),
        (14.0, 186.0, 14.0, "#41505e", 1.0),
        (-84.0, 186.5, 16.0, "#6d2b28", 1.0),
        (-58.0, 186.6, 12.0, "#d9d6cc", -1.0),
    )
    for x, y, length, colour, way in fleet:
        with geometry.frame((x, y, 0.0), (way, rng.normal(0, 0.08))):
            riverside.boat(geometry, length, colour)
            top = 0.2 * length
            geometry.box(
                "lampwhite",
                (0.05 * length - 0.06, 0.05 * length + 0.06),
                (-0.06, 0.06),
                (top + 1.2, top + 1.32),
            )
            for u in np.arange(-0.25 * length, 0.06 * length, 0.085 * length):
                half = 0.115 * length + 0.03
                geometry.rect(
                    "porthole", (u, u + 0.05 * length), (0.135 * length, 0.175 * length), half
                )


def near(geometry: Geometry, rng: np.random.Generator) -> None:
    """The near bank at the lower left: paved steps, a railing, a lamp and a leaning tree."""
    corner = (-7.5, 27.0)
    with geometry.frame((corner[0], corner[1], 0.0), (-1.0, 0.0)):
        riverside.quay(geometry, 60.0, 3.0, 0.25)
        flat(geometry, "paving", (0, 60), (-40.0, -0.5), 3.0)
    with geometry.frame((corner[0], -10.0, 0.0), (0.0, 1.0)):
        riverside.quay(geometry, 36.0, 3.0, 0.25)
    with geometry.frame((corner[0] - 0.3, corner[1] - 0.3, 3.25), (-1.0, 0.0)):
        street.railing(geometry, 50.0)
    with geometry.frame((corner[0] - 0.3, -10.0, 3.25), (0.0, 1.0)):
        street.railing(geometry, 35.7)
    with geometry.frame((corner[0] - 1.4, 24.0, 3.0), (0.0, 1.0)):
        street.lamp(geometry, 4.6, "lampnear")
    grown = tree.grow(rng, 10.5, 0.17, 12, "#566636")
    tree.plant(geometry, rng, grown, (corner[0] - 4.6, 25.0, 3.0), 1.0)


def build(rng: np.random.Generator, view: Camera) -> Scene:
    """The whole scene."""
    geometry = Geometry()
    surfaces = {**materials.common(rng), **lights.night_materials(rng)}
    surfaces["cable"] = materials.matte(materials.vertex_colour())
    skyline(geometry, rng)
    shore(geometry, rng)
    with geometry.frame((36.0, 24.0, 0.0), (0.22, 0.975)):
        cable_bridge(geometry, 182.0, 9.6)
    afloat(geometry, rng)
    near(geometry, rng)
    waves = water.spectrum(rng, 70, (0.2, 6.0), 60.0, 0.062)
    for name, alpha in water.add_water(geometry, view, waves, rng).items():
        surfaces[name] = materials.water(alpha, (0.012, 0.018, 0.02))
    return Scene(geometry, surfaces, {**sky.emitter(sky.night(rng)), "sampling_weight": 0.4})
