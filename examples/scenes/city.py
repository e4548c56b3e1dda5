"""The day scene: an old town's river embankment on a bright afternoon."""

from __future__ import annotations

import cv2
import numpy as np

from . import materials, riverside, sky, street, texture, tree, water
from .camera import Camera
from .develop import Film
from .facade import House
from .house import add_house
from .materials import Scene
from .mesh import Geometry

SUN = np.array([-0.66, -0.36, 0.62]) / np.linalg.norm([-0.66, -0.36, 0.62])
FILM = Film(
    exposure=4.6,
    contrast=1.42,
    balance=(1.04, 1.0, 0.95),
    glare=0.022,
    grain=0.009,
    haze=(0.105, 0.125, 0.15),
    reach=2300.0,
    saturation=1.0,
)
WALLS = (
    ("#d9c7a0", "plaster"),
    ("#c99b76", "plaster"),
    ("#e2d8c4", "stone"),
    ("#9c6248", "brick"),
    ("#d8b98a", "plaster"),
    ("#cfc6b4", "stone"),
    ("#b9846c", "plaster"),
    ("#c8c9bd", "plaster"),
    ("#84553f", "brick"),
    ("#dfceb0", "stone"),
    ("#cfae74", "plaster"),
    ("#a9b3b0", "plaster"),
)
LEVEL, QUAY, FRONT = 3.2, 15.0, 37.0  # street level, the right bank's quay and house line (x)


def camera(width: int, height: int) -> Camera:
    """A view from a bridge down the river, with the right bank's houses in perspective."""
    return Camera((0.0, 0.0, 7.2), 15.0, 60.0, 0.6, width, height)


def houses(rng: np.random.Generator, count: int) -> list[tuple[House, np.ndarray, str]]:
    """`count` different houses, each with its wall's colour and kind."""
    result = []
    order = rng.permutation(len(WALLS))
    for index in range(count):
        colour, kind = WALLS[order[index % len(WALLS)]]
        roof = str(rng.choice(["mansard", "pitched", "gable"], p=[0.5, 0.36, 0.14]))
        width = rng.uniform(7.0, 8.5) if roof == "gable" else rng.uniform(9.0, 16.5)
        house = House(
            wall=f"wall{index}",
            width=width,
            floors=int(rng.integers(3, 6)),
            roof=roof,
            seed=int(rng.integers(1 << 30)),
            storey=rng.uniform(3.05, 3.5),
            ground=rng.uniform(3.9, 4.6),
            balconies=roof == "mansard" and rng.random() < 0.7,
            shutters=kind == "plaster" and rng.random() < 0.5,
        )
        tone = texture.linear(colour) * rng.uniform(0.82, 1.05)
        result.append((house, tone, kind))
    return result


def build_houses(plans: list[House]) -> list[tuple[House, Geometry]]:
    """Each house built once in (u, out, z) coordinates, ready to be set anywhere."""
    result = []
    for house in plans:
        own = Geometry()
        add_house(own, house)
        result.append((house, own))
    return result


def row(
    geometry: Geometry,
    fronts: list[tuple[House, Geometry]],
    start: tuple[float, float],
    along: tuple[float, float],
) -> None:
    """Houses side by side from `start` along a direction, fronts on its right-hand side."""
    place, step = np.array([*start, LEVEL]), np.array([*along, 0.0])
    for house, built in fronts:
        with geometry.frame(place, along):
            geometry.insert(built)
        place = place + step * (house.width + 0.02)


