"""Generated scenes: something to learn on where there are no pictures.

Sky, ridges, boxes with windows, discs and stripes under textures with the spectrum of photographs:
edges, flat parts and detail of every size, in random colours.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from photostyle.images.profiles import Array

#: Amplitude of textures falls with frequency to this power, about as it does in photographs.
SPECTRUM = 1.3


def scene(rng: np.random.Generator, size: int) -> Tensor:
    """A picture, 3×size×size float32 in [0, 1], wholly determined by the generator's state."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    picture = _gradient(rng, y) + rng.uniform(0.0, 0.25) * fractal(rng, size)[..., None]
    for base in np.sort(rng.uniform(0.25, 1.0, rng.integers(1, 4))):
        ridge = base + 0.15 * fractal(rng, size)[0]
        picture = _over(rng, picture, y > ridge[None], _gradient(rng, y))
    for _ in range(rng.integers(2, 10)):
        shape = SHAPES[rng.integers(len(SHAPES))]
        light = _gradient(rng, y * rng.uniform(-1, 1) + x * rng.uniform(-1, 1))
        picture = _over(rng, picture, shape(rng, y, x), light)
    picture = picture * rng.uniform(0.6, 1.1) + rng.normal(0.0, 0.01, picture.shape)
    return torch.from_numpy(picture.clip(0.0, 1.0).astype(np.float32).transpose(2, 0, 1).copy())


def fractal(rng: np.random.Generator, size: int) -> Array:
    """size×size noise of mean 0 and deviation 1 with a photograph's spectrum."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(size, size))) / frequency**SPECTRUM
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(field / field.std(), dtype=np.float32)


def _gradient(rng: np.random.Generator, along: Array) -> Array:
    """H×W×3, from one random colour to another."""
    one, two = rng.uniform(0.0, 1.0, (2, 3))
    grey = rng.uniform(0.0, 0.8)  # most things are less colourful than random numbers
    one, two = (colour + grey * (colour.mean() - colour) for colour in (one, two))
    return np.asarray(one + along[..., None] * (two - one), dtype=np.float32)


def _over(rng: np.random.Generator, picture: Array, mask: Array, colour: Array) -> Array:
    """The picture with a textured colour where the mask is."""
    texture = rng.uniform(0.0, 0.2) * fractal(rng, len(picture))[..., None]
    return np.where(mask[..., None], colour + texture, picture)


def _box(rng: np.random.Generator, y: Array, x: Array) -> Array:
    """A house front: a rectangle with rows of openings."""
    top, left = rng.uniform(0.1, 0.7, 2)
    height, width = rng.uniform(0.15, 0.6, 2)
    inside = (y > top) & (y < top + height) & (x > left) & (x < left + width)
    rows, columns = rng.uniform(8, 30, 2)
    openings = (((y - top) * rows) % 1 > 0.5) & (((x - left) * columns) % 1 > 0.5)
    return np.asarray(inside & ~openings if rng.random() < 0.6 else inside)


def _disc(rng: np.random.Generator, y: Array, x: Array) -> Array:
    """An ellipse, round or bushy."""
    (cy, cx), (ry, rx) = rng.uniform(0.0, 1.0, 2), rng.uniform(0.03, 0.25, 2)
    rough = rng.uniform(0.0, 0.3) * fractal(rng, len(y))
    return np.asarray(((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 + rough < 1)


def _stripes(rng: np.random.Generator, y: Array, x: Array) -> Array:
    """Slanted stripes in a half plane: fences, fields, paving."""
    angle, offset, count = rng.uniform(0, np.pi), rng.uniform(-0.5, 1.0), rng.uniform(5, 40)
    across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray((along > offset) & ((across * count) % 1 > 0.5))


SHAPES: tuple[Callable[[np.random.Generator, Array, Array], Array], ...] = (_box, _disc, _stripes)
