"""A joint non-local-means filter that averages light between pixels of the same surface."""

from __future__ import annotations

import cv2
import numpy as np

from .camera import Frame


def denoise(frame: Frame, radius: int = 4, strength: float = 0.8) -> np.ndarray:
    """`frame.light` (H, W, 3) with its sampling noise reduced.

    A neighbour counts by how alike its albedo, normal and log distance are and by whether its
    3 x 3 patch differs by no more than the noise explains (Rousselle et al. 2012, equation 3,
    on the mean of the channels). A smaller `strength` keeps more of both noise and detail.
    """
    light = frame.light.astype(np.float32)
    level = light.mean(axis=-1)
    noise = cv2.blur(frame.variance.astype(np.float32), (5, 5)) + 1e-8
    depth = np.log(frame.distance + 1.0).astype(np.float32)
    guide = np.concatenate(
        [frame.albedo / 0.10, frame.normal / 0.35, depth[..., None] / 0.04], axis=-1
    ).astype(np.float32)
    total, weights = np.zeros_like(light), np.zeros_like(level)
    for down in range(-radius, radius + 1):
        for across in range(-radius, radius + 1):

            def moved(plane: np.ndarray, by: tuple[int, int] = (down, across)) -> np.ndarray:
                return np.roll(plane, by, axis=(0, 1))

            both = noise + moved(noise)
            apart = (level - moved(level)) ** 2 - (noise + np.minimum(noise, moved(noise)))
            patch = cv2.blur(apart / (1e-6 + strength**2 * both), (3, 3))
            surface = ((guide - moved(guide)) ** 2).sum(axis=-1)
            weight = np.exp(-np.maximum(patch, 0) - surface)
            total += weight[..., None] * moved(light)
            weights += weight
    return total / weights[..., None]