def banks(geometry: Geometry) -> None:
    """Quays, pavements and roads of both banks."""
    with geometry.frame((QUAY, 420.0, 0.0), (0.0, -1.0)):
        riverside.quay(geometry, 440.0, LEVEL)
        flat(geometry, "paving", (0, 440), (-9.0, -0.5), LEVEL)
        flat(geometry, "asphalt", (0, 440), (-18.0, -9.0), LEVEL - 0.14)
        geometry.box("coping", (0, 440), (-9.15, -8.95), (LEVEL - 0.2, LEVEL + 0.02))
        geometry.box("coping", (0, 440), (-18.05, -17.85), (LEVEL - 0.2, LEVEL + 0.02))
        flat(geometry, "paving", (0, 440), (-60.0, -18.0), LEVEL)
        for u in np.arange(0, 440, 6.0):
            flat(geometry, "marking", (u, u + 3.0), (-13.6, -13.45), LEVEL - 0.135)
    with geometry.frame((-58.0, 130.0, 0.0), (0.05, 1.0)):
        riverside.quay(geometry, 420.0, LEVEL)
        flat(geometry, "paving", (0, 420), (-80.0, -0.5), LEVEL)
    with geometry.frame((-300.0, 470.0, 0.0), (1.0, 0.0)):
        riverside.quay(geometry, 700.0, LEVEL)
        flat(geometry, "paving", (0, 700), (-900.0, -0.5), LEVEL)


def flat(
    geometry: Geometry, material: str, u: tuple[float, float], out: tuple[float, float], z: float
) -> None:
    """A level rectangle textured every 4 metres."""
    corners = np.array([[u[0], out[1], z], [u[1], out[1], z], [u[1], out[0], z], [u[0], out[0], z]])
    geometry.quads(material, [corners], corners[:, :2] / 4.0)


def skyline(
    geometry: Geometry, rng: np.random.Generator, fronts: list[tuple[House, Geometry]]
) -> None:
    """The left bank, the far bank that closes the river, towers, a dome and wooded hills."""
    row(geometry, fronts[:12], (-74.0, 150.0), (0.05, 1.0))
    row(geometry, fronts[3:20], (-190.0, 490.0), (1.0, 0.0))
    for depth in (1, 2, 3):
        shuffled = [fronts[i] for i in rng.permutation(len(fronts))]
        row(geometry, shuffled[:18], (-230.0, 500.0 + 34.0 * depth), (1.0, 0.0))
    for x, y, tall, wall in (
        (-40.0, 560.0, 46.0, "limestone"),
        (-118.0, 330.0, 36.0, "wall3"),
        (70.0, 300.0, 44.0, "limestone"),
    ):
        with geometry.frame((x, y, LEVEL), (1.0, 0.0)):
            riverside.church(geometry, tall, wall, "copper" if wall == "limestone" else "slate")
    with geometry.frame((-150.0, 620.0, LEVEL), (1.0, 0.0)):
        riverside.dome(geometry, 19.0, 30.0)
    riverside.hill(geometry, rng, (-120.0, 1500.0), (1500.0, 500.0, 105.0), "#3d5230")
    riverside.hill(geometry, rng, (700.0, 2600.0), (2500.0, 700.0, 210.0), "#43583a")


