"""What photographic looks are like: a Gaussian over colour maps, learned from random adjustments.

Exposure, white balance, channel mixing, roll-off, contrast, tone curves, split toning, saturation
and hue, each drawn from a broad range, are looks as cameras, films and editors make them. The mean
and covariance of their colour terms say which maps are likely before any picture is seen: a map
that brightens everything is, one that turns the neutrals green and leaves the rest is not.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.color.terms import COLORS, color_terms
from photostyle.images.picture import LUMA

Array = NDArray[Any]

LOOKS, SHADES = 600, 300  # looks drawn, and colours that each is fitted on
KNOTS = np.linspace(0.0, 1.0, 6)  # of a tone curve
RIDGE = 1e-4  # on a look's own terms, which the colours hardly determine one by one
FLOOR = 1e-6  # variance that every term has


@dataclass(frozen=True)
class Prior:
    """A Gaussian over the change that a look makes: mean 20×3, precision 60×60 over the same in
    row-major order."""

    mean: Array
    precision: Array


@lru_cache(maxsize=1)
def look_prior() -> Prior:
    """The prior over the colour terms of look(z) − z; always the same one."""
    rng = np.random.default_rng(0)
    light = rng.uniform(0, 1, SHADES)
    spread = 0.16 * np.minimum(1, 4 * light * (1 - light) + 0.2)  # little chroma at black and white
    shades = np.clip(light[:, None] + rng.normal(size=(SHADES, 3)) * spread[:, None], 0, 1)
    terms = color_terms(shades)
    solve = np.linalg.solve(terms.T @ terms / SHADES + RIDGE * np.eye(COLORS), terms.T / SHADES)
    changes = np.stack([solve @ (_random_look(rng, shades) - shades) for _ in range(LOOKS)])
    flat = changes.reshape(LOOKS, -1)
    covariance = np.cov(flat.T) + FLOOR * np.eye(flat.shape[1])
    return Prior(changes.mean(axis=0), np.linalg.inv(covariance))


def _random_look(rng: np.random.Generator, shades: Array) -> Array:
    """The shades N×3 under one random look."""
    mix = np.eye(3) + rng.normal(0, 0.08, (3, 3))
    gains = 2 ** rng.normal(0, 0.7) * np.exp(rng.normal(0, 0.13, 3))
    light = np.clip((_linear(shades) * gains) @ (mix / mix.sum(axis=1, keepdims=True)).T, 0, None)
    roll = abs(rng.normal(0, 0.2))
    out = _encoded(light / (1 + roll * light) * (1 + roll))
    pivot = rng.uniform(0.3, 0.6)
    out = pivot + (out - pivot) * np.exp(rng.normal(0, 0.2))
    curves = np.maximum.accumulate(KNOTS + rng.normal(0, 0.05, (3, len(KNOTS))), axis=1)
    out = np.stack([np.interp(out[:, c], KNOTS, curves[c]) for c in range(3)], axis=1)
    luma = (out @ np.array(LUMA))[:, None]
    chroma = _turned(out - luma, rng.normal(0, 0.12)) * np.exp(rng.normal(-0.1, 0.4))
    shadows, lights = rng.normal(0, 0.04, (2, 3))
    toned: Array = luma + chroma + shadows * (1 - luma) ** 2 + lights * luma**2
    return np.clip(toned, 0, 1)


def _turned(chroma: Array, angle: float) -> Array:
    """Chroma turned about the grey axis, in radians."""
    across = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]) / np.sqrt(3)  # cross product with it
    out: Array = chroma * np.cos(angle) + chroma @ across * np.sin(angle)
    return out


def _linear(srgb: Array) -> Array:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _encoded(light: Array) -> Array:
    high = 1.055 * np.maximum(light, 1e-8) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, high)
