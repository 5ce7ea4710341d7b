"""Scores that rank configs, and validation scores averaged over inner folds."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.errors import look_up
from gx2c.metrics import METRICS, score_edges
from gx2c.splits.fold import Fold

# option -> (name among the scores, sign that makes larger better)
SELECTION_METRICS = {"val_mse": ("mse", -1.0), "val_pearson_r": ("pearson_r", 1.0)}


def selection_score(scores: Mapping[str, float], metric: str) -> float:
    """Return the number by which configs are ranked; larger is better.

    A score that is not a number (a diverged fit, a constant prediction) ranks below all others.
    """
    name, sign = look_up(SELECTION_METRICS, metric, "metric")
    value = scores[name]
    return sign * value if math.isfinite(value) else -math.inf


def selection_scores(predicted: FloatArray, measured: FloatArray, metric: str) -> FloatArray:
    """Return `selection_score` of many predictions of the same edges.

    Parameters
    ----------
    predicted
        (n_predictions, n_edges); a row that is not finite diverged.
    measured
        (n_edges,).
    metric
        A key of `SELECTION_METRICS`.

    Returns
    -------
    FloatArray
        (n_predictions,), minus infinity where there is no score.
    """
    name, sign = SELECTION_METRICS[metric]
    found = np.array(
        [
            sign * METRICS[name].compute(row, measured) if np.isfinite(row).all() else -np.inf
            for row in predicted
        ]
    )
    return np.where(np.isnan(found), -np.inf, found)


def best_first(scores: Sequence[float] | FloatArray) -> list[int]:
    """Order configs by their selection scores, the first of equals before; omit those without."""
    scored = [number for number, score in enumerate(scores) if math.isfinite(score)]
    return sorted(scored, key=lambda number: -scores[number])


def mean_prediction(
    predicted: Sequence[FloatArray] | FloatArray, weights: Sequence[float] | None = None
) -> FloatArray:
    """Average predictions of the same regions, without those that diverged, if any did not.

    Parameters
    ----------
    predicted
        (n_regions, n_regions) each; at least one.
    weights
        One per prediction, above 0; equal if None.
    """
    kept = [k for k, one in enumerate(predicted) if np.isfinite(one).all()] or [0]
    shares = None if weights is None else [weights[k] for k in kept]
    mean: FloatArray = np.average([predicted[k] for k in kept], axis=0, weights=shares)
    return mean


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average each metric over inner folds."""
    return {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}


def score_or_diverged(predicted: FloatArray, brain: Brain, fold: Fold) -> dict[str, float] | None:
    """Score a prediction of a fold's held-out regions, or return None if the fit diverged."""
    measured = brain.connectome_block(fold.test_regions)
    try:
        return score_edges(predicted, measured, edges=fold.scored_edges())
    except FloatingPointError:
        return None


def score_train_test(predicted: FloatArray, brain: Brain, fold: Fold) -> dict[str, float]:
    """Score a prediction of the edges between training and held-out regions.

    One end of such an edge was seen in training: these scores stand apart from the others.

    Parameters
    ----------
    predicted
        (n_train_regions, n_test_regions), finite.
    brain, fold
        Which regions these are.
    """
    measured = brain.connectome[np.ix_(fold.train_regions, fold.test_regions)]
    return {n: m.compute(predicted.ravel(), measured.ravel()) for n, m in METRICS.items()}
