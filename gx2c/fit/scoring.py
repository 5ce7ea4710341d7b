"""Which score ranks configs, and validation scores averaged over inner folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gx2c.errors import UserError
from gx2c.metrics import score_edges

FloatArray = NDArray[np.float64]

# option -> (name among the scores, sign that makes larger better)
SELECTION_METRICS = {"val_mse": ("mse", -1.0), "val_pearson_r": ("pearson_r", 1.0)}


def selection_score(scores: Mapping[str, float], metric: str) -> float:
    """Return the number by which configs are ranked; larger is better.

    A score that is not a number (a diverged fit, a constant prediction) ranks below all others.
    """
    try:
        name, sign = SELECTION_METRICS[metric]
    except KeyError:
        raise UserError(f"no metric {metric!r}; choose from {sorted(SELECTION_METRICS)}") from None
    value = scores[name]
    return sign * value if math.isfinite(value) else -math.inf


def mean_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average each metric over inner folds."""
    return {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}


def score_or_diverged(predicted: FloatArray, measured: FloatArray) -> dict[str, float] | None:
    """Score a prediction, or return None if the fit diverged."""
    try:
        return score_edges(predicted, measured)
    except FloatingPointError:
        return None
