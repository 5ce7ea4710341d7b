from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

from gx2c.data import make_synthetic_brain
from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.distance import GeographyMean
from gx2c.models.closed_form.kernel_ridge import KernelRidge
from gx2c.models.closed_form.kronecker import KroneckerRidge

GENES = {
    "expression_kernel": "cosine",
    "expression_power": 3,
    "expression_scaling": "z-score",
}
PLACES = {"coordinate_kernel": "rbf", "coordinate_scale": 0.4}


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=40, n_genes=60, seed=0, noise_weight=0.1)


@pytest.fixture(scope="module")
def split(brain):
    order = np.random.default_rng(0).permutation(brain.n_regions)
    return np.sort(order[:28]), np.sort(order[28:])


def fit_predict(model, brain, split):
    train, test = split
    model.fit(brain.regions(train), brain.connectome_block(train))
    return model.predict(brain.regions(test))


def kernels_by_hand(brain, train):
    """Both kernels between all regions and the training regions."""
    expression = brain.expression
    scored = (expression - expression[train].mean(0)) / expression[train].std(0)
    genes = ((1 + cosine_similarity(scored, scored[train])) / 2) ** 3
    folded = brain.coords_mm * np.where(brain.coords_mm[:, :1] < 0, [-1, 1, 1], [1, 1, 1])
    width = 0.4 * np.median(pdist(folded[train], "sqeuclidean"))
    return rbf_kernel(folded, folded[train], gamma=1 / width), genes


@pytest.mark.parametrize("combine", ["sum", "product"])
def test_sum_and_product_join_the_kernels_of_regions(brain, split, combine):
    train, test = split
    places, genes = kernels_by_hand(brain, train)
    joined = {"sum": 0.7 * places + 0.3 * genes, "product": places * genes}[combine]
    reference = KroneckerRidge(joined[train], brain.connectome_block(train))
    model = KernelRidge(**GENES, **PLACES, combine=combine, gene_weight=0.3, ridge=0.2)
    expected = reference.predict(joined[test], [0.2])[0]
    np.testing.assert_allclose(fit_predict(model, brain, split), expected, atol=1e-8)


def test_average_smooths_one_residual_twice(brain, split):
    train, test = split
    mean = GeographyMean(ridge=0.02)
    mean.fit(brain.regions(train), brain.connectome_block(train))
    residual = brain.connectome_block(train) - mean.predict(brain.regions(train))
    expected = mean.predict(brain.regions(test))
    for kernel, share, ridge in zip(
        kernels_by_hand(brain, train), (0.7, 0.3), (0.2, 4.0), strict=True
    ):
        smoother = KroneckerRidge(kernel[train], residual, impute_diagonal=False)
        expected = expected + share * smoother.predict(kernel[test], [ridge])[0]
    model = KernelRidge(
        **GENES,
        **PLACES,
        combine="average",
        gene_weight=0.3,
        ridge=0.2,
        gene_ridge=4.0,
        mean="geography",
        mean_ridge=0.02,
        diagonal="zero",
    )
    np.testing.assert_allclose(fit_predict(model, brain, split), expected, atol=1e-8)


def test_explicit_solution_on_a_small_brain(split):
    """From raw arrays, through the n^2 x n^2 system that excludes self-connections."""
    brain = make_synthetic_brain(n_regions=18, n_genes=20, seed=1)
    train, test = np.arange(0, 18, 2), np.arange(1, 18, 2)
    _, genes = kernels_by_hand(brain, train)
    off_diagonal = np.flatnonzero(~np.eye(9, dtype=bool))
    among = np.kron(genes[train], genes[train])[np.ix_(off_diagonal, off_diagonal)]
    values = brain.connectome_block(train).ravel()[off_diagonal]
    weights = np.linalg.solve(among + 0.5 * np.eye(len(values)), values)
    expected = (np.kron(genes[test], genes[test])[:, off_diagonal] @ weights).reshape(9, 9)
    model = KernelRidge(**GENES, ridge=0.5)
    np.testing.assert_allclose(fit_predict(model, brain, (train, test)), expected, atol=1e-8)