def life(geometry: Geometry, rng: np.random.Generator) -> None:
    """Lamps, cars, people, benches and boats."""
    for y in np.arange(14.0, 400.0, 22.0):
        with geometry.frame((QUAY + 1.3, y, LEVEL), (0.0, -1.0)):
            street.lamp(geometry)
        if y < 200:
            with geometry.frame((FRONT - 3.2, y + 9, LEVEL), (0.0, -1.0)):
                street.lamp(geometry, 5.2)
            with geometry.frame((QUAY + 5.5, y + 6.0, LEVEL), (0.0, -1.0)):
                street.bench(geometry)
    for x, heading in ((QUAY + 10.2, 1.0), (FRONT - 5.2, -1.0)):
        for y in np.arange(18.0, 330.0, 5.9):
            if rng.random() < 0.72:
                place = (x + rng.normal(0, 0.08), y + rng.normal(0, 0.25), LEVEL - 0.14)
                with geometry.frame(place, (rng.normal(0, 0.012), heading)):
                    street.car(geometry, rng)
    for _ in range(46):
        lane = rng.choice([QUAY + 2.2, QUAY + 3.6, QUAY + 6.5, FRONT - 1.2, FRONT - 2.4])
        place = (lane + rng.normal(0, 0.4), 30 + 200 * rng.random() ** 1.3, LEVEL)
        with geometry.frame(place, (rng.normal(0, 0.3), rng.choice([-1.0, 1.0]))):
            street.person(geometry, rng)
    fleet = (
        (QUAY - 2.7, 36.0, 15.0, "#26323c", True),
        (QUAY - 2.2, 61.0, 9.0, "#7a2c28", False),
        (QUAY - 2.9, 84.0, 19.0, "#1f3a33", True),
        (QUAY - 2.2, 108.0, 8.0, "#dedbd0", False),
        (-20.0, 118.0, 12.0, "#e6e3da", True),
        (-55.0, 190.0, 18.0, "#2d2d33", True),
    )
    for x, y, length, colour, cabin in fleet:
        with geometry.frame((x, y, 0.0), (0.02, -1.0)):
            riverside.boat(geometry, length, colour, cabin)


def green(geometry: Geometry, rng: np.random.Generator) -> None:
    """Plane trees along the quays, a few lime trees between, all from five grown ones."""
    shades = ("#61713d", "#58693a", "#667544", "#52633a", "#6d794a")
    near = [tree.grow(rng, rng.uniform(9.0, 11.5), 0.27, 17, shade) for shade in shades]
    far = [tree.grow(rng, rng.uniform(9.0, 11.5), 0.5, 4, shade, 1) for shade in shades]
    spots = [(QUAY + 7.6, y, 0.8) for y in np.arange(33.0, 420.0, 12.5)]
    spots += [(-64.0 + 0.05 * (y - 130), y, 1.0) for y in np.arange(140.0, 460.0, 14.0)]
    spots += [(x, 478.0, 1.15) for x in np.arange(-110.0, 140.0, 12.0)]
    for x, y, size in spots:
        kind = (near if y < 110 else far)[int(rng.integers(5))]
        place = (x + rng.normal(0, 0.2), y + rng.normal(0, 0.6), LEVEL)
        tree.plant(geometry, rng, kind, place, size * rng.uniform(0.85, 1.15))


def build(rng: np.random.Generator, view: Camera) -> Scene:
    """The whole scene."""
    geometry = Geometry()
    plans = houses(rng, 22)
    fronts = build_houses([plan[0] for plan in plans])
    surfaces = materials.common(rng)
    for house, tone, kind in plans:
        pixels = texture.facade(rng, tone, kind, (house.height, house.width))
        surfaces[house.wall] = materials.matte(materials.image(pixels))
    total = sum(house.width for house, _ in fronts[:16])
    row(geometry, fronts[:16], (FRONT, 24.0 + total), (0.0, -1.0))
    row(geometry, fronts[16:22], (FRONT, 26.0 + total + 75.0), (0.0, -1.0))
    banks(geometry)
    skyline(geometry, rng, fronts)
    with geometry.frame((-62.0, 205.0, 0.0), (1.0, 0.0)):
        riverside.bridge(geometry, QUAY + 62.0, LEVEL)
    life(geometry, rng)
    green(geometry, rng)
    waves = water.spectrum(rng, 70, (0.22, 7.0), 70.0, 0.085)
    for name, alpha in water.add_water(geometry, view, waves, rng).items():
        surfaces[name] = materials.water(alpha, (0.030, 0.042, 0.030))
    weather = sky.DaySky.make(rng, SUN, 2.8, -0.75)
    backdrop = weather.radiance(rng, view.rays(round(view.height * view.horizon) - 1))
    backdrop = cv2.GaussianBlur(backdrop, (0, 0), view.width / 1600)  # the ray steps' noise
    return Scene(geometry, surfaces, sky.emitter(weather.panorama(rng)), backdrop)
