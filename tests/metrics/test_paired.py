"""The corrected t-test against its formula written out, and against simulated folds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gx2c.errors import UserError
from gx2c.metrics import corrected_resampled_t

DIFFERENCES = [0.03, -0.01, 0.05, 0.02, 0.04, 0.0, 0.01, 0.06]


def test_it_is_the_formula_of_nadeau_and_bengio():
    found = corrected_resampled_t(DIFFERENCES, n_test=[25] * 8, n_train=[75] * 8)
    n, mean = 8, sum(DIFFERENCES) / 8
    variance = sum((d - mean) ** 2 for d in DIFFERENCES) / (n - 1)
    t = mean / math.sqrt(variance * (1 / n + 25 / 75))
    assert found.t == pytest.approx(t, rel=1e-12)
    assert found.df == 7
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, 7), rel=1e-12)
    half = stats.t.ppf(0.975, 7) * math.sqrt(variance * (1 / n + 1 / 3))
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), rel=1e-12)


def test_without_shared_training_regions_it_is_the_ordinary_paired_t():
    found = corrected_resampled_t(DIFFERENCES, n_test=[0] * 8, n_train=[75] * 8)
    ordinary = stats.ttest_1samp(DIFFERENCES, 0.0)
    assert (found.t, found.p_value) == pytest.approx((ordinary.statistic, ordinary.pvalue))


def test_folds_of_different_size_count_with_their_mean_ratio():
    uneven = corrected_resampled_t(DIFFERENCES, n_test=[20, 30] * 4, n_train=[80, 70] * 4)
    ratio = (20 / 80 + 30 / 70) / 2
    assert uneven.se == pytest.approx(np.std(DIFFERENCES, ddof=1) * math.sqrt(1 / 8 + ratio))


def test_it_keeps_its_level_where_the_ordinary_t_does_not():
    """Differences that share a part, as folds with common training regions do."""
    rng = np.random.default_rng(0)
    rejected = np.zeros(2)
    for _ in range(400):
        # correlation n_test / (n_test + n_train) = 1/4 between any two folds
        shared, own = rng.normal(0, 0.5), rng.normal(0, math.sqrt(0.75), 12)
        found = corrected_resampled_t(shared + own, n_test=[25] * 12, n_train=[75] * 12)
        rejected += (found.p_value < 0.05, stats.ttest_1samp(shared + own, 0).pvalue < 0.05)
    assert rejected[0] / 400 == pytest.approx(0.05, abs=0.03)
    assert rejected[1] / 400 > 0.2


def test_differences_that_do_not_vary_have_no_p_value():
    found = corrected_resampled_t([0.1] * 4, n_test=[25] * 4, n_train=[75] * 4)
    assert found.mean == pytest.approx(0.1)
    assert math.isnan(found.t) and math.isnan(found.p_value)


def test_one_fold_is_not_enough():
    with pytest.raises(UserError, match="at least 2 folds"):
        corrected_resampled_t([0.1], n_test=[25], n_train=[75])
