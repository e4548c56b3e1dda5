"""Regions that two pictures share, found without a network: joint clustering of superpixels.

All superpixels of both pictures go into one tree (Ward 1963) over descriptors that light and
season leave alone, so a branch means the same in both. Every cut of the tree is a proposal. A
proposal counts if every region is large enough in both pictures, if each is clearly more like its
partner than like any other region, and if telling its regions apart shows in the colours of at
least one picture; the more regions, the clearer. Of those that count the one with the most regions
is taken, and where none does the pictures are one region each: a wrong pair is worse than none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.runtime.device import together
from photostyle.segmentation.superpixels import Superpixels, analyse, enlarge

Array = NDArray[Any]

MOST_REGIONS = 6
DEEPEST_CUT = 9  # branches that a proposal may start from, before it drops those of one side only
LEAST_SHARE = 0.03  # of either picture
SHARE_RATIO = 10.0  # largest ratio between a region's shares in the two pictures
SHARE_WEIGHT = 0.35  # of the logarithm of that ratio, in units of the descriptors
LEAST_COLOR = 8.0  # CIELAB distance between two regions, in one picture at least
CLEAR, CLEARER = 1.5, 0.35  # least margin of two regions, and what each further one adds
RELATIVE = 0.45  # share of the clearest proposal's margin that a proposal must have
DOUBTFUL = 0.3  # share of each region that must say by its colours where it belongs


@dataclass(frozen=True, eq=False)
class Proposal:
    """One way to divide both pictures into `count` regions.

    `content` and `style` are labels 0 … count - 1 of the superpixels; `margin` is the least ratio
    of a region's distance to the next other region over that to its partner; `color` the least
    CIELAB distance between two regions.
    """

    content: Array
    style: Array
    count: int
    margin: float
    color: float


def cluster_pair(
    content: Array,
    style: Array,
    regions: int = 0,
    weights: tuple[Array | None, Array | None] = (None, None),
) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Joint regions of two pictures.

    Nothing in it is random: equal pictures give equal regions, whatever the seed.

    Args:
        content, style: H×W×3 and h×w×3 float32, sRGB in [0, 1].
        regions: how many are wanted, 1 to 6; 0 chooses from the data.
        weights: H×W and h×w in [0, 1], how much each pixel counts; None where all count alike.

    Returns:
        H×W and h×w int32 labels, and how many there are. Label k means the same in both, and every
        label occurs in both; fewer than wanted where the pictures have no more in common.
    """
    pictures = together(lambda: analyse(content, weights[0]), lambda: analyse(style, weights[1]))
    chosen = None if regions == 1 else _chosen(list(_proposals(*pictures)), regions)
    if chosen is None:
        return np.zeros(content.shape[:2], np.int32), np.zeros(style.shape[:2], np.int32), 1
    mine, theirs, count = (
        chosen.content[pictures[0].ids],
        chosen.style[pictures[1].ids],
        chosen.count,
    )
    labels = together(lambda: enlarge(mine, count, content), lambda: enlarge(theirs, count, style))
    return labels[0], labels[1], count


def _chosen(proposals: list[Proposal], regions: int) -> Proposal | None:
    if regions:
        fitting = [p for p in proposals if p.count <= regions]
        return max(fitting, key=lambda p: (p.count, p.margin), default=None)
    clearest = max((p.margin for p in proposals), default=0.0)
    good = [
        p for p in proposals
        if p.margin >= max(CLEAR + CLEARER * (p.count - 2), RELATIVE * clearest)
        and p.color >= LEAST_COLOR
    ]  # fmt: skip
    return max(good, key=lambda p: p.count, default=None)


def _proposals(content: Superpixels, style: Superpixels) -> Iterator[Proposal]:
    """The clearest proposal for every number of regions, at most `MOST_REGIONS`."""
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(np.concatenate([content.descriptors, style.descriptors]), "ward")
    best: dict[int, Proposal] = {}
    for branches in range(DEEPEST_CUT, 1, -1):
        labels = fcluster(tree, branches, "maxclust") - 1
        proposal = _proposal(content, style, *np.split(labels, [len(content.area)]))
        if proposal is None or proposal.count > MOST_REGIONS:
            continue
        held = best.get(proposal.count)
        if held is None or held.margin < proposal.margin:
            best[proposal.count] = proposal
    return iter(best.values())


