from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.models.reduction import (
    REDUCTIONS,
    connectivity_profiles,
    fit_pca,
    fit_pls,
    fit_reduction,
    most_components,
)


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=40, n_genes=150, seed=0)


@pytest.fixture(scope="module")
def data(brain):
    """Training expression and connectome, and the expression of other regions."""
    order = np.random.default_rng(0).permutation(40)
    train, test = order[:25], order[25:]
    return brain.expression[train], brain.connectome_block(train), brain.expression[test]


def same_signs(found, expected):
    """Flip components whose sign is the other way round."""
    return found * np.sign((found * expected).sum(axis=0))


@pytest.mark.parametrize("n_components", [1, 6, 24, 0.8, 0.999999])
def test_pca_scores_are_scikit_learns(data, n_components):
    expression, connectome, others = data
    reduction = fit_pca(expression, connectome, n_components=n_components)
    reference = PCA(n_components, svd_solver="full").fit(expression)
    found, expected = reduction.transform(others), reference.transform(others)
    np.testing.assert_allclose(same_signs(found, expected), expected, atol=1e-8)
    assert reduction.n_components == reference.n_components_


@pytest.mark.parametrize("n_components", [1, 5, 12])
def test_pls_scores_are_scikit_learns_on_all_genes(data, n_components):
    expression, connectome, others = data
    reduction = fit_pls(expression, connectome, n_components=n_components)
    reference = PLSRegression(n_components, scale=True, max_iter=5000, tol=1e-13)
    reference.fit(expression, connectivity_profiles(connectome))
    found, expected = reduction.transform(others), reference.transform(others)
    np.testing.assert_allclose(same_signs(found, expected), expected, atol=1e-3)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_order_of_training_regions_does_not_matter(data, name):
    expression, connectome, others = data
    order = np.random.default_rng(1).permutation(len(expression))
    one = fit_reduction(name, expression, connectome, n_components=6)
    other = fit_reduction(name, expression[order], connectome[np.ix_(order, order)], n_components=6)
    np.testing.assert_allclose(one.transform(others), other.transform(others), atol=1e-4)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_components_are_capped_at_what_training_regions_allow(data, name):
    expression, connectome, others = data
    reduction = fit_reduction(name, expression, connectome, n_components=100)
    assert reduction.n_components <= most_components(*expression.shape) == 24
    assert np.isfinite(reduction.transform(others)).all()


@pytest.mark.parametrize("name", REDUCTIONS)
def test_rank_caps_components_too(name):
    rng = np.random.default_rng(2)
    expression = rng.normal(size=(20, 3)) @ rng.normal(size=(3, 50))
    connectome = np.corrcoef(expression)
    assert fit_reduction(name, expression, connectome, n_components=10).n_components == 3


def test_constant_genes_change_nothing(data):
    expression, connectome, others = data
    with_constant = np.column_stack([expression, np.full(25, 3.0)])
    shown = np.column_stack([others, np.full(15, 1e6)])
    for name in REDUCTIONS:
        expected = fit_reduction(name, expression, connectome, n_components=4).transform(others)
        found = fit_reduction(name, with_constant, connectome, n_components=4).transform(shown)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_expression_without_variation_is_refused(data):
    constant = np.ones((25, 10))
    for name in REDUCTIONS:
        with pytest.raises(UserError, match="every gene is constant"):
            fit_reduction(name, constant, data[1], n_components=2)


def test_self_connections_are_not_data(data):
    expression, connectome, others = data
    spoiled = connectome.copy()
    np.fill_diagonal(spoiled, np.nan)
    expected = fit_pls(expression, connectome, n_components=4).transform(others)
    np.testing.assert_array_equal(
        fit_pls(expression, spoiled, n_components=4).transform(others), expected
    )


def test_pls_finds_the_gene_that_makes_the_connectome():
    rng = np.random.default_rng(3)
    expression = rng.normal(size=(30, 40))
    driver = expression[:, 7]
    connectome = np.outer(driver, driver)
    reduction = fit_pls(expression, connectome, n_components=1)
    assert np.abs(reduction.rotation[:, 0]).argmax() == 7
    assert abs(np.corrcoef(reduction.transform(expression)[:, 0], driver)[0, 1]) > 0.8
    pca = fit_pca(expression, n_components=1)
    assert abs(np.corrcoef(pca.transform(expression)[:, 0], driver)[0, 1]) < 0.6


@pytest.mark.parametrize("n_components", [0, -1, 2.5, np.nan, np.inf])
def test_impossible_numbers_are_refused(data, n_components):
    expression, connectome, _ = data
    for name in REDUCTIONS:
        with pytest.raises(UserError, match=f"n_components.* is {n_components}"):
            fit_reduction(name, expression, connectome, n_components=n_components)


def test_pls_explains_no_share_of_variance(data):
    expression, connectome, _ = data
    with pytest.raises(UserError, match="a positive integer"):
        fit_pls(expression, connectome, n_components=0.9)


def test_unknown_reduction_is_refused(data):
    with pytest.raises(UserError, match=r"reduction is 'ica'; .*choose from \['pca', 'pls'\]"):
        fit_reduction("ica", *data[:2], n_components=2)
