from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity, polynomial_kernel, rbf_kernel

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.kernels import (
    RBF,
    CosinePower,
    Polynomial,
    coordinate_kernel,
    expression_kernel,
)
from gx2c.models.features import Standardiser


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(14, 6))


def test_rbf_width_is_a_share_of_the_median_squared_distance_of_training_pairs(features):
    kernel = RBF(scale=0.3)
    kernel.fit(features)
    differences = features[:, None] - features[None]
    pairs = np.triu_indices(14, 1)
    median = np.median((differences**2).sum(-1)[pairs])
    expected = rbf_kernel(features, features[:5], gamma=1 / (0.3 * median))
    np.testing.assert_allclose(kernel.between(features, features[:5]), expected, atol=1e-12)


def test_cosine_power_agrees_with_scikit_learn(features):
    kernel = CosinePower(power=3)
    expected = ((1 + cosine_similarity(features, features[:5])) / 2) ** 3
    np.testing.assert_allclose(kernel.between(features, features[:5]), expected, atol=1e-12)


def test_polynomial_and_linear_agree_with_scikit_learn(features):
    unit = (features**2).sum(axis=1).mean()
    for kernel, power, offset in (
        (Polynomial(power=3), 3, 1.0),
        (Polynomial(power=1, offset=0.0), 1, 0.0),
    ):
        kernel.fit(features)
        expected = polynomial_kernel(
            features, features[:5], degree=power, gamma=1 / unit, coef0=offset
        )
        np.testing.assert_allclose(kernel.between(features, features[:5]), expected, atol=1e-12)


def test_a_polynomial_needs_features_that_differ():
    with pytest.raises(UserError, match="features that differ"):
        Polynomial(power=2).fit(np.zeros((5, 3)))


@pytest.mark.parametrize("kernel", [RBF(scale=0.5), CosinePower(power=5), Polynomial(power=3)])
def test_kernels_are_positive_semi_definite(kernel, features):
    features[3] = 0.0
    kernel.fit(features)
    assert np.linalg.eigvalsh(kernel.between(features, features)).min() > -1e-12


def test_rbf_ignores_the_unit_and_cosine_the_length(features):
    for kernel in (RBF(scale=0.5), CosinePower(power=2)):
        predictions = []
        for unit in (1.0, 1e4):
            kernel.fit(features * unit)
            predictions.append(kernel.between(features * unit, features * unit))
        np.testing.assert_allclose(*predictions, atol=1e-9)


def make_regions(expression, coords_mm):
    return Regions(expression, coords_mm, (coords_mm[:, 0] > 0).astype(np.int64))


@pytest.fixture
def regions(features):
    coords_mm = np.random.default_rng(1).uniform(-60, 60, size=(14, 3))
    return make_regions(features * [1, 10, 100, 0.1, 5, 2] + 4.0, coords_mm)


def test_expression_is_standardised_with_training_statistics(regions):
    training = make_regions(regions.expression[:10], regions.coords_mm[:10])
    kernel = expression_kernel("cosine", scale=1.0, power=2, scaling="z-score")
    kernel.fit(training)
    scored = (regions.expression - training.expression.mean(0)) / training.expression.std(0)
    expected = ((1 + cosine_similarity(scored, scored[:10])) / 2) ** 2
    np.testing.assert_allclose(kernel.to_training(regions), expected, atol=1e-12)


def test_expression_is_centred_with_training_statistics(regions):
    training = make_regions(regions.expression[:10], regions.coords_mm[:10])
    kernel = expression_kernel("cosine", scale=1.0, power=2)
    kernel.fit(training)
    centred = regions.expression - training.expression.mean(0)
    expected = ((1 + cosine_similarity(centred, centred[:10])) / 2) ** 2
    np.testing.assert_allclose(kernel.to_training(regions), expected, atol=1e-12)


def test_homologues_coincide_only_when_mirrored(regions):
    flipped = make_regions(regions.expression, regions.coords_mm * [-1, 1, 1])
    for fold, same in ((True, True), (False, False)):
        kernel = coordinate_kernel("rbf", scale=0.5, power=1, fold=fold)
        kernel.fit(regions)
        at_itself = np.diag(kernel.to_training(flipped))
        assert np.allclose(at_itself, 1.0, atol=1e-9) == same


def test_constant_gene_is_ignored_however_it_varies_elsewhere(regions):
    expression = np.column_stack([regions.expression, np.full(14, 0.1)])
    training = make_regions(expression[:10], regions.coords_mm[:10])
    held_out = expression[10:].copy()
    kernel = expression_kernel("cosine", scale=1.0, power=2, scaling="z-score")
    kernel.fit(training)
    before = kernel.to_training(make_regions(held_out, regions.coords_mm[10:]))
    held_out[:, -1] = 50.0
    after = kernel.to_training(make_regions(held_out, regions.coords_mm[10:]))
    np.testing.assert_array_equal(before, after)


def test_standardiser_makes_zero_mean_and_unit_deviation(features):
    scored = Standardiser.learn(features).apply(features)
    np.testing.assert_allclose(scored.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(scored.std(0), 1)


@pytest.mark.parametrize("power", [0, -1, 2.5])
def test_only_whole_powers_are_kernels(power):
    with pytest.raises(UserError, match="1, 2, 3"):
        CosinePower(power=power)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan])
def test_scale_must_be_positive(scale):
    with pytest.raises(UserError, match="scale"):
        RBF(scale=scale)


def test_rbf_on_equal_features_is_refused():
    with pytest.raises(UserError, match="equal features"):
        RBF(scale=1.0).fit(np.ones((6, 2)))
