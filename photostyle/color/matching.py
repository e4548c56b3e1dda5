"""Matching by structure: which place of the style each place of the content looks like, whatever
its colour, and the colour map that these matches agree on.

Both pictures are encoded with the built-in filter bank, every channel brought to mean 0 and
deviation 1 over its own picture, which makes the features blind to the look. A place's partners are
the most similar ones in features, in colour under the map so far, and a little in height. The map
is the likeliest under the matches and the prior over looks; map and matches take turns.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.fitting import likely_fit
from photostyle.color.likes import Asking, Places
from photostyle.color.prior import look_prior
from photostyle.color.terms import COLORS, color_terms
from photostyle.color.transfer import moments, monge_kantorovich
from photostyle.encoders.builtin import BankEncoder
from photostyle.images.picture import fit_size, image_size, resize
from photostyle.matting.grid import brightness
from photostyle.runtime.device import together
from photostyle.segmentation.masks import Weights, members, resize_masks

Array = NDArray[Any]

SIDE, STRIDE = 256, 4  # long side at which pictures are matched, and pixels per place
LEAST_SIDE = 48  # short side that a narrow picture keeps, as the encoder needs it
LAYERS = ("relu2_1", "relu3_1", "relu4_1")
ROUNDS = 4
SHARPNESS = 20.0  # how much the nearer ones of a place's partners count more
SURE = 4.0  # how fast a place's say falls with its similarity
BEGIN = 0.5  # share of the Monge-Kantorovich map in the first guess, the rest the identity
SPREAD = 0.2  # share of the weighted Monge-Kantorovich map in what is aimed at: it keeps contrast
MOST_PLACES = 8192  # of several contents together, evenly thinned; one alone has fewer
LEAST_PLACES = 40  # of a region in either picture, for matches of its own
PLAIN = 0.01  # deviation of luma in a place's surroundings below which it is like any other
HOPE = 0.05  # what the rounds after the first may still add to the similarity
KIN = (0.50, 0.62)  # similarity from which two pictures count as of one kind, and as wholly so


@dataclass(frozen=True)
class Matches:
    """The colour maps of all regions by matching.

    Attributes:
        change: K×20×3 coefficients of map(z) − z.
        kinship: K in [0, 1], how far a region's two sides are of one kind, so that its map is the
            look; 0 where they could not be matched.
    """

    change: Array
    kinship: Array


def match_regions(
    content: Tensor,
    style: Tensor,
    content_masks: Tensor,
    style_masks: Tensor,
    weights: Weights = (None, None),
) -> Matches:
    """The matched map of every region.

    Args:
        content, style: 1×3×H×W and 1×3×h×w in [0, 1].
        content_masks, style_masks: K×H×W and K×h×w in [0, 1], by the weights of the pixels.
        weights: of content and style, see `Scene`.
    """
    return match_pooled([content], style, [content_masks], style_masks, ([weights[0]], weights[1]))


def match_pooled(
    contents: Sequence[Tensor],
    style: Tensor,
    content_masks: Sequence[Tensor],
    style_masks: Tensor,
    weights: tuple[Sequence[Tensor | None], Tensor | None],
) -> Matches:
    """The matched map of every region of several contents together, each at its own proportions.

    Args:
        contents: 1×3×H×W in [0, 1]. style: 1×3×h×w.
        content_masks: K×H×W of each. style_masks: K×h×w.
        weights: of every content, and of the style; see `Scene`.
    """
    mine, its = weights
    pictures = *zip(contents, mine, strict=True), (style, its)
    *each, there = together(*(functools.partial(places_of, *one) for one in pictures))
    count = len(style_masks)
    change, kinship = np.zeros((count, COLORS, 3)), np.zeros(count)
    seen = [_seen(*one) for one in zip(each, contents, mine, strict=True)]
    whole, most = _matched_whole(_pooled(seen).thinned(MOST_PLACES), _seen(there, style, its))
    if count == 1:
        return Matches(whole[None], np.array([most]))
    if most == 0:  # a sky is like any other: regions alone do not make pictures of one kind
        return Matches(change, kinship)
    here = _pooled(each)
    grids = (
        np.concatenate([_of_regions(*one) for one in zip(content_masks, contents, strict=True)], 1),
        _of_regions(style_masks, style),
    )
    for k, (mine, theirs) in enumerate(zip(*grids, strict=True)):
        if min(mine.sum(), theirs.sum()) >= LEAST_PLACES:
            own = here.only(mine).thinned(MOST_PLACES)
            change[k], kinship[k] = matched(own, there.only(theirs))
    return Matches(change, np.minimum(kinship, most))


def match_whole(
    content: Tensor,
    style: Tensor,
    content_masks: Tensor,
    style_masks: Tensor,
    weights: Weights = (None, None),
) -> Matches:
    """The matched map of the whole pictures, for each of the regions."""
    here, there = together(
        lambda: _seen(places_of(content, weights[0]), content, weights[0]),
        lambda: _seen(places_of(style, weights[1]), style, weights[1]),
    )
    change, kinship = _matched_whole(here, there)
    count = len(content_masks)
    return Matches(np.repeat(change[None], count, axis=0), np.full(count, kinship))


def _seen(places: Places, image: Tensor, weight: Tensor | None) -> Places:
    """The places of a picture where anything is seen."""
    return places if weight is None else places.only(_of_regions(weight[None], image)[0])


def _matched_whole(here: Places, there: Places) -> tuple[Array, float]:
    """What `matched` gives of two pictures' places, where enough of both is seen."""
    if min(len(here.colors), len(there.colors)) < LEAST_PLACES:
        return np.zeros((COLORS, 3)), 0.0
    return matched(here, there)


