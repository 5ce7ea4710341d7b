"""Scores of a run by fold and by kind of edges, and means with their intervals."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from gx2c.metrics import HEADLINE, corrected_resampled_t
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import UNDEFINED, Average
from sweeps.report.wording import fold_name, number

# Detailed scores of whole connectomes, or of other things than a kind of edges
NO_KINDS = (
    "geodesic_distance",
    "top_tenth_precision",
    "partial_r_given_geography",
    "noise_ceiling_r",
    "holdout_r",
)


class FoldScores(NamedTuple):
    """Pearson r of one fold: model inside and outside, geography, gain; NaN where undefined."""

    name: str
    validation: float
    test: float
    geography: float
    gain: float


def fold_scores(summary: Summary, metric: str = HEADLINE) -> list[FoldScores]:
    """Pair the scores of model and geography, fold by fold."""
    rival = {fold.fold: fold.test for fold in summary.rival_folds}
    gains = summary.gain(metric).per_fold
    if len(gains) != len(summary.folds):
        gains = [UNDEFINED] * len(summary.folds)
    return [
        FoldScores(
            name=fold_name(f),
            validation=f.validation.get(metric, UNDEFINED),
            test=f.test.get(metric, UNDEFINED),
            geography=rival.get(f.fold, {}).get(metric, UNDEFINED),
            gain=gain,
        )
        for f, gain in zip(summary.folds, gains, strict=True)
    ]


def shown_scores(summary: Summary) -> list[FoldScores]:
    """Return the scores of every fold; of several seeds, those of each, averaged over its folds."""
    rows = fold_scores(summary)
    if len(summary.seeds) == 1:
        return rows
    found = []
    for seed in summary.seeds:
        own = [r for r, f in zip(rows, summary.folds, strict=True) if f.seed == seed]
        means = (sum(values) / len(own) for values in list(zip(*own, strict=True))[1:])
        found.append(FoldScores(f"seed {seed}", *means))
    return found


class Interval(NamedTuple):
    """A mean over folds with its standard error and 95 % interval; NaN where there is none."""

    mean: float
    se: float = UNDEFINED
    low: float = UNDEFINED
    high: float = UNDEFINED

    def __str__(self) -> str:
        words = number(self.mean)
        if math.isfinite(self.low):
            words += f" [{number(self.low)}, {number(self.high)}]"
        return words

    @property
    def ends(self) -> list[list[float]]:
        """The distances to both ends, as matplotlib draws error bars; 0 without an interval."""
        if not math.isfinite(self.low):
            return [[0.0], [0.0]]
        return [[self.mean - self.low], [self.high - self.mean]]


def interval(s: Summary, values: Sequence[float], *, most: float = 1.0) -> Interval:
    """Return the mean of a score over folds with the interval of `gx2c compare`, within +-most.

    It is corrected for training regions that folds share (`corrected_resampled_t`). Folds of a
    split that is the same for every seed, or whose pairs of blocks are scored, are no sample.
    """
    mean = sum(values) / len(values) if values else UNDEFINED
    sizes = [(f.n_test_regions or 0, f.n_train_regions or 0) for f in s.folds]
    known = all(size > 0 for pair in sizes for size in pair) and len(values) == len(s.folds)
    if not (is_sample(s) and known and math.isfinite(mean)):
        return Interval(mean)
    n_test, n_train = zip(*sizes, strict=True)
    found = corrected_resampled_t(values, n_test=n_test, n_train=n_train)
    # a correlation lies between -1 and 1, the difference of two between -2 and 2
    return Interval(found.mean, found.se, max(found.low, -most), min(found.high, most))


class GainOf(NamedTuple):
    """The gain over geography of one detailed score, over the n folds that define it."""

    score: str
    gain: Interval
    n: int

    @property
    def clear(self) -> bool:
        """Whether the model is better by more than noise."""
        return self.gain.low > 0


def kind_gains(s: Summary) -> list[GainOf]:
    """Return the gain of every detailed score that is a correlation of the model's prediction."""
    own, rival = s.details.get(s.model), s.details.get("geography")
    if own is None or rival is None or s.is_geography:
        return []
    found = []
    for score in own.mean:
        if score in NO_KINDS or not score.endswith("_r"):
            continue
        pairs = [
            (fold, a.values[score] - b.values[score])
            for fold, a, b in zip(s.folds, own.folds, rival.folds, strict=True)
            if score in a.values and score in b.values
        ]
        # a mean that a constant prediction leaves undefined stays so: a fold is never dropped
        whole = math.isfinite(own.mean[score].mean) and math.isfinite(rival.mean[score].mean)
        defined = [(fold, gain) for fold, gain in pairs if whole and math.isfinite(gain)]
        gains = [gain for _, gain in defined]
        some = s.model_copy(update={"folds": [fold for fold, _ in defined]})
        found.append(GainOf(score, interval(some, gains, most=2.0), len(gains)))
    return found


def is_sample(s: Summary) -> bool:
    """Return whether a mean over the folds of a run has an interval."""
    blocks = any(fold.blocks is not None for fold in s.folds)
    return len(s.folds) > 1 and not s.deterministic_split and not blocks


def single_score(s: Summary) -> float:
    """Return the headline score of the best config alone."""
    return s.single.get(HEADLINE, Average()).mean
