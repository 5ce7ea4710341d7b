"""Several statistics on the same nulls, and nulls that stop early."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError


def max_t_p_values(observed: FloatArray, nulls: FloatArray) -> FloatArray:
    """Return p-values that control the chance of any false positive among several statistics.

    Each statistic is scaled by the mean and standard deviation of observed and nulls together, so
    that all are treated alike; the observed ones are held against the largest of each null.

    Parameters
    ----------
    observed
        (n_statistics,), larger is better.
    nulls
        (n_nulls, n_statistics), the same statistics on the same nulls.

    Returns
    -------
    FloatArray
        (n_statistics,), each (b + 1) / (n_nulls + 1), never below the unadjusted p.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.6 (single step).
    """
    if nulls.ndim != 2 or nulls.shape[1:] != observed.shape or not len(nulls):
        raise UserError(
            f"nulls have shape {nulls.shape}; {len(observed)} statistics need (n_nulls,"
            f" {len(observed)})"
        )
    together = np.vstack([observed[None], nulls])
    spread = together.std(axis=0)
    scaled = (together - together.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    largest = scaled[1:].max(axis=1)
    reached = (largest[:, None] >= scaled[0]).sum(axis=0)
    p_values: FloatArray = (reached + 1) / (len(nulls) + 1)
    return p_values


def fdr_p_values(p_values: FloatArray) -> FloatArray:
    """Return Benjamini-Hochberg adjusted p-values, in the order given."""
    # statsmodels takes a third of a second to import, and no worker tests several hypotheses
    from statsmodels.stats.multitest import multipletests

    adjusted: FloatArray = multipletests(p_values, method="fdr_bh")[1]
    return adjusted


class SequentialP(NamedTuple):
    """A p-value of nulls taken one after another until enough were as good as the observed.

    Attributes
    ----------
    p_value
        h / l if the h-th null as good as the observed was the l-th, else (b + 1) / (n + 1).
    n_used
        Nulls that count.
    stopped
        Whether h of them were as good.
    """

    p_value: float
    n_used: int
    stopped: bool


def sequential_p_value(observed: float, nulls: FloatArray, *, stop_after: int) -> SequentialP:
    """Return the sequential p-value of Besag & Clifford.

    Parameters
    ----------
    observed
        Larger is better.
    nulls
        (n_nulls,), in the order in which they were drawn.
    stop_after
        h, how many nulls as good as the observed end the test.

    References
    ----------
    Besag & Clifford (1991), Biometrika 78(2), 301.
    """
    if stop_after < 1:
        raise UserError(f"stop_after is {stop_after}; at least 1 null must be as good to stop")
    as_good = np.flatnonzero(nulls >= observed)
    if len(as_good) >= stop_after:
        n_used = int(as_good[stop_after - 1]) + 1
        return SequentialP(stop_after / n_used, n_used, True)
    return SequentialP((len(as_good) + 1) / (len(nulls) + 1), len(nulls), False)