def changed(content: Tensor, masks: Tensor, matches: Matches) -> Tensor:
    """A content 1×3×H×W under the matched maps of its regions K×H×W, in [0, 1]."""
    flat = content[0].flatten(1).T.cpu().double().numpy()
    terms = color_terms(flat)
    out = sum(
        mask.flatten()[:, None].cpu().double().numpy() * (terms @ change)
        for mask, change in zip(masks, matches.change, strict=True)
    )
    image = torch.from_numpy(flat + out).T.reshape(content.shape)
    return image.clamp(0, 1).to(content)


def _grid(image: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) at which a picture is matched, and (rows, columns) of its places."""
    size = image_size(image)
    needed = math.ceil(LEAST_SIDE * max(size) / min(size))
    height, width = fit_size(size, max(SIDE, needed))
    return (height, width), (max(1, height // STRIDE), max(1, width // STRIDE))


def _of_regions(masks: Tensor, image: Tensor) -> Array:
    """K×N booleans: which places belong to which region."""
    return members(resize_masks(masks, _grid(image)[1])).flatten(1).cpu().numpy()


def _pooled(all_places: Sequence[Places]) -> Places:
    if len(all_places) == 1:
        return all_places[0]
    return Places(
        torch.cat([one.features for one in all_places]),
        np.concatenate([one.colors for one in all_places]),
        np.concatenate([one.heights for one in all_places]),
        np.concatenate([one.structured for one in all_places]),
    )


@functools.lru_cache(maxsize=1)
def _bank() -> BankEncoder:
    return BankEncoder()


@torch.no_grad()
def places_of(image: Tensor, weight: Tensor | None = None) -> Places:
    """A picture 1×3×H×W as places to match, compared with what of it counts by the H×W weight."""
    size, grid = _grid(image)
    small = resize(image.cpu(), size)
    maps = _bank()(small, LAYERS)
    rows = []
    for name in LAYERS:
        x = maps[name]
        mean, deviation = _level(x, weight)
        x = (x - mean) / (deviation + 1e-3)
        rows.append(F.interpolate(x, grid, mode="bilinear") / x.shape[1] ** 0.5)
    features = F.normalize(torch.cat(rows, 1)[0].flatten(1).T, dim=1)  # 1×C×h×w -> N×C
    colors = F.interpolate(small, grid, mode="area")[0].flatten(1).T  # 1×3×h×w -> N×3
    heights = np.repeat(np.arange(grid[0]) / grid[0], grid[1])
    luma = brightness(small)
    centred = luma - luma.mean()
    around = [F.avg_pool2d(x, 9, 1, 4, count_include_pad=False) for x in (centred, centred**2)]
    spread = F.interpolate((around[1] - around[0] ** 2).clamp(min=0).sqrt(), grid, mode="area")
    structured = (spread > PLAIN).flatten().numpy()
    return Places(features, colors.double().numpy(), heights, structured)


def _level(maps: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the channels of 1×C×h×w maps."""
    if weight is None:
        return maps.mean((2, 3), keepdim=True), maps.std((2, 3), keepdim=True)
    seen = resize_masks(weight[None].cpu(), maps.shape[2:])
    shares = seen / seen.sum()
    mean = (shares * maps).sum((2, 3), keepdim=True)
    return mean, (shares * (maps - mean).square()).sum((2, 3), keepdim=True).sqrt()


