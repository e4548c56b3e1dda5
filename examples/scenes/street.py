"""What stands along a street: lamps, parked cars, people, benches, railings."""

from __future__ import annotations

import numpy as np

from .mesh import Geometry, grid_faces
from .texture import linear

CAR_PAINT = ("#b9bcc0", "#2b2d31", "#e8e8e6", "#5a1d1f", "#26364f", "#7d8084", "#14151a", "#c9c4b8")
CLOTHES = ("#2a2d36", "#4a4038", "#6e2f2c", "#35506b", "#8b8577", "#d3cec2", "#1d1f22")


def loft(
    geometry: Geometry, material: str, rings: np.ndarray, colour: np.ndarray | None = None
) -> None:
    """Skin rings (S, K, 3) into a smoothly shaded closed body."""
    stations, sides = rings.shape[:2]
    around = np.roll(rings, -1, axis=1) - np.roll(rings, 1, axis=1)
    lengthwise = np.gradient(rings, axis=0)
    normals = np.cross(around, lengthwise).reshape(-1, 3)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    outward = rings - rings.mean(axis=(0, 1))
    if (normals * outward.reshape(-1, 3)).sum() < 0:
        normals = -normals
    faces = grid_faces(stations, sides, wrap=True)
    geometry.add(material, rings.reshape(-1, 3), faces, None, normals, colour)


def shell(
    length: np.ndarray, half: np.ndarray, low: np.ndarray, high: np.ndarray, square: float = 5.0
) -> np.ndarray:
    """Rings of rounded boxes: per station a place along u, half width, bottom and top."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    y = np.sign(c) * np.abs(c) ** (2 / square)
    z = np.sign(s) * np.abs(s) ** (2 / square)
    middle, rise = (low + high) / 2, (high - low) / 2
    return np.stack(
        [
            np.broadcast_to(length[:, None], (len(length), 24)),
            half[:, None] * y,
            middle[:, None] + rise[:, None] * z,
        ],
        axis=-1,
    )


def car(geometry: Geometry, rng: np.random.Generator, lights: bool = False) -> None:
    """A parked car, its nose towards +u, standing at the frame's origin."""
    paint = linear(str(rng.choice(CAR_PAINT)))
    s = np.linspace(0, 1, 15)
    long, tall = rng.uniform(3.9, 4.6), rng.uniform(1.42, 1.62)
    round_off = (1 - np.abs(2 * s - 1) ** 9) ** (1 / 3)
    hood = 0.93 - 0.16 * np.clip((s - 0.62) / 0.38, 0, 1) - 0.05 * np.clip((0.12 - s) / 0.12, 0, 1)
    body = shell(
        (s - 0.5) * long,
        0.87 * (0.35 + 0.65 * round_off),
        0.5 - 0.22 * round_off,
        0.62 + (hood - 0.62) * round_off,
    )
    loft(geometry, "carpaint", body, paint)
    g = np.linspace(0, 1, 11)
    arch = np.clip(1 - np.abs(2 * g - 1) ** 3.2, 0, 1) ** 0.75
    cabin = shell(
        (g * 0.66 - 0.43) * long,
        0.60 + 0.14 * (1 - arch),
        np.full(11, 0.8),
        0.86 + (tall - 0.88) * arch,
        4.0,
    )
    loft(geometry, "carglass", cabin)
    top = slice(3, 8)
    roof = shell(
        (g[top] * 0.66 - 0.43) * long,
        np.full(5, 0.58),
        np.full(5, tall - 0.1),
        0.89 + (tall - 0.88) * arch[top],
        4.0,
    )
    loft(geometry, "carpaint", roof, paint)
    for x in (-0.31 * long, 0.31 * long):
        for side in (-0.8, 0.8):
            axle = [(x, side - 0.1, 0.31), (x, side + 0.1, 0.31)]
            geometry.tube("rubber", axle, [0.31, 0.31], 16)
            hub = side + np.sign(side) * 0.105
            geometry.ball("steel", (x, hub, 0.31), (0.2, 0.012, 0.2))
    for side in (-0.6, 0.6):
        geometry.ball("lamp" if lights else "steel", (0.485 * long, side, 0.66), (0.06, 0.16, 0.07))
        geometry.ball("taillight", (-0.485 * long, side, 0.7), (0.05, 0.15, 0.07))


