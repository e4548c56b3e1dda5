"""Mitsuba materials of the scenes by name, and the label class each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mitsuba as mi
import numpy as np

from . import texture
from .facade import PANES
from .mesh import Geometry

SKY, BUILDING, GROUND, WATER, VEGETATION = range(5)
PALETTE = np.array(
    [[0, 0, 255], [255, 0, 0], [128, 128, 128], [0, 255, 255], [0, 255, 0]], np.uint8
)
CLASSES = {
    "planter": VEGETATION,
    "leaf": VEGETATION,
    "bark": VEGETATION,
    "forest": VEGETATION,
    "grass": VEGETATION,
    "quay": GROUND,
    "weed": GROUND,
    "coping": GROUND,
    "paving": GROUND,
    "asphalt": GROUND,
    "marking": GROUND,
}


@dataclass(frozen=True)
class Scene:
    """Polygons, materials by name, the environment emitter, and the sky behind it all.

    backdrop (rows, W, 3) is the radiance of the upper rows' sky at the picture's own resolution;
    None leaves the environment map's.
    """

    geometry: Geometry
    surfaces: dict[str, dict[str, Any]]
    emitter: dict[str, Any]
    backdrop: np.ndarray | None = None


def label(material: str) -> int:
    """The class of a material: everything built counts as BUILDING unless listed otherwise."""
    return WATER if material.startswith("water") else CLASSES.get(material, BUILDING)


def image(pixels: np.ndarray) -> dict[str, Any]:
    """A linear bitmap texture whose row 0 is the top (v = 1)."""
    bitmap = mi.Bitmap(np.ascontiguousarray(pixels[::-1], dtype=np.float32))
    return {"type": "bitmap", "bitmap": bitmap, "raw": True}


def vertex_colour() -> dict[str, Any]:
    """The colour stored with the vertices."""
    return {"type": "mesh_attribute", "name": "vertex_color"}


def matte(reflectance: dict[str, Any]) -> dict[str, Any]:
    """A two-sided Lambertian surface."""
    return {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": reflectance}}


def glossy(reflectance: dict[str, Any], roughness: float) -> dict[str, Any]:
    """A two-sided varnished or polished surface over `reflectance`."""
    return {
        "type": "twosided",
        "bsdf": {
            "type": "principled",
            "base_color": reflectance,
            "roughness": roughness,
            "specular": 0.5,
        },
    }


def pane(reflectance: dict[str, Any]) -> dict[str, Any]:
    """Window glass: a mirror of glass strength over what the room shows."""
    return {
        "type": "twosided",
        "bsdf": {
            "type": "plastic",
            "diffuse_reflectance": reflectance,
            "int_ior": 1.6,
        },
    }


def rgb(colour: str) -> dict[str, Any]:
    """A constant colour given as "#rrggbb"."""
    return {"type": "rgb", "value": texture.linear(colour).tolist()}


def water(alpha: float, colour: tuple[float, float, float]) -> dict[str, Any]:
    """A water surface of roughness `alpha` over light scattered back from within."""
    return {
        "type": "roughplastic",
        "int_ior": 1.333,
        "alpha": alpha,
        "distribution": "beckmann",
        "diffuse_reflectance": {"type": "rgb", "value": list(colour)},
    }


def leaf(through: float = 0.9) -> dict[str, Any]:
    """A thin leaf that lets light through; `through` is 0 ... 2 as in Disney's model."""
    return {
        "type": "principledthin",
        "base_color": vertex_colour(),
        "roughness": 0.55,
        "diff_trans": through,
        "eta": 1.4,
    }


def common(rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    """Everything but facades, water and lights."""
    cells = [texture.pane_cell(rng, 96, 64) for _ in range(PANES[0] * PANES[1])]
    stone = texture.linear("#a89c86")
    return {
        "glass": pane(image(texture.atlas(cells, PANES[0]))),
        "frame": glossy(vertex_colour(), 0.45),
        "trim": matte(vertex_colour()),
        "stack": matte(vertex_colour()),
        "cloth": matte(vertex_colour()),
        "planter": leaf(),
        "leaf": leaf(),
        "bark": matte(vertex_colour()),
        "forest": matte(vertex_colour()),
        "hull": glossy(vertex_colour(), 0.3),
        "deck": matte(vertex_colour()),
        "carpaint": glossy(vertex_colour(), 0.12),
        "carglass": pane(rgb("#1c2022")),
        "rubber": matte(rgb("#1e1e1f")),
        "taillight": pane(rgb("#7a1512")),
        "lampoff": glossy(rgb("#e3e0d4"), 0.1),
        "dark": matte(rgb("#1b1a1a")),
        "iron": glossy(rgb("#23282a"), 0.5),
        "steel": {
            "type": "twosided",
            "bsdf": {"type": "roughconductor", "material": "Cr", "alpha": 0.2},
        },
        "zinc": glossy(image(texture.rough(rng, texture.linear("#8b949b"), 0.09)), 0.5),
        "copper": matte(rgb("#82998c")),
        "slate": glossy(image(texture.tiles(rng, texture.linear("#4d535c"), 40, 32, 0.16)), 0.55),
        "tile": matte(image(texture.tiles(rng, texture.linear("#8c5844"), 28, 36, 0.16))),
        "limestone": matte(
            image(texture.facade(rng, texture.linear("#cfc3a8"), "stone", (20.0, 20.0)))
        ),
        "quay": matte(image(texture.tiles(rng, stone * 0.8, 16, 8, 0.12, 0.06))),
        "weed": matte(image(texture.rough(rng, texture.linear("#454a35"), 0.3))),
        "coping": matte(image(texture.rough(rng, stone * 1.1, 0.12))),
        "paving": matte(image(texture.tiles(rng, texture.linear("#8f8a82"), 16, 16, 0.07, 0.05))),
        "asphalt": matte(image(texture.rough(rng, texture.linear("#6a6a6b"), 0.1))),
        "marking": matte(rgb("#d5d3cc")),
    }