def test_planted_kernel_connectome_is_recovered():
    """y = sum of the latent kernel at planted pairs: only the right features can find it."""
    rng = np.random.default_rng(0)
    expression = rng.normal(size=(90, 3))
    coords_mm = rng.uniform(-60, 60, size=(90, 3))
    regions = Regions(expression, coords_mm, (coords_mm[:, 0] > 0).astype(np.int64))
    squared = ((expression[:, None] - expression[:12][None]) ** 2).sum(-1)
    bumps = np.exp(-squared / 6)
    planted = rng.normal(size=(12, 12))
    connectome = bumps @ (planted + planted.T) @ bumps.T

    def held_out_r(**keywords):
        train, test = np.arange(70), np.arange(70, 90)
        pick = lambda i: Regions(expression[i], coords_mm[i], regions.hemisphere[i])  # noqa: E731
        model = KernelRidge(**keywords, ridge=1e-4)
        model.fit(pick(train), connectome[np.ix_(train, train)])
        edges = np.triu_indices(20, 1)
        predicted = model.predict(pick(test))[edges]
        return np.corrcoef(predicted, connectome[np.ix_(test, test)][edges])[0, 1]

    assert held_out_r(expression_kernel="rbf", expression_scale=1.0) > 0.95
    assert abs(held_out_r(expression_kernel="none", coordinate_kernel="rbf")) < 0.4


def test_scales_of_genes_and_millimetres_do_not_matter(brain, split):
    train, test = split
    units = np.random.default_rng(0).uniform(0.01, 100, size=brain.n_genes)
    predictions = []
    for gene_unit, length_unit in ((1.0, 1.0), (units, 0.1)):
        show = lambda i: Regions(  # noqa: E731
            brain.expression[i] * gene_unit,  # noqa: B023
            brain.coords_mm[i] * length_unit,  # noqa: B023
            brain.hemisphere[i],
        )
        model = KernelRidge(**GENES, **PLACES, combine="sum")
        model.fit(show(train), brain.connectome_block(train))
        predictions.append(model.predict(show(test)))
    np.testing.assert_allclose(*predictions, atol=1e-8)


@pytest.mark.parametrize("combine", ["sum", "average"])
def test_leaving_a_region_out_equals_fitting_without_it(brain, combine):
    """Length scales, scaling and mean stay those of all training regions, as documented."""
    train = np.arange(0, 40, 3)
    model = KernelRidge(
        **GENES,
        **PLACES,
        combine=combine,
        ridge=0.3,
        gene_ridge=2.0,
        mean="constant",
        diagonal="zero",
    )
    model.fit(brain.regions(train), brain.connectome_block(train))
    found = model.leave_region_out()
    mean = brain.connectome_block(train)[np.triu_indices(len(train), 1)].mean()
    blocks = [kernel.to_training(brain.regions(train)) for kernel in model.kernels]
    blocks = model.join(blocks, model.used_weight)
    expected = np.full((len(train), len(train)), mean)
    for block, share, ridge in zip(blocks, model.shares, model.ridges, strict=True):
        for region in range(len(train)):
            rest = np.delete(np.arange(len(train)), region)
            values = brain.connectome_block(train)[np.ix_(rest, rest)] - mean
            smoother = KroneckerRidge(block[np.ix_(rest, rest)], values, impute_diagonal=False)
            everything = smoother.predict(block[:, rest], [ridge])[0]
            expected[region] += share * everything[region]
    off = ~np.eye(len(train), dtype=bool)
    np.testing.assert_allclose(found[off], expected[off], atol=1e-8)


def test_leaving_out_with_imputed_self_connections_is_refused(brain, split):
    model = KernelRidge(**GENES)
    fit_predict(model, brain, split)
    with pytest.raises(UserError, match="observed self-connections"):
        model.leave_region_out()


def test_values_scale_through(brain, split):
    """The model is linear in the connectome."""
    train, test = split
    predictions = []
    for scale in (1.0, 7.0):
        model = KernelRidge(**GENES, **PLACES, mean="geography")
        model.fit(brain.regions(train), scale * brain.connectome_block(train))
        predictions.append(model.predict(brain.regions(test)))
    np.testing.assert_allclose(7 * predictions[0], predictions[1], atol=1e-7)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"expression_kernel": "none"}, "both 'none'"),
        ({"expression_kernel": "cubic"}, "expression_kernel is 'cubic'"),
        ({"coordinate_kernel": "cubic"}, "coordinate_kernel is 'cubic'"),
        ({"expression_kernel": "polynomial", "expression_power": 0}, "polynomial kernel is 0"),
        ({"expression_scaling": "rank"}, "expression_scaling is 'rank'"),
        ({"combine": "mix"}, "combine is 'mix'"),
        ({"mean": "distance"}, "mean is 'distance'"),
        ({"diagonal": "one"}, "diagonal is 'one'"),
        ({"diagonal": "zero"}, "mean='geography'"),
        ({"ridge": 0.0}, "ridge is 0.0"),
        ({"gene_ridge": -1.0}, "gene_ridge is -1.0"),
        ({"gene_weight": 1.5}, "gene_weight is 1.5"),
        ({"mean": "geography", "mean_ridge": -1.0}, "mean_ridge is -1.0"),
    ],
)
def test_contradictions_are_refused_with_one_sentence(keywords, message):
    with pytest.raises(UserError, match=message):
        KernelRidge(**keywords)
