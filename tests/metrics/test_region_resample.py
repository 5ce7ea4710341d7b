from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.metrics import gain_interval


def folds(seed, *, noise, n_folds=3, n=24):
    rng = np.random.default_rng(seed)

    def symmetric():
        matrix = rng.normal(size=(n, n))
        return matrix + matrix.T

    measured = [symmetric() for _ in range(n_folds)]
    return [m + noise * symmetric() for m in measured], measured


def test_a_better_model_gains_and_an_equal_one_does_not():
    good, measured = folds(0, noise=0.5)
    rng = np.random.default_rng(1)
    poor = [m + 2.0 * (lambda e: e + e.T)(rng.normal(size=m.shape)) for m in measured]
    found = gain_interval(good, poor, measured, seed=0)
    assert 0.2 < found.low < found.high < 0.8
    assert gain_interval(good, good, measured, seed=0)[:2] == (0.0, 0.0)


def test_the_interval_holds_the_gain_and_the_diagonal_is_never_read():
    good, measured = folds(2, noise=1.0)
    other, _ = folds(3, noise=1.0)
    edges = np.triu_indices(24, 1)
    gain = np.mean(
        [
            np.corrcoef(g[edges], m[edges])[0, 1] - np.corrcoef(o[edges], m[edges])[0, 1]
            for g, o, m in zip(good, other, measured, strict=True)
        ]
    )
    found = gain_interval(good, other, measured, seed=0)
    assert found.low < gain < found.high
    for matrix in (*good, *other, *measured):
        np.fill_diagonal(matrix, np.nan)
    assert gain_interval(good, other, measured, seed=0) == found


def test_folds_must_match():
    good, measured = folds(0, noise=0.5)
    with pytest.raises(UserError, match="same folds"):
        gain_interval(good[:2], good, measured, seed=0)


def test_regions_are_drawn_once_for_all_seeds():
    """Folds of a second seed that repeat those of the first tell nothing new."""
    good, measured = folds(4, noise=1.0, n_folds=2)
    other, _ = folds(5, noise=1.0, n_folds=2)
    places = [np.arange(24), np.arange(24, 48)]
    once = gain_interval(good, other, measured, seed=0, regions=places)
    twice = gain_interval(good * 2, other * 2, measured * 2, seed=0, regions=places * 2)
    assert twice[:2] == pytest.approx(once[:2])
    apart = gain_interval(good, other, measured, seed=0)
    assert once.high - once.low == pytest.approx(apart.high - apart.low, rel=0.2)


def test_only_the_edges_that_count_are_read():
    good, measured = folds(6, noise=1.0, n_folds=1)
    other, _ = folds(7, noise=1.0, n_folds=1)
    edges = [(np.repeat(np.arange(12), 12), np.tile(np.arange(12, 24), 12))]
    found = gain_interval(good, other, measured, seed=0, edges=edges)
    for matrix in (*good, *other, *measured):
        matrix[:12, :12] = matrix[12:, 12:] = 9.0
    assert gain_interval(good, other, measured, seed=0, edges=edges) == found


def test_a_fold_without_edges_in_a_resample_is_left_out_of_it():
    good, measured = folds(8, noise=0.5, n_folds=2, n=3)
    found = gain_interval(good, [-m for m in good], measured, seed=0)
    assert np.isfinite(found[:2]).all()
