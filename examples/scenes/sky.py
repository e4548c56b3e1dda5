"""Environment maps: a day sky with sun and ray-marched cumulus, and a city's night sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mitsuba as mi
import numpy as np

from .texture import noise

SUN_RADIUS = np.radians(0.27)
BASE, STEPS = 1100.0, 56  # the clouds' base in metres, steps of a ray through their layer


def directions(size: tuple[int, int]) -> np.ndarray:
    """Unit directions (H, W, 3), z up, of an environment map turned to stand upright."""
    height, width = size
    theta = (np.arange(height) + 0.5) / height * np.pi
    phi = (np.arange(width) + 0.5) / width * 2 * np.pi
    # Mitsuba's map has y up and phi from -z over +x; (x, y, z) = (right, up, back) of its frame
    # becomes (x, -z, y) of ours under emitter()'s rotation by 90 degrees about x.
    right = np.sin(theta)[:, None] * np.sin(phi)
    back = -np.sin(theta)[:, None] * np.cos(phi)
    up = np.broadcast_to(np.cos(theta)[:, None], right.shape)
    return np.stack([right, -back, up], axis=-1)


def emitter(radiance: np.ndarray) -> dict[str, Any]:
    """The Mitsuba environment emitter of a map laid out as `directions` says."""
    turn = mi.ScalarTransform4f().rotate([1, 0, 0], 90)
    return {"type": "envmap", "bitmap": mi.Bitmap(radiance.astype(np.float32)), "to_world": turn}


def clear_sky(rays: np.ndarray, sun: np.ndarray, turbidity: float) -> np.ndarray:
    """Radiance of the cloudless sky (Hosek-Wilkie, as fitted by Mitsuba) for rays (H, W, 3)."""
    model = mi.load_dict(
        {"type": "sunsky", "sun_direction": sun.tolist(), "turbidity": turbidity, "sun_scale": 0.0}
    )
    lifted = rays.copy()
    lifted[..., 2] = np.maximum(lifted[..., 2], 0.004)
    lifted /= np.linalg.norm(lifted, axis=-1, keepdims=True)
    point = mi.SurfaceInteraction3f()
    point.wi = -mi.Vector3f(*lifted.reshape(-1, 3).T.astype(np.float32))
    return np.array(model.eval(point)).T.reshape(rays.shape)


def lookup(volume: Any, position: np.ndarray, period: float) -> np.ndarray:
    """Trilinear value of a periodic volume at positions (N, 3) in metres."""
    place = mi.Point3f(*(position / period % 1.0).T.astype(np.float32))
    return np.array(volume.eval(place)[0])


def volume(field: np.ndarray) -> Any:
    """A periodic volume that `lookup` reads, from (D, H, W)."""
    return mi.Texture3f(field[..., None].astype(np.float32))


def henyey(cosine: np.ndarray, bend: float) -> np.ndarray:
    """The Henyey-Greenstein phase function of asymmetry `bend`."""
    return (1 - bend**2) / (4 * np.pi * (1 + bend**2 - 2 * bend * cosine) ** 1.5)


@dataclass(frozen=True)
class DaySky:
    """A day sky with a sun and a layer of cumulus between 1100 m and 2100 m.

    cover raises (above 0) or lowers the share of the sky that is cloud. `make` fills the rest:
    the noise volumes, the sun's irradiance and the sky's mean radiance.
    """

    sun: np.ndarray
    turbidity: float
    cover: float
    shapes: tuple[Any, Any]
    light: np.ndarray
    ambient: np.ndarray

    @classmethod
    def make(
        cls, rng: np.random.Generator, sun: np.ndarray, turbidity: float, cover: float
    ) -> DaySky:
        """Draw the clouds; the sun gives 4.2 times the light of the sky."""
        upper = directions((64, 128))[:32]
        ambient = clear_sky(upper, sun, turbidity).mean(axis=(0, 1))
        light = np.array([1.0, 0.93, 0.82]) * 4.2 * ambient.mean() * np.pi
        shapes = (
            volume(noise(rng, (96, 96, 96), 4.2, low=2)),
            volume(noise(rng, (128, 128, 128), 3.7, low=3)),
        )
        return cls(sun, turbidity, cover, shapes, light, ambient)

    def density(self, place: np.ndarray) -> np.ndarray:
        """Extinction per metre at places (N, 3): flat-based heaps eaten away by fine noise."""
        height = (place[:, 2] - BASE) / 900.0
        broad = lookup(self.shapes[0], place * [1, 1, 1.6], 7000.0)
        fine = lookup(self.shapes[1], place, 1500.0)
        heap = np.clip(height / 0.08, 0, 1) * np.clip(1.15 - height, 0, 1) ** 0.7
        eaten = 0.42 * (1 - heap) + 0.28 * np.maximum(fine, -0.6) + 0.2
        return np.clip(4 * ((broad + self.cover) * heap - eaten), 0, 1) * 0.03

    def clouds(self, rng: np.random.Generator, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(radiance, transmittance) of the clouds for rays (N, 3) above the horizon.

        Single scattering along each ray; two slower decays towards the sun stand for multiple
        scattering.
        """
        slant = np.maximum(rays[:, 2], 0.03)
        first, stride = BASE / slant, 1000.0 / slant / STEPS
        cosine = rays @ self.sun
        phase = 0.7 * henyey(cosine, 0.6) + 0.3 * henyey(cosine, -0.15)
        result, through = np.zeros((len(rays), 3)), np.ones(len(rays))
        for step in range(STEPS):
            place = rays * (first + (step + rng.random(len(rays))) * stride)[:, None]
            dense = self.density(place)
            inside = np.flatnonzero((dense > 0) & (through > 0.01))
            place, depth = place[inside], np.zeros(len(inside))
            for reach, span in ((25.0, 50.0), (90.0, 90.0), (220.0, 180.0)):
                depth += span * self.density(place + reach * self.sun)
            lit = phase[inside] * np.exp(-depth)
            lit += 0.15 * np.exp(-0.2 * depth) + 0.05 * np.exp(-0.04 * depth)
            height = np.clip((place[:, 2] - BASE) / 900.0, 0, 1)
            glow = lit[:, None] * self.light + self.ambient * (0.4 + 0.5 * height)[:, None]
            part = 1 - np.exp(-dense[inside] * np.minimum(stride[inside], 160.0))
            result[inside] += (through[inside] * part)[:, None] * glow
            through[inside] *= 1 - part
        return result, through

    def radiance(self, rng: np.random.Generator, rays: np.ndarray) -> np.ndarray:
        """Radiance without the sun's disc for rays (H, W, 3) above the horizon."""
        clear = clear_sky(rays, self.sun, self.turbidity)
        glow, through = self.clouds(rng, rays.reshape(-1, 3))
        cloudy = through.reshape(*rays.shape[:2], 1) * clear + glow.reshape(rays.shape)
        far = np.exp(-0.05 / np.maximum(rays[..., 2:], 0.02) ** 1.1)  # haze before far clouds
        return far * cloudy + (1 - far) * clear

    def panorama(
        self, rng: np.random.Generator, size: tuple[int, int] = (1024, 2048)
    ) -> np.ndarray:
        """The environment map: sky, sun and a dull ground below the horizon."""
        rays = directions(size)
        half = size[0] // 2
        sky = np.empty(rays.shape)
        sky[:half] = self.radiance(rng, rays[:half])
        sky[half:] = self.ambient * np.array([0.28, 0.26, 0.23])
        disc = np.arccos(np.clip(rays @ self.sun, -1, 1)) < 2 * SUN_RADIUS
        solid = (2 * np.pi**2 / (size[0] * size[1]) * np.sqrt(1 - rays[..., 2] ** 2))[disc].sum()
        sky[disc] += self.light / solid
        return sky


