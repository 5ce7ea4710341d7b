from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gx2c.data import make_synthetic_brain
from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.models.trees import boosted as trees_module
from gx2c.models.trees.boosted import PairTrees

TRAIN, TEST = np.arange(0, 30, 2), np.arange(1, 30, 2)


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=30, n_genes=25, seed=0)


def test_predictions_are_those_of_trees_on_both_orders_of_a_pair(brain):
    xgboost = pytest.importorskip("xgboost")
    model = PairTrees(n_components=4, n_trees=20, row_share=1.0, column_share=1.0)
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    pca = PCA(4).fit(brain.expression[TRAIN])
    train, test = (pca.transform(brain.expression[rows]) for rows in (TRAIN, TEST))
    # the sign of a component is free
    train, test = (
        s * np.sign((train * model._reduction.transform(brain.expression[TRAIN])).sum(0))
        for s in (train, test)
    )
    pairs = [(i, j) for i in range(15) for j in range(15) if i != j]
    rows = np.array([np.concatenate([train[i], train[j]]) for i, j in pairs], dtype=np.float32)
    block = brain.connectome_block(TRAIN)
    reference = xgboost.XGBRegressor(**model.settings)
    reference.fit(rows, np.array([block[i, j] for i, j in pairs]))
    shown = np.array([np.concatenate([test[i], test[j]]) for i, j in [(2, 9), (9, 2)]])
    expected = reference.predict(shown.astype(np.float32)).mean()
    predicted = model.predict(brain.regions(TEST))
    assert predicted[2, 9] == pytest.approx(expected, abs=1e-3)


def test_predicting_in_chunks_changes_nothing(brain, monkeypatch):
    pytest.importorskip("xgboost")
    model = PairTrees(n_components=4, n_trees=10)
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    whole = model.predict(brain.regions(TEST))
    monkeypatch.setattr(trees_module, "MAX_PAIRS_AT_ONCE", 31)
    np.testing.assert_array_equal(model.predict(brain.regions(TEST)), whole)


def test_finds_what_is_planted():
    pytest.importorskip("xgboost")
    brain = make_synthetic_brain(
        n_regions=80, n_genes=40, seed=0, geography_weight=0, symmetric=False, n_latents=3
    )
    train, test = np.arange(0, 80, 2), np.arange(1, 80, 2)
    edges = np.triu_indices(40, 1)

    def held_out_r(expression):
        model = PairTrees(n_components=4, n_trees=80)
        show = [
            Regions(expression[r], brain.coords_mm[r], brain.hemisphere[r]) for r in (train, test)
        ]
        model.fit(show[0], brain.connectome_block(train))
        return np.corrcoef(model.predict(show[1])[edges], brain.connectome_block(test)[edges])[0, 1]

    assert held_out_r(brain.expression) > 0.5
    shuffled = np.random.default_rng(0).permutation(brain.expression)
    assert abs(held_out_r(shuffled)) < 0.25


def test_without_the_package_one_sentence_says_what_to_install(brain, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    model = MODELS["xgboost"].build(**MODELS["xgboost"].defaults)
    with pytest.raises(UserError, match=r"pip install 'gx2c\[trees\]'"):
        model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
