from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.fit import FitConfig, TrainingSet
from gx2c.fit.retrain import fit_predict_closed_form
from gx2c.models.closed_form.pls_twostep import PublishedTwoStepPLS, TwoStepPLS
from gx2c.models.reduction import connectivity_profiles
from gx2c.splits import Fold

TRAIN, TEST = np.arange(0, 40, 2), np.arange(1, 40, 2)


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=40, n_genes=60, seed=0, symmetric=False)


def scikit_learn(n_components, x, y):
    return PLSRegression(n_components, scale=True, max_iter=5000, tol=1e-13).fit(x, y)


def test_the_published_form_is_two_pls_regressions(brain):
    profiles = connectivity_profiles(brain.connectome_block(TRAIN))
    edges = brain.connectome[np.ix_(TRAIN, TEST)]
    first = scikit_learn(6, brain.expression[TRAIN], profiles)
    second = scikit_learn(4, profiles, edges)
    directed = second.predict(first.predict(brain.expression[TEST]))
    model = PublishedTwoStepPLS(n_components_l=6, n_components_k=4)
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    model.see_edges(edges)
    predicted = model.predict(brain.regions(TEST))
    np.testing.assert_allclose(predicted, (directed + directed.T) / 2, atol=1e-4)


def test_the_other_form_regresses_predicted_profiles_on_components_of_measured_ones(brain):
    profiles = connectivity_profiles(brain.connectome_block(TRAIN))
    first = scikit_learn(6, brain.expression[TRAIN], profiles)
    components = scikit_learn(4, profiles, profiles)
    shown = first.predict(brain.expression[TEST])
    basis = np.column_stack([np.ones(20), components.transform(profiles)])
    slopes = np.linalg.lstsq(basis, shown.T, rcond=None)[0]
    directed = np.column_stack([np.ones(20), components.transform(shown)]) @ slopes
    model = TwoStepPLS(n_components_l=6, n_components_k=4)
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    predicted = model.predict(brain.regions(TEST))
    np.testing.assert_allclose(predicted, (directed + directed.T) / 2, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "sees"), [("pls_twostep", False), ("pls_twostep_published", True)]
)
def test_only_the_published_form_learns_from_edges_of_test_regions(brain, name, sees):
    config = FitConfig(name, {"n_components_l": 6, "n_components_k": 4})
    assert ("train x test edges" in config.uses) is sees
    garbage = brain.connectome.copy()
    garbage[np.ix_(TRAIN, TEST)] = np.random.default_rng(0).uniform(-1, 1, (20, 20))
    garbage[np.ix_(TEST, TRAIN)] = garbage[np.ix_(TRAIN, TEST)].T
    predictions = [
        fit_predict_closed_form(config, b, Fold(TRAIN, TEST))
        for b in (brain, replace(brain, connectome=garbage))
    ]
    assert np.array_equal(*predictions) is not sees


def test_no_other_model_is_given_edges_of_test_regions(brain):
    training = TrainingSet.cut(brain, TRAIN, FitConfig("cge").genes)
    assert training.train_test_edges is None


def test_regions_without_seen_edges_are_refused(brain):
    model = PublishedTwoStepPLS()
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    model.see_edges(brain.connectome[np.ix_(TRAIN, TEST)])
    with pytest.raises(UserError, match="has edges of 20 regions and cannot predict 3"):
        model.predict(brain.regions(TEST[:3]))


@pytest.mark.parametrize("name", ["n_components_l", "n_components_k"])
def test_no_components_are_refused(name):
    with pytest.raises(UserError, match=f"{name} is 0"):
        TwoStepPLS(**{name: 0})
