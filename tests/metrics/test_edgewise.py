"""Scores equal direct loops and the field's own libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from gx2c.data.row_order import mean_ranks
from gx2c.metrics import METRICS, score_edges, undirected_edges


def symmetric(n_regions, seed):
    matrix = np.random.default_rng(seed).normal(size=(n_regions, n_regions))
    return (matrix + matrix.T) / 2


@pytest.fixture
def connectomes():
    measured = symmetric(12, 0)
    return 0.5 * measured + symmetric(12, 1), measured


def loop_edges(matrix):
    return [matrix[i, j] for i in range(len(matrix)) for j in range(i + 1, len(matrix))]


def test_edges_are_the_unordered_pairs():
    first, second = undirected_edges(4)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_scores_equal_scipy_and_sklearn(connectomes):
    predicted, measured = map(loop_edges, connectomes)
    expected = {
        "pearson_r": stats.pearsonr(predicted, measured).statistic,
        "spearman_r": stats.spearmanr(predicted, measured).statistic,
        "r2": r2_score(measured, predicted),
        "mse": mean_squared_error(measured, predicted),
        "mae": mean_absolute_error(measured, predicted),
    }
    scores = score_edges(*connectomes)
    assert list(scores) == list(METRICS)
    assert scores == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("values", [[3.0, 1.0, 3.0, 2.0, 3.0], [0.0], [2.0, np.nan, 1.0]])
def test_ranks_are_those_of_scipy(values):
    values = np.array(values)
    np.testing.assert_array_equal(mean_ranks(values), stats.rankdata(values))


def test_spearman_shares_ranks_among_ties(connectomes):
    predicted, measured = (np.round(connectome) for connectome in connectomes)
    expected = stats.spearmanr(loop_edges(predicted), loop_edges(measured)).statistic
    assert score_edges(predicted, measured)["spearman_r"] == pytest.approx(expected)


def test_diagonals_are_never_read(connectomes):
    predicted, measured = connectomes
    expected = score_edges(predicted, measured)
    spoiled = predicted.copy(), measured.copy()
    for connectome in spoiled:
        np.fill_diagonal(connectome, np.nan)
    assert score_edges(*spoiled) == expected


def test_perfect_prediction(connectomes):
    _, measured = connectomes
    scores = score_edges(measured, measured)
    assert scores["pearson_r"] == pytest.approx(1) == scores["r2"]
    assert scores["mse"] == scores["mae"] == 0


def test_directions_point_to_the_better_prediction(connectomes):
    predicted, measured = connectomes
    better, worse = score_edges(0.9 * measured, measured), score_edges(predicted, measured)
    for name, metric in METRICS.items():
        assert (better[name] > worse[name]) == metric.larger_is_better, name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_prediction_has_no_correlation(connectomes, dtype):
    measured = connectomes[1]
    constant = np.full(measured.shape, 0.3, dtype)
    constant[::2, ::2] = np.nextafter(dtype(0.3), dtype(1))
    scores = score_edges(constant, measured)
    assert math.isnan(scores["pearson_r"]) and math.isnan(scores["spearman_r"])
    assert scores["r2"] <= 0 and scores["mse"] > 0


def test_small_variation_is_not_constant(connectomes):
    predicted, measured = connectomes
    shrunk = score_edges(0.3 + 1e-9 * predicted, measured)
    assert shrunk["pearson_r"] == pytest.approx(score_edges(predicted, measured)["pearson_r"])


def test_constant_measured_edges_leave_only_errors():
    scores = score_edges(symmetric(5, 0), np.ones((5, 5)))
    assert all(math.isnan(scores[name]) for name in ("pearson_r", "spearman_r", "r2"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_diverged_prediction_raises(connectomes, bad):
    predicted, measured = connectomes
    predicted[2, 5] = predicted[5, 2] = bad
    with pytest.raises(FloatingPointError, match="1 predicted edges are NaN or infinite"):
        score_edges(predicted, measured)


def test_unusable_measured_edges_raise(connectomes):
    predicted, measured = connectomes
    with pytest.raises(ValueError, match="measured edges contain NaN"):
        score_edges(predicted, np.full_like(measured, np.nan))
    with pytest.raises(ValueError, match=r"shape \(12, 12\), measured \(11, 11\)"):
        score_edges(predicted, measured[1:, 1:])
    with pytest.raises(ValueError, match="2 regions have 1 edges"):
        score_edges(predicted[:2, :2], measured[:2, :2])


def test_asymmetric_prediction_is_our_mistake(connectomes):
    predicted, measured = connectomes
    predicted[0, 1] += 0.01
    with pytest.raises(AssertionError, match="predicted is asymmetric by"):
        score_edges(predicted, measured)
