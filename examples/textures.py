"""Textures made from a random generator alone: what `train_encoder.py` learns to tell apart.

`texture(rng, size)` draws one of the families below with parameters of its own, in colours of its
own. Every family is a scalar or two-channel field in [0, 1]; `colours` maps it to RGB.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def texture(rng: np.random.Generator, size: int) -> Field:
    """A random texture, size×size×3 float32 in [0, 1]."""
    names = list(FAMILIES)
    weights = np.array([FAMILIES[name][1] for name in names])
    make = FAMILIES[names[rng.choice(len(names), p=weights / weights.sum())]][0]
    field = make(rng, size)
    if field.ndim == 3:
        return np.clip(field, 0, 1)
    if rng.random() < 0.35:  # worn, mottled or dirty
        field = field + rng.uniform(0.1, 0.5) * (noise(rng, size, rng.uniform(0.5, 2.5)) - 0.5)
    return colours(rng, normalised(field))


def normalised(field: Field) -> Field:
    """The field stretched to [0, 1] between its 1st and 99th percentile."""
    low, high = np.percentile(field, (1, 99))
    stretched = np.clip((field - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(stretched, np.float32)


def colours(rng: np.random.Generator, field: Field) -> Field:
    """Two to five colours along the field; often near neighbours, sometimes opposites."""
    count = int(rng.integers(2, 6))
    base = rng.uniform(0.05, 0.95, 3)
    spread = rng.choice((0.08, 0.2, 0.5))
    tone = np.linspace(-1, 1, count)[:, None] * rng.choice((-1, 1)) * rng.uniform(0, 0.45)
    palette = np.clip(base + tone + rng.normal(0, spread, (count, 3)), 0, 1)
    if rng.random() < 0.25:  # as under one light: greys with a cast
        palette = palette.mean(1, keepdims=True) * rng.uniform(0.6, 1.0, 3)
    stops = np.linspace(0, 1, count)
    return np.stack([np.interp(field, stops, palette[:, c]) for c in range(3)], 2).astype(
        np.float32
    )


def noise(
    rng: np.random.Generator, size: int, slope: float, turn: float = 0.0, stretch: float = 1.0
) -> Field:
    """Noise of amplitude 1/f^slope, frequencies along `turn` counted `stretch` times as high."""
    y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    frequency = np.hypot(along * stretch, across)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    return normalised(
        np.fft.irfft2(spectrum / np.maximum(frequency, 1 / size) ** slope, (size,) * 2)
    )


def fractal(rng: np.random.Generator, size: int) -> Field:
    """Clouds, bark, ripples: isotropic or stretched 1/f noise, plain, folded or in bands."""
    field = noise(rng, size, rng.uniform(0.3, 2.2), rng.uniform(0, np.pi), rng.choice((1, 1, 3, 8)))
    kind = rng.integers(4)
    if kind == 1:
        return np.abs(field - 0.5)
    if kind == 2:
        return np.sin(field * rng.uniform(6, 40)).astype(np.float32)
    if kind == 3:
        return (field > rng.uniform(0.3, 0.7)).astype(np.float32)
    return field


def coloured_noise(rng: np.random.Generator, size: int) -> Field:
    """Three correlated fields as R, G and B."""
    fields = np.stack([noise(rng, size, rng.uniform(0.2, 2)) for _ in range(3)], 2) - 0.5
    mix = np.eye(3) * rng.uniform(0.1, 1) + rng.uniform(0, 0.6, (3, 3))
    return (rng.uniform(0.2, 0.8, 3) + fields @ mix * rng.uniform(0.2, 1)).astype(np.float32)


def band(rng: np.random.Generator, size: int) -> Field:
    """Noise of one spatial frequency and one range of orientations."""
    y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    centre = np.exp(rng.uniform(np.log(0.02), np.log(0.35)))
    ring = np.exp(-(np.log2(np.maximum(radius, 1e-4) / centre) ** 2) / rng.uniform(0.02, 0.5))
    turn = rng.uniform(-np.pi / 2, np.pi / 2)
    ring = ring * np.exp(rng.choice((0, 4, 30)) * (np.cos(2 * (angle - turn)) - 1))
    return normalised(
        np.fft.irfft2(np.fft.rfft2(rng.standard_normal((size, size))) * ring, (size,) * 2)
    )


def grid_axes(rng: np.random.Generator, size: int, bend: float = 0.0) -> tuple[Field, Field]:
    """Pixel coordinates along turned axes, pushed about by smooth noise by `bend` pixels."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    turn = rng.choice((0.0, rng.uniform(0, np.pi)))
    if bend:
        x = x + bend * (noise(rng, size, 2.0) - 0.5)
        y = y + bend * (noise(rng, size, 2.0) - 0.5)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return u.astype(np.float32), v.astype(np.float32)


