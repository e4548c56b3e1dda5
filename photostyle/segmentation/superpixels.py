"""A picture as a few hundred superpixels, each with what survives a change of light and season.

Colours differ between a day and a night picture, so regions cannot be compared by them. What stays
is where a region lies, how rough it is, and which borders of the picture it reaches without
crossing an edge: a sky, by day or by night, is what the upper border flows into. The last is a
geodesic distance over the superpixels (as in Wei et al., "Geodesic Saliency Using Background
Priors", ECCV 2012, here for each border by itself).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from photostyle.matting.guided import GuidedFilter
from photostyle.segmentation.masks import spread

Array = NDArray[Any]

LONG_SIDE = 224  # pixels at which pictures are analysed
COUNT = 350  # superpixels a picture, about
COMPACT = 8.0  # CIELAB units that weigh as much as one superpixel's side
ROUNDS = 6  # of k-means
BLUR = 5.0  # pixels over which texture is averaged
FLAT = 0.12  # contrast between neighbours that costs a path nothing
LEAST_SEEN = 0.02  # weight of a pixel below which it is of no superpixel
REACH = 0.8  # geodesic distance at which two places have little to do with each other
NEARBY = 0.5, 0.25  # geodesic distance and share of the picture over which descriptors are averaged

FARTHEST = 4.0  # times that geodesic distance, where a superpixel counts a ten-millionth

#: Weights of the descriptors, in order: height, reach from the upper border, from the lower, from
#: any, texture, lightness and chroma relative to the picture, distance from the middle column.
WEIGHTS = np.array([1.6, 1.3, 0.6, 1.0, 1.0, 0.5, 0.3, 0.5])


@dataclass(frozen=True, eq=False)
class Superpixels:
    """The N superpixels of a picture.

    Attributes:
        ids: h×w int, 0 … N - 1, at the size of the analysis.
        area: N shares of the picture, summing to 1.
        color: N×3 mean CIELAB (L in [0, 100]).
        pairs: M×2 neighbours.
        descriptors: N×8, weighted; see `WEIGHTS`.
        steps: M costs of going from a neighbour to the other by colour alone, at least a little.
    """

    ids: NDArray[np.intp]
    area: Array
    color: Array
    pairs: Array
    descriptors: Array
    steps: Array

    def nearest(self, chosen: Array) -> Array:
        """N numbers of the superpixel that is nearest to each, of those chosen by N booleans."""
        from scipy.sparse.csgraph import dijkstra

        sources = np.flatnonzero(chosen)
        _, _, found = dijkstra(
            _graph(self.steps, self.pairs, len(self.area)), directed=False, indices=sources,
            min_only=True, return_predecessors=True,
        )  # fmt: skip
        return np.asarray(np.where(found < 0, sources[0], found))


def analyse(rgb: Array, weight: Array | None = None) -> Superpixels:
    """Superpixels and descriptors of an H×W×3 float32 sRGB picture in [0, 1].

    Args:
        weight: H×W in [0, 1], how much each pixel counts; what does not is of the superpixel
            nearest to it.
    """
    lab = cv2.cvtColor(_small(rgb), cv2.COLOR_RGB2LAB)
    height, width = lab.shape[:2]
    ids = _superpixels(lab)
    seen = np.ones(ids.shape) if weight is None else _small(weight).astype(np.float64)
    least = min(LEAST_SEEN, float(seen.max()) / 2)
    if (seen < least).any():
        _, ids = np.unique(spread(ids, seen >= least), return_inverse=True)
        ids = ids.reshape(height, width)
        seen = np.where(seen < least, 0, seen)
    rows, columns = np.mgrid[:height, :width]
    planes = np.dstack([lab, _texture(lab[..., 0]), rows / height, columns / width])
    area, means = _means(ids, planes.astype(np.float64), seen)
    color, texture, y, x = means[:, :3], means[:, 3], means[:, 4], means[:, 5]
    pairs = _neighbours(ids)
    graph = _graph(_contrast(area, color, texture, pairs) - FLAT, pairs, len(area))
    raw = _descriptors(ids, area, color, texture, y, x, graph)
    averaged = _averaged(raw, area, y, x, graph)
    steps = np.linalg.norm(np.diff(color[pairs], axis=1)[:, 0], axis=1) + 1
    return Superpixels(ids, area, color, pairs, averaged, steps)


def enlarge(labels: Array, count: int, rgb: Array) -> NDArray[np.int32]:
    """h×w labels 0 … count - 1 at the size of the H×W×3 picture, borders moved to its edges."""
    height, width = rgb.shape[:2]
    scale = max(1.0, max(height, width) / max(labels.shape))
    guided = GuidedFilter(np.ascontiguousarray(rgb, np.float32), round(2 * scale) + 1, 1e-3)
    planes = (cv2.resize((labels == k).astype(np.float32), (width, height))
              for k in range(count - 1))  # fmt: skip
    scores = [guided(plane) for plane in planes]
    scores.append(1 - sum(scores, np.zeros((height, width), np.float32)))  # as the filter is linear
    return np.asarray(np.argmax(scores, axis=0), np.int32)


def _small(rgb: Array) -> Array:
    height, width = rgb.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = max(16, round(width * scale)), max(16, round(height * scale))
    pixels = np.ascontiguousarray(rgb, np.float32)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _superpixels(lab: Array) -> NDArray[np.intp]:
    """SLIC (Achanta et al., TPAMI 2012): k-means in colour and place, each pixel among the nine
    centres around its own cell of a regular grid."""
    height, width = lab.shape[:2]
    step = np.sqrt(height * width / COUNT)
    rows, columns = max(2, round(height / step)), max(2, round(width / step))
    yy, xx = np.mgrid[:height, :width]
    home_y, home_x = (yy * rows // height).ravel(), (xx * columns // width).ravel()
    planes = np.dstack([lab / COMPACT, yy / step, xx / step]).reshape(-1, 5).T
    features = np.ascontiguousarray(planes, np.float32)  # 5×N
    ids = home_y * columns + home_x
    around = []
    for dy, dx in [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
        y, x = home_y + dy, home_x + dx
        inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
        around.append(np.where(inside, y * columns + x, rows * columns))
    for _ in range(ROUNDS):
        centres = _centres(features, ids, rows * columns)
        best = np.full(len(ids), np.inf, np.float32)
        for k in around:
            distance = sum((f - c[k]) ** 2 for f, c in zip(features, centres, strict=True))
            ids = np.where(distance < best, k, ids)
            best = np.minimum(best, distance)
    _, ids = np.unique(ids, return_inverse=True)
    return ids.reshape(height, width)


def _centres(features: Array, ids: Array, count: int) -> Array:
    """5×(count + 1) means of the 5×N features; infinitely far where there are no pixels, as in the
    last one."""
    pixels = np.bincount(ids, minlength=count + 1)
    sums = np.stack([np.bincount(ids, weights=f, minlength=count + 1) for f in features])
    return np.where(pixels > 0, sums / np.maximum(pixels, 1), np.inf).astype(np.float32)


def _texture(lightness: Array) -> Array:
    """h×w logarithm of the local gradient energy, the mean of two scales."""
    planes = []
    for sigma in (0.7, 2.0):
        smooth = cv2.GaussianBlur(lightness, (0, 0), sigma)
        dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *d) / 8 for d in ((1, 0), (0, 1)))
        planes.append(np.log(cv2.GaussianBlur(dx * dx + dy * dy, (0, 0), BLUR) + 0.05))
    return np.asarray(sum(planes)) / 2


def _means(ids: Array, planes: Array, seen: Array) -> tuple[Array, Array]:
    """Area (N,) and mean of every plane (N×C) of each superpixel, by the pixels' weights."""
    flat, weights = ids.ravel(), seen.ravel()
    pixels = np.bincount(flat, weights)
    sums = [np.bincount(flat, weights * planes[..., c].ravel()) for c in range(planes.shape[2])]
    return pixels / pixels.sum(), np.stack(sums, axis=1) / pixels[:, None]


