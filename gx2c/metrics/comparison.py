"""Paired t-test of two models' scores on the same folds, corrected for overlapping folds."""

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
        Mean and standard deviation (n - 1) of the differences.
    se
        Corrected standard error of the mean.
    t
        mean / se; NaN if the differences do not vary.
    df
        Degrees of freedom, J - 1.
    p_value
        Two-sided p-value.
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

    Folds and repeats share training regions, so their differences are not independent: the variance
    of the mean is sd^2 (1 / J + n_test / n_train) instead of sd^2 / J.

    Parameters
    ----------
    differences
        (J,) differences of two scores, J = seeds x folds.
    n_test, n_train
        (J,) numbers of test and training regions; the ratio is averaged over folds.

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
    # equal up to rounding: there is no variation to test
    varies = sd > 1e-12 * max(1.0, abs(mean))
    t = mean / se if varies else float("nan")
    margin = se * float(scipy.stats.t.ppf(0.975, n - 1))
    p_value = float(2 * scipy.stats.t.sf(abs(t), n - 1))
    return CorrectedT(mean, sd, se, t, n - 1, p_value, mean - margin, mean + margin, n)


class Interval(NamedTuple):
    """A percentile interval over resamples of regions."""

    # Ends of the interval
    low: float
    high: float
    level: float  # Share of resamples inside the interval
    n_resamples: int  # Number of resamples


def gain_interval(
    predicted: Sequence[FloatArray],
    rival: Sequence[FloatArray],
    measured: Sequence[FloatArray],
    *,
    seed: int,
    n_resamples: int = 1_000,
    level: float = 0.95,
) -> Interval:
    """Resample test regions within folds; return the interval of the mean gain in Pearson r.

    Both models are scored on the same resampled regions; two copies of one region form no edge.
    Models are not refitted: the interval covers other test regions, not other training regions.

    Parameters
    ----------
    predicted, rival, measured
        Per fold, (n_test_regions, n_test_regions), symmetric.
    seed
        Seed of the resamples.
    n_resamples, level
        Number of resamples, and their share inside the interval.

    References
    ----------
    Snijders & Borgatti (1999), Connections 22(2), 161 (bootstrap of vertices).
    """
    if not (len(predicted) == len(rival) == len(measured) and predicted):
        raise UserError(
            f"{len(predicted)}, {len(rival)} and {len(measured)} folds were given; a gain needs"
            " the same folds of two models and of the measurement"
        )
    rng = np.random.default_rng(seed)
    gains = np.zeros(n_resamples)
    for ours, theirs, truth in zip(predicted, rival, measured, strict=True):
        n = len(truth)
        edges = np.triu_indices(n, 1)
        values = np.stack([one[edges] for one in (ours, theirs, truth)])
        # if region i is drawn c_i times, the edge (i, j) counts c_i c_j times
        counts = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)
        weights = (counts[:, edges[0]] * counts[:, edges[1]]).astype(np.float64)
        gains += _weighted_r(values[0], values[2], weights)
        gains -= _weighted_r(values[1], values[2], weights)
    tail = (1 - level) / 2
    low, high = np.quantile(gains / len(measured), [tail, 1 - tail])
    return Interval(float(low), float(high), level, n_resamples)


def _weighted_r(one: FloatArray, other: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Pearson r for each row of weights, (n_rows,)."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    means = [shares @ one, shares @ other]
    cross = shares @ (one * other) - means[0] * means[1]
    squares = [shares @ v**2 - m**2 for v, m in zip((one, other), means, strict=True)]
    r: FloatArray = cross / np.sqrt(squares[0] * squares[1])
    return r