def grating(rng: np.random.Generator, size: int) -> Field:
    """Stripes or plaid, sine, square or saw, straight or wavy."""
    u, v = grid_axes(rng, size, rng.choice((0, 10, 40)))
    period = np.exp(rng.uniform(np.log(4), np.log(40)))
    wave = np.sin(2 * np.pi * u / period)
    if rng.random() < 0.3:
        wave = wave + np.sin(2 * np.pi * v / (period * rng.choice((1, 1.5, 2))))
    kind = rng.integers(3)
    if kind == 1:
        return (wave > rng.uniform(-0.5, 0.5)).astype(np.float32)
    return np.mod(u / period, 1).astype(np.float32) if kind == 2 else wave.astype(np.float32)


def tiles(rng: np.random.Generator, size: int) -> Field:
    """Bricks, tiles, windows, checks: cells of a shifted lattice, each of its own tone."""
    u, v = grid_axes(rng, size, rng.choice((0, 0, 6)))
    high = rng.uniform(6, 32)
    wide = high * rng.choice((1, 1.5, 2.5))
    row = np.floor(v / high)
    u = u + (row % 2) * wide * rng.choice((0, 0.5))
    column = np.floor(u / wide)
    tones = rng.random((64, 64))
    field = rng.uniform(0, 1) * tones[row.astype(int) % 64, column.astype(int) % 64]
    if rng.random() < 0.3:
        field = field + (row + column) % 2
    joint = rng.uniform(0.05, 0.3)
    inside = (np.mod(v / high, 1) > joint) & (np.mod(u / wide, 1) > joint * high / wide)
    return np.where(inside, field + rng.uniform(0.3, 1), rng.choice((0, 1.5))).astype(np.float32)


def cells(rng: np.random.Generator, size: int) -> Field:
    """Pebbles, scales, cracks: distances to the nearest of random points."""
    count = int(np.exp(rng.uniform(np.log(20), np.log(900))))
    mask = np.full((size, size), 255, np.uint8)
    y, x = rng.integers(0, size, (2, count))
    mask[y, x] = 0
    distance, label = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 5)
    tones = rng.random(label.max() + 1)[label]
    kind = rng.integers(3)
    if kind == 0:
        return distance
    if kind == 1:
        return np.asarray(tones, np.float32)
    edge = (
        np.maximum(np.abs(np.gradient(label.astype(float))[0]), np.abs(np.gradient(label)[1])) > 0
    )
    return np.asarray(np.where(edge, rng.choice((-0.5, 1.5)), tones), np.float32)


def strokes(rng: np.random.Generator, size: int) -> Field:
    """Brush strokes, grass, fur: short thick lines along a field of directions."""
    base = rng.uniform(0, np.pi)
    flow = base + rng.choice((0.2, 1, 3)) * np.pi * (noise(rng, size, 2.2) - 0.5)
    length, width = rng.uniform(5, 30), int(rng.integers(1, 6))
    tone = noise(rng, size, 1.8)
    canvas = noise(rng, size, 1.0)
    for _ in range(int(4 * size**2 / (length * width * 3))):
        x, y = rng.uniform(0, size, 2)
        angle = flow[int(y), int(x)]
        dx, dy = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
        value = float(tone[int(y), int(x)] + rng.normal(0, 0.15))
        ends = (int(x - dx), int(y - dy)), (int(x + dx), int(y + dy))
        cv2.line(canvas, *ends, value, width, cv2.LINE_AA)
    return canvas


