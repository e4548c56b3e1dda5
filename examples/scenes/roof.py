"""What tops a house: cornice, mansard, pitched or gabled roof, dormers, chimneys, aerials."""

from __future__ import annotations

import numpy as np

from .facade import House, window
from .mesh import Geometry
from .texture import linear


def cornice(geometry: Geometry, house: House, tint: np.ndarray) -> None:
    """A stepped eaves cornice on small brackets."""
    top = house.height
    for low, high, out in ((-0.5, -0.34, 0.1), (-0.22, -0.1, 0.4), (-0.1, 0.04, 0.5)):
        geometry.box("trim", (0, house.width), (-0.1, out), (top + low, top + high), tint)
    geometry.box("trim", (0, house.width), (-0.1, 0.18), (top - 0.34, top - 0.22), tint * 0.9)
    for x in np.arange(0.2, house.width - 0.1, 0.55):
        geometry.box("trim", (x, x + 0.16), (0.1, 0.36), (top - 0.36, top - 0.22), tint)


def slope(
    geometry: Geometry,
    material: str,
    u: tuple[float, float],
    out: tuple[float, float],
    z: tuple[float, float],
    colour: np.ndarray,
    narrow: float = 0.0,
) -> None:
    """A roof plane rising from `out[0]` at z[0] to `out[1]` at z[1], textured in metres."""
    length = float(np.hypot(out[1] - out[0], z[1] - z[0]))
    corners = [
        (u[0], out[0], z[0]),
        (u[1], out[0], z[0]),
        (u[1] - narrow, out[1], z[1]),
        (u[0] + narrow, out[1], z[1]),
    ]
    uv = np.array([[u[0], 0], [u[1], 0], [u[1] - narrow, length], [u[0] + narrow, length]]) / 8.0
    geometry.quads(material, [corners], uv + colour[:1] * 7, colour)


def dormer(
    geometry: Geometry, rng: np.random.Generator, middle: float, base: float, out: float
) -> None:
    """A dormer with a window and a small hipped top."""
    paint = linear("#e6e1d4") * rng.uniform(0.6, 1.0)
    u, z = (middle - 0.55, middle + 0.55), (base + 0.35, base + 1.75)
    for x in ((u[0] - 0.15, u[0]), (u[1], u[1] + 0.15)):
        geometry.box("trim", x, (out - 2.0, out), (z[0] - 0.1, z[1] + 0.1), paint)
    geometry.box(
        "trim", (u[0] - 0.25, u[1] + 0.25), (out - 2.0, out + 0.1), (z[1], z[1] + 0.15), paint
    )
    geometry.box(
        "zinc",
        (u[0] - 0.3, u[1] + 0.3),
        (out - 2.4, out + 0.16),
        (z[1] + 0.15, z[1] + 0.45),
        inset=0.28,
    )
    geometry.box(
        "trim", (u[0] - 0.15, u[1] + 0.15), (out - 0.3, out + 0.06), (z[0] - 0.2, z[0]), paint
    )
    with geometry.frame(geometry.origin + geometry.axes[1] * out, geometry.axes[0][:2]):
        window(geometry, rng, u, z, paint, 0.12)


def chimney(
    geometry: Geometry, rng: np.random.Generator, u: float, out: float, base: float, top: float
) -> None:
    """A brick stack with a capping and clay pots, sometimes with an aerial."""
    wide, deep = rng.uniform(0.3, 0.45), rng.uniform(0.6, 1.3)
    tone = linear("#9a6a52") * rng.uniform(0.7, 1.3)
    geometry.box("stack", (u - wide, u + wide), (out - deep, out + deep), (base, top), tone)
    geometry.box(
        "trim",
        (u - wide - 0.08, u + wide + 0.08),
        (out - deep - 0.08, out + deep + 0.08),
        (top, top + 0.14),
        linear("#8d867a"),
    )
    for place in np.arange(out - deep + 0.25, out + deep - 0.1, 0.42):
        tall = rng.uniform(0.35, 0.7)
        pot = linear("#b06a45") * rng.uniform(0.6, 1.1)
        geometry.tube("stack", [(u, place, top), (u, place, top + tall)], [0.14, 0.11], 8, pot)
    if rng.random() < 0.4:
        mast = top + rng.uniform(1.6, 2.6)
        geometry.tube("iron", [(u, out, top), (u, out, mast)], [0.025, 0.02], 5)
        for k, z in enumerate(np.arange(mast - 0.7, mast, 0.14)):
            half = 0.5 - 0.05 * k
            geometry.box("iron", (u - half, u + half), (out - 0.012, out + 0.012), (z, z + 0.02))


