"""A river surface: a grid that follows the camera's pixels, moved by a sum of wind waves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .camera import Camera
from .mesh import Geometry, grid_faces
from .texture import noise

BANDS = 7


def spectrum(
    rng: np.random.Generator, count: int, span: tuple[float, float], wind: float, slope: float
) -> dict[str, np.ndarray]:
    """`count` waves of wavelengths in `span` (metres) around the wind's direction (degrees).

    `slope` is the root mean square slope of all of them together.
    """
    length = np.exp(rng.uniform(*np.log(span), count))
    angle = np.radians(wind + 38 * rng.standard_normal(count))
    number = 2 * np.pi / length
    weight = (length / span[0]) ** -0.15
    steep = slope * np.sqrt(2) * weight / np.sqrt((weight**2).sum())
    return {
        "kx": number * np.cos(angle),
        "ky": number * np.sin(angle),
        "length": length,
        "steep": steep,
        "phase": rng.uniform(0, 2 * np.pi, count),
    }


def surface(camera: Camera, across: float = 1.3) -> tuple[np.ndarray, np.ndarray]:
    """Points (R, C, 2) of the plane z = 0 below the pixels, nearest row last, and row distances."""
    below = camera.height * (1 - camera.horizon)
    rows = np.r_[0.12, 0.3, np.arange(0.6, below * 1.12, 0.6)]
    columns = np.arange(-0.5 * across * camera.width, 0.5 * across * camera.width, 0.9)
    reach = camera.position[2] * camera.focal / rows
    side = reach[:, None] * columns / camera.focal
    origin = np.array(camera.position[:2])
    points = origin + reach[:, None, None] * camera.forward[:2] + side[..., None] * camera.right[:2]
    return points, reach


def add_water(
    geometry: Geometry, camera: Camera, waves: dict[str, np.ndarray], rng: np.random.Generator
) -> dict[str, float]:
    """Add the water as materials water0 (far) to water6 (near); return each one's roughness.

    A wave shorter than two grid steps is not drawn but widens the material's roughness.
    """
    points, reach = surface(camera)
    step = np.abs(np.gradient(reach))[:, None]
    gusts = noise(rng, (512, 512), 2.4, low=3)
    spot = (points / 260.0 * 512).astype(int) % 512
    wind = np.clip(1 + 0.4 * gusts[spot[..., 0], spot[..., 1]], 0.25, 2.0)
    height, dx, dy = (np.zeros(points.shape[:2]) for _ in range(3))
    lost = np.zeros(len(reach))
    for kx, ky, length, steep, phase in zip(
        *(waves[k] for k in ("kx", "ky", "length", "steep", "phase")), strict=True
    ):
        drawn = np.clip(length / (2.5 * step) - 1, 0, 1)
        angle = kx * points[..., 0] + ky * points[..., 1] + phase
        number = np.hypot(kx, ky)
        height += drawn * wind * steep / number * np.sin(angle)
        dx += drawn * wind * steep * kx / number * np.cos(angle)
        dy += drawn * wind * steep * ky / number * np.cos(angle)
        lost += 0.5 * steep**2 * (1 - drawn[:, 0] ** 2)
    vertices = np.concatenate([points, height[..., None]], axis=-1)
    normals = np.stack([-dx, -dy, np.ones_like(dx)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    roughness = {}
    edges = np.unique(np.linspace(0, len(reach) - 1, BANDS + 1).astype(int))
    edges[1] = min(edges[1], 12)
    for band, (first, last) in enumerate(pairwise(edges)):
        part = slice(first, last + 1)
        faces = grid_faces(last + 1 - first, points.shape[1])[:, ::-1]
        geometry.add(
            f"water{band}",
            vertices[part].reshape(-1, 3),
            faces,
            normals=normals[part].reshape(-1, 3),
        )
        roughness[f"water{band}"] = float(np.clip(np.sqrt(2 * lost[part].mean()), 0.015, 0.25))
    return roughness