def smeared(rng: np.random.Generator, size: int) -> Field:
    """Noise drawn out along a flow (line integral convolution): wood, hair, swirling paint."""
    flow = np.pi * rng.uniform(0.5, 4) * noise(rng, size, 2.4)
    steps = int(rng.integers(4, 16))
    source = noise(rng, size, rng.uniform(0, 0.8))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    total = source.copy()
    for sign in (-1, 1):
        u, v = x.copy(), y.copy()
        for _ in range(steps):
            turn = cv2.remap(flow, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
            u, v = u + sign * np.cos(turn), v + sign * np.sin(turn)
            total += cv2.remap(source, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return total


def leaves(rng: np.random.Generator, size: int) -> Field:
    """Dead leaves: opaque discs, boxes or triangles of every size, later ones on top; in colour."""
    canvas = np.full((size, size, 3), 0.5, np.float32)
    palette = np.clip(
        rng.uniform(0.1, 0.9, 3) + rng.normal(0, rng.choice((0.1, 0.3)), (6, 3)), 0, 1
    )
    shape = rng.integers(4)
    least, most = rng.uniform(1.5, 5), rng.uniform(8, 40)
    for _ in range(int(rng.uniform(1, 2) * 2.2 * size**2 / (least * most))):
        radius = 1 / np.sqrt(rng.uniform(1 / most**2, 1 / least**2))  # density r^-3: scale-free
        centre = rng.uniform(0, size, 2)
        colour = [float(c) for c in palette[rng.integers(6)] + rng.normal(0, 0.04)]
        kind = rng.integers(3) if shape == 3 else shape
        if kind == 0:
            cv2.circle(canvas, centre.astype(int).tolist(), int(radius), colour, -1)
            continue
        corners = np.arange(3 + kind % 2) * 2 * np.pi / (3 + kind % 2) + rng.uniform(0, np.pi)
        points = centre + radius * np.stack([np.cos(corners), np.sin(corners)], 1)
        cv2.fillPoly(canvas, [points.astype(np.int32)], colour)
    return canvas


def dots(rng: np.random.Generator, size: int) -> Field:
    """Stars, lamps, stipple: few or many spots, hard or with a halo."""
    canvas = np.zeros((size, size), np.float32)
    count = int(np.exp(rng.uniform(np.log(15), np.log(1500))))
    y, x = rng.integers(0, size, (2, count))
    canvas[y, x] = rng.uniform(0.2, 1, count) ** rng.choice((1, 3))
    halo = cv2.GaussianBlur(canvas, (0, 0), np.exp(rng.uniform(np.log(0.6), np.log(6))))
    if rng.random() < 0.3:
        halo = (halo > np.percentile(halo, 80)).astype(np.float32)
    return np.minimum(halo / max(np.percentile(halo, 99.5), 1e-6), 1).astype(np.float32)


def writing(rng: np.random.Generator, size: int) -> Field:
    """Lines of characters."""
    canvas = np.zeros((size, size), np.uint8)
    scale = rng.uniform(0.3, 1.2)
    fonts = (cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
    font = int(rng.choice(fonts))
    letters = "".join(chr(c) for c in rng.integers(33, 126, 4000))
    step = max(8, int(26 * scale))
    for row in range(size // step + 1):
        line = letters[row * 60 : row * 60 + 60]
        cv2.putText(canvas, line, (-5, (row + 1) * step), font, scale, 255, int(rng.integers(1, 3)))
    return (canvas / 255).astype(np.float32)


def ramp(rng: np.random.Generator, size: int) -> Field:
    """Skies and walls: a smooth fall of tone, with or without grain."""
    u, v = grid_axes(rng, size)
    field = u / size + rng.uniform(-0.5, 0.5) * v / size
    return (field + rng.choice((0, 0.02, 0.1)) * rng.standard_normal((size, size))).astype(
        np.float32
    )


FAMILIES: dict[str, tuple[Callable[[np.random.Generator, int], Field], float]] = {
    "fractal": (fractal, 2),
    "coloured noise": (coloured_noise, 1),
    "band": (band, 1.5),
    "grating": (grating, 1),
    "tiles": (tiles, 1.5),
    "cells": (cells, 1.5),
    "strokes": (strokes, 2),
    "smeared": (smeared, 1.5),
    "leaves": (leaves, 2),
    "dots": (dots, 1),
    "writing": (writing, 0.5),
    "ramp": (ramp, 1),
}