def add_roof(geometry: Geometry, rng: np.random.Generator, house: House) -> None:
    """The roof of `house` with dormers or skylights and its chimneys."""
    wide, deep, base = house.width, house.depth, house.height
    if house.roof == "mansard":
        ridge = mansard(geometry, rng, house)
    elif house.roof == "pitched":
        ridge = base + 0.42 * deep * rng.uniform(0.75, 1.05)
        tone = np.full(3, rng.uniform(0.75, 1.2))
        slope(geometry, "tile", (0, wide), (0.55, -deep / 2), (base, ridge), tone)
        slope(geometry, "tile", (wide, 0), (-deep, -deep / 2), (base, ridge), tone)
        for x in (0.0, wide):
            end = [(x, 0, base), (x, -deep, base), (x, -deep / 2, ridge), (x, -deep / 2, ridge)]
            geometry.quads("stack", [end], colour=linear("#b5a48c"))
        geometry.box(
            "tile",
            (0, wide),
            (-deep / 2 - 0.12, -deep / 2 + 0.12),
            (ridge - 0.05, ridge + 0.1),
            tone,
        )
        for middle in np.arange(wide / 4, wide, wide / 2):
            if rng.random() < 0.7:
                dormer(geometry, rng, middle, base + 0.9, -1.2)
    else:
        ridge = gable(geometry, rng, house)
    for x in (0.25, wide - 0.4):
        if rng.random() < 0.8:
            chimney(
                geometry,
                rng,
                x,
                -deep * rng.uniform(0.35, 0.6),
                base,
                ridge + rng.uniform(0.6, 1.6),
            )


def mansard(geometry: Geometry, rng: np.random.Generator, house: House) -> float:
    """A steep slate storey with dormers under a shallow zinc top; returns the top's height."""
    wide, deep, base = house.width, house.depth, house.height
    tone = np.full(3, rng.uniform(0.8, 1.25))
    knee = base + 2.7
    slope(geometry, "slate", (0, wide), (0.1, -1.3), (base + 0.04, knee), tone)
    slope(geometry, "slate", (wide, 0), (-deep, 1.3 - deep), (base, knee), tone)
    slope(geometry, "zinc", (0, wide), (-1.2, -deep / 2), (knee, knee + 1.2), np.ones(3))
    slope(geometry, "zinc", (wide, 0), (1.3 - deep, -deep / 2), (knee, knee + 1.2), np.ones(3))
    geometry.box("zinc", (0, wide), (-1.35, -1.15), (knee - 0.06, knee + 0.1))
    for x in (0.0, wide):
        geometry.box(
            "stack", (x - 0.2, x + 0.2), (-deep, -0.1), (base - 0.3, knee + 0.4), linear("#b8aa94")
        )
    count = max(2, round(wide / 2.9))
    for place in range(count):
        dormer(geometry, rng, (place + 0.5) * wide / count, base + 0.25, -0.12)
    return knee + 1.2


def gable(geometry: Geometry, rng: np.random.Generator, house: House) -> float:
    """A stepped gable to the street with a roof behind it; returns the ridge's height."""
    wide, deep, base = house.width, house.depth, house.height
    steps = 6
    ridge = base + 0.62 * wide
    rise = (ridge - base) / steps
    for step in range(steps):
        half = wide / 2 * (1 - step / steps) * 0.96
        z = (base + step * rise, base + (step + 1) * rise)
        u = (wide / 2 - half, wide / 2 + half)
        uv = ((u[0] / wide, u[1] / wide), (0.62 + 0.05 * step, 0.67 + 0.05 * step))
        geometry.rect(house.wall, u, z, 0.02, uv)
        geometry.box("stack", u, (-0.35, 0.01), z, linear("#a08a74"))
        geometry.box("trim", (u[0] - 0.06, u[1] + 0.06), (-0.4, 0.1), (z[1], z[1] + 0.12))
    middle = wide / 2
    window(
        geometry,
        rng,
        (middle - 0.55, middle + 0.55),
        (base + 0.5, base + 2.1),
        linear("#e6e1d4"),
        -0.08,
    )
    tone = np.full(3, rng.uniform(0.75, 1.2))
    for sign in (-1, 1):
        edge = middle + sign * middle
        corners = [
            (edge, -0.3, base),
            (edge, -deep, base),
            (middle, -deep, ridge - 0.6),
            (middle, -0.3, ridge - 0.6),
        ]
        uv = np.array([[0, 0], [deep, 0], [deep, 0.8 * wide], [0, 0.8 * wide]]) / 8.0
        geometry.quads("tile", [corners], uv, tone)
    return ridge
