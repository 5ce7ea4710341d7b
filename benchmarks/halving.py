"""Schedulers that wait: decisions depend on scores alone."""

from __future__ import annotations

import numpy as np

from benchmarks.curves import Curves, IntArray
from sweeps.search.rungs import RungRule, rung_milestones


def halve(curves: Curves, rule: RungRule) -> IntArray:
    """Train as `FoldSearch` does under the same rule, given the same configs.

    Returns
    -------
    (n_configs,) array
        Passes that each config trained.
    """
    trained = np.zeros(len(curves), dtype=np.int64)
    size = rule.batch_size or len(curves)
    for first in range(0, len(curves), size):
        _train_batch(curves, rule, set(range(first, min(first + size, len(curves)))), trained)
    return trained


def _train_batch(curves: Curves, rule: RungRule, alive: set[int], trained: IntArray) -> None:
    for milestone in rule.milestones:
        _train(curves, alive, milestone, trained)
        held = {number for number in alive if curves.ends[number] > milestone}
        alive = rule.promoted(_table(curves, milestone, trained), held) if held else set()
    _train(curves, alive, curves.max_passes, trained)


def _train(curves: Curves, numbers: set[int], passes: int, trained: IntArray) -> None:
    rows = sorted(numbers)
    trained[rows] = np.minimum(curves.ends[rows], passes)


def _table(curves: Curves, milestone: int, trained: IntArray) -> dict[int, float]:
    complete = (trained > 0) & (trained == curves.ends)
    ranked = np.flatnonzero((trained >= milestone) | complete)
    scores = curves.best[ranked, np.minimum(trained[ranked], milestone) - 1]
    return dict(zip(ranked.tolist(), scores.tolist(), strict=True))


def hyperband(curves: Curves, *, grace_passes: int, eta: int) -> IntArray:
    """Share configs among brackets that start to halve at later and later rungs.

    References
    ----------
    Li et al. (2018), JMLR 18(185) ("Hyperband").
    """
    milestones = rung_milestones(grace_passes, curves.max_passes, eta)
    sizes = bracket_sizes(len(curves), len(milestones) + 1, eta)
    ends = np.cumsum(sizes)
    brackets = np.split(np.arange(len(curves)), ends[:-1])
    parts = [
        halve(curves.take(numbers), RungRule(milestones[skipped:], 0, eta))
        for skipped, numbers in enumerate(brackets)
        if len(numbers)
    ]
    return np.concatenate(parts)


def bracket_sizes(n_configs: int, n_brackets: int, eta: int) -> IntArray:
    """Split configs among brackets in Hyperband's proportions, the earliest first."""
    rungs = np.arange(n_brackets - 1, -1, -1)
    weights = n_brackets / (rungs + 1) * float(eta) ** rungs
    bounds = np.rint(np.cumsum(weights) / weights.sum() * n_configs).astype(np.int64)
    sizes: IntArray = np.diff(bounds, prepend=0)
    return sizes