def _proposal(
    content: Superpixels, style: Superpixels, mine: Array, theirs: Array
) -> Proposal | None:
    """A cut of the tree without the branches that only one picture has; None if too few remain."""
    count = int(max(mine.max(), theirs.max())) + 1
    shares = _shares(content, mine, count), _shares(style, theirs, count)
    common = np.flatnonzero((shares[0] >= LEAST_SHARE) & (shares[1] >= LEAST_SHARE))
    if len(common) < 2:
        return None
    count = len(common)
    mine = _settled(content, _adopted(content, mine, common), count)
    theirs = _settled(style, _adopted(style, theirs, common), count)
    here, there = _shares(content, mine, count), _shares(style, theirs, count)
    if min(here.min(), there.min()) < LEAST_SHARE:
        return None
    ratio = np.log(here / there)
    if np.abs(ratio).max() > np.log(SHARE_RATIO):
        return None
    between = _between(_centres(content, mine, count), _centres(style, theirs, count))
    # The share distance of region i there to region j here, so that the diagonal is a pair's own.
    sizes = SHARE_WEIGHT * np.log(here[:, None] / there)
    distances = np.hypot(between, sizes)
    others = distances + np.where(np.eye(count) > 0, np.inf, 0)
    nearest = np.minimum(others.min(axis=0), others.min(axis=1))
    margin = float((nearest / (np.diag(distances) + 1e-9)).min())
    return Proposal(mine, theirs, count, margin, _contrast(content, style, mine, theirs, count))


def _adopted(picture: Superpixels, labels: Array, common: Array) -> Array:
    """Labels of the common branches as 0 …; others join the nearest of them in this picture."""
    occurring = np.unique(labels)
    centres = {k: picture.descriptors[labels == k].mean(axis=0) for k in occurring}
    position = {int(k): i for i, k in enumerate(common)}

    def host(k: int) -> int:
        if k in position:
            return position[k]
        gaps = [float(np.linalg.norm(centres[c] - centres[k])) for c in common]
        return int(np.argmin(gaps))

    hosts = {int(k): host(int(k)) for k in occurring}
    return np.array([hosts[int(k)] for k in labels])


def _settled(picture: Superpixels, labels: Array, count: int) -> Array:
    """Labels in which whoever lies between two regions joins the one it is connected to by colour.

    Texture is measured over windows, so along a skyline the sky looks rough, too, and the
    descriptors there lie between those of both sides.
    """
    centres = _centres(picture, labels, count)
    gaps = np.sort(_between(picture.descriptors, centres), axis=1)
    sure = (gaps[:, 1] - gaps[:, 0]) / (gaps[:, 1] + gaps[:, 0] + 1e-9)
    sure[labels != _between(picture.descriptors, centres).argmin(axis=1)] = 0
    core = np.zeros(len(labels), bool)
    for k in range(count):
        mine = labels == k
        core |= mine & (sure >= np.quantile(sure[mine], DOUBTFUL))
    return np.asarray(np.where(core, labels, labels[picture.nearest(core)]))


def _shares(picture: Superpixels, labels: Array, count: int) -> Array:
    return np.bincount(labels, weights=picture.area, minlength=count)


def _centres(picture: Superpixels, labels: Array, count: int) -> Array:
    """count×8 mean descriptors, by area."""
    return _weighted(picture.descriptors, picture, labels, count)


def _weighted(values: Array, picture: Superpixels, labels: Array, count: int) -> Array:
    weights = np.eye(count)[labels] * picture.area[:, None]  # N×count
    return np.asarray((weights.T @ values) / weights.sum(axis=0)[:, None])


def _between(a: Array, b: Array) -> Array:
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=2))


def _contrast(
    content: Superpixels, style: Superpixels, mine: Array, theirs: Array, count: int
) -> float:
    """The least colour distance between two regions, each in the picture where it is larger."""
    here = _weighted(content.color, content, mine, count)
    there = _weighted(style.color, style, theirs, count)
    apart = np.maximum(_between(here, here), _between(there, there))
    return float(apart[~np.eye(count, dtype=bool)].min())
