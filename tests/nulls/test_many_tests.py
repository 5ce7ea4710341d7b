from __future__ import annotations

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.nulls import fdr_p_values, holm_p_values, max_t_p_values, sequential_p_value, spin_p_value


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_max_t_of_one_statistic_is_its_own_p(rng):
    nulls = rng.normal(size=200)
    expected = spin_p_value(1.2, nulls)
    assert max_t_p_values(np.array([1.2]), nulls[:, None])[0] == pytest.approx(expected)


def test_max_t_never_falls_below_a_single_p_and_copies_cost_nothing(rng):
    nulls, observed = rng.normal(size=(300, 4)), np.array([2.5, 1.0, 3.0, 0.0])
    single = [spin_p_value(o, n) for o, n in zip(observed, nulls.T, strict=True)]
    assert (max_t_p_values(observed, nulls) >= single).all()
    copies = np.repeat(nulls[:, :1], 4, axis=1)
    np.testing.assert_allclose(max_t_p_values(np.full(4, 2.5), copies), single[0])


def test_max_t_keeps_the_chance_of_any_false_positive(rng):
    smallest = [
        max_t_p_values(rng.normal(size=6), rng.normal(size=(99, 6))).min() for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(smallest) <= 0.05) < 0.085


def test_max_t_does_not_depend_on_units(rng):
    nulls, observed, units = rng.normal(size=(50, 3)), np.array([1.0, 2.0, 0.5]), [1, 1e-4, 1e5]
    expected = max_t_p_values(observed, nulls)
    np.testing.assert_array_equal(max_t_p_values(observed * units, nulls * units), expected)


def test_max_t_refuses_other_shapes():
    with pytest.raises(UserError, match="2 statistics need"):
        max_t_p_values(np.zeros(2), np.zeros((5, 3)))


def test_false_discovery_rate_by_hand():
    np.testing.assert_allclose(fdr_p_values(np.array([0.01, 0.04, 0.03])), [0.03, 0.04, 0.04])


def test_holm_by_hand():
    np.testing.assert_allclose(holm_p_values(np.array([0.01, 1, 0.02])), [0.03, 1, 0.04])


def test_a_sequential_p_value_stops_where_enough_were_as_good():
    nulls = np.array([0.0, 5.0, 0.0, 5.0, 0.0, 0.0, 5.0])
    assert sequential_p_value(1.0, nulls, stop_after=2) == (2 / 4, 4, True)
    assert sequential_p_value(1.0, nulls, stop_after=4) == (4 / 8, 7, False)


def test_a_sequential_p_value_is_valid(rng):
    p = [
        sequential_p_value(rng.normal(), rng.normal(size=99), stop_after=5).p_value
        for _ in range(600)
    ]
    assert np.mean(np.array(p) <= 0.1) < 0.14


def test_a_test_that_never_counts_is_refused():
    with pytest.raises(UserError, match="at least 1"):
        sequential_p_value(1.0, np.zeros(3), stop_after=0)
