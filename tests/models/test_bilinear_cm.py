from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gx2c.data import make_synthetic_brain
from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.bilinear_cm import BilinearClosedForm, RegionSmoother
from gx2c.models.reduction import fit_pls

TRAIN, TEST = np.arange(0, 30, 2), np.arange(1, 30, 2)


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=30, n_genes=20, seed=0)


def fitted(brain, **keywords):
    model = BilinearClosedForm(**keywords)
    model.fit(brain.regions(TRAIN), brain.connectome_block(TRAIN))
    return model


def explicit(features, connectome, others, ridge):
    """As published: O = A^-1 X^T Y X A^-1 with the G x G inverse, Y with a diagonal of zeros."""
    observed = connectome - np.diag(np.diagonal(connectome))
    inverse = np.linalg.inv(features.T @ features + ridge * np.eye(features.shape[1]))
    form = inverse @ features.T @ observed @ features @ inverse
    intercept = (observed - features @ form @ features.T).mean()
    return others @ form @ others.T + intercept


def features_by_hand(brain, features):
    train, test = brain.expression[TRAIN], brain.expression[TEST]
    if features == "z_scored":
        return (train - train.mean(0)) / train.std(0), (test - train.mean(0)) / train.std(0)
    if features == "pca":
        pca = PCA(6).fit(train)
        return pca.transform(train), pca.transform(test)
    if features == "pls":
        pls = fit_pls(train, brain.connectome_block(TRAIN), n_components=6)
        return pls.transform(train), pls.transform(test)
    return train, test


@pytest.mark.parametrize("ridge", [1e-2, 1.0, 1e3])
@pytest.mark.parametrize("features", ["raw", "z_scored", "pca", "pls"])
def test_the_dual_equals_the_published_closed_form(brain, features, ridge):
    model = fitted(brain, features=features, n_components=6, ridge=ridge)
    train, test = features_by_hand(brain, features)
    expected = explicit(train, brain.connectome_block(TRAIN), test, ridge)
    np.testing.assert_allclose(model.predict(brain.regions(TEST)), expected, atol=1e-8)


def test_planted_form_is_recovered():
    rng = np.random.default_rng(0)
    expression, form = rng.normal(size=(40, 5)), rng.normal(size=(5, 5))
    connectome = expression @ (form + form.T) @ expression.T
    show = lambda rows: Regions(expression[rows], np.zeros((20, 3)), np.zeros(20, int))  # noqa: E731
    model = BilinearClosedForm(diagonal="impute", ridge=1e-8)
    model.fit(show(slice(20)), connectome[:20, :20])
    np.testing.assert_allclose(model.predict(show(slice(20, 40))), connectome[20:, 20:], atol=1e-4)


@pytest.mark.parametrize("ridge", [0.1, 10.0])
def test_an_imputed_diagonal_is_its_own_prediction(brain, ridge):
    model = fitted(brain, features="z_scored", ridge=ridge, diagonal="impute")
    train, test = features_by_hand(brain, "z_scored")
    completed = brain.connectome_block(TRAIN).copy()
    np.fill_diagonal(completed, np.diagonal(model.predict(brain.regions(TRAIN))))
    inverse = np.linalg.inv(train.T @ train + ridge * np.eye(20))
    form = inverse @ train.T @ completed @ train @ inverse
    left = completed - train @ form @ train.T
    intercept = left[~np.eye(15, dtype=bool)].mean()
    expected = test @ form @ test.T + intercept
    np.testing.assert_allclose(model.predict(brain.regions(TEST)), expected, atol=1e-8)


def test_imputing_an_interpolating_fit_stays_finite(brain):
    expression = np.hstack([brain.expression] * 3)
    regions = Regions(expression[TRAIN], brain.coords_mm[TRAIN], brain.hemisphere[TRAIN])
    model = BilinearClosedForm(ridge=1e-12, diagonal="impute")
    model.fit(regions, brain.connectome_block(TRAIN))
    assert np.isfinite(model.predict(regions)).all()


@pytest.mark.parametrize("ridge", [0.01, 1.0, 100.0])
def test_gcv_is_that_of_the_n2_x_n2_smoother(brain, ridge):
    features = brain.expression[TRAIN]
    observed = brain.connectome_block(TRAIN) - np.eye(15)
    smoother = features @ np.linalg.inv(features.T @ features + ridge * np.eye(20)) @ features.T
    both = np.kron(smoother, smoother)
    left = observed.ravel() - both @ observed.ravel()
    left -= left.mean()
    expected = np.mean(left**2) / (1 - np.trace(both) / 15**2) ** 2
    found = RegionSmoother(features @ features.T, observed, impute_diagonal=False).gcv(ridge)
    assert found == pytest.approx(expected, rel=1e-6)


def test_gcv_chooses_a_ridge_that_generalises():
    """Few regions, many genes that say nothing: without a ridge the form fits noise."""
    rng = np.random.default_rng(1)
    expression = rng.normal(size=(80, 60))
    signal = expression[:, :2] @ np.array([[1.0, 0.5], [0.5, -1.0]]) @ expression[:, :2].T
    noise = rng.normal(scale=1.5, size=(80, 80))
    connectome = signal + (noise + noise.T) / 2
    show = lambda rows: Regions(expression[rows], np.zeros((40, 3)), np.zeros(40, int))  # noqa: E731

    def held_out_error(**keywords):
        model = BilinearClosedForm(**keywords)
        model.fit(show(slice(40)), connectome[:40, :40])
        predicted = model.predict(show(slice(40, 80)))
        edges = np.triu_indices(40, 1)
        return np.square(predicted - connectome[40:, 40:])[edges].mean()

    errors = [held_out_error(ridge=10.0**k) for k in range(-3, 5)]
    assert held_out_error(ridge_rule="gcv") < 1.2 * min(errors) < 0.6 * max(errors)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"features": "ica"}, "features is 'ica'"),
        ({"ridge_rule": "aic"}, "ridge_rule is 'aic'"),
        ({"diagonal": "one"}, "diagonal is 'one'"),
        ({"ridge": 0.0}, "ridge is 0.0"),
        ({"n_components": 0}, "n_components is 0"),
    ],
)
def test_impossible_keywords_are_refused(keywords, message):
    with pytest.raises(UserError, match=message):
        BilinearClosedForm(**keywords)
