"""A smooth 3-D look-up table that carries one cloud of colours onto another.

The table is a field of displacements on a coarse lattice over the source's colours. Its target is
the sliced optimal transport of Pitié, Kokaram and Dahyot (2007), Bonneel et al. (2015): along
random axes the two clouds are matched rank by rank. Transport alone sends neighbouring colours
anywhere; the least-squares fit to a lattice with penalised slope and curvature keeps the map a
gentle one, so that a gradient in the photograph stays a gradient.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class ColorLut:
    """Displacements on a lattice.

    nodes: a×b×c×3 float64, the displacement at each lattice node.
    low, high: the corners (3,) of the box that the lattice spans; colours beyond it take the
    displacement of the nearest face.
    """

    nodes: Array
    low: Array
    high: Array

    def __call__(self, colors: Array) -> Array:
        """Displacements, trilinearly interpolated, of the (..., 3) colours, in their dtype."""
        span = self.high - self.low
        flat = torch.from_numpy(colors.reshape(-1, 3))
        at = (flat - flat.new_tensor(self.low)) * flat.new_tensor(2 / span) - 1  # [-1, 1] the box
        nodes = torch.from_numpy(self.nodes).to(flat).permute(3, 2, 1, 0)  # 3×c×b×a, as (x, y, z)
        out = F.grid_sample(
            nodes[None], at[None, None, None], padding_mode="border", align_corners=True
        )  # 1×3×1×1×N
        found: Array = out.reshape(3, -1).T.numpy().reshape(colors.shape)
        return found

    def positions(self, colors: Array) -> Array:
        """Lattice coordinates 3×N of N×3 colours, inside the lattice."""
        last = np.array(self.nodes.shape[:3]) - 1.0
        out: Array = np.clip((colors - self.low) / (self.high - self.low), 0, 1).T * last[:, None]
        return out

    def cell(self) -> Array:
        """The lattice spacing (3,)."""
        out: Array = (self.high - self.low) / (np.array(self.nodes.shape[:3]) - 1.0)
        return out

    def scaled(self, factor: float) -> "ColorLut":
        return ColorLut(self.nodes * factor, self.low, self.high)


@dataclass(frozen=True)
class LutOptions:
    """How far a table may bend.

    size: lattice nodes along (L*, a*, b*). slope, curvature: penalties on the squared first and
    second differences of the displacement's (lightness, chroma), per unit of colour, against the
    squared misfit of the mean sample. rounds: fits, each to the transport from where the last one
    led. bases: random orthonormal bases of the transport. margin: colour units that the lattice
    reaches beyond the samples.
    """

    size: tuple[int, int, int] = (9, 7, 7)
    slope: tuple[float, float] = (300.0, 10.0)
    curvature: tuple[float, float] = (3e4, 1e3)
    rounds: int = 10
    bases: int = 8
    margin: float = 4.0


def transport_lut(
    source: Array,
    start: Array,
    target: Array,
    options: LutOptions | None = None,
) -> ColorLut:
    """The table r for which start + r(source) is distributed like target, as far as smooth.

    Args:
        source: N×3 float64 colours, the table's input.
        start: N×3, where a first map (the Monge-Kantorovich one) has carried them.
        target: N×3, the cloud to reach; as many samples, in any order.
    """
    options = options or LutOptions()
    low, high = source.min(0) - options.margin, source.max(0) + options.margin
    lut = ColorLut(np.zeros((*options.size, 3)), low, high)
    weights = _interpolation_matrix(lut, source)  # N×M
    fit = (weights.T @ weights).toarray() / len(source)
    solves = [_inverse(_normal_matrix(lut, fit, s, c))
              for s, c in zip(options.slope, options.curvature, strict=True)]  # fmt: skip
    axes = _random_axes(options.bases)
    wanted = np.sort(axes @ target.T, axis=1)
    nodes, moved = np.zeros((weights.shape[1], 3)), np.zeros_like(start)
    for _ in range(options.rounds):
        goal = moved + _transport(start + moved, axes, wanted)
        right = weights.T @ goal / len(source)  # M×3
        nodes = np.concatenate(
            [
                solve @ part
                for solve, part in zip(solves, (right[:, :1], right[:, 1:]), strict=True)
            ],
            axis=1,
        )
        moved = weights @ nodes
    return ColorLut(nodes.reshape(*options.size, 3), low, high)


def _inverse(matrix: Array) -> Array:
    """Of a positive definite matrix."""
    root = torch.linalg.cholesky(torch.from_numpy(matrix))
    return np.asarray(torch.cholesky_inverse(root).numpy())


def _transport(colors: Array, axes: Array, wanted: Array) -> Array:
    """Mean over bases of the displacement that matches every marginal of the basis.

    Args:
        axes: 3·bases×3. wanted: 3·bases×N, the marginals in order.
    """
    along = axes @ colors.T  # 3·bases×N
    order = np.argsort(along.astype(np.float32), axis=1)
    step = np.empty_like(along)
    np.put_along_axis(step, order, wanted - np.take_along_axis(along, order, axis=1), axis=1)
    out: Array = step.T @ axes * (3 / len(axes))
    return out


def _random_axes(count: int) -> Array:
    """3·count×3: orthonormal axes, always the same ones, the first the colour axes themselves."""
    rng = np.random.default_rng(0)
    random = [np.linalg.qr(rng.normal(size=(3, 3)))[0].T for _ in range(count - 1)]
    return np.concatenate([np.eye(3), *random])


def _interpolation_matrix(lut: ColorLut, colors: Array) -> Any:
    """Sparse N×M: trilinear weights of the M lattice nodes at N colours."""
    from scipy.sparse import csr_matrix

    shape = np.array(lut.nodes.shape[:3])
    at = lut.positions(colors)
    base = np.minimum(np.floor(at).astype(int), shape[:, None] - 2)
    part = at - base
    rows, cols, values = [], [], []
    for corner in np.ndindex(2, 2, 2):
        up = np.array(corner)[:, None]
        rows.append(np.arange(len(colors)))
        cols.append(np.ravel_multi_index(tuple(base + up), tuple(shape)))
        values.append(np.prod(np.where(up == 1, part, 1 - part), axis=0))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
    return csr_matrix(entries, shape=(len(colors), int(shape.prod())))


def _normal_matrix(lut: ColorLut, fit: Array, slope: float, curvature: float) -> Array:
    """M×M normal equations of misfit, slope and curvature."""
    shape = lut.nodes.shape[:3]
    normal = fit + 1e-9 * np.eye(len(fit))
    for axis, cell in enumerate(lut.cell()):
        for order, penalty in ((1, slope), (2, curvature)):
            normal += _differences(shape, axis, order) * (penalty / len(fit) / cell ** (2 * order))
    return normal


@functools.lru_cache(maxsize=6)
def _differences(shape: tuple[int, ...], axis: int, order: int) -> Array:
    """M×M: the sum of squared differences of that order along an axis of a lattice."""
    step = np.diff(np.eye(shape[axis]), n=order, axis=0)
    factors = [np.eye(n) for n in shape]
    factors[axis] = step.T @ step
    return np.asarray(np.kron(np.kron(factors[0], factors[1]), factors[2]))
