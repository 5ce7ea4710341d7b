"""From an observed score and a null distribution to a p-value and its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError


class NullSummary(NamedTuple):
    """An observed score beside its null distribution.

    Attributes
    ----------
    observed
        The score on the true data.
    mean, sd
        Of the null scores; sd with n - 1, NaN for one null.
    gain
        How much better the observed score is than the nulls' mean; positive is better, for
        losses too.
    z
        gain / sd; NaN where sd is 0 or NaN.
    p_value
        One-sided, (b + 1) / (n + 1).
    p_two_sided
        Twice the smaller of the two one-sided p, at most 1.
    p_floor
        The smallest p that n nulls can give, 1 / (n + 1).
    p_se
        Monte-Carlo standard error of p_value: what another n nulls would change.
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
    """Return the one-sided p-value, (b + 1) / (n + 1) with b nulls as good as the observed.

    The observed score counts as one draw, so that p is never 0.

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

    Parameters and errors are those of `spin_p_value`.
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


def _spread(null_scores: FloatArray) -> float:
    if len(null_scores) < 2:
        return float("nan")
    # equal scores may have a mean that rounds off them, and a z of rounding noise
    return float(np.std(null_scores, ddof=1)) if np.ptp(null_scores) > 0 else 0.0


def _check_scores(observed: float, null_scores: FloatArray) -> None:
    if null_scores.ndim != 1 or not len(null_scores):
        raise UserError(
            f"null scores have shape {null_scores.shape}; a p-value needs at least one null and"
            " one score for each: ask for nulls"
        )
    if not np.isfinite(observed):
        raise UserError(f"the observed score is {observed}; a p-value needs a finite one")
    # nan >= x is False: a failed null would quietly lower the p-value
    n_bad = np.count_nonzero(~np.isfinite(null_scores))
    if n_bad:
        raise UserError(
            f"{n_bad} of {len(null_scores)} null scores are not finite; repeat those nulls"
        )
