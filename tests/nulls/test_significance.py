"""P-values and summaries equal their formulas, and refuse what would bend them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gx2c.errors import UserError
from gx2c.nulls import spin_p_value, summarise_nulls


@pytest.mark.parametrize(
    ("observed", "larger_is_better", "expected"),
    [(5, True, 1 / 5), (3, True, 3 / 5), (0, True, 1), (0, False, 1 / 5), (3, False, 4 / 5)],
)
def test_p_value_counts_ties_and_the_observed(observed, larger_is_better, expected):
    null_scores = np.array([1.0, 2.0, 3.0, 4.0])
    p_value = spin_p_value(observed, null_scores, larger_is_better=larger_is_better)
    assert p_value == pytest.approx(expected)


def test_p_value_of_another_draw_is_uniform():
    draws = np.random.default_rng(0).normal(size=(2000, 20))
    p_values = [spin_p_value(draw[0], draw[1:]) for draw in draws]
    counts = np.bincount(np.rint(np.array(p_values) * 20).astype(int), minlength=21)[1:]
    assert stats.chisquare(counts).pvalue > 0.001


def test_summary_equals_formulas():
    null_scores = np.array([0.1, 0.2, 0.3, 0.6])
    summary = summarise_nulls(0.5, null_scores)
    mean = sum(null_scores) / 4
    sd = math.sqrt(sum((score - mean) ** 2 for score in null_scores) / 3)
    assert summary.observed == 0.5 and summary.n == 4
    assert summary.mean == pytest.approx(mean)
    assert summary.sd == pytest.approx(sd)
    assert summary.gain == pytest.approx(0.5 - mean)
    assert summary.z == pytest.approx((0.5 - mean) / sd)
    assert summary.p_value == pytest.approx(2 / 5)
    assert summary.p_floor == pytest.approx(1 / 5)
    assert summary.p_se == pytest.approx(math.sqrt(0.4 * 0.6 / 4))


def test_gain_of_a_loss_is_its_fall():
    summary = summarise_nulls(1.0, np.array([2.0, 4.0]), larger_is_better=False)
    assert summary.gain == 2.0 and summary.z > 0 and summary.p_value == pytest.approx(1 / 3)


def test_standardised_gain_is_undefined_without_spread():
    assert math.isnan(summarise_nulls(0.5, np.full(7, 0.1)).z)
    single = summarise_nulls(0.5, np.array([0.1]))
    assert math.isnan(single.sd) and math.isnan(single.z) and single.p_value == 0.5


@pytest.mark.parametrize(
    ("observed", "null_scores", "message"),
    [
        (0.5, [], "at least one null"),
        (0.5, [[0.1, 0.2]], r"shape \(1, 2\)"),
        (float("nan"), [0.1], "the observed score is nan"),
        (0.5, [0.1, float("nan"), float("inf")], "2 of 3 null scores are not finite"),
    ],
)
def test_what_would_bend_the_p_value_is_refused(observed, null_scores, message):
    for statistic in (spin_p_value, summarise_nulls):
        with pytest.raises(UserError, match=message):
            statistic(observed, np.array(null_scores))
