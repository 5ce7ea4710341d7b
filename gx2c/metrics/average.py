"""Scores averaged over folds, then over seeds; edges are never pooled."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np


class Average(TypedDict):
    """One metric over n folds (or n seeds).

    Attributes
    ----------
    mean, sd, se
        Mean, standard deviation (n - 1 in the denominator) and standard error of the mean;
        sd and se of one score are NaN.
    n
        Number of scores.
    """

    mean: float
    sd: float
    se: float
    n: int


def average_scores(scores: Sequence[Mapping[str, float]]) -> dict[str, Average]:
    """Average each metric over score sets, one set per fold (or per seed).

    Parameters
    ----------
    scores
        Result of `score_edges` for each fold, all with the same metrics. An undefined score (NaN)
        makes its mean undefined: omitting it would favour the model.

    Returns
    -------
    dict
        `Average` by metric.

    Raises
    ------
    ValueError
        If there are no scores or their metrics differ.
    """
    if not scores:
        raise ValueError("no scores to average")
    names = list(scores[0])
    if any(set(fold_scores) != set(names) for fold_scores in scores):
        raise ValueError("the folds have scores of different metrics")
    return {name: average_values([fold_scores[name] for fold_scores in scores]) for name in names}


def average_values(values: Sequence[float]) -> Average:
    """Average one metric's values; without values, the mean is NaN and n is 0."""
    n = len(values)
    if not n:
        return Average(mean=float("nan"), sd=float("nan"), se=float("nan"), n=0)
    sd = float(np.std(values, ddof=1)) if n > 1 else float("nan")
    return Average(mean=float(np.mean(values)), sd=sd, se=sd / float(np.sqrt(n)), n=n)
