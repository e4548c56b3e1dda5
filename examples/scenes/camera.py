"""The level shift-lens camera, the path-traced radiance with its depth, and exact label maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np

PASS_SAMPLES = 8


@dataclass(frozen=True)
class Camera:
    """A level camera: verticals stay upright, `horizon` is the horizon's height in the frame.

    heading is in degrees from +y towards +x, field the horizontal field of view in degrees,
    horizon a share of the height counted from the top.
    """

    position: tuple[float, float, float]
    heading: float
    field: float
    horizon: float
    width: int
    height: int

    @property
    def forward(self) -> np.ndarray:
        angle = np.radians(self.heading)
        return np.array([np.sin(angle), np.cos(angle), 0.0])

    @property
    def right(self) -> np.ndarray:
        angle = np.radians(self.heading)
        return np.array([np.cos(angle), -np.sin(angle), 0.0])

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return 0.5 * self.width / np.tan(np.radians(self.field) / 2)

    def rays(self, rows: int) -> np.ndarray:
        """Unit directions (rows, width, 3) of the centres of the upper `rows` rows' pixels."""
        x = np.arange(self.width) + 0.5 - self.width / 2
        z = self.horizon * self.height - (np.arange(rows) + 0.5)
        rays = (
            self.focal * self.forward
            + x[None, :, None] * self.right
            + z[:, None, None] * np.array([0.0, 0.0, 1.0])
        )
        return rays / np.linalg.norm(rays, axis=-1, keepdims=True)

    def sensor(self) -> dict[str, Any]:
        """The Mitsuba description of this camera."""
        origin = np.array(self.position)
        view = mi.ScalarTransform4f().look_at(
            origin=origin.tolist(), target=(origin + self.forward).tolist(), up=[0, 0, 1]
        )
        return {
            "type": "perspective",
            "to_world": view,
            "fov": self.field,
            "fov_axis": "x",
            "near_clip": 0.1,
            "far_clip": 20000.0,
            "principal_point_offset_y": 0.5 - self.horizon,
            "film": {
                "type": "hdrfilm",
                "width": self.width,
                "height": self.height,
                "rfilter": {"type": "gaussian", "stddev": 0.45},
                "pixel_format": "rgb",
            },
            "sampler": {"type": "independent", "sample_count": PASS_SAMPLES},
        }


@dataclass(frozen=True)
class Frame:
    """One rendering, arrays of (H, W) or (H, W, 3).

    light came by way of surfaces, direct straight from lamps and the sky; distance is 0 for sky;
    variance is that of the mean of `light` over its channels.
    """

    light: np.ndarray
    direct: np.ndarray
    distance: np.ndarray
    albedo: np.ndarray
    normal: np.ndarray
    variance: np.ndarray


def radiance(scene: mi.Scene, samples: int, seed: int, ceiling: float) -> Frame:
    """Path-traced light, in passes of 8 samples.

    In each pass the light that reached a pixel by way of a surface is cut at `ceiling`, which
    keeps single lucky paths from leaving white specks; what the camera sees directly of a lamp
    or of the sky is not cut. Both parts come from the same random numbers, so that one can be
    taken from the other.
    """
    guides = "distance:depth,albedo:albedo,normal:sh_normal"
    whole, seen = (
        mi.load_dict(
            {
                "type": "aov",
                "aovs": guides,
                "image": {"type": "path", "max_depth": bounces, "rr_depth": 4},
            }
        )
        for bounces in (6, 1)
    )
    passes = max(2, round(samples / PASS_SAMPLES))
    total, square = 0.0, 0.0
    for index in range(passes):
        image, direct = (
            np.nan_to_num(
                np.array(
                    mi.render(scene, integrator=integrator, spp=PASS_SAMPLES, seed=seed + index)
                )
            )
            for integrator in (whole, seen)
        )
        light = np.clip(image[..., :3] - direct[..., :3], 0, ceiling)
        total = total + np.concatenate([light, direct[..., :3], image[..., 3:]], axis=-1)
        square = square + light.mean(axis=-1) ** 2
    mean = np.asarray(total) / passes
    spread = np.maximum(square / passes - mean[..., :3].mean(axis=-1) ** 2, 0) / (passes - 1)
    return Frame(
        mean[..., :3], mean[..., 3:6], mean[..., 6], mean[..., 7:10], mean[..., 10:13], spread
    )


def shares(scene: mi.Scene, classes: dict[str, int], camera: Camera, grid: int = 4) -> np.ndarray:
    """Each class's share of every pixel, (C, H, W), counted over grid x grid sub-pixel rays.

    `classes` maps shape names to 1, 2, ...; 0 is a ray that leaves the scene (sky).
    """
    table = {shape.id(): classes[shape.id()] for shape in scene.shapes()}
    sensor = scene.sensors()[0]
    width, height = camera.width, camera.height
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    votes = np.zeros((max(classes.values()) + 1, height * width), np.int32)
    for sub in range(grid * grid):
        offset = (np.array([sub % grid, sub // grid]) + 0.5) / grid
        film = mi.Point2f(((x + offset[0]) / width).ravel(), ((y + offset[1]) / height).ravel())
        ray, _ = sensor.sample_ray(0.0, 0.5, film, mi.Point2f(0.5))
        hit = scene.ray_intersect_preliminary(ray)
        found = dr.zeros(mi.UInt32, height * width)
        for shape in scene.shapes():
            same = hit.is_valid() & (hit.shape == mi.ShapePtr(shape))
            found = dr.select(same, mi.UInt32(table[shape.id()]), found)
        np.add.at(votes, (np.array(found), np.arange(height * width)), 1)
    return votes.reshape(-1, height, width) / grid**2
