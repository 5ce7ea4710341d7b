from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge as ReferenceKernelRidge

from gx2c.models.closed_form.kronecker import KroneckerRidge

N_TRAIN, N_TEST = 11, 4


@pytest.fixture
def kernel():
    """Kernel between N_TRAIN + N_TEST points: well conditioned, positive definite."""
    points = np.random.default_rng(0).normal(size=(N_TRAIN + N_TEST, 3))
    squared = ((points[:, None] - points[None]) ** 2).sum(-1)
    return np.exp(-squared / 4)


@pytest.fixture
def values():
    drawn = np.random.default_rng(1).normal(size=(N_TRAIN, N_TRAIN))
    return (drawn + drawn.T) / 2


def blocks(kernel):
    return kernel[:N_TRAIN, :N_TRAIN], kernel[N_TRAIN:, :N_TRAIN]


def explicit_prediction(kernel, values, ridge, observed):
    """Solve the n^2 x n^2 system over the observed ordered pairs, in float64."""
    train, cross = blocks(kernel)
    pairs = np.flatnonzero(observed)
    among_pairs = np.kron(train, train)[np.ix_(pairs, pairs)]
    weights = np.linalg.solve(among_pairs + ridge * np.eye(len(pairs)), values.ravel()[pairs])
    return (np.kron(cross, cross)[:, pairs] @ weights).reshape(N_TEST, N_TEST)


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 1.0, 30.0])
def test_imputed_diagonal_equals_the_explicit_solution_without_it(kernel, values, ridge):
    """Both ordered pairs (i, j) and (j, i) are observed; self-connections are not."""
    train, cross = blocks(kernel)
    without_diagonal = ~np.eye(N_TRAIN, dtype=bool)
    expected = explicit_prediction(kernel, values, ridge, without_diagonal)
    predicted = KroneckerRidge(train, values).predict(cross, [ridge])[0]
    np.testing.assert_allclose(predicted, expected, atol=1e-7)


@pytest.mark.parametrize("ridge", [0.1, 1.0])
def test_imputed_diagonal_is_the_fixed_point_of_its_own_prediction(kernel, values, ridge):
    train, cross = blocks(kernel)
    system = np.kron(train, train) + ridge * np.eye(N_TRAIN**2)
    filled = values.copy()
    np.fill_diagonal(filled, 0.0)
    for _ in range(20_000):
        weights = np.linalg.solve(system, filled.ravel()).reshape(N_TRAIN, N_TRAIN)
        step = ridge * np.diag(weights)
        np.fill_diagonal(filled, np.diag(filled) - step)
        if np.abs(step).max() < 1e-12:
            break
    else:
        pytest.fail("the plain iteration did not converge")
    predicted = KroneckerRidge(train, values).predict(cross, [ridge])[0]
    np.testing.assert_allclose(predicted, cross @ weights @ cross.T, atol=1e-7)


@pytest.mark.parametrize("ridge", [1e-3, 1.0])
def test_zero_diagonal_equals_the_explicit_solution_with_zeros_observed(kernel, values, ridge):
    train, cross = blocks(kernel)
    zeros = values.copy()
    np.fill_diagonal(zeros, 0.0)
    expected = explicit_prediction(kernel, zeros, ridge, np.ones((N_TRAIN, N_TRAIN), bool))
    predicted = KroneckerRidge(train, values, impute_diagonal=False).predict(cross, [ridge])[0]
    np.testing.assert_allclose(predicted, expected, atol=1e-9)
    excluded = explicit_prediction(kernel, values, ridge, ~np.eye(N_TRAIN, dtype=bool))
    assert np.abs(expected - excluded).max() > 1e-3, "the two treatments must differ here"


def test_agrees_with_scikit_learn_on_vectorised_pairs(kernel, values):
    train, cross = blocks(kernel)
    pairs = np.flatnonzero(~np.eye(N_TRAIN, dtype=bool))
    reference = ReferenceKernelRidge(alpha=0.3, kernel="precomputed")
    reference.fit(np.kron(train, train)[np.ix_(pairs, pairs)], values.ravel()[pairs])
    expected = reference.predict(np.kron(cross, cross)[:, pairs]).reshape(N_TEST, N_TEST)
    predicted = KroneckerRidge(train, values).predict(cross, [0.3])[0]
    np.testing.assert_allclose(predicted, expected, atol=1e-7)


@pytest.mark.parametrize("impute_diagonal", [True, False])
def test_one_decomposition_serves_every_ridge(kernel, values, impute_diagonal):
    train, cross = blocks(kernel)
    ridges = [0.01, 0.3, 5.0]
    smoother = KroneckerRidge(train, values, impute_diagonal=impute_diagonal)
    together = smoother.predict(cross, ridges)
    for ridge, predicted in zip(ridges, together, strict=True):
        alone = KroneckerRidge(train, values, impute_diagonal=impute_diagonal)
        np.testing.assert_allclose(predicted, alone.predict(cross, [ridge])[0], atol=1e-12)
    assert np.abs(together[0]).sum() > np.abs(together[2]).sum(), "a larger ridge shrinks"


@pytest.mark.parametrize("impute_diagonal", [True, False])
def test_the_diagonal_of_the_values_is_never_read(kernel, values, impute_diagonal):
    train, cross = blocks(kernel)
    spoiled = values.copy()
    np.fill_diagonal(spoiled, np.nan)
    predictions = [
        KroneckerRidge(train, v, impute_diagonal=impute_diagonal).predict(cross, [0.5])
        for v in (values, spoiled)
    ]
    np.testing.assert_array_equal(*predictions)


def test_self_connections_carry_no_weight(kernel, values):
    train, _ = blocks(kernel)
    weights = KroneckerRidge(train, values).dual_weights(0.2)
    assert np.abs(np.diag(weights)).max() < 1e-8 * np.abs(weights).max()


def test_values_inside_the_kernels_span_are_recovered():
    """A matrix K A K with known A, off the diagonal, is predicted on unseen regions."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(60, 2))
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(-1) / 8)
    planted = rng.normal(size=(40, 40))
    planted += planted.T
    truth = kernel[:, :40] @ planted @ kernel[:40]
    smoother = KroneckerRidge(kernel[:40, :40], truth[:40, :40])
    predicted = smoother.predict(kernel[40:, :40], [1e-6])[0]
    assert np.corrcoef(predicted.ravel(), truth[40:, 40:].ravel())[0, 1] > 0.999


def test_singular_kernel_is_solved():
    """Two regions at one place: the kernel has rank n - 1."""
    points = np.array([[0.0], [0.0], [1.0], [2.0], [3.0]])
    kernel = np.exp(-((points - points.T) ** 2))
    values = np.exp(-np.abs(points - points.T))
    predicted = KroneckerRidge(kernel, values).predict(kernel, [1e-4])[0]
    np.testing.assert_allclose(predicted[0], predicted[1], atol=1e-9)
