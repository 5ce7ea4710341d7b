"""Scores over the undirected edges among held-out regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray, IntArray

# Wider than the rounding of a symmetrised float32 prediction, far below any real asymmetry
SYMMETRY_TOLERANCE = 1e-6


class Metric(NamedTuple):
    """One number about predicted and measured edge values.

    Attributes
    ----------
    compute
        Maps predicted and measured edge values, (n_edges,) each, to a number.
    larger_is_better
        True for a score, False for a loss.
    """

    compute: Callable[[FloatArray, FloatArray], float]
    larger_is_better: bool


def pearson_r(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the correlation of predicted and measured edge values, (n_edges,) each.

    NaN where either is constant (but for rounding): a correlation with a constant is
    undefined, and any number put in its place would be averaged as if it had been measured.
    """
    if is_constant(predicted) or is_constant(measured):
        return float("nan")
    return float(np.corrcoef(predicted, measured)[0, 1])


def spearman_r(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the rank correlation, ties sharing their mean rank; NaN as in `pearson_r`."""
    if is_constant(predicted) or is_constant(measured):
        return float("nan")
    return pearson_r(mean_ranks(predicted), mean_ranks(measured))


def mean_ranks(values: FloatArray) -> FloatArray:
    """Rank values from 1, ties sharing their mean rank, NaN if any is, as `scipy.stats.rankdata`.

    Each worker of a sweep would load scipy.stats for this alone: .6 s before its first score.
    """
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: FloatArray = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def r2(predicted: FloatArray, measured: FloatArray) -> float:
    """Return 1 - (squared error / squared deviation from the measured mean).

    At most 1, and negative where the mean of the measured edges would do better. NaN where
    the measured values are constant.
    """
    if is_constant(measured):
        return float("nan")
    deviation = np.sum((measured - measured.mean()) ** 2)
    return float(1.0 - np.sum((measured - predicted) ** 2) / deviation)


def mse(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the mean squared error."""
    return float(np.mean((measured - predicted) ** 2))


def mae(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the mean absolute error."""
    return float(np.mean(np.abs(measured - predicted)))


METRICS: dict[str, Metric] = {
    "pearson_r": Metric(pearson_r, larger_is_better=True),
    "spearman_r": Metric(spearman_r, larger_is_better=True),
    "r2": Metric(r2, larger_is_better=True),
    "mse": Metric(mse, larger_is_better=False),
    "mae": Metric(mae, larger_is_better=False),
}


def undirected_edges(n_regions: int) -> tuple[IntArray, IntArray]:
    """Return both ends of every unordered region pair, (n_edges,) each, first < second."""
    first, second = np.triu_indices(n_regions, k=1)
    return first.astype(np.int64), second.astype(np.int64)


def score_edges(
    predicted: FloatArray,
    measured: FloatArray,
    *,
    edges: tuple[IntArray, IntArray] | None = None,
) -> dict[str, float]:
    """Score a predicted connectome against the measured one, each unordered pair once.

    Parameters
    ----------
    predicted, measured
        (n_regions, n_regions), symmetric; the diagonals are never read.
    edges
        Both ends of the edges that count, (n_edges,) each, such as `Fold.scored_edges()`; every
        unordered pair if None.

    Returns
    -------
    dict
        One number for each name in `METRICS`; pearson_r and spearman_r of a constant
        prediction are NaN.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 edges, or the measured edges are not finite.
    FloatingPointError
        If the predicted edges are not finite: the model diverged.
    """
    ends = undirected_edges(len(measured)) if edges is None else edges
    if len(ends[0]) < 2:
        raise ValueError(f"{len(measured)} regions have {len(ends[0])} edges; a score needs 2")
    check_matrices(predicted, measured)
    return {
        name: metric.compute(predicted[ends], measured[ends]) for name, metric in METRICS.items()
    }


def check_matrices(predicted: FloatArray, measured: FloatArray) -> None:
    """Refuse what cannot be scored; the errors are those of `score_edges`."""
    if predicted.shape != measured.shape:
        raise ValueError(f"predicted has shape {predicted.shape}, measured {measured.shape}")
    _check_finite(predicted, measured)
    _assert_symmetric(predicted, "predicted")
    _assert_symmetric(measured, "measured")


def _check_finite(predicted: FloatArray, measured: FloatArray) -> None:
    off_diagonal = ~np.eye(len(measured), dtype=bool)
    if not np.isfinite(measured[off_diagonal]).all():
        raise ValueError("measured edges hold NaN or infinity")
    n_bad = np.count_nonzero(~np.isfinite(predicted[off_diagonal])) // 2
    if n_bad:
        raise FloatingPointError(f"{n_bad} predicted edges are NaN or infinite: the model diverged")


def _assert_symmetric(connectome: FloatArray, name: str) -> None:
    first, second = undirected_edges(len(connectome))
    gap = np.max(np.abs(connectome[first, second] - connectome[second, first]))
    scale = max(1.0, float(np.max(np.abs(connectome[first, second]))))
    assert gap <= SYMMETRY_TOLERANCE * scale, f"{name} is asymmetric by {gap:.3g}"


def is_constant(values: FloatArray) -> bool:
    """Tell rounding noise around one value, (n_edges,), from real variation."""
    rounding = 8.0 * float(np.finfo(values.dtype).eps)
    return bool(np.ptp(values) <= rounding * np.max(np.abs(values)))
