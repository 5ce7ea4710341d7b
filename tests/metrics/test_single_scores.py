"""Geodesic distance, partial correlation and top edges against their definitions."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LinearRegression

from gx2c.metrics import geodesic_distance, partial_r, top_edge_precision
from gx2c.metrics.geodesic import EIGENVALUE_FLOOR, nearest_shrunk, spd_distance

SEEDS = st.integers(0, 10_000)


def symmetric(seed, n_regions=8, scale=1.0):
    matrix = scale * np.random.default_rng(seed).normal(size=(n_regions, n_regions))
    return (matrix + matrix.T) / 2


def positive_definite(seed, n_regions=6):
    rows = np.random.default_rng(seed).normal(size=(n_regions, 2 * n_regions))
    return rows @ rows.T / n_regions


@given(SEEDS)
@settings(max_examples=20)
def test_distance_equals_its_definition(seed):
    first, second = positive_definite(seed), positive_definite(seed + 1)
    # the norm of log(second^-1/2 first second^-1/2), one eigenvalue after the other
    values, vectors = np.linalg.eigh(second)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    total = 0.0
    for ratio in np.linalg.eigvals(root @ first @ root):
        total += math.log(ratio.real) ** 2
    expected = math.sqrt(total)
    assert spd_distance(first, second) == pytest.approx(expected, rel=1e-7)


@given(SEEDS)
@settings(max_examples=20)
def test_distance_is_a_metric_and_affine_invariant(seed):
    a, b, c = (positive_definite(seed + k) for k in range(3))
    mixing = np.random.default_rng(seed).normal(size=a.shape) + 3 * np.eye(len(a))
    assert spd_distance(a, a) == pytest.approx(0, abs=1e-7)
    assert spd_distance(a, b) == pytest.approx(spd_distance(b, a))
    assert spd_distance(a, c) <= spd_distance(a, b) + spd_distance(b, c) + 1e-9
    moved = [mixing @ matrix @ mixing.T for matrix in (a, b)]
    assert spd_distance(*moved) == pytest.approx(spd_distance(a, b), rel=1e-6)


# squares of the second are zero
@example(0, 0.0, 8)
@example(0, 2e-157, 2)
@given(SEEDS, st.floats(0, 30), st.integers(2, 20))
@settings(max_examples=40)
def test_any_prediction_becomes_a_correlation_matrix(seed, scale, n_regions):
    matrix = symmetric(seed, n_regions, scale)
    shrunk = nearest_shrunk(matrix)
    np.testing.assert_array_equal(np.diagonal(shrunk), 1.0)
    assert np.linalg.eigvalsh(shrunk)[0] >= EIGENVALUE_FLOOR - 1e-9
    off = ~np.eye(n_regions, dtype=bool)
    # shrunk by one factor, and only as far as the floor needs
    largest = np.abs(matrix[off]).max() or 1.0
    shape, found = matrix[off] / largest, shrunk[off] / largest
    factor = shape @ found / max(shape @ shape, 1.0)
    np.testing.assert_allclose(found, factor * shape, atol=1e-9)
    assert factor <= 1 + 1e-9
    if 0 < factor < 1 - 1e-9:
        assert np.linalg.eigvalsh(shrunk)[0] == pytest.approx(EIGENVALUE_FLOOR, abs=1e-9)


def test_a_correlation_matrix_stays_as_it_is():
    matrix = np.corrcoef(np.random.default_rng(0).normal(size=(8, 100)))
    np.testing.assert_allclose(nearest_shrunk(matrix), matrix, atol=1e-15)


@given(SEEDS, st.floats(0.01, 10))
@settings(max_examples=20)
def test_geodesic_distance_is_defined_for_any_prediction(seed, scale):
    measured = np.corrcoef(np.random.default_rng(seed).normal(size=(8, 20)))
    predicted = symmetric(seed, 8, scale)
    np.fill_diagonal(predicted, np.nan)
    distance = geodesic_distance(predicted, measured)
    assert math.isfinite(distance) and distance > 0
    assert geodesic_distance(measured, measured) == pytest.approx(0, abs=1e-7)
    assert distance == pytest.approx(geodesic_distance(measured, predicted))
    # half way to the truth is nearer
    zeroed = np.nan_to_num(predicted)
    assert geodesic_distance(0.05 * zeroed / scale + 0.95 * measured, measured) < distance + 1e-9


@given(SEEDS)
@settings(max_examples=20)
def test_partial_r_is_the_correlation_of_residuals(seed):
    rng = np.random.default_rng(seed)
    given_values = rng.normal(size=40)
    predicted, measured = rng.normal(size=(2, 40)) + rng.normal(size=(2, 1)) * given_values
    rests = [
        values
        - LinearRegression().fit(given_values[:, None], values).predict(given_values[:, None])
        for values in (predicted, measured)
    ]
    expected = np.corrcoef(*rests)[0, 1]
    assert partial_r(predicted, measured, given_values) == pytest.approx(expected, rel=1e-9)
    r, a, b = (
        np.corrcoef(x, y)[0, 1]
        for x, y in ((predicted, measured), (predicted, given_values), (measured, given_values))
    )
    formula = (r - a * b) / math.sqrt((1 - a**2) * (1 - b**2))
    assert partial_r(predicted, measured, given_values) == pytest.approx(formula, rel=1e-9)


def test_partial_r_finds_what_was_planted_beside_geography():
    rng = np.random.default_rng(1)
    geography, biology, noise = rng.normal(size=(3, 5000))
    measured = geography + 0.5 * biology
    assert partial_r(geography + 0.5 * biology, measured, geography) == pytest.approx(1)
    assert abs(partial_r(geography + noise, measured, geography)) < 0.05
    assert partial_r(biology, measured, geography) > 0.99


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_partial_r_of_a_rescaled_baseline_is_undefined(dtype):
    geography = np.random.default_rng(1).normal(size=200)
    measured = geography + np.random.default_rng(2).normal(size=200)
    assert math.isnan(partial_r((3 * geography - 1).astype(dtype), measured, geography))
    assert math.isnan(partial_r(np.full(200, 0.1, dtype), measured, geography))


def test_a_constant_baseline_takes_nothing_away():
    predicted, measured = np.random.default_rng(0).normal(size=(2, 50))
    expected = np.corrcoef(predicted, measured)[0, 1]
    assert partial_r(predicted, measured, np.full(50, 0.3)) == pytest.approx(expected)


@given(
    arrays(float, 6, elements=st.integers(0, 3).map(float)),
    arrays(float, 6, elements=st.integers(0, 3).map(float)),
    st.integers(1, 6),
)
@settings(max_examples=8)
def test_precision_is_the_mean_over_ways_to_break_ties(predicted, measured, k):
    def tops(values):
        """Every set of k strongest edges, each way to order ties counted once."""
        rank = [sorted(order, key=lambda i: -values[i])[:k] for order in permutations(range(6))]
        return np.mean([np.isin(np.arange(6), top) for top in rank], axis=0)

    expected = tops(predicted) @ tops(measured) / k
    assert top_edge_precision(predicted, measured, k=k) == pytest.approx(expected)


def test_precision_counts_the_strongest():
    measured = np.arange(20.0)
    predicted = measured.copy()
    predicted[[0, 19]] = predicted[[19, 0]]
    assert top_edge_precision(measured, measured, k=5) == 1
    assert top_edge_precision(predicted, measured, k=5) == pytest.approx(0.8)
    assert top_edge_precision(-measured, measured, k=5) == 0
