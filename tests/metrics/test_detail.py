"""Detailed scores equal direct loops; what cannot be asked is NaN and says why."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from gx2c.metrics import (
    BINARY_METRICS,
    DetailedScores,
    average_details,
    is_binary,
    score_edges,
    score_in_detail,
)
from gx2c.metrics.detail import MATRIX_METRICS

N = 60
NETWORKS = ("Vis", "Cont", "Default")


def symmetric(seed, n_regions=N):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n_regions, n_regions))
    return (matrix + matrix.T) / 2


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(7)
    hemisphere = rng.integers(0, 2, N)
    coords_mm = rng.uniform([5, -100, -40], [70, 70, 70], (N, 3))
    # some regions lie across the midline: their hemisphere decides, not the sign of x
    coords_mm[:, 0] *= np.where(rng.random(N) < 0.1, -1, 1) * np.where(hemisphere, 1, -1)
    measured = symmetric(0)
    return {
        "predicted": 0.6 * measured + symmetric(1),
        "measured": measured,
        "coords_mm": coords_mm,
        "hemisphere": hemisphere,
        "network": tuple(rng.choice(NETWORKS, N)),
        "geography": 0.4 * measured + symmetric(2),
        "holdout": 0.8 * measured + 0.4 * symmetric(3),
    }


def score(case, **changes):
    arguments = case | changes
    return score_in_detail(arguments.pop("predicted"), arguments.pop("measured"), **arguments)


def loop_r(case, keep, predicted="predicted", measured="measured", pairs=None):
    pairs = combinations(range(len(case["measured"])), 2) if pairs is None else pairs
    chosen = [(i, j) for i, j in pairs if keep(i, j)]
    values = [[case[name][i, j] for i, j in chosen] for name in (predicted, measured)]
    return stats.pearsonr(*values).statistic, len(chosen)


def rules(case):
    """Write every group of edges anew, pair by pair."""
    xyz, side, net, fc = (case[k] for k in ("coords_mm", "hemisphere", "network", "measured"))

    def length(i, j):
        return math.dist(xyz[i], xyz[j])

    found = {
        "short_r": lambda i, j: length(i, j) <= 175 / 3,
        "mid_r": lambda i, j: 175 / 3 < length(i, j) <= 350 / 3,
        "long_r": lambda i, j: length(i, j) > 350 / 3,
        "strong_negative_r": lambda i, j: fc[i, j] < -0.3,
        "weak_r": lambda i, j: -0.3 <= fc[i, j] <= 0.3,
        "strong_positive_r": lambda i, j: fc[i, j] > 0.3,
        "left_r": lambda i, j: side[i] == side[j] == 0,
        "right_r": lambda i, j: side[i] == side[j] == 1,
        "inter_hemisphere_r": lambda i, j: side[i] != side[j],
    }
    for name in NETWORKS:
        found[f"intra_network_{name}_r"] = lambda i, j, name=name: net[i] == net[j] == name
        found[f"inter_network_{name}_r"] = lambda i, j, name=name: (
            (net[i] == name) != (net[j] == name)
        )
    return found


def test_groups_of_edges_equal_direct_loops(case):
    scores = score(case)
    groups = rules(case)
    assert set(groups) <= set(scores.values)
    for name, keep in groups.items():
        expected, n_edges = loop_r(case, keep)
        assert scores.n_edges[name] == n_edges, name
        assert scores.values[name] == pytest.approx(expected, rel=1e-10), name


def test_block_pair_edges_equal_direct_loops(case):
    first, second = np.triu_indices(N, 1)
    between = (first < 20) != (second < 20)
    edges = first[between], second[between]
    scores = score(case, edges=edges)
    pairs = [(i, j) for i, j in combinations(range(N), 2) if (i < 20) != (j < 20)]
    for name, keep in rules(case).items():
        expected, n_edges = loop_r(case, keep, pairs=pairs)
        assert scores.n_edges[name] == n_edges, name
        assert scores.values[name] == pytest.approx(expected, rel=1e-10), name
    assert "geodesic_distance" not in scores.values
    basic = score_edges(case["predicted"], case["measured"], edges=edges)
    assert basic["pearson_r"] == pytest.approx(
        loop_r(case, lambda i, j: True, pairs=pairs)[0], rel=1e-10
    )


def test_bands_are_whole(case):
    n_edges = score(case).n_edges
    for names in (
        ("short_r", "mid_r", "long_r"),
        ("strong_negative_r", "weak_r", "strong_positive_r"),
        ("left_r", "right_r", "inter_hemisphere_r"),
    ):
        assert sum(n_edges[name] for name in names) == N * (N - 1) // 2


def test_holdout_scores(case):
    values = score(case).values
    everything = lambda i, j: True  # noqa: E731
    assert values["noise_ceiling_r"] == pytest.approx(
        loop_r(case, everything, "measured", "holdout")[0], rel=1e-10
    )
    assert values["holdout_r"] == pytest.approx(
        loop_r(case, everything, "predicted", "holdout")[0], rel=1e-10
    )
    without = score(case, holdout=None, geography=None).values
    assert {"noise_ceiling_r", "holdout_r", "partial_r_given_geography"} == set(values) - set(
        without
    )


def test_order_of_regions_does_not_matter(case):
    order = np.random.default_rng(0).permutation(N)
    moved = {
        name: tuple(value[i] for i in order)
        if name == "network"
        else value[np.ix_(order, order)]
        if value.shape == (N, N)
        else value[order]
        for name, value in case.items()
    }
    scores, again = score(case), score(moved)
    assert set(scores.values) == set(again.values)
    for name, value in scores.values.items():
        assert again.values[name] == pytest.approx(value, rel=1e-9), name


def test_too_few_edges_are_nan_with_a_reason(case):
    small = {name: value[:9] for name, value in case.items()}
    for name in ("predicted", "measured", "geography", "holdout"):
        small[name] = case[name][:9, :9]
    scores = score(small)
    assert math.isnan(scores.values["short_r"]) and "short_r" in scores.not_asked
    assert scores.reasons["short_r"] == f"{scores.n_edges['short_r']} edges; at least 51 are needed"
    assert scores.reasons["top_tenth_precision"] == "36 edges; at least 51 are needed"
    assert "at least 10 are needed" in scores.reasons["intra_network_Vis_r"]
    assert math.isfinite(scores.values["holdout_r"])


def test_every_nan_has_a_reason_and_no_other_score(case):
    for changes in (
        {},
        {"predicted": np.full((N, N), 0.2)},
        {"network": ("Vis",) * N},
        {"measured": (case["measured"] > 0).astype(float)},
        {"predicted": case["geography"]},
    ):
        scores = score(case, **changes)
        undefined = {name for name, value in scores.values.items() if math.isnan(value)}
        assert undefined == set(scores.reasons) and scores.not_asked <= undefined
        assert all(scores.reasons.values())
        assert set(scores.n_edges) == set(scores.values)


def test_a_constant_prediction_is_the_predictions_fault(case):
    scores = score(case, predicted=np.full((N, N), 0.2))
    assert scores.reasons["short_r"] == "the prediction is constant over these edges"
    assert "short_r" not in scores.not_asked
    assert scores.values["top_tenth_precision"] == pytest.approx(0.1)


def test_geography_adds_nothing_to_itself(case):
    scores = score(case, predicted=case["geography"])
    assert "has no residual" in scores.reasons["partial_r_given_geography"]


def test_binary_connectomes_are_classified(case):
    measured = (case["measured"] > 0.4).astype(float)
    predicted = 0.5 + 0.5 * case["predicted"] / np.abs(case["predicted"]).max()
    scores = score(case, measured=measured, predicted=predicted).values
    edges = np.triu_indices(N, 1)
    truth, raw = measured[edges], predicted[edges]
    called = raw > 0.5
    expected = {
        "accuracy": accuracy_score(truth, called),
        "precision": precision_score(truth, called),
        "recall": recall_score(truth, called),
        "f1": f1_score(truth, called),
        "auc": roc_auc_score(truth, raw),
    }
    assert {name: scores[name] for name in BINARY_METRICS} == pytest.approx(expected, rel=1e-12)
    assert is_binary(measured) and not is_binary(case["measured"])
    assert not set(BINARY_METRICS) & set(score(case).values)


def test_classification_shifts_and_scales_with_the_two_values(case):
    measured = (case["measured"] > 0.4).astype(float)
    scores = score(case, measured=measured)
    moved = score(case, measured=3 * measured - 1, predicted=3 * case["predicted"] - 1)
    for name in BINARY_METRICS:
        assert moved.values[name] == pytest.approx(scores.values[name])


def test_one_class_in_the_test_set_cannot_be_asked(case):
    scores = score(case, measured=np.ones((N, N)), binary=True)
    assert set(BINARY_METRICS) <= scores.not_asked
    never = score(case, measured=(case["measured"] > 0.4).astype(float), predicted=np.zeros((N, N)))
    assert never.reasons["precision"] == "no edge is predicted to be present"
    assert never.values["recall"] == 0 == never.values["f1"] and never.values["auc"] == 0.5


def test_averages_leave_out_what_could_not_be_asked():
    nan = float("nan")
    folds = [
        DetailedScores({"short_r": 0.5, "left_r": 0.2, "a_r": nan}, {}, {}, set({"a_r"})),
        DetailedScores({"short_r": nan, "left_r": nan}, {}, {}, set({"short_r"})),
        DetailedScores({"short_r": 0.7, "left_r": 0.4}, {}, {}, set()),
    ]
    averages = average_details(folds)
    assert averages["short_r"]["mean"] == pytest.approx(0.6) and averages["short_r"]["n"] == 2
    # a failed prediction is not left out
    assert math.isnan(averages["left_r"]["mean"]) and averages["left_r"]["n"] == 3
    assert math.isnan(averages["a_r"]["mean"]) and averages["a_r"]["n"] == 0


def test_directions(case):
    better = score(case, predicted=0.95 * case["measured"]).values
    worse = score(case).values
    assert not MATRIX_METRICS["geodesic_distance"].larger_is_better
    for name in ("geodesic_distance", "short_r", "top_tenth_precision", "holdout_r"):
        assert (better[name] < worse[name]) == (name in MATRIX_METRICS), name


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_diverged_prediction_raises(case, bad):
    predicted = case["predicted"].copy()
    predicted[2, 5] = predicted[5, 2] = bad
    with pytest.raises(FloatingPointError, match="1 predicted edges"):
        score(case, predicted=predicted)


def test_diagonals_are_never_read(case):
    spoiled = {
        name: np.where(np.eye(N, dtype=bool), 77.0, value)
        if getattr(value, "shape", None) == (N, N)
        else value
        for name, value in case.items()
    }
    assert score(spoiled).values == pytest.approx(score(case).values)
