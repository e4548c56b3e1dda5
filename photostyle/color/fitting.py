"""Robust least squares for smooth colour maps, with or without a prior on them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from photostyle.color.prior import Prior

Array = NDArray[Any]

ROUNDS = 8  # of reweighting
NOISE = (0.015, 0.08)  # least and most that a match is taken to be off, as a distance in RGB
EVIDENCE = 60.0  # places that all matches together count as: neighbours say the same


def robust_fit(
    terms: Array, wanted: Array, weights: Array, ridge: float, knee: float, rounds: int = ROUNDS
) -> Array:
    """T×3 coefficients of N×T terms that best give N×3 values, misfits beyond `knee` counting
    linearly (Huber), in so many rounds of reweighting."""
    penalty = ridge * np.eye(terms.shape[1])
    used = weights
    for _ in range(rounds):
        scaled = terms * (used / used.sum())[:, None]
        found: Array = np.linalg.solve(scaled.T @ terms + penalty, scaled.T @ wanted)
        misfit = _lengths(wanted - terms @ found)
        used = weights / np.maximum(1.0, misfit / knee)
    return found


def likely_fit(terms: Array, wanted: Array, weights: Array, prior: Prior) -> Array:
    """The likeliest T×3 coefficients under the prior, given N×3 values of which many may be wrong.

    The noise is the matches' own (their median misfit), and a match counts less the further it is
    off (Cauchy): where many agree closely they alone decide, where none do the prior holds.
    """
    count = terms.shape[1]
    used, noise = weights, NOISE[1]
    pulled = prior.precision @ prior.mean.ravel()
    for _ in range(ROUNDS):
        scaled = terms * (used / used.sum() * EVIDENCE / noise**2)[:, None]
        normal = np.kron(scaled.T @ terms, np.eye(3)) + prior.precision
        found = np.linalg.solve(normal, (scaled.T @ wanted).ravel() + pulled).reshape(count, 3)
        misfit = _lengths(wanted - terms @ found)
        noise = float(np.clip(_weighted_median(misfit, weights), *NOISE))
        used = weights / (1.0 + (misfit / (2 * noise)) ** 2)
    return found


def _lengths(rows: Array) -> Array:
    """Of N×3 rows; a reduction over so few columns is far slower."""
    lengths: Array = np.sqrt(np.einsum("nc,nc->n", rows, rows))
    return lengths


def _weighted_median(values: Array, weights: Array) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])
