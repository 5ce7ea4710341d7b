"""Kernel ridge on many surrogates at once: each null searched and retrained, at a small cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.fit.config import FitConfig, Task
from gx2c.fit.scoring import best_first, score_or_diverged
from gx2c.fit.shared_split import SharedSplit, SurrogateExpression, build
from gx2c.models import MODELS
from gx2c.splits.fold import Fold

Scores = dict[str, float]


def is_isometric(config: FitConfig) -> bool:
    """Return whether a config's predictions read expression through inner products alone.

    So does kernel ridge on expression that is centred, not scaled, by training statistics;
    it reads nothing else but coordinates, and the connectome itself is learned.
    """
    return MODELS[config.model].kernel_nulls and config.task == Task() and build(config).isometric


def search_kernel_nulls(
    brain: Brain,
    fold: Fold,
    configs: Sequence[FitConfig],
    expressions: Iterable[FloatArray],
    *,
    metric: str,
    n_best: int = 1,
) -> list[Scores | None]:
    """Choose configs by inner validation, retrain and test them, for each surrogate of a brain.

    Parameters are those of `predict_kernel_nulls`.

    Returns
    -------
    list
        Per surrogate, each metric over the test edges; None where nothing could be fitted.
    """
    predicted = predict_kernel_nulls(
        brain, fold, configs, expressions, metric=metric, n_best=n_best
    )
    return [score_or_diverged(one, brain, fold) for one in predicted]


def predict_kernel_nulls(
    brain: Brain,
    fold: Fold,
    configs: Sequence[FitConfig],
    expressions: Iterable[FloatArray],
    *,
    metric: str,
    n_best: int = 1,
) -> list[FloatArray]:
    """Choose configs by inner validation and retrain them, for each surrogate of a brain.

    The same, up to rounding, as `rank_closed_forms` and `retrain_ensemble` on each surrogate brain.

    Parameters
    ----------
    brain
        The true brain; its coordinates and connectome are the surrogates' too.
    fold
        An outer fold with inner folds.
    configs
        Each `is_isometric`; the first of equals ranks higher. They are not validated if there are
        no more than `n_best`.
    expressions
        (n_regions, n_columns) each: a surrogate's expression, or columns with the same distances
        (`gx2c.models.features.same_distances`) unless configs choose genes (`chooses_genes`).
    metric
        A key of `SELECTION_METRICS`.
    n_best
        Number of configs chosen on each surrogate, whose predictions are averaged.

    Returns
    -------
    list of (n_test_regions, n_test_regions) arrays
        One per surrogate; NaN where nothing could be fitted.
    """
    inner = [SharedSplit(brain, split, configs) for split in fold.inner if len(configs) > n_best]
    outer = SharedSplit(brain, fold, configs)
    return [
        outer.predict_mean(surrogate, _rank(inner, surrogate, len(configs), metric)[:n_best])
        for surrogate in map(SurrogateExpression, expressions)
    ]


def _rank(
    inner: Sequence[SharedSplit], surrogate: SurrogateExpression, n: int, metric: str
) -> list[int]:
    if not inner:
        return list(range(n))
    scores = np.zeros(n)
    for split in inner:
        scores += split.validate(surrogate, metric)
    # in the order of the search
    return best_first(scores) or [0]
