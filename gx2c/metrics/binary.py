"""Scores of a binary connectome, in which edges are present or absent.

Each function takes predicted numbers and measured ones with two values, (n_edges,) each. An edge is
present if it was measured above the midpoint of the two values, and predicted present if its
prediction is. A score whose denominator is 0 is NaN.
"""

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray
from gx2c.data.row_order import mean_ranks


def is_binary(connectome: FloatArray) -> bool:
    """Return whether a connectome, (n_regions, n_regions), has two values off its diagonal."""
    return len(np.unique(connectome[~np.eye(len(connectome), dtype=bool)])) == 2


def accuracy(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of edges that are classified correctly."""
    called, present = _called_and_present(predicted, measured)
    return float(np.mean(called == present))


def precision(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of edges predicted present that are present."""
    hits, n_called, _ = _counts(predicted, measured)
    return _ratio(hits, n_called)


def recall(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the share of present edges that are predicted present."""
    hits, _, n_present = _counts(predicted, measured)
    return _ratio(hits, n_present)


def f1(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the harmonic mean of precision and recall."""
    hits, n_called, n_present = _counts(predicted, measured)
    return _ratio(2 * hits, n_called + n_present)


def auc(predicted: FloatArray, measured: FloatArray) -> float:
    """Return the probability that a present edge is predicted above an absent one (ties: half).

    References
    ----------
    Hanley & McNeil (1982), Radiology 143, 29.
    """
    present = _called_and_present(predicted, measured)[1]
    n_present = int(np.count_nonzero(present))
    ranks = float(mean_ranks(predicted)[present].sum())
    wins = ranks - n_present * (n_present + 1) / 2
    return _ratio(wins, n_present * (len(present) - n_present))


def _counts(predicted: FloatArray, measured: FloatArray) -> tuple[int, int, int]:
    called, present = _called_and_present(predicted, measured)
    hits, n_called, n_present = map(np.count_nonzero, (called & present, called, present))
    return int(hits), int(n_called), int(n_present)


def _called_and_present(
    predicted: FloatArray, measured: FloatArray
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    midpoint = (float(measured.min()) + float(measured.max())) / 2
    return predicted > midpoint, measured > midpoint


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