def night(rng: np.random.Generator, size: tuple[int, int] = (1024, 2048)) -> np.ndarray:
    """Radiance map of a clear late dusk: deep blue above, the last light and street glow below."""
    rays = directions(size)
    up = np.maximum(rays[..., 2:], 0.0)
    azimuth = np.arctan2(rays[..., :1], rays[..., 1:2])
    west = 0.5 + 0.5 * np.cos(azimuth + 0.9)
    zenith, band = np.array([0.010, 0.022, 0.072]), np.array([0.045, 0.075, 0.165])
    glow = np.array([0.20, 0.105, 0.05])
    sky = zenith + (band - zenith) * np.exp(-up / 0.22) * (0.45 + 0.55 * west)
    sky = sky + glow * np.exp(-up / 0.055) * (0.35 + 0.65 * west)
    place = rays[..., :2] / np.maximum(up, 0.02)
    field = noise(rng, (1024, 1024), 2.6, (1.0, 0.5), low=3)
    spot = (place * 46).astype(int) % 1024
    veil = np.clip(field[spot[..., 0], spot[..., 1]] - 0.2, 0, 2)[..., None]
    veil = veil * np.clip(up / 0.06, 0, 1) * np.exp(-up / 0.5)
    sky = sky + veil * (0.011 * np.array([1.0, 0.8, 0.85]) + 0.05 * glow * np.exp(-up / 0.2))
    sky[size[0] // 2 :] = [0.006, 0.006, 0.007]
    return sky
