"""Many nulls at once give what one null after another gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.fit import (
    Chosen,
    ComputeProfile,
    FitConfig,
    GeneOptions,
    rank_closed_forms,
    retrain,
    retrain_ensemble,
)
from gx2c.fit.kernel_nulls import is_isometric, search_kernel_nulls
from gx2c.models import MODELS
from gx2c.models.features import same_distances
from gx2c.nulls import make_surrogate
from gx2c.splits import make_folds


def config(model: str = "geography+genes", **keywords) -> FitConfig:
    return FitConfig(model, {**MODELS[model].defaults, **keywords})


# every way in which expression, coordinates, mean and diagonal meet
CANDIDATES = [
    config(),
    config(gene_ridge=0.05),
    config(gene_ridge=30.0, gene_weight=0.9),
    config(combine="sum", gene_weight=0.3),
    config(combine="product", ridge=0.1),
    config("kernel_ridge", mean="constant", coordinate_kernel="rbf", combine="learned"),
    config(expression_kernel="rbf", expression_scale=0.5, gene_ridge=0.3),
    config(coordinate_scale=0.5, mean_ridge=0.1, diagonal="impute"),
    config("kernel_ridge"),
    config("kernel_ridge", mean="none", diagonal="impute"),
    config("kernel_ridge", mean="constant", coordinate_kernel="cosine", combine="average"),
    config("geography"),
]


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=40, n_genes=70, seed=5, expression_weight=1.0)


@pytest.fixture(scope="module")
def fold(brain):
    return make_folds(brain, split="bilateral", n_folds=3, n_inner_folds=3, seed=2)[0]


def one_after_another(brain, fold, candidates, expressions, metric):
    found = []
    for expression in expressions:
        surrogate = dataclasses.replace(brain, expression=expression)
        chosen = rank_closed_forms(surrogate, fold, candidates, metric=metric)[0]
        result = retrain(
            chosen, [surrogate], fold, learning_rates=(), seeds=(0,), profile=ComputeProfile()
        )
        found.append(result[0].scores)
    return found


@pytest.mark.parametrize("metric", ["val_mse", "val_pearson_r"])
@pytest.mark.parametrize("name", ["hungarian", "alexander_bloch", "moran"])
def test_all_at_once_equal_one_after_another(brain, fold, name, metric):
    surrogate = make_surrogate(name, brain, seed=1)
    expressions = [surrogate.expression(brain, k) for k in range(4)]
    expected = one_after_another(brain, fold, CANDIDATES, expressions, metric)
    found = search_kernel_nulls(brain, fold, CANDIDATES, expressions, metric=metric)
    for fast, slow in zip(found, expected, strict=True):
        assert fast == pytest.approx(slow, rel=1e-9)


def test_the_best_configs_of_each_null_are_averaged(brain, fold):
    surrogate = make_surrogate("hungarian", brain, seed=1)
    expressions = [surrogate.expression(brain, k) for k in range(3)]
    found = search_kernel_nulls(brain, fold, CANDIDATES, expressions, metric="val_mse", n_best=3)
    for expression, fast in zip(expressions, found, strict=True):
        null = dataclasses.replace(brain, expression=expression)
        ranked = rank_closed_forms(null, fold, CANDIDATES, metric="val_mse")[:3]
        (slow,) = retrain_ensemble(
            [Chosen(one) for one in ranked],
            [null],
            fold,
            seeds=[[[0]]] * 3,
            profile=ComputeProfile(),
        )
        assert fast == pytest.approx(slow.scores, rel=1e-9)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=str)
def test_each_config_alone_is_retrained(brain, fold, candidate):
    expressions = [make_surrogate("hungarian", brain, seed=3).expression(brain, 7)]
    expected = one_after_another(brain, fold, [candidate], expressions, "val_mse")
    found = search_kernel_nulls(brain, fold, [candidate], expressions, metric="val_mse")
    assert found[0] == pytest.approx(expected[0], rel=1e-9)


def test_fewer_columns_with_the_same_distances_change_nothing(brain, fold):
    reduced = same_distances(brain.expression)
    assert reduced.shape == (40, 40)
    spins = make_surrogate("hungarian", brain, seed=1).indices(0, 5).T
    whole = search_kernel_nulls(
        brain, fold, CANDIDATES, [brain.expression[s] for s in spins], metric="val_mse"
    )
    few = search_kernel_nulls(
        brain, fold, CANDIDATES, [reduced[s] for s in spins], metric="val_mse"
    )
    for one, other in zip(few, whole, strict=True):
        assert one == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize("name", ["hungarian", "residual_spin"])
def test_genes_that_vary_most_are_chosen_anew_in_every_split_of_every_null(brain, fold, name):
    genes = GeneOptions(which="12_var")
    few = [dataclasses.replace(one, genes=genes) for one in CANDIDATES[:7]]
    surrogate = make_surrogate(name, brain, seed=1)
    expressions = [surrogate.expression(brain, k) for k in range(3)]
    expected = one_after_another(brain, fold, few, expressions, "val_mse")
    found = search_kernel_nulls(brain, fold, few, expressions, metric="val_mse")
    for fast, slow in zip(found, expected, strict=True):
        assert fast == pytest.approx(slow, rel=1e-9)
    chosen = {
        tuple(np.argsort(-e[split.train_regions].var(axis=0))[:12])
        for e in expressions
        for split in (fold, *fold.inner)
    }
    assert len(chosen) > 4, "other regions, other genes"


def test_what_a_spin_moves_reaches_the_scores(brain, fold):
    spins = make_surrogate("hungarian", brain, seed=1).indices(0, 3).T
    moved = [brain.expression[spin] for spin in spins]
    scores = search_kernel_nulls(brain, fold, CANDIDATES[:3], moved, metric="val_mse")
    assert len({s["pearson_r"] for s in scores}) > 1, "spins of so few regions may repeat"


def test_no_test_region_is_read(brain, fold):
    """Garbage in the test regions' connectome leaves the choice and the predictions alone."""
    garbage = np.random.default_rng(0).uniform(-1, 1, brain.connectome.shape)
    garbage = np.triu(garbage, 1) + np.triu(garbage, 1).T + np.eye(brain.n_regions)
    inside = np.ix_(fold.train_regions, fold.train_regions)
    garbage[inside] = brain.connectome[inside]
    spoiled = dataclasses.replace(brain, connectome=garbage)
    from gx2c.fit.shared_split import SharedSplit, SurrogateExpression

    expected = SharedSplit(brain, fold, CANDIDATES).predict(SurrogateExpression(brain.expression))
    np.testing.assert_array_equal(
        SharedSplit(spoiled, fold, CANDIDATES).predict(SurrogateExpression(brain.expression)),
        expected,
    )


def test_a_config_that_cannot_be_fitted_is_never_chosen(brain, fold):
    flat = np.ones_like(brain.expression)
    rbf = config(expression_kernel="rbf", expression_scale=1.0)
    assert search_kernel_nulls(brain, fold, [rbf], [flat], metric="val_mse") == [None]
    both = search_kernel_nulls(brain, fold, [rbf, config("geography")], [flat], metric="val_mse")
    assert both[0] is not None


@pytest.mark.parametrize(
    "other",
    [
        config(expression_scaling="z-score"),
        FitConfig("mlp", {}),
        FitConfig("cge", {}),
    ],
    ids=["z-score", "mlp", "cge"],
)
def test_models_that_need_more_than_inner_products_are_told_apart(other):
    assert not is_isometric(other)
    assert all(is_isometric(candidate) for candidate in CANDIDATES)
