"""What stands along and across a river: quays, an arched bridge, boats, churches, hills."""

from __future__ import annotations

import numpy as np

from .mesh import Geometry, grid_faces
from .street import loft, shell
from .texture import linear, noise


def quay(geometry: Geometry, length: float, level: float, parapet: float = 0.95) -> None:
    """A quay wall along u facing out, with coping, parapet, mooring rings and a wet foot."""

    def wall(z0: float, z1: float, out: float, material: str) -> None:
        uv = ((0.0, length / 7.0), (z0 / 7.0, z1 / 7.0))
        geometry.rect(material, (0, length), (z0, z1), out, uv)

    wall(-1.0, 0.45, 0.02, "weed")
    wall(0.45, level, 0.0, "quay")
    geometry.box("coping", (0, length), (-0.6, 0.12), (level - 0.05, level + 0.2))
    wall(level + 0.2, level + parapet, -0.05, "quay")
    back = np.array(
        [
            [
                (length, -0.5, level),
                (0, -0.5, level),
                (0, -0.5, level + parapet),
                (length, -0.5, level + parapet),
            ]
        ]
    )
    geometry.quads("quay", back, np.array([[length / 7, 0], [0, 0], [0, 0.1], [length / 7, 0.1]]))
    for x in np.arange(0, length, 1.9):
        geometry.box(
            "coping",
            (x + 0.01, x + 1.89),
            (-0.58, 0.04),
            (level + parapet, level + parapet + 0.16),
            np.full(3, 0.9 + 0.2 * (x * 7 % 1)),
        )
    for x in np.arange(3, length, 12.0):
        geometry.box("iron", (x - 0.15, x + 0.15), (0, 0.12), (level - 0.9, level - 0.6))
    for x in np.arange(8, length, 24.0):
        for z in np.arange(0.2, level, 0.3):
            geometry.box("iron", (x - 0.25, x + 0.25), (0.05, 0.09), (z, z + 0.04))


def bridge(
    geometry: Geometry, length: float, level: float, spans: int = 3, deep: float = 11.0
) -> None:
    """A stone bridge along u with `spans` arches, its near face at out = 0."""
    span = length / spans
    u = np.linspace(0, length, spans * 40 + 1)
    local = (u % span) / span * 2 - 1
    deck = level + 1.8 * (1 - (2 * u / length - 1) ** 2)
    open_share = np.clip(1 - (local / 0.86) ** 2, 0, 1)
    soffit = np.where(open_share > 0, 0.2 + (deck - 1.5) * np.sqrt(open_share), -1.0)
    for out in (0.0, -deep):
        front = np.stack([np.stack([u, np.full_like(u, out), h], -1) for h in (soffit, deck)])
        corners = np.stack([front[0, :-1], front[0, 1:], front[1, 1:], front[1, :-1]], axis=1)
        geometry.quads("quay", corners, corners[..., [0, 2]] / 7.0)
    inner = np.stack([np.stack([u, np.full_like(u, o), soffit], -1) for o in (-deep, 0.0)])
    corners = np.stack([inner[0, :-1], inner[0, 1:], inner[1, 1:], inner[1, :-1]], axis=1)
    geometry.quads("quay", corners, corners[..., [0, 1]] / 7.0)
    for k in range(len(u) - 1):
        z = deck[k]
        geometry.box("coping", (u[k], u[k + 1]), (-0.3, 0.25), (z - 0.1, z + 0.15))
        geometry.box("coping", (u[k], u[k + 1]), (-0.25, 0.05), (z + 0.15, z + 1.05))
        geometry.box("paving", (u[k], u[k + 1]), (-deep, -0.3), (z - 0.3, z))
    for k in range(spans + 1):
        x = k * span
        pier = (x - 0.07 * span, x + 0.07 * span)
        geometry.box("quay", pier, (-deep, 1.2), (-1.0, 2.6), inset=0.3)


