"""Distilling: what a solve found, brought back to smooth colour maps of the content.

A solve finds the mood; what is no smooth function of the content's colour, slowly changing in
place, is dirt. Per region the finished picture is fitted robustly; how much freedom the fit has is
decided by the picture itself: blocks are held out in turn, and a term stays only if the maps
without those blocks foretell them better with it. Least squares regress to the mean, so luma and
chroma are stretched back to the spread that the solve had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photostyle.color.fitting import robust_fit
from photostyle.color.matching import Matches
from photostyle.color.regional import RegionalLook
from photostyle.color.silhouettes import Borders, borders_of
from photostyle.color.terms import COLORS, COUNT, color_terms, place_terms, places
from photostyle.finish.backdrop import with_even_backdrop
from photostyle.finish.lights import with_lights
from photostyle.images.picture import LUMA
from photostyle.runtime.device import together
from photostyle.segmentation.masks import counted, members
from photostyle.segmentation.scene import Scene

Array = NDArray[Any]

RIDGE, KNEE = 1e-4, 0.06
#: Columns of the terms by degree of freedom: linear; quadratic; a slow change with height; colours
#: that change with height, and a change across the picture.
LINEAR = (0, 1, 2, 3)
QUADRATIC = (*LINEAR, 4, 5, 6, 7, 8, 9)
TALL = (COLORS, COLORS + 4)
WIDE = tuple(range(COLORS, COUNT))
FREEDOMS = (LINEAR, QUADRATIC, (*QUADRATIC, *TALL), (*QUADRATIC, *WIDE))
#: Of a whole picture as one region: it needs the place to tell a sky from snow.
WHOLE = ((*QUADRATIC, *range(COLORS, COLORS + 7)),)
#: Least slope from lightness to lightness, as a share of a linear map's, which has at least so
#: much: what is lighter in the content stays lighter.
LEAST_TONE, LEAST_SLOPE = 0.25, 0.15
OUTER = 0.995  # share of the pixels within a chroma's reach
SLACK, LEAST_REACH = 1.15, 0.01  # how far beyond the style's reach chroma may go
NO_REACH = 2.5 / 255  # of chroma that is rounding and compression
DEEPEST, ANCHOR = 0.005, 0.3  # share of the style that is its black, and what that counts in a
# fit, as a share of the region
BLOCKS, FOLDS = 8, 4  # blocks a side that are held out together, and in how many turns
THINNER, TRIAL_ROUNDS = 3, 3  # pixels and rounds of reweighting suffice for choosing freedom
WORTH = 0.98  # share of the error that more freedom must come below
EVEN = 0.1  # range of luma below which a region is too even for a change in place
MOST_SPREAD, MOST_CHROMA = 1.5, 1.4
FEW = 400  # pixels inside a region from which its blended border is left out
SAMPLES = 20_000  # pixels that a region is fitted on, at most


@dataclass(frozen=True)
class Hues:
    """How far a style's chroma goes: its mean (3,), axes (3, 3) in its columns, and the reach (3,)
    along each from the mean."""

    mean: Array
    axes: Array
    reach: Array

    def without_hue(self, found: Tensor) -> Tensor:
        """A map's 29×3 coefficients without chroma but the style's mean, where the style has no
        other: black and white, or a toned print."""
        if self.reach.max() > NO_REACH:
            return found
        out = (found @ found.new_tensor(LUMA))[:, None].repeat(1, 3)
        out[0] += found.new_tensor(self.mean)
        return out

    def bounded(self, found: Array, fitted: Array) -> Array:
        """A map's 29×3 coefficients with no more chroma along any axis than the style has, so that
        nothing of the content's own colours is left where the style has one hue or none.

        Args:
            fitted: N×3 colours that the map gives.
        """
        luma = np.array(LUMA)
        chroma = fitted - (fitted @ luma)[:, None]
        mean = chroma.mean(axis=0)
        reach = np.quantile(np.abs((chroma - mean) @ self.axes), OUTER, axis=0)
        keep = np.minimum(1.0, (SLACK * self.reach + LEAST_REACH) / (reach + 1e-6))
        grey = np.outer(np.ones(3), luma)  # c ↦ its luma, three times
        squeeze = (self.axes * keep) @ self.axes.T @ (np.eye(3) - grey)
        squeeze -= np.outer(np.ones(3), luma @ squeeze)  # what is left stays without luma
        out: Array = found @ (grey + squeeze).T
        out[0] += mean - squeeze @ mean
        return out


def regional_look(
    image: Tensor, matches: Matches | None, scene: Scene, as_one: bool
) -> RegionalLook:
    """The look of a finished picture.

    Args:
        image: 1×3×H×W, at the size of the scene's content.
        matches: maps that take the place of the fitted ones as far as the pictures are akin.
        as_one: all regions have one map, as is safest where nobody drew them; they stay apart for
            their strengths.
    """
    content, masks = scene.content, scene.content_masks
    borders: list[Borders] = []
    maps: list[Tensor] = []
    together(
        lambda: borders.append(borders_of(content, masks)),
        lambda: maps.append(
            regional_maps(image, matches, scene, as_one, WHOLE if as_one else FREEDOMS)
        ),
    )
    return RegionalLook(maps[0], borders[0], torch.ones(len(masks)))


def regional_maps(
    image: Tensor,
    matches: Matches | None,
    scene: Scene,
    as_one: bool,
    freedoms: Sequence[tuple[int, ...]],
    at: tuple[Array, Array] | None = None,
) -> Tensor:
    """K×29×3 maps of a finished picture's regions; see `regional_look` and `distilled`."""
    masks = scene.content_masks
    sides = [
        counted(m.new_ones(1, *m.shape[1:]), weight) if as_one else m
        for m, weight in zip((scene.counted, scene.style_masks), scene.weights, strict=True)
    ]
    shown = scene.weights[1]
    hues = hues_of(scene.style, scene.style_masks, shown)
    if as_one:
        image = with_even_backdrop(image, scene.content, scene.weights[0])
    maps = distilled(
        image, scene.content, sides[0], None if as_one else black_of(scene.style, shown),
        freedoms, hues_of(scene.style, sides[1], shown) if as_one else hues, at,
    )  # fmt: skip
    if as_one:
        maps = with_lights(maps[0], scene.content, scene.style)[None]
    found = maps.expand(len(masks), -1, -1).clone()
    if matches is not None and matches.kinship.any():
        known = torch.zeros_like(found)
        known[:, :COLORS] = torch.from_numpy(matches.change).float()
        known[:, 1:4] += torch.eye(3)
        found = torch.lerp(found, known, torch.from_numpy(matches.kinship).float()[:, None, None])
    return torch.stack([side.without_hue(one) for side, one in zip(hues, found, strict=True)])


