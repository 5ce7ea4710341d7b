"""Scores of a connectome of two values: present edges and absent ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray
from gx2c.metrics.edgewise import mean_ranks

BINARY_METRICS = ("accuracy", "precision", "recall", "f1", "auc")


def is_binary(connectome: FloatArray) -> bool:
    """Tell whether a connectome has exactly two values off its diagonal.

    Parameters
    ----------
    connectome
        (n_regions, n_regions).
    """
    return len(np.unique(connectome[~np.eye(len(connectome), dtype=bool)])) == 2


def classify(
    predicted: FloatArray, present: NDArray[np.bool_], *, threshold: float
) -> dict[str, float]:
    """Score a prediction of which edges are present.

    Parameters
    ----------
    predicted
        (n_edges,), any numbers, larger where an edge is thought to be present.
    present
        (n_edges,).
    threshold
        Edges predicted above it count as predicted present (the area under the curve uses none).

    Returns
    -------
    dict
        `BINARY_METRICS`. Those whose denominator is 0 are NaN: precision if no edge is predicted
        present, recall if none is, f1 if both, auc if all edges or none are present.
    """
    called = predicted > threshold
    hits = int(np.count_nonzero(called & present))
    n_called, n_present = int(np.count_nonzero(called)), int(np.count_nonzero(present))
    return {
        "accuracy": float(np.mean(called == present)),
        "precision": _ratio(hits, n_called),
        "recall": _ratio(hits, n_present),
        "f1": _ratio(2 * hits, n_called + n_present),
        "auc": area_under_curve(predicted, present),
    }


def area_under_curve(predicted: FloatArray, present: NDArray[np.bool_]) -> float:
    """Return the chance that a present edge is predicted larger than an absent one, ties half.

    NaN where all edges are present, or none is.

    References
    ----------
    Hanley & McNeil (1982), Radiology 143, 29.
    """
    n_present, n_absent = int(np.count_nonzero(present)), int(np.count_nonzero(~present))
    if not n_present or not n_absent:
        return float("nan")
    ranks = float(mean_ranks(predicted)[present].sum())
    return (ranks - n_present * (n_present + 1) / 2) / (n_present * n_absent)


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else float("nan")
