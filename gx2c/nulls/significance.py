"""P-values from observed scores and their null distributions, for one test or several."""

from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError


class NullSummary(NamedTuple):
    """An observed score compared with its null distribution.

    Attributes
    ----------
    observed
        The score on the true data.
    mean, sd
        Mean and standard deviation (n - 1) of the null scores; sd is NaN for one null.
    gain
        Difference of the observed score and the mean of the nulls; positive is better, also for
        losses.
    z
        gain / sd; NaN if sd is 0 or NaN.
    p_value
        One-sided permutation p-value, (b + 1) / (n + 1).
    p_two_sided
        Twice the smaller of the two one-sided p-values, at most 1.
    p_floor
        The smallest p that n nulls can give, 1 / (n + 1).
    p_se
        Monte-Carlo standard error of p_value, its variation between sets of n nulls.
    n
        Number of nulls.
    """

    observed: float
    mean: float
    sd: float
    gain: float
    z: float
    p_value: float
    p_two_sided: float
    p_floor: float
    p_se: float
    n: int


def spin_p_value(
    observed: float, null_scores: FloatArray, *, larger_is_better: bool = True
) -> float:
    """Return the one-sided p-value (b + 1) / (n + 1), where b of n nulls are at least as good.

    The observed score counts as one draw, so p is never 0.

    Parameters
    ----------
    observed
        The score on the true data.
    null_scores
        (n_spins,), scores on surrogates.
    larger_is_better
        False for a loss.

    Raises
    ------
    UserError
        If there are no null scores, or any score is not finite.

    References
    ----------
    Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), 39.
    """
    _check_scores(observed, null_scores)
    as_good = null_scores >= observed if larger_is_better else null_scores <= observed
    return float((np.count_nonzero(as_good) + 1) / (len(null_scores) + 1))


def summarise_nulls(
    observed: float, null_scores: FloatArray, *, larger_is_better: bool = True
) -> NullSummary:
    """Compare an observed score with a null distribution.

    Parameters and errors are the same as in `spin_p_value`.
    """
    p_value = spin_p_value(observed, null_scores, larger_is_better=larger_is_better)
    below = spin_p_value(observed, null_scores, larger_is_better=not larger_is_better)
    n = len(null_scores)
    mean = float(np.mean(null_scores))
    sd = _spread(null_scores)
    gain = observed - mean if larger_is_better else mean - observed
    return NullSummary(
        observed=float(observed),
        mean=mean,
        sd=sd,
        gain=float(gain),
        z=float(gain / sd) if sd > 0 else float("nan"),
        p_value=p_value,
        p_two_sided=min(1.0, 2 * min(p_value, below)),
        p_floor=1 / (n + 1),
        p_se=float(np.sqrt(p_value * (1 - p_value) / n)),
        n=n,
    )


def max_t_p_values(observed: FloatArray, nulls: FloatArray) -> FloatArray:
    """Return p-values that control the family-wise error rate over several statistics.

    Each statistic is scaled by the mean and standard deviation of observed and nulls together, so
    that all have equal weight; observed statistics are compared with the largest of each null.

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
    return (reached + 1) / (len(nulls) + 1)


def fdr_p_values(p_values: FloatArray) -> FloatArray:
    """Return Benjamini-Hochberg adjusted p-values, in the given order."""
    # statsmodels takes a third of a second to import, and workers do not need it
    from statsmodels.stats.multitest import multipletests

    return multipletests(p_values, method="fdr_bh")[1]


def holm_p_values(p_values: FloatArray) -> FloatArray:
    """Return Holm's adjusted p-values, in the given order, whatever the tests' dependence."""
    from statsmodels.stats.multitest import multipletests

    return multipletests(p_values, method="holm")[1]


class SequentialP(NamedTuple):
    """A p-value from nulls drawn one by one until enough are at least as good as the observed.

    Attributes
    ----------
    p_value
        h / l if the h-th null that is at least as good was the l-th, else (b + 1) / (n + 1).
    n_used
        Number of nulls used.
    stopped
        Whether h of them were at least as good.
    """

    p_value: float
    n_used: int
    stopped: bool


def sequential_p_value(observed: float, nulls: FloatArray, *, stop_after: int) -> SequentialP:
    """Return the sequential p-value of Besag & Clifford.

    Parameters
    ----------
    observed
        The observed score; larger is better.
    nulls
        (n_nulls,), null scores in the order in which they were drawn.
    stop_after
        h, the number of nulls at least as good as the observed score that ends the test.

    References
    ----------
    Besag & Clifford (1991), Biometrika 78(2), 301.
    """
    if stop_after < 1:
        raise UserError(f"stop_after is {stop_after}; it must be at least 1")
    as_good = np.flatnonzero(nulls >= observed)
    if len(as_good) >= stop_after:
        n_used = int(as_good[stop_after - 1]) + 1
        return SequentialP(stop_after / n_used, n_used, True)
    return SequentialP((len(as_good) + 1) / (len(nulls) + 1), len(nulls), False)


def _spread(null_scores: FloatArray) -> float:
    if len(null_scores) < 2:
        return float("nan")
    # the mean of equal scores may differ by rounding, which would give a z of rounding noise
    return float(np.std(null_scores, ddof=1)) if np.ptp(null_scores) > 0 else 0.0


def _check_scores(observed: float, null_scores: FloatArray) -> None:
    if null_scores.ndim != 1 or not len(null_scores):
        raise UserError(
            f"null scores have shape {null_scores.shape}; a p-value needs at least one null, with"
            " one score each"
        )
    if not np.isfinite(observed):
        raise UserError(f"the observed score is {observed}; a p-value needs a finite one")
    # nan >= x is False: a failed null would silently lower the p-value
    n_bad = np.count_nonzero(~np.isfinite(null_scores))
    if n_bad:
        raise UserError(
            f"{n_bad} of {len(null_scores)} null scores are not finite; repeat those nulls"
        )