def boat(geometry: Geometry, length: float, colour: str, cabin: bool = True) -> None:
    """A moored boat, bow towards +u, afloat at z = 0."""
    s = np.linspace(0, 1, 17)
    beam = 0.17 * length * np.clip(1 - s**4, 0.02, 1) * (0.75 + 0.25 * np.clip(s / 0.2, 0, 1))
    sheer = 0.09 * length * (0.75 + 0.8 * (s - 0.35) ** 2)
    loft(
        geometry,
        "hull",
        shell((s - 0.5) * length, beam, np.full(17, -0.5), sheer, 3.0),
        linear(colour),
    )
    rim = shell((s - 0.5) * length, beam * 1.02, sheer - 0.13, sheer - 0.02, 6.0)
    loft(geometry, "hull", rim, linear("#e4e0d6"))
    loft(
        geometry,
        "deck",
        shell((s - 0.5) * length, beam * 0.92, sheer - 0.1, sheer + 0.02, 6.0),
        linear("#8a6f4d"),
    )
    deck = float(sheer.min())
    if cabin:
        wheelhouse(geometry, length, deck, colour)
    else:
        cover = (0.3 * length, 0.12 * length, 0.06 * length)
        geometry.ball("cloth", (0, 0, deck + 0.1), cover, linear("#3a4f66"))


def wheelhouse(geometry: Geometry, length: float, deck: float, colour: str) -> None:
    """The cabin with windows all round and a band in the hull's colour."""
    half, top = 0.115 * length, deck + 0.13 * length
    panes = (top - 0.075 * length, top - 0.02 * length)
    ends = (-0.3 * length, 0.12 * length)
    geometry.box("hull", ends, (-half, half), (deck - 0.1, top), linear("#e9e6dc"), 0.06)
    eaves = (-0.32 * length, 0.15 * length), (-half - 0.05, half + 0.05)
    geometry.box("hull", *eaves, (top, top + 0.09), linear("#c8c2b2"))
    for x in np.arange(-0.27 * length, 0.08 * length, 0.085 * length):
        for side in (-half - 0.01, half - 0.03):
            geometry.box("carglass", (x, x + 0.065 * length), (side, side + 0.04), panes)
    for x in (-0.306 * length, 0.112 * length):
        for side in (-0.8, -0.2, 0.4):
            across = (side * half, (side + 0.42) * half)
            geometry.box("carglass", (x, x + 0.012 * length), across, panes)
    band = (top - 0.1 * length, top - 0.088 * length)
    for side in (-half - 0.03, half):
        geometry.box("hull", ends, (side, side + 0.03), band, linear(colour))
    fittings(geometry, length, deck, top)


def fittings(geometry: Geometry, length: float, deck: float, top: float) -> None:
    """Mast and flag, guard rail, fenders, a lifebuoy, boxes on the cabin's roof."""
    mast = top + 0.2 * length
    geometry.tube("iron", [(0, 0, top), (-0.1, 0, mast)], [0.04, 0.02], 6)
    geometry.box("cloth", (-0.9, -0.1), (-0.01, 0.01), (mast - 0.6, mast - 0.1), linear("#a83a35"))
    geometry.box(
        "frame",
        (-0.2 * length, -0.12 * length),
        (-0.5, 0.5),
        (top + 0.09, top + 0.4),
        linear("#7d8286"),
    )
    for side in (-0.15 * length, 0.15 * length):
        for x in np.arange(-0.4 * length, 0.2 * length, 0.9):
            geometry.tube("steel", [(x, side, deck), (x, side, deck + 0.8)], [0.02, 0.02], 5)
        rail = [(-0.4 * length, side, deck + 0.8), (0.2 * length, side, deck + 0.8)]
        geometry.tube("steel", rail, [0.02, 0.02], 5)
        for x in np.arange(-0.35 * length, 0.2 * length, 0.14 * length):
            geometry.ball("rubber", (x, side * 1.16, deck - 0.35), (0.13, 0.13, 0.32))
    turn = np.linspace(0, 2 * np.pi, 17)
    ring = np.stack(
        [
            0.3 * np.cos(turn) - 0.1 * length,
            np.full(17, -0.12 * length),
            0.3 * np.sin(turn) + deck + 0.5,
        ],
        axis=-1,
    )
    geometry.tube("cloth", ring, np.full(17, 0.07), 6, linear("#d4552f"))


