from __future__ import annotations

import numpy as np
import pytest

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.distance import ConstantMean, GeographyMean, geography_features


def make_regions(n_regions, seed):
    rng = np.random.default_rng(seed)
    coords_mm = rng.uniform([-65, -100, -40], [65, 65, 75], size=(n_regions, 3))
    hemisphere = (coords_mm[:, 0] > 0).astype(np.int64)
    return Regions(np.zeros((n_regions, 1)), coords_mm, hemisphere)


def of_all_pairs(regions):
    pairs = np.indices((len(regions), len(regions)))
    return geography_features(regions, (pairs[0], pairs[1]))


def test_features_are_those_of_the_definition():
    regions = make_regions(6, 0)
    features = of_all_pairs(regions)
    (i, j), d = (1, 4), np.linalg.norm(regions.coords_mm[1] - regions.coords_mm[4])
    folded = regions.coords_mm.copy()
    folded[:, 0] = np.abs(folded[:, 0])
    m = np.linalg.norm(folded[i] - folded[j])
    same = float(regions.hemisphere[i] == regions.hemisphere[j])
    lengths = np.array([5, 10, 20, 40, 80])
    expected = [*np.exp(-d / lengths), *np.exp(-m / lengths), same, same * np.exp(-d / 20)]
    np.testing.assert_allclose(features[i, j], expected)
    np.testing.assert_allclose(features, features.transpose(1, 0, 2))


def test_planted_geography_is_recovered_on_unseen_regions():
    training, held_out = make_regions(60, 0), make_regions(20, 1)
    slopes = np.random.default_rng(2).normal(size=12)
    model = GeographyMean(ridge=1e-10)
    model.fit(training, of_all_pairs(training) @ slopes + 0.7)
    expected = of_all_pairs(held_out) @ slopes + 0.7
    np.testing.assert_allclose(model.predict(held_out), expected, atol=1e-4)


def test_ridge_is_the_penalised_least_squares_of_undirected_edges():
    """The normal equations with an explicit, unpenalised intercept column."""
    training = make_regions(15, 0)
    noise = np.random.default_rng(1).normal(size=(15, 15))
    connectome = noise + noise.T
    edges = np.triu_indices(15, 1)
    features = of_all_pairs(training)[edges]
    scored = (features - features.mean(0)) / features.std(0)
    design = np.column_stack([np.ones(len(scored)), scored])
    penalty = np.diag([0.0] + [0.05 * len(scored)] * 12)
    weights = np.linalg.solve(design.T @ design + penalty, design.T @ connectome[edges])
    model = GeographyMean(ridge=0.05)
    model.fit(training, connectome)
    np.testing.assert_allclose(model.predict(training)[edges], design @ weights)


def test_large_ridge_leaves_the_average_edge():
    training = make_regions(15, 0)
    noise = np.random.default_rng(1).normal(size=(15, 15))
    connectome = noise + noise.T
    shrunk, constant = GeographyMean(ridge=1e12), ConstantMean()
    shrunk.fit(training, connectome)
    constant.fit(training, connectome)
    np.testing.assert_allclose(shrunk.predict(training), constant.predict(training), atol=1e-9)
    edges = np.triu_indices(15, 1)
    assert constant.predict(training)[0, 1] == pytest.approx(connectome[edges].mean())


def test_one_hemisphere_is_enough():
    """The hemisphere indicator is constant then, and must not divide by zero."""
    regions = make_regions(20, 0)
    left = Regions(regions.expression, -np.abs(regions.coords_mm), np.zeros(20, np.int64))
    connectome = of_all_pairs(left)[..., 2]
    model = GeographyMean(ridge=1e-8)
    model.fit(left, connectome)
    edges = np.triu_indices(20, 1)
    np.testing.assert_allclose(model.predict(left)[edges], connectome[edges], atol=1e-3)


def test_ridge_must_be_positive():
    with pytest.raises(UserError, match="mean_ridge"):
        GeographyMean(ridge=0.0)
