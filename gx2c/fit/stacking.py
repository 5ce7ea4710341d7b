"""Weights with which several models are averaged, equal or learned on inner folds."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import nnls

from gx2c.data.brain import Brain, FloatArray
from gx2c.errors import UserError, look_up
from gx2c.fit.choose import Chosen
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.ensemble import retrain_ensemble
from gx2c.fit.network import derive_seed
from gx2c.splits.fold import Fold

# Learned weights are averaged with equal ones: few regions determine them poorly
SHRINKAGE = 0.5
GREEDY_STEPS = 30
EQUAL = "mean"


def predict_inner_folds(
    brain: Brain,
    fold: Fold,
    chosen: Sequence[Chosen],
    *,
    seeds: Sequence[Sequence[int]],
    profile: ComputeProfile,
) -> list[FloatArray]:
    """Train an ensemble on each inner fold and predict the edges of its validation regions.

    Parameters
    ----------
    brain
        Only the outer-training regions are read.
    fold
        An outer fold, whose inner folds should not be those that chose the configs: there the
        model whose choice fits them best looks better than it is.
    chosen, seeds, profile
        As in `choose_weight`.

    Returns
    -------
    list of (n_edges,) arrays
        One per inner fold.
    """
    predicted = []
    for number, inner in enumerate(fold.inner):
        own = [[[derive_seed(seed, number) for seed in of_config]] for of_config in seeds]
        (found,) = retrain_ensemble(chosen, [brain], inner, seeds=own, profile=profile)
        predicted.append(found.predicted[inner.scored_edges()])
    return predicted


def learn_weights(
    rule: str, predicted: Sequence[Sequence[FloatArray]], measured: Sequence[FloatArray]
) -> list[float]:
    """Return the share of each model, at least 0 and 1 in sum.

    Parameters
    ----------
    rule
        A key of `RULES`.
    predicted
        By model and inner fold, (n_edges,) each.
    measured
        By inner fold, (n_edges,).

    Raises
    ------
    UserError
        If a model has predictions that are not finite.

    References
    ----------
    Breiman (1996), Machine Learning 24, 49 (non-negative least squares on held-out predictions).
    Caruana et al. (2004), ICML 21 (greedy selection with replacement).
    """
    # r, the headline, sees no level: each inner fold has its own
    table = np.stack([np.concatenate([_centred(one) for one in of]) for of in predicted])
    target = np.concatenate([_centred(one) for one in measured])
    if not np.isfinite(table).all():
        raise UserError("a model diverged on the inner folds that weigh it; give --weights mean")
    equal = np.full(len(table), 1 / len(table))
    learned = look_up(RULES, rule, "rule of weights")(table, target)
    total = learned.sum()
    share = learned / total if total > 0 else equal
    return [float(one) for one in SHRINKAGE * equal + (1 - SHRINKAGE) * share]


def _nnls(table: FloatArray, target: FloatArray) -> FloatArray:
    found: FloatArray = nnls(table.T, target)[0]
    return found


def _greedy(table: FloatArray, target: FloatArray) -> FloatArray:
    """Add the model that lowers the squared error of the mean most, again and again."""
    counts, total = np.zeros(len(table)), np.zeros_like(target)
    for step in range(1, GREEDY_STEPS + 1):
        errors = (((total + table) / step - target) ** 2).sum(axis=1)
        best = int(np.argmin(errors))
        counts[best] += 1
        total = total + table[best]
    return counts


def _equal(table: FloatArray, _: FloatArray) -> FloatArray:
    return np.ones(len(table))


def _centred(values: FloatArray) -> FloatArray:
    centred: FloatArray = values - values.mean()
    return centred


# Rules of `--weights`
RULES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    EQUAL: _equal,
    "nnls": _nnls,
    "greedy": _greedy,
}
