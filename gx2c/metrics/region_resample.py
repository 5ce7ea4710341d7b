"""Intervals of a gain by drawing regions anew: edges of one region are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError


class Interval(NamedTuple):
    """A percentile interval over resamples of regions.

    Attributes
    ----------
    low, high
        Its ends.
    level
        Share of resamples inside.
    n_resamples
        How many were drawn.
    """

    low: float
    high: float
    level: float
    n_resamples: int


def gain_interval(
    predicted: Sequence[FloatArray],
    rival: Sequence[FloatArray],
    measured: Sequence[FloatArray],
    *,
    seed: int,
    n_resamples: int = 1_000,
    level: float = 0.95,
) -> Interval:
    """Resample test regions within folds; return the interval of the mean gain in Pearson r.

    Both models are scored on the same drawn regions; a pair of copies of one region is no edge.
    Fitted models stay as they are: the interval speaks of other regions, not of other training.

    Parameters
    ----------
    predicted, rival, measured
        Per fold, (n_test_regions, n_test_regions), symmetric.
    seed
        Of the resamples.
    n_resamples, level
        How many, and the share inside.

    References
    ----------
    Snijders & Borgatti (1999), Connections 22(2), 161 (bootstrap of vertices).
    """
    if not (len(predicted) == len(rival) == len(measured) and predicted):
        raise UserError(
            f"{len(predicted)}, {len(rival)} and {len(measured)} folds were given; a gain needs"
            " the same folds of two models and of the measurement"
        )
    rng = np.random.default_rng(seed)
    gains = np.zeros(n_resamples)
    for ours, theirs, truth in zip(predicted, rival, measured, strict=True):
        n = len(truth)
        edges = np.triu_indices(n, 1)
        values = np.stack([one[edges] for one in (ours, theirs, truth)])
        # region i drawn c_i times: the edge (i, j) counts c_i c_j times
        counts = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)
        weights = (counts[:, edges[0]] * counts[:, edges[1]]).astype(np.float64)
        gains += _weighted_r(values[0], values[2], weights)
        gains -= _weighted_r(values[1], values[2], weights)
    tail = (1 - level) / 2
    low, high = np.quantile(gains / len(measured), [tail, 1 - tail])
    return Interval(float(low), float(high), level, n_resamples)


def _weighted_r(one: FloatArray, other: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Pearson r for each row of weights, (n_rows,)."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    means = [shares @ one, shares @ other]
    cross = shares @ (one * other) - means[0] * means[1]
    squares = [shares @ v**2 - m**2 for v, m in zip((one, other), means, strict=True)]
    r: FloatArray = cross / np.sqrt(squares[0] * squares[1])
    return r