def _neighbours(ids: Array) -> Array:
    sides = [(ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])]
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in sides])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    count = int(ids.max()) + 1
    return np.stack(np.divmod(np.unique(pairs[:, 0] * count + pairs[:, 1]), count), axis=1)


def _contrast(area: Array, color: Array, texture: Array, pairs: Array) -> Array:
    """M contrasts between neighbours, relative to the picture's own."""
    spread = np.sqrt((area[:, None] * (color - area @ color) ** 2).sum()) + 5
    roughness = np.sqrt(area @ (texture - area @ texture) ** 2) + 0.3
    i, j = pairs.T
    steps = np.linalg.norm(color[i] - color[j], axis=1) / spread
    return np.asarray(steps + 0.5 * np.abs(texture[i] - texture[j]) / roughness)


def _graph(cost: Array, pairs: Array, count: int) -> Any:
    """Sparse N×N: what a step to a neighbour costs."""
    from scipy.sparse import coo_array

    cost = np.maximum(cost, 1e-6)  # a stored zero would be no link
    return coo_array((cost, tuple(pairs.T)), shape=(count, count)).tocsr()


def _descriptors(
    ids: Array, area: Array, color: Array, texture: Array, y: Array, x: Array, graph: Any
) -> Array:
    from scipy.sparse.csgraph import dijkstra

    upper, lower = np.unique(ids[0]), np.unique(ids[-1])
    every = np.unique(np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]]))

    def away(border: Array) -> Array:
        distances = dijkstra(graph, directed=False, indices=border, min_only=True)
        return np.asarray(1 - 2 * np.exp(-distances / REACH))

    def relative(values: Array) -> Array:
        centred = values - area @ values
        return np.asarray((centred / (np.sqrt(area @ centred**2) + 1e-3)).clip(-1.5, 1.5))

    chroma = np.hypot(color[:, 1], color[:, 2])
    columns = [
        2 * y - 1, away(upper), away(lower), away(every),
        relative(texture), relative(color[:, 0]), relative(chroma), 4 * np.abs(x - 0.5) - 1,
    ]  # fmt: skip
    return np.asarray(WEIGHTS * np.stack(columns, axis=1))


def _averaged(raw: Array, area: Array, y: Array, x: Array, graph: Any) -> Array:
    """Each superpixel's descriptors averaged with those that it is connected to without an edge."""
    from scipy.sparse.csgraph import dijkstra

    geodesic, straight = NEARBY
    distances = dijkstra(graph, directed=False, limit=FARTHEST * geodesic)
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    kernel = area * np.exp(-((distances / geodesic) ** 2) - squared / (2 * straight**2))
    return np.asarray(kernel @ raw / kernel.sum(axis=1, keepdims=True))
