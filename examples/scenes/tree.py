"""Trees: a branching skeleton of tubes and thousands of single leaves."""

from __future__ import annotations

import numpy as np

from .mesh import Geometry
from .texture import linear


def bend(
    rng: np.random.Generator, start: np.ndarray, heading: np.ndarray, length: float, lift: float
) -> np.ndarray:
    """A gently wandering path of 5 points that turns upward by `lift`."""
    points, step = [start], length / 4
    for _ in range(4):
        heading = heading + 0.13 * rng.standard_normal(3) + [0, 0, lift]
        heading = heading / np.linalg.norm(heading)
        points.append(points[-1] + step * heading)
    return np.array(points)


def branch(
    rng: np.random.Generator,
    tree: Geometry,
    tips: list[np.ndarray],
    path: np.ndarray,
    radius: float,
    length: float,
    level: int,
    detail: int,
) -> None:
    """Add `path` and its children; tubes stop at level `detail`, leaves start at level 2."""
    if level <= detail:
        bark = linear("#6b6052") * (0.8 + 0.4 * rng.random())
        radii = radius * np.array([1.0, 0.88, 0.77, 0.66, 0.55])
        tree.tube("bark", path, radii, 9 if level < 2 else 4, bark)
    if level >= 2:
        tips.extend(path[1:])
    if level == 4:
        return
    forward = path[-1] - path[-2]
    forward = forward / np.linalg.norm(forward)
    side = np.cross(forward, rng.standard_normal(3))
    side /= np.linalg.norm(side)
    over = np.cross(forward, side)
    count = int(rng.integers(6, 8)) if level == 0 else int(rng.integers(3, 5))
    turn = rng.uniform(0, 2 * np.pi)
    for child in range(count):
        angle = turn + 2 * np.pi * (child + 0.3 * rng.standard_normal()) / count
        lean = np.radians(rng.uniform(20, 68))
        heading = np.cos(lean) * forward + np.sin(lean) * (
            np.cos(angle) * side + np.sin(angle) * over
        )
        share = child / (count - 1) if level == 0 else rng.uniform(0.3, 1.0)
        start = path[2] + (path[4] - path[2]) * share
        if level == 0:
            lean = np.radians(75 - 68 * share + rng.normal(0, 7))
            heading = np.cos(lean) * forward + np.sin(lean) * (
                np.cos(angle) * side + np.sin(angle) * over
            )
        reach = length * rng.uniform(0.6, 0.84)
        below = bend(rng, start, heading, reach, 0.08 if level == 0 else 0.0)
        branch(rng, tree, tips, below, radius * 0.56, reach, level + 1, detail)


def grow(
    rng: np.random.Generator,
    height: float,
    leaf: float,
    per_tip: int,
    colour: str,
    detail: int = 3,
) -> Geometry:
    """A deciduous tree about `height` metres tall at the origin, leaves `leaf` metres long."""
    grown, tips = Geometry(), []
    trunk = bend(rng, np.zeros(3), np.array([0, 0, 1.0]), 0.52 * height, 0.1)
    branch(rng, grown, tips, trunk, 0.021 * height, 0.36 * height, 0, detail)
    clump = np.repeat(0.12 * rng.standard_normal((len(tips), 1)), per_tip, axis=0)
    centre = np.repeat(np.array(tips), per_tip, axis=0)
    centre = centre + 0.038 * height * rng.standard_normal(centre.shape)
    kept = centre[:, 2] > 0.2 * height
    centre, clump = centre[kept], clump[kept]
    count = len(centre)
    normal = rng.standard_normal((count, 3)) + [0, 0, 0.9]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    along = np.cross(normal, rng.standard_normal((count, 3)))
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    size = leaf * rng.uniform(0.5, 1.25, (count, 1))
    a, b = 0.5 * size * along, 0.33 * size * np.cross(normal, along)
    leaves = np.stack([centre - a, centre + b - 0.1 * a, centre + a, centre - b - 0.1 * a], axis=1)
    shade = np.exp(clump + 0.25 * rng.standard_normal((count, 1)))
    yellow = 1 + np.array([0.2, 0.06, -0.12]) * rng.standard_normal((count, 1))
    grown.quads("leaf", leaves, colour=np.clip(linear(colour) * shade * yellow, 0.004, 0.6))
    return grown


def plant(
    geometry: Geometry,
    rng: np.random.Generator,
    grown: Geometry,
    place: tuple[float, float, float],
    size: float = 1.0,
) -> None:
    """Stand a turned, scaled and slightly recoloured copy of a grown tree at `place`."""
    turn = rng.uniform(0, 2 * np.pi)
    with geometry.frame(place, (np.cos(turn), np.sin(turn))):
        geometry.insert(grown, size, rng.uniform(0.85, 1.15, 3))
