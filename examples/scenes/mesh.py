"""A collector of polygons by material, in metres, z up, handed to Mitsuba as one mesh each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mitsuba as mi
import numpy as np

BOX_FACES = np.array(
    [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
)
BOX_PLANES = ((0, 1), (0, 1), (0, 2), (1, 2), (0, 2), (1, 2))
CORNER_UV = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


class Geometry:
    """Polygons grouped by material; `frame` maps local (u, out, z) coordinates to the world."""

    def __init__(self) -> None:
        self.parts: dict[str, list[tuple[np.ndarray, ...]]] = defaultdict(list)
        self.origin = np.zeros(3)
        self.axes = np.eye(3)

    @contextmanager
    def frame(self, origin: Any, along: Any = (1.0, 0.0)) -> Iterator[None]:
        """Work in a frame whose u axis is `along` (x, y) and whose second axis points out.

        Seen from outside, u runs to the right, so the outward axis is `along` turned by -90
        degrees: along (1, 0) faces -y.
        """
        saved = self.origin, self.axes
        u = np.array([along[0], along[1], 0.0]) / np.hypot(along[0], along[1])
        self.origin = np.asarray(origin, float)
        self.axes = np.array([u, [u[1], -u[0], 0.0], [0.0, 0.0, 1.0]])
        yield
        self.origin, self.axes = saved

    def add(
        self,
        material: str,
        vertices: np.ndarray,
        faces: np.ndarray,
        uv: np.ndarray | None = None,
        normals: np.ndarray | None = None,
        colour: Any = None,
    ) -> None:
        """Add an indexed triangle mesh given in the current frame."""
        vertices = np.asarray(vertices, float).reshape(-1, 3)
        count = len(vertices)
        uv = np.zeros((count, 2)) if uv is None else uv
        turned = np.zeros((count, 3)) if normals is None else normals @ self.axes
        tint = np.broadcast_to(np.ones(3) if colour is None else colour, (count, 3))
        placed = vertices @ self.axes + self.origin
        self.parts[material].append((placed, np.asarray(faces), uv, turned, tint))

    def insert(self, other: Geometry, size: float = 1.0, colour: Any = 1.0) -> None:
        """Add a copy of everything in `other`, its world axes taken as this frame's axes.

        The copy is `size` times as large and its vertex colours are multiplied by `colour`.
        """
        for material, parts in other.parts.items():
            if len(parts) > 1:
                starts = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
                index = [part[1] + start for part, start in zip(parts, starts, strict=True)]
                joined = [np.concatenate([part[k] for part in parts]) for k in (0, 2, 3, 4)]
                other.parts[material] = [(joined[0], np.concatenate(index), *joined[1:])]
            vertices, faces, uv, normals, tint = other.parts[material][0]
            self.add(material, vertices * size, faces, uv, normals, tint * colour)

    def quads(
        self, material: str, corners: Any, uv: np.ndarray | None = None, colour: Any = None
    ) -> None:
        """Add N quads, corners (N, 4, 3) counter-clockwise seen from the front."""
        corners = np.asarray(corners, float).reshape(-1, 4, 3)
        count = len(corners)
        uv = np.broadcast_to(CORNER_UV, (count, 4, 2)) if uv is None else np.asarray(uv)
        first = 4 * np.arange(count)[:, None, None]
        faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
        if colour is not None and np.ndim(colour) == 2:
            colour = np.repeat(colour, 4, axis=0)
        self.add(material, corners, faces, uv.reshape(-1, 2), colour=colour)

    def rect(
        self,
        material: str,
        u: tuple[float, float],
        z: tuple[float, float],
        out: float,
        uv: Any = None,
        colour: Any = None,
    ) -> None:
        """Add an upright rectangle in the current frame, facing outward."""
        corners = [(u[0], out, z[0]), (u[1], out, z[0]), (u[1], out, z[1]), (u[0], out, z[1])]
        box = None
        if uv is not None:
            (a, b), (c, d) = uv
            box = np.array([[a, c], [b, c], [b, d], [a, d]])
        self.quads(material, [corners], box, colour)

    def box(
        self,
        material: str,
        u: tuple[float, float],
        out: tuple[float, float],
        z: tuple[float, float],
        colour: Any = None,
        inset: float = 0.0,
    ) -> None:
        """Add a box; `inset` pulls its upper rim in by so much (u and out), for slopes."""
        lower = [(u[0], out[1]), (u[1], out[1]), (u[1], out[0]), (u[0], out[0])]
        upper = [
            (u[0] + inset, out[1] - inset),
            (u[1] - inset, out[1] - inset),
            (u[1] - inset, out[0] + inset),
            (u[0] + inset, out[0] + inset),
        ]
        corners = np.array([(*p, z[0]) for p in lower] + [(*p, z[1]) for p in upper])
        quads = corners[BOX_FACES]
        uv = np.stack([q[:, list(p)] for q, p in zip(quads, BOX_PLANES, strict=True)])
        self.quads(material, quads, uv, colour)

    def tube(
        self, material: str, path: Any, radii: Any, sides: int = 8, colour: Any = None
    ) -> None:
        """Add a round tube along a polyline (K, 3) with one radius per point, smoothly shaded."""
        path, radii = np.asarray(path, float), np.asarray(radii, float)
        tangent = np.gradient(path, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
        helper = np.where(np.abs(tangent[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
        side = np.cross(tangent, helper)
        side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-12
        over = np.cross(tangent, side)
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
        ring = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * over[:, None]
        vertices = path[:, None] + radii[:, None, None] * ring  # (K, sides, 3)
        faces = grid_faces(len(path), sides, wrap=True)
        length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))]
        uv = np.stack(np.broadcast_arrays(angle[None] / np.pi, length[:, None]), axis=-1)
        self.add(material, vertices, faces, uv.reshape(-1, 2), ring.reshape(-1, 3), colour)

    def ball(self, material: str, centre: Any, radii: Any, colour: Any = None) -> None:
        """Add an ellipsoid of half axes `radii` (a number or three)."""
        theta, phi = np.linspace(0, np.pi, 9), np.linspace(0, 2 * np.pi, 12, endpoint=False)
        x = np.sin(theta)[:, None] * np.cos(phi)
        y = np.sin(theta)[:, None] * np.sin(phi)
        z = np.broadcast_to(np.cos(theta)[:, None], x.shape)
        unit = np.stack([x, y, z], axis=-1).reshape(-1, 3)
        faces = grid_faces(9, 12, wrap=True)
        self.add(material, np.asarray(centre) + unit * radii, faces, None, unit, colour)

    def write(self, material: str, path: Path) -> None:
        """Write one material's polygons as a PLY file that Mitsuba loads."""
        vertices, faces, uv, normals, tint = zip(*self.parts[material], strict=True)
        starts = np.cumsum([0, *map(len, vertices)])[:-1]
        index = np.concatenate([f + s for f, s in zip(faces, starts, strict=True)])
        joined = [np.concatenate(v).astype(np.float32) for v in (vertices, normals, uv, tint)]
        smooth = bool(np.abs(joined[1]).sum(axis=1).min() > 0)
        mesh = mi.Mesh(
            material,
            len(joined[0]),
            len(index),
            has_vertex_normals=smooth,
            has_vertex_texcoords=True,
        )
        mesh.add_attribute("vertex_color", 3, joined[3].ravel())
        params = mi.traverse(mesh)
        params["vertex_positions"] = joined[0].ravel()
        params["faces"] = index.astype(np.uint32).ravel()
        params["vertex_texcoords"] = joined[2].ravel()
        if smooth:
            params["vertex_normals"] = joined[1].ravel()
        params.update()
        mesh.write_ply(str(path))


def grid_faces(rows: int, columns: int, wrap: bool = False) -> np.ndarray:
    """Triangles of a rows x columns vertex grid (row-major), `wrap` closing each row."""
    span = columns if wrap else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(span), indexing="ij")
    a = row * columns + column
    b = row * columns + (column + 1) % columns
    quads = np.stack([a, b, b + columns, a + columns], axis=-1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
