"""Weights of several models in a mean."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gx2c.errors import UserError
from gx2c.fit.stacking import EQUAL, RULES, SHRINKAGE, learn_weights


def planted(shares, *, noise=0.0, level=0.0, seed=0):
    """Models by inner fold, and a target that is their mean with known shares."""
    rng = np.random.default_rng(seed)
    models = [[rng.standard_normal(200) for _ in range(2)] for _ in shares]
    target = [
        sum(s * model[k] for s, model in zip(shares, models, strict=True))
        + noise * rng.standard_normal(200)
        + level * k
        for k in range(2)
    ]
    return models, target


def unshrunk(weights):
    """Undo the shrinkage: what the rule itself found."""
    return (np.array(weights) - SHRINKAGE / len(weights)) / (1 - SHRINKAGE)


@pytest.mark.parametrize("rule", sorted(set(RULES) - {EQUAL}))
def test_planted_shares_are_found_whatever_the_level_of_a_fold(rule):
    shares = [0.6, 0.3, 0.0, 0.1]
    models, target = planted(shares, level=5.0)
    weights = learn_weights(rule, models, target)
    assert sum(weights) == pytest.approx(1)
    np.testing.assert_allclose(unshrunk(weights), shares, atol=1 / 30)


def test_least_squares_are_those_of_a_search_over_all_shares():
    models, target = planted([0.7, 0.2, -0.4], noise=0.5, seed=2)
    table = np.stack([np.concatenate([f - f.mean() for f in model]) for model in models])
    wanted = np.concatenate([f - f.mean() for f in target])
    grid = np.linspace(0, 1.2, 61)
    best = min(itertools.product(grid, repeat=3), key=lambda w: ((w @ table - wanted) ** 2).sum())
    expected = np.array(best) / np.sum(best)
    np.testing.assert_allclose(unshrunk(learn_weights("nnls", models, target)), expected, atol=0.02)


def test_the_mean_needs_no_target_and_models_against_it_get_no_share():
    models, target = planted([0.5, 0.5])
    assert learn_weights(EQUAL, models, target) == [0.5, 0.5]
    against = [-one for one in target]
    assert learn_weights("nnls", [against, against], target) == [0.5, 0.5]


def test_a_model_that_diverged_is_refused():
    models, target = planted([0.5, 0.5])
    models[1][0][3] = np.nan
    with pytest.raises(UserError, match="give --weights mean"):
        learn_weights("nnls", models, target)