def church(geometry: Geometry, tower: float, wall: str, spire: str = "copper") -> None:
    """A tower with belfry openings and a pointed helm, and a nave behind it."""
    half = tower * 0.09
    geometry.box(wall, (-half, half), (-half, half), (0, tower))
    for z in (0.45, 0.72, 1.0):
        geometry.box(
            "trim",
            (-half - 0.4, half + 0.4),
            (-half - 0.4, half + 0.4),
            (z * tower - 0.5, z * tower),
        )
    for x in (-0.45, 0.15):
        for turn in range(2):
            u, out = ((x * half, (x + 0.3) * half), (half - 0.3, half + 0.05))
            u, out = (u, out) if turn == 0 else ((-half - 0.05, half + 0.05), u)
            geometry.box("dark", u, out, (0.76 * tower, 0.92 * tower))
    angle = [0.0, 0.04, 0.07, 0.3, 0.62]
    geometry.tube(
        spire,
        [(0, 0, tower * (1 + a)) for a in angle],
        [half * 1.25, half * 1.05, half * 0.85, half * 0.45, 0.05],
        8,
    )
    geometry.box(wall, (-1.3 * half, 1.3 * half), (-half * 6, -half), (0, 0.38 * tower))
    geometry.box(
        "tile",
        (-1.5 * half, 1.5 * half),
        (-half * 6.2, -half),
        (0.38 * tower, 0.62 * tower),
        inset=1.45 * half,
    )


def dome(geometry: Geometry, wide: float, base: float) -> None:
    """A drum with columns, a ribbed copper dome and its lantern, over a square block."""
    geometry.box("limestone", (-wide, wide), (-wide, wide), (0, base))
    geometry.box("trim", (-wide - 0.5, wide + 0.5), (-wide - 0.5, wide + 0.5), (base - 0.8, base))
    drum = 0.7 * wide
    geometry.tube("limestone", [(0, 0, base), (0, 0, base + drum)], [0.72 * wide] * 2, 32)
    for angle in np.linspace(0, 2 * np.pi, 20, endpoint=False):
        x, y = 0.78 * wide * np.cos(angle), 0.78 * wide * np.sin(angle)
        geometry.tube("trim", [(x, y, base), (x, y, base + 0.9 * drum)], [0.05 * wide] * 2, 8)
    geometry.tube("trim", [(0, 0, base + 0.9 * drum), (0, 0, base + drum)], [0.86 * wide] * 2, 32)
    theta = np.linspace(0, 0.46 * np.pi, 9)
    geometry.tube(
        "copper",
        [(0, 0, base + drum + 0.95 * wide * np.sin(t)) for t in theta],
        [0.75 * wide * np.cos(t) for t in theta],
        32,
    )
    top = base + drum + 0.94 * wide
    geometry.tube("limestone", [(0, 0, top), (0, 0, top + 0.28 * wide)], [0.14 * wide] * 2, 12)
    geometry.tube(
        "copper",
        [(0, 0, top + 0.28 * wide + z * wide) for z in (0, 0.12, 0.5)],
        [0.17 * wide, 0.1 * wide, 0.01],
        12,
    )


def hill(
    geometry: Geometry,
    rng: np.random.Generator,
    centre: tuple[float, float],
    size: tuple[float, float, float],
    colour: str,
) -> None:
    """A wooded ridge of half length, half depth and height `size`, bumpy with tree crowns."""
    rows, columns = 60, 420
    v, u = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    broad = noise(rng, (rows, columns), 3.0, (7.0, 1.0), low=2)
    crowns = noise(rng, (rows, columns), 1.2, (7.0, 1.0), low=30)
    shape = np.clip((1 - u**2) * (1 - v**2), 0, 1) ** 0.7
    height = size[2] * shape * (1 + 0.16 * broad) + 3.2 * crowns * (shape > 0.02)
    vertices = np.stack([centre[0] + size[0] * u, centre[1] + size[1] * v, height], axis=-1)
    tint = linear(colour) * np.exp(0.28 * crowns + 0.1 * broad)[..., None]
    geometry.add(
        "forest",
        vertices.reshape(-1, 3),
        grid_faces(rows, columns),
        None,
        None,
        tint.reshape(-1, 3),
    )
