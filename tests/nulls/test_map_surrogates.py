"""Moran, variogram and random-field surrogates keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.nulls.moran import make_moran, moran_eigenvectors, moran_weights, morans_i
from gx2c.nulls.random_field import field_covariance, fit_field, make_random_field
from gx2c.nulls.variogram import make_variogram, same_covariance, variogram_bins


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=80, n_genes=30, seed=0, smoothness_mm=35.0)


def covariance(maps):
    return np.cov(maps, rowvar=False)


def test_moran_keeps_moments_moran_and_covariance_exactly(brain):
    moran = make_moran(brain.coords_mm, seed=0)
    weights = moran_weights(cdist(brain.coords_mm, brain.coords_mm))
    surrogate = moran(brain.expression, 3)
    np.testing.assert_allclose(surrogate.mean(axis=0), brain.expression.mean(axis=0))
    np.testing.assert_allclose(covariance(surrogate), covariance(brain.expression), atol=1e-10)
    np.testing.assert_allclose(morans_i(surrogate, weights), morans_i(brain.expression, weights))
    matched = np.corrcoef(surrogate.ravel(), brain.expression.ravel())[0, 1]
    assert abs(matched) < 0.6


def test_moran_vectors_diagonalise_the_centred_weights(brain):
    distance = cdist(brain.coords_mm, brain.coords_mm)
    vectors, values = moran_eigenvectors(distance)
    assert vectors.shape == (80, 79) and (np.diff(values) <= 1e-12).all()
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(79), atol=1e-10)
    np.testing.assert_allclose(vectors.sum(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(
        vectors.T @ moran_weights(distance) @ vectors, np.diag(values), atol=1e-10
    )


def test_morans_i_equals_its_definition():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=9), rng.uniform(size=(9, 9))
    weights = (weights + weights.T) * (1 - np.eye(9))
    deviation = values - values.mean()
    total = sum(weights[i, j] * deviation[i] * deviation[j] for i in range(9) for j in range(9))
    expected = 9 / weights.sum() * total / (deviation**2).sum()
    assert morans_i(values[:, None], weights)[0] == pytest.approx(expected)


def test_regions_at_one_place_have_no_moran_weights(brain):
    coords = brain.coords_mm.copy()
    coords[1] = coords[0]
    with pytest.raises(UserError, match="different locations"):
        make_moran(coords, seed=0)


def test_variogram_is_matched_where_a_permutation_is_not(brain):
    matcher = make_variogram(brain.coords_mm, brain.expression, seed=0, n_components=8)
    bins = variogram_bins(cdist(brain.coords_mm, brain.coords_mm))
    scores = (brain.expression - matcher.centre) @ matcher.loadings
    target = bins.of(scores)

    def error(maps):
        return np.linalg.norm(bins.of(maps) - target) / np.linalg.norm(target)

    rng = np.random.default_rng(0)
    drawn = [matcher.draw(brain.expression, k) for k in range(10)]
    matched = np.mean([error((d - matcher.centre) @ matcher.loadings) for d in drawn])
    shuffled = np.mean([error(scores[rng.permutation(80)]) for _ in range(10)])
    assert matched < 0.5 * shuffled


def test_variogram_keeps_the_components_covariance(brain):
    matcher = make_variogram(brain.coords_mm, brain.expression, seed=0, n_components=8)
    surrogate = matcher.draw(brain.expression, 0)
    before, after = (
        (maps - matcher.centre) @ matcher.loadings for maps in (brain.expression, surrogate)
    )
    np.testing.assert_allclose(covariance(after), covariance(before), atol=1e-8)
    assert abs(np.corrcoef(before[:, 0], after[:, 0])[0, 1]) < 0.7


def test_same_covariance_changes_nothing_that_agrees():
    maps = np.random.default_rng(0).normal(size=(30, 4))
    np.testing.assert_allclose(covariance(same_covariance(maps, 2 * maps)), 4 * covariance(maps))


@pytest.mark.parametrize("make", [make_variogram, make_random_field])
def test_fits_see_training_regions_only(brain, make):
    training = np.arange(0, 80, 2)
    changed = brain.expression.copy()
    changed[1::2] += np.random.default_rng(0).normal(size=(40, 30))
    one, other = (
        make(brain.coords_mm, expression, seed=0, training_regions=training)
        for expression in (brain.expression, changed)
    )
    np.testing.assert_array_equal(one.loadings, other.loadings)
    np.testing.assert_array_equal(one.centre, other.centre)


def planted_fields(coords_mm, n_fields):
    rng = np.random.default_rng(0)
    near = np.exp(-((cdist(coords_mm, coords_mm) / 30) ** 2))
    across = np.exp(-((cdist(coords_mm, coords_mm * [-1, 1, 1]) / 30) ** 2))
    planted = 0.5 * (near + across) / 2 + 0.2 * near + 0.3 * np.eye(len(coords_mm))
    return np.linalg.cholesky(planted) @ rng.normal(size=(len(coords_mm), n_fields)), planted


def test_random_field_recovers_planted_smoothness_symmetry_and_noise(brain):
    expression, planted = planted_fields(brain.coords_mm, 4_000)
    fit = fit_field(brain.coords_mm, expression)
    assert fit.exponent == 2 and 24 < fit.length_mm < 38
    assert fit.symmetric == pytest.approx(0.5, abs=0.1)
    assert fit.own == pytest.approx(0.2, abs=0.1)
    assert fit.noise == pytest.approx(0.3, abs=0.1)
    found = field_covariance(brain.coords_mm, fit)
    scale = found.trace() / planted.trace()
    assert np.abs(found - scale * planted).max() < 0.12


def test_random_fields_have_both_covariances(brain):
    field = make_random_field(brain.coords_mm, brain.expression, seed=0)
    draws = np.stack([field.draw(brain.expression, k) for k in range(400)]) - field.centre
    genes = np.einsum("kig,kih->gh", draws, draws) / (400 * 79)
    wanted = covariance(brain.expression)
    assert np.linalg.norm(genes - wanted) < 0.12 * np.linalg.norm(wanted)
    regions = np.einsum("kig,kjg->ij", draws, draws)
    wanted = field.root @ field.root.T
    assert np.corrcoef(regions.ravel(), wanted.ravel())[0, 1] > 0.97
    with pytest.raises(UserError, match="fit it to this brain"):
        field.draw(brain.expression[:, :3], 0)


def test_too_few_regions_are_refused(brain):
    few = {"seed": 0, "training_regions": np.arange(5)}
    with pytest.raises(UserError, match="at least 8 regions"):
        make_variogram(brain.coords_mm, brain.expression, **few)
    with pytest.raises(UserError, match="at least 8 regions"):
        make_random_field(brain.coords_mm, brain.expression, **few)