def matched(content: Places, style: Places) -> tuple[Array, float]:
    """20×3 coefficients of the change that takes the content's places to their likes in the style,
    and the kinship of both."""
    x, y = content.colors, style.colors
    sides = Asking.of(content, style), Asking.of(style, content)
    plain = linear_between(x, np.ones(len(x)), y, np.ones(len(y)))
    terms, now = color_terms(x), BEGIN * plain(x) + (1 - BEGIN) * x
    change = np.zeros((COLORS, 3))
    for turn in range(ROUNDS):
        change = _agreed(sides, (now, y), x, terms)
        now = x + terms @ change
        if turn == 0 and _likeness(sides, (now, y)) < KIN[0] - HOPE:
            return change, 0.0
    every = (Asking.of(content, style, len(x)), Asking.of(style, content, len(y)))
    kinship = (_likeness(every, (now, y)) - KIN[0]) / (KIN[1] - KIN[0])
    return change, float(np.clip(kinship, 0.0, 1.0))


def _likeness(sides: tuple[Asking, Asking], colors: tuple[Array, Array]) -> float:
    """How like their likest are the structured places of either picture, given the colours of
    both, of the picture where it is less."""
    means = [
        float(side.likest(*own)[side.structured].mean())
        if side.structured.any() else 0.0
        for side, own in zip(sides, (colors, colors[::-1]), strict=True)
    ]  # fmt: skip
    return min(means)


def _agreed(
    sides: tuple[Asking, Asking], colors: tuple[Array, Array], x: Array, terms: Array
) -> Array:
    """20×3 coefficients of the change on which the similarities of places agree.

    Both sides choose their partners. Averages of partners lose contrast, so a share of the aim is
    the linear map between both clouds, each place counted as it is matched.

    Args:
        colors: of both pictures' places, the content's as they are mapped so far.
        x, terms: the content's own colours and their terms.
    """
    y = colors[1]
    mine, its = sides[0].asking, sides[1].asking
    index, part, sure = _shares(*sides[0].partners(*colors))
    back, back_part, back_sure = _shares(*sides[1].partners(*colors[::-1]))
    counts = np.bincount(index.ravel(), (part * sure[:, None]).ravel(), len(y))
    spread = linear_between(x[mine], sure, y, counts)
    aim = (1 - SPREAD) * (part[..., None] * y[index]).sum(axis=1) + SPREAD * spread(x[mine])
    source = (back_part[..., None] * x[back]).sum(axis=1)
    return likely_fit(
        np.concatenate([terms[mine], color_terms(source)]),
        np.concatenate([aim - x[mine], y[its] - source]),
        np.concatenate([sure, back_sure]),
        look_prior(),
    )


@dataclass(frozen=True)
class Linear:
    """x ↦ (x − source) · matrix + target on N×3 colours."""

    source: Array
    target: Array
    matrix: Array

    def __call__(self, colors: Array) -> Array:
        out: Array = (colors - self.source) @ self.matrix + self.target
        return out


def linear_between(
    x: Array, x_weights: Array, y: Array, y_weights: Array, ridge: float = 1e-4
) -> Linear:
    """The linear Monge-Kantorovich map between two weighted clouds of N×3 and M×3 colours."""
    a, b = moments(x, x_weights), moments(y, y_weights)
    fixed = ridge * np.eye(3)
    matrix = monge_kantorovich(a.covariance + fixed, b.covariance + fixed)
    return Linear(a.mean, b.mean, matrix)


def _shares(top: Tensor, index: Tensor) -> tuple[Array, Array, Array]:
    """N×k partners of every row, their shares, and how sure each row is, at most 1."""
    best = top[:, 0]
    sure = torch.exp(SURE * (best - best.max())).double()
    shares = torch.softmax(top * SHARPNESS, dim=1).double()
    return index.numpy(), shares.numpy(), sure.numpy()
