"""From radiance to a photograph: haze, glare, exposure, tone curve, lens and sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Film:
    """How a scene's radiance is exposed and finished.

    exposure: linear factor that puts middle grey at 0.18. contrast: slope of the tone curve in
    log space at middle grey. balance: white balance gains. glare: share of light scattered by
    the lens. grain: standard deviation in sRGB units at middle grey. haze: radiance of the
    haze (linear, before exposure); reach: metres after which 63 % of a surface is haze.
    """

    exposure: float
    contrast: float
    balance: tuple[float, float, float]
    glare: float
    grain: float
    haze: tuple[float, float, float]
    reach: float
    saturation: float = 1.0


def aerial(image: np.ndarray, distance: np.ndarray, film: Film) -> np.ndarray:
    """Mix haze into surfaces by distance; the sky (distance 0) already holds it."""
    veil = 1 - np.exp(-distance / (film.reach * np.array([1.15, 1.0, 0.85])).reshape(3, 1, 1))
    return image + veil.transpose(1, 2, 0) * (np.array(film.haze) - image)


def glare(image: np.ndarray, share: float) -> np.ndarray:
    """Scatter `share` of the light over kernels from a few pixels to a tenth of the picture."""
    height, width = image.shape[:2]
    spread = np.zeros_like(image)
    for sigma, weight in ((0.0016, 0.5), (0.006, 0.28), (0.022, 0.15), (0.08, 0.07)):
        shrink = max(1, int(sigma * width / 4))
        small = cv2.resize(image, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), sigma * width / shrink)
        spread += weight * cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return (1 - share) * image + share * spread


def tone(image: np.ndarray, contrast: float) -> np.ndarray:
    """A film-like curve on linear light: 0.18 stays, shadows toe in, highlights roll off at 1.

    A Naka-Rushton response x^c / (x^c + s) with its gain chosen so that 0.18 maps to 0.18.
    """
    power = np.maximum(image, 0.0) ** contrast
    half = 0.18**contrast * (1 / 0.18 - 1)
    return power / (power + half)


def encode(image: np.ndarray) -> np.ndarray:
    """Linear light to sRGB encoding."""
    image = np.clip(image, 0.0, 1.0)
    return np.where(image <= 0.0031308, 12.92 * image, 1.055 * image ** (1 / 2.4) - 0.055)


def lens(image: np.ndarray) -> np.ndarray:
    """Vignette, a trace of lateral colour, and the softness of a real lens."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = x - (width - 1) / 2, y - (height - 1) / 2
    corner = (across**2 + down**2) / (0.25 * (width**2 + height**2))
    planes = []
    for plane, zoom in zip(cv2.split(image.astype(np.float32)), (4e-4, 0.0, -4e-4), strict=True):
        planes.append(
            cv2.remap(
                plane,
                x + zoom * across,
                y + zoom * down,
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )
    soft = cv2.GaussianBlur(np.maximum(cv2.merge(planes), 0), (0, 0), 0.5)
    return soft * (1 - 0.22 * corner**1.3)[..., None]


def sensor_grain(rng: np.random.Generator, encoded: np.ndarray, strength: float) -> np.ndarray:
    """Grain a little wider than a pixel, strongest in the mid tones, mostly without colour."""
    shape = encoded.shape
    shared = cv2.GaussianBlur(rng.standard_normal((*shape[:2], 1)), (0, 0), 0.55)[..., None]
    own = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 0.7)
    tone_weight = 0.35 + 2.6 * encoded.mean(axis=2, keepdims=True) * (
        1 - encoded.mean(axis=2, keepdims=True)
    )
    return encoded + strength * tone_weight * (1.4 * shared + 0.7 * own)


def develop(
    image: np.ndarray, distance: np.ndarray, film: Film, rng: np.random.Generator
) -> np.ndarray:
    """The finished photograph as uint8 (H, W, 3) from radiance and distance."""
    image = aerial(image, distance, film) * film.exposure * np.array(film.balance)
    image = lens(glare(image.astype(np.float32), film.glare))
    mapped = tone(image, film.contrast)
    grey = mapped @ np.array([0.2126, 0.7152, 0.0722])
    mapped = grey[..., None] + film.saturation * (mapped - grey[..., None])
    encoded = sensor_grain(rng, encode(mapped), film.grain)
    return (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8)
