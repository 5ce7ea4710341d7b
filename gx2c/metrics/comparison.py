"""Scores averaged over folds, then over seeds, and two models' scores on the same folds compared.

Edges are never pooled, and the paired t-test is corrected for folds that overlap.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
import scipy

from gx2c.data.brain import FloatArray, IntArray
from gx2c.errors import UserError

# Resamples whose weights of all edges are held in memory together
AT_ONCE = 100


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
    differences: Sequence[float] | FloatArray, *, n_test: Sequence[int], n_train: Sequence[int]
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
    regions: Sequence[IntArray] | None = None,
    edges: Sequence[tuple[IntArray, IntArray]] | None = None,
    n_resamples: int = 1_000,
    level: float = 0.95,
) -> Interval:
    """Resample test regions; return the interval of the mean gain in Pearson r over folds.

    Both models are scored on the same resampled regions; two copies of one region form no edge.
    Models are not refitted: the interval covers other test regions, not other training regions. A
    fold that a resample leaves without two different edges is left out of its mean.

    Parameters
    ----------
    predicted, rival, measured
        Per fold, (n_test_regions, n_test_regions), symmetric.
    seed
        Seed of the resamples.
    regions
        Per fold, (n_test_regions,) numbers of its test regions within the brain. Regions are then
        drawn once for all folds, so that those of several seeds, which cut the same regions
        differently, are resampled alike. Without them, each fold draws its own.
    edges
        Per fold, both ends of the edges that count, each once; all undirected ones if None.
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
    gains = np.empty((len(measured), n_resamples))
    drawn = (
        None if regions is None else _draw(rng, 1 + int(np.concatenate(regions).max()), n_resamples)
    )
    for fold, (ours, theirs, truth) in enumerate(zip(predicted, rival, measured, strict=True)):
        ends = np.triu_indices(len(truth), 1) if edges is None else edges[fold]
        if drawn is None or regions is None:
            counts = _draw(rng, len(truth), n_resamples)
        else:
            counts = drawn[:, regions[fold]]
        for rows in range(0, n_resamples, AT_ONCE):
            some = counts[rows : rows + AT_ONCE]
            # if region i is drawn c_i times, the edge (i, j) counts c_i c_j times
            weights = (some[:, ends[0]] * some[:, ends[1]]).astype(np.float64)
            r = [_weighted_r(one[ends], truth[ends], weights) for one in (ours, theirs)]
            gains[fold, rows : rows + AT_ONCE] = r[0] - r[1]
    defined = np.isfinite(gains)
    n_folds = defined.sum(axis=0)
    means = np.where(defined, gains, 0.0).sum(axis=0)[n_folds > 0] / n_folds[n_folds > 0]
    if not len(means):
        return Interval(float("nan"), float("nan"), level, n_resamples)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high), level, n_resamples)


def _draw(rng: np.random.Generator, n: int, n_resamples: int) -> IntArray:
    """Return how often each of n regions is drawn, (n_resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)


def _weighted_r(one: FloatArray, other: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Pearson r for each row of weights, (n_rows,)."""
    total = weights.sum(axis=1, keepdims=True)
    shares = np.divide(weights, total, out=np.full_like(weights, np.nan), where=total > 0)
    means = [shares @ one, shares @ other]
    cross = shares @ (one * other) - means[0] * means[1]
    squares = [shares @ v**2 - m**2 for v, m in zip((one, other), means, strict=True)]
    # rounding leaves a little where there is only one edge, or all are equal
    least = [np.finfo(float).eps * np.square(v).max() for v in (one, other)]
    varies = (squares[0] > least[0]) & (squares[1] > least[1])
    r: FloatArray = np.full(len(weights), np.nan)
    np.divide(cross, np.sqrt(np.abs(squares[0] * squares[1])), out=r, where=varies)
    return r
