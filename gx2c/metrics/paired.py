"""Are two models' scores on the same folds different? A t-test that knows that folds overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError


class CorrectedT(NamedTuple):
    """Outcome of a corrected resampled t-test.

    Attributes
    ----------
    mean, sd
        Of the differences; sd with n - 1.
    se
        Corrected standard error of the mean.
    t
        mean / se; NaN where the differences do not vary.
    df
        Degrees of freedom, J - 1.
    p_value
        Two-sided.
    low, high
        95 % confidence interval of the mean.
    n
        J, the number of differences.
    """

    mean: float
    sd: float
    se: float
    t: float
    df: int
    p_value: float
    low: float
    high: float
    n: int


def corrected_resampled_t(
    differences: Sequence[float] | FloatArray,
    *,
    n_test: Sequence[int],
    n_train: Sequence[int],
) -> CorrectedT:
    """Test the mean of paired differences from repeated k-fold cross-validation.

    Folds and repeats share training regions, so that their differences are not independent: the
    variance of the mean is taken as sd^2 (1 / J + n_test / n_train) in place of sd^2 / J.

    Parameters
    ----------
    differences
        (J,) one score less another, J = seeds x folds.
    n_test, n_train
        (J,) regions held out and trained on; where folds differ in size the ratio is averaged.

    Raises
    ------
    UserError
        If there are fewer than two differences.

    References
    ----------
    Nadeau & Bengio (2003), Mach. Learn. 52, 239, section 3; for repeated k-fold Bouckaert & Frank
    (2004), PAKDD, equation 2.
    """
    values = np.asarray(differences, dtype=np.float64)
    n = len(values)
    if n < 2:
        raise UserError(f"a paired test needs at least 2 folds; there are {n} differences")
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    ratio = float(np.mean(np.asarray(n_test) / np.asarray(n_train)))
    se = sd * float(np.sqrt(1 / n + ratio))
    # equal to rounding: nothing varies that could be tested
    varies = sd > 1e-12 * max(1.0, abs(mean))
    t = mean / se if varies else float("nan")
    margin = se * float(scipy.stats.t.ppf(0.975, n - 1))
    p_value = float(2 * scipy.stats.t.sf(abs(t), n - 1))
    return CorrectedT(mean, sd, se, t, n - 1, p_value, mean - margin, mean + margin, n)