def person(geometry: Geometry, rng: np.random.Generator) -> None:
    """A standing or walking figure at the frame's origin, facing u."""
    tall, step = rng.uniform(1.58, 1.88), rng.uniform(0.0, 0.3)
    coat, legs = (linear(str(rng.choice(CLOTHES))) for _ in range(2))
    hip, neck = 0.5 * tall, 0.84 * tall
    for side, reach in ((-0.09, step), (0.09, -step)):
        geometry.tube(
            "cloth",
            [(reach, side, 0.05), (reach * 0.5, side, hip / 2), (0, side, hip)],
            [0.06, 0.07, 0.095],
            7,
            legs,
        )
        arm = [
            (0, 2.2 * side, neck - 0.06),
            (-reach * 0.3, 2.7 * side, hip + 0.22),
            (-reach * 0.9, 2.6 * side, hip),
        ]
        geometry.tube("cloth", arm, [0.06, 0.055, 0.045], 7, coat)
    geometry.tube(
        "cloth",
        [
            (0, 0, hip - 0.15),
            (0, 0, hip + 0.15),
            (0.02, 0, neck - 0.15),
            (0, 0, neck),
            (0, 0, neck + 0.06),
        ],
        [0.15, 0.14, 0.18, 0.12, 0.06],
        9,
        coat,
    )
    geometry.ball("cloth", (0.02, 0, 0.93 * tall), (0.095, 0.08, 0.12), linear("#b98d72"))
    geometry.ball(
        "cloth",
        (-0.02, 0, 0.95 * tall),
        (0.1, 0.09, 0.115),
        linear(str(rng.choice(["#2a211b", "#6b5336", "#1b1a1a", "#8f8470"]))),
    )


def lamp(geometry: Geometry, tall: float = 4.6, glow: str = "lampoff") -> None:
    """An iron street lamp with a four-sided lantern; `glow` is the lantern's material."""
    geometry.tube(
        "iron",
        [
            (0, 0, 0),
            (0, 0, 0.5),
            (0, 0, 0.55),
            (0, 0, 1.1),
            (0, 0, 1.15),
            (0, 0, tall - 0.5),
            (0, 0, tall),
        ],
        [0.16, 0.15, 0.11, 0.1, 0.07, 0.045, 0.04],
        10,
    )
    geometry.box("iron", (-0.35, 0.35), (-0.015, 0.015), (tall - 0.45, tall - 0.41))
    geometry.box(glow, (-0.13, 0.13), (-0.13, 0.13), (tall + 0.04, tall + 0.5), inset=-0.06)
    geometry.box("iron", (-0.26, 0.26), (-0.26, 0.26), (tall + 0.5, tall + 0.72), inset=0.2)
    geometry.tube("iron", [(0, 0, tall + 0.7), (0, 0, tall + 0.9)], [0.04, 0.01], 6)


def railing(geometry: Geometry, length: float, tall: float = 1.05, step: float = 0.14) -> None:
    """An iron railing along u, with bars every `step` metres."""
    for z in (0.12, tall - 0.15, tall):
        geometry.box("iron", (0, length), (-0.025, 0.025), (z - 0.02, z + 0.02))
    for x in np.arange(0, length, step):
        geometry.box("iron", (x - 0.01, x + 0.01), (-0.01, 0.01), (0.0, tall))
    for x in np.arange(0, length, 2.0):
        geometry.box("iron", (x - 0.04, x + 0.04), (-0.04, 0.04), (0.0, tall + 0.12))


def bench(geometry: Geometry) -> None:
    """A slatted bench along u."""
    wood = linear("#5d4a35")
    for out in (0.0, 0.14, 0.28):
        geometry.box("frame", (-0.9, 0.9), (out, out + 0.1), (0.43, 0.47), wood)
    for z in (0.6, 0.76):
        geometry.box("frame", (-0.9, 0.9), (-0.1, -0.06), (z, z + 0.11), wood)
    for x in (-0.8, 0.8):
        geometry.box("iron", (x - 0.03, x + 0.03), (-0.1, 0.4), (0.0, 0.43))
