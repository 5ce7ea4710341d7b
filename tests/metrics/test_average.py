"""Folds count equally, whatever their number of edges."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from gx2c.metrics import average_scores


def test_equals_scipy():
    values = [0.4, 0.55, 0.7, 0.45]
    average = average_scores([{"pearson_r": value, "mse": 2 * value} for value in values])
    assert list(average) == ["pearson_r", "mse"]
    assert average["pearson_r"]["mean"] == pytest.approx(sum(values) / 4)
    assert average["pearson_r"]["sd"] == pytest.approx(
        math.sqrt(sum((value - sum(values) / 4) ** 2 for value in values) / 3)
    )
    assert average["pearson_r"]["se"] == pytest.approx(stats.sem(values))
    assert average["mse"]["n"] == 4


def test_one_fold_has_no_spread():
    average = average_scores([{"mse": 1.5}])["mse"]
    assert average["mean"] == 1.5 and average["n"] == 1
    assert math.isnan(average["sd"]) and math.isnan(average["se"])


def test_undefined_score_is_not_left_out():
    average = average_scores([{"pearson_r": 0.9}, {"pearson_r": float("nan")}])
    assert math.isnan(average["pearson_r"]["mean"])


def test_nothing_or_different_metrics_raise():
    with pytest.raises(ValueError, match="no scores"):
        average_scores([])
    with pytest.raises(ValueError, match="different metrics"):
        average_scores([{"mse": 1.0}, {"mae": 1.0}])