def hues_of(style: Tensor, masks: Tensor, weight: Tensor | None = None) -> list[Hues]:
    """The chroma of every region of masks K×h×w in a style 1×3×h×w of h×w weights."""
    pixels = style[0].detach().cpu().double().flatten(1).T.numpy()
    chroma = pixels - (pixels @ np.array(LUMA))[:, None]
    found = []
    for mask in members(masks).flatten(1).cpu().numpy():
        inside = np.flatnonzero(mask if mask.sum() > FEW else _seen(weight, len(chroma)))
        own = chroma[inside[:: max(1, len(inside) // SAMPLES)]]
        centred = own - own.mean(axis=0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        found.append(
            Hues(own.mean(axis=0), axes, np.quantile(np.abs(centred @ axes), OUTER, axis=0))
        )
    return found


def black_of(style: Tensor, weight: Tensor | None = None) -> Array:
    """The colour (3,) of the deepest shadows of a style 1×3×h×w of h×w weights."""
    pixels = style[0].detach().cpu().double().flatten(1).T.numpy()
    pixels = pixels[_seen(weight, len(pixels))]
    light = pixels @ np.array(LUMA)
    black: Array = pixels[light <= np.quantile(light, DEEPEST)].mean(axis=0)
    return black


def _seen(weight: Tensor | None, count: int) -> Array:
    """The pixels that count, of so many in row-major order."""
    if weight is None:
        return np.ones(count, bool)
    seen: Array = members(weight[None]).flatten().cpu().numpy()
    return seen if seen.any() else weight.flatten().cpu().numpy() > 0


def distilled(
    image: Tensor,
    content: Tensor,
    masks: Tensor,
    black: Array | None = None,
    freedoms: Sequence[tuple[int, ...]] | None = None,
    hues: Sequence[Hues] | None = None,
    at: tuple[Array, Array] | None = None,
    ridge: float = RIDGE,
) -> Tensor:
    """K×29×3 float32 coefficients of the smooth maps from content to image.

    Args:
        image, content: 1×3×H×W in [0, 1].
        masks: K×H×W, summing to the pixels' weights over K.
        black: what the content's black should become, so that no region fogs what is black in it;
            None for whatever the maps make of it.
        at: (y, x) of all pixels, each H·W in [-½, ½]; the content's own without it.
        ridge: what holds the coefficients down where little is known of them.
    """
    goal, source = (x[0].detach().cpu().double().flatten(1).T.numpy() for x in (image, content))
    y, x = at or places((content.shape[2], content.shape[3]))
    found = []
    own, drawn = (m.cpu().numpy() for m in (masks > 0.5 * masks.sum(dim=0) + 1e-6, members(masks)))
    for k in range(len(masks)):
        used = _inside(own[k], drawn[k])
        z = source[used]
        terms = np.concatenate([color_terms(z), place_terms(z, y[used], x[used])], axis=1)
        folds = _folds(y[used], x[used])
        freedom = _freedom(terms, goal[used], folds, freedoms or FREEDOMS, ridge)
        fit = _fitted(terms, goal[used], freedom, black, ridge)
        found.append(hues[k].bounded(fit, terms @ fit) if hues else fit)
    return torch.from_numpy(np.stack(found)).float()


def _inside(mask: Array, drawn: Array | None = None) -> Array:
    """Indices of the pixels of a region H×W away from its border, of those that were drawn by their
    weights, evenly thinned."""
    own = (mask > 0.5).astype(np.uint8)
    inner = cv2.erode(own, np.ones((7, 7), np.uint8), borderValue=1)
    if drawn is not None:
        own, inner = own & drawn, inner & drawn
    used = np.flatnonzero(inner if inner.sum() > FEW else own if own.any() else np.ones_like(own))
    return used[:: max(1, len(used) // SAMPLES)]


def _folds(y: Array, x: Array) -> Array:
    """To which turn of holding out every place belongs: neighbouring blocks to different ones."""
    rows, columns = ((v + 0.5) * BLOCKS for v in (y, x))
    out: Array = (rows.astype(int) * 3 + columns.astype(int)) % FOLDS
    return out


def _freedom(
    terms: Array, goal: Array, folds: Array, freedoms: Sequence[tuple[int, ...]], ridge: float
) -> tuple[int, ...]:
    """The columns of the terms that foretell held-out blocks best."""
    terms, goal, folds = terms[::THINNER], goal[::THINNER], folds[::THINNER]
    ones = np.ones(len(terms))
    best = freedoms[0]
    least = np.inf
    even = _range(terms[:, 1:4] @ np.array(LUMA)) < EVEN
    for freedom in freedoms[:2] if even else freedoms:
        columns, error = terms[:, freedom], 0.0
        for fold in np.unique(folds):
            out = folds == fold
            if out.all():
                continue
            held = robust_fit(columns[~out], goal[~out], ones[~out], ridge, KNEE, TRIAL_ROUNDS)
            misfit = np.linalg.norm(goal[out] - columns[out] @ held, axis=1)
            error += np.minimum(misfit, KNEE).sum() / len(terms)
        if error < WORTH * least:
            best, least = freedom, error
    return best


def _fitted(
    terms: Array, goal: Array, freedom: tuple[int, ...], black: Array | None, ridge: float
) -> Array:
    """29×3 coefficients of a fit with that freedom, at the spread of the goal."""
    rows, wanted, weights = terms[:, freedom], goal, np.ones(len(terms))
    if black is not None:
        dark = np.eye(1, terms.shape[1])[:, freedom]  # the terms of black: all but the first are 0
        rows, wanted = np.concatenate([rows, dark]), np.concatenate([goal, black[None]])
        weights = np.append(weights, ANCHOR * len(terms))
    found = np.zeros((COUNT, 3))
    found[list(freedom)] = robust_fit(rows, wanted, weights, ridge, KNEE)
    plain = np.zeros((COUNT, 3))
    plain[list(LINEAR)] = robust_fit(terms[:, LINEAR], goal, np.ones(len(terms)), ridge, KNEE)
    found = _rising(found, plain, terms[:, 1:4])
    return _spread(found, terms @ found, goal)


def _rising(found: Array, plain: Array, colors: Array) -> Array:
    """The map, turned towards the linear one as far as its tone would fall anywhere.

    Args:
        found, plain: 29×3 coefficients of both. colors: N×3 of the region.
    """
    luma = np.array(LUMA)
    slope = float(plain[1:4].sum(axis=0) @ luma)
    if slope < LEAST_SLOPE:
        plain = plain.copy()
        lift = LEAST_SLOPE - slope
        plain[1:4] += lift * np.outer(luma, np.ones(3))
        plain[0] -= lift * float((colors @ luma).mean())
        slope = LEAST_SLOPE
    low, high = np.quantile(colors @ luma, [0.01, 0.99])
    tone = np.linspace(low, high, 9)[:, None] * np.ones(3)
    step = (color_terms(tone + 0.01) - color_terms(tone)) @ found[:COLORS] @ luma / 0.01
    least = float(step.min())
    wanted = LEAST_TONE * slope
    if least >= wanted:
        return found
    share = (wanted - least) / (slope - least)
    return (1 - share) * found + share * plain


def _spread(found: Array, fitted: Array, goal: Array) -> Array:
    """The map with luma and chroma stretched about their means to the spread of the goal."""
    luma = np.array(LUMA)
    light, wanted = fitted @ luma, goal @ luma
    gain = np.clip(_range(wanted) / (_range(light) + 1e-6), 1, MOST_SPREAD)
    chroma = np.clip(
        _deviation(goal - wanted[:, None]) / (_deviation(fitted - light[:, None]) + 1e-6),
        1, MOST_CHROMA,
    )  # fmt: skip
    grey = np.outer(np.ones(3), luma)  # c ↦ its luma, three times
    turn = gain * grey + chroma * (np.eye(3) - grey)
    mean = fitted.mean(axis=0)
    out: Array = found @ turn.T
    out[0] += mean - turn @ mean
    return out


def _range(light: Array) -> float:
    low, high = np.quantile(light, [0.03, 0.97])
    return float(high - low)


def _deviation(chroma: Array) -> float:
    return float(np.linalg.norm(chroma - chroma.mean(axis=0), axis=1).mean())
