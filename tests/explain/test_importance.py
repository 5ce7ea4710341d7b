"""Importance finds the genes that made a connectome, and equals independent computations."""

from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import torch
from planted_genes import N_MADE, made_by_genes, quarter_held_out
from small_models import TRAIN, make_brain, saved
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gx2c.errors import UserError
from gx2c.explain import changes, gradients, importance, integrated_gradients, knock_out
from gx2c.explain.cases import Case
from gx2c.explain.changes import left_out_importance, permutation_importance
from gx2c.explain.edges import HeldOutEdges
from gx2c.explain.gradients import member_gradients
from gx2c.explain.importance import NOT_TESTED
from gx2c.fit import FitConfig, GeneOptions
from gx2c.fit.fitted import FittedModels
from gx2c.models import MODELS
from gx2c.nulls import fdr_p_values, max_t_p_values
from gx2c.splits import Fold

SETS = {"odd": [f"GENE{k}" for k in range(1, 20, 2)]}


def test_the_genes_that_made_a_connectome_rank_first(tmp_path):
    """All ten, in nine of ten brains, among equally smooth genes that correlate .5 with them."""
    n_permuted = n_knocked_out = 0
    for seed in range(10):
        brain, fold = made_by_genes(seed), quarter_held_out(200, seed)
        regions, every = (fold.train_regions, fold.test_regions), GeneOptions(order="expression")
        model, fitted = saved(
            tmp_path / f"{seed}", brain, "bilinear_cm", genes=every, regions=regions
        )
        edges = HeldOutEdges.of(brain, fold.test_regions)
        units = [np.array([gene]) for gene in range(brain.n_genes)]
        found = permutation_importance(fitted, [brain], fold.test_regions, edges, units)[0, :, 0]
        read = fitted.views[0].features.read_genes()
        assert sorted(read) == list(range(brain.n_genes))
        n_permuted += are_first(brain.genes, found)
        held_out = np.ix_(fold.test_regions, fold.test_regions)
        changes_of = [knock_out([model], brain, [gene]).change[held_out] for gene in brain.genes]
        n_knocked_out += are_first(brain.genes, np.abs(changes_of).mean(axis=(1, 2)))
    assert min(n_permuted, n_knocked_out) >= 9, (n_permuted, n_knocked_out)


def are_first(genes, importance_of):
    first = np.array(genes)[np.argsort(-np.asarray(importance_of))[:N_MADE]]
    return all(gene.startswith("MADE") for gene in first)


@pytest.mark.parametrize("model", ["kernel_ridge", "geography+genes"])
def test_leaving_genes_out_of_a_kernel_is_a_refit_without_them(model):
    brain, fold = make_brain(), quarter_held_out(32, 1)
    genes = GeneOptions(which=brain.genes[:12], order="random")
    config = FitConfig(model, dict(MODELS[model].defaults), genes=genes)
    read = [brain.genes.index(symbol) for symbol in genes.which]
    columns = [np.array([], np.int64), np.array([3]), np.array([0, 7, 11])]
    assert changes.is_isometric(config)
    fast, slow = (
        list(predict(config, brain, fold, read, columns))
        for predict in (changes._kernel_predictions, changes._refitted_predictions)
    )
    off = ~np.eye(len(fold.test_regions), dtype=bool)
    for ours, theirs in zip(fast, slow, strict=True):
        np.testing.assert_allclose(ours[off], theirs[off], atol=1e-9)
    assert np.abs(fast[0] - fast[1])[off].max() > 1e-6
    edges = HeldOutEdges.of(brain, fold.test_regions)
    lost = left_out_importance(config, [brain], fold, edges, [np.array([read[3]])])
    expected = edges.agreement(slow[0]) - edges.agreement(slow[1])
    np.testing.assert_allclose(lost[0, 0], expected, atol=1e-9)


def test_agreement_is_the_slope_of_correlation_and_groups_sum_to_it():
    brain, regions = make_brain(), np.arange(5, 25)
    edges = HeldOutEdges.of(brain, regions)
    rng = np.random.default_rng(0)
    predicted = rng.standard_normal((20, 20))
    predicted += predicted.T
    upper = np.triu_indices(20, 1)
    x, y = predicted[upper], brain.connectome_block(regions)[upper]
    found = edges.agreement(predicted)
    assert found[0] == pytest.approx(np.corrcoef(x, y)[0, 1] * x.std())
    n_bands = len(edges.bands)
    assert found[1:-n_bands].sum() == pytest.approx(found[0])
    assert found[-n_bands:].sum() == pytest.approx(found[0])
    weight = (y - y.mean()) / (len(y) * y.std())
    names = np.array(brain.network)[regions]
    a, b = edges.groups[2].split(" - ")
    inside = [{names[i], names[j]} == {a, b} for i, j in zip(*upper, strict=True)]
    assert found[2] == pytest.approx((weight * x)[inside].sum())


class Largest(TorchDispatchMode):
    """The size of the largest tensor that any operation returned."""

    size = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        sizes = [one.numel() for one in tree_leaves(found) if isinstance(one, torch.Tensor)]
        self.size = max([self.size, *sizes])
        return found


def test_memory_does_not_grow_with_genes_times_regions_times_edges():
    brain, fold = made_by_genes(0, n_genes=400), quarter_held_out(200, 0)
    edges = HeldOutEdges.of(brain, fold.test_regions)
    product = 400 * 50 * (50 * 49 // 2)
    genes = GeneOptions(which=brain.genes, order="random")
    smt = FitConfig("smt", {"model_dim": 8, "hidden_dims": (32,)}, genes=genes)
    fitted = FittedModels.fit(smt, [brain], fold.train_regions, learning_rates=[0.1], seeds=[1])
    ridge = FitConfig("kernel_ridge", dict(MODELS["kernel_ridge"].defaults), genes=genes)
    units = [np.array([gene]) for gene in range(400)]
    tracemalloc.start()
    with Largest() as largest:
        member_gradients(fitted, [brain], fold.test_regions, edges, steps=2)
    peaks = [tracemalloc.get_traced_memory()[1]]
    tracemalloc.reset_peak()
    left_out_importance(ridge, [brain], fold, edges, units)
    peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.reset_peak()
    permutation_importance(fitted, [brain], fold.test_regions, edges, units[:9], repeats=1)
    peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert 0 < largest.size < product / 100
    assert max(peaks) < 8 * product / 20


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    brain = make_brain(expression_weight=3.0)
    return saved(tmp_path_factory.mktemp("kernel"), brain, "kernel_ridge")[0], brain


def test_rankings_are_tested_against_models_retrained_on_surrogates(kernel):
    model, brain = kernel
    given = {"nulls": 18, "surrogate": "hungarian", "sets": SETS, "seed": 2}
    found = importance([model], brain, **given)
    assert found.method == "left-out" and set(found.tables) == {"genes", "chromosomes", "sets"}
    case = Case.of(model, brain, SETS)
    nulls = case.null_importance("left-out", range(18), surrogate="hungarian", seed=2)
    (true,) = case.true_importance("left-out")
    for kind, table in found.tables.items():
        names = list(case.units[kind])
        part = table[table["group"] == "all"].set_index("unit").loc[names]
        drawn = np.array([one[kind][:, 0] for one in nulls])
        np.testing.assert_allclose(part["importance"], true[kind][:, 0])
        np.testing.assert_allclose(part["null_mean"], drawn.mean(axis=0), rtol=1e-5, atol=1e-9)
        p = (1 + (drawn >= true[kind][:, 0]).sum(axis=0)) / 19
        np.testing.assert_allclose(part["p"], p)
        np.testing.assert_allclose(part["q"], fdr_p_values(p))
        np.testing.assert_allclose(part["p_max_t"], max_t_p_values(true[kind][:, 0], drawn))
        order = table[table["group"] == "all"]["importance"]
        assert list(order) == sorted(order, reverse=True)
    again = importance([model], brain, **given, n_jobs=2)
    for kind, table in found.tables.items():
        assert table.equals(again.tables[kind])


def test_without_nulls_every_row_says_so(kernel):
    model, brain = kernel
    for method in ("left-out", "permutation"):
        found = importance([model], brain, method=method, kinds=("genes", "sets"), sets=SETS)
        for table in found.tables.values():
            assert (table[["p", "p_max_t", "q"]] == NOT_TESTED).all(axis=None)
    assert "not tested" == NOT_TESTED and "by permutation, 0 nulls" in repr(found)


@pytest.fixture
def few_steps(monkeypatch):
    """Contributions need not be complete to be compared."""
    for limit in ("STEPS", "MOST_STEPS"):
        monkeypatch.setattr(gradients, limit, 4)


def test_networks_retrain_on_surrogates_in_any_company(tmp_path, few_steps):
    brain = dataclasses.replace(make_brain(), network=("A",) * 32)
    model, _ = saved(tmp_path, brain, "smt", n_layers=1, model_dim=8, genes_per_token=4)
    case = Case.of(model, brain, SETS)
    assert case.usual_method() == "gradients"
    tokens = case.units["tokens"]
    assert sorted(np.concatenate(list(tokens.values()))) == list(range(len(model.genes)))
    two = case.null_importance("gradients", range(2), surrogate="hungarian", seed=0)
    alone = case.null_importance("gradients", range(1, 2), surrogate="hungarian", seed=0)
    for kind, values in alone[0].items():
        np.testing.assert_allclose(two[1][kind], values, atol=1e-5)
    (true,) = case.true_importance("gradients")
    np.testing.assert_allclose(true["tokens"].sum(axis=0), true["genes"].sum(axis=0))
    by_hand = integrated_gradients(model, brain)
    assert list(by_hand.index) == list(model.genes) and by_hand.columns[0] == "all"
    np.testing.assert_array_equal(by_hand, true["genes"])
    fold = Fold(TRAIN[:20], np.arange(26, 31))
    expected = HeldOutEdges.of(brain, fold.test_regions).groups
    assert tuple(integrated_gradients(model, brain, fold).columns) == expected
    with pytest.raises(
        UserError, match="was trained on 1 of the fold's 9 test regions, such as synthetic_RH_8"
    ):
        integrated_gradients(model, brain, Fold(TRAIN[:20], np.arange(23, 32)))


def test_tokens_of_folds_that_chose_their_genes_are_ranked_by_fold(tmp_path, few_steps):
    brain, given = make_brain(), {"n_layers": 1, "model_dim": 8, "genes_per_token": 4}
    chosen = [GeneOptions(which=which, order="expression") for which in ("12_var", "10_var")]
    models = [
        saved(tmp_path / genes.which, brain, "smt", genes=genes, **given)[0] for genes in chosen
    ]
    models[1] = dataclasses.replace(models[1], about=models[1].about.model_copy(update={"fold": 3}))
    both = importance(models, brain, nulls=2, surrogate="hungarian", kinds=["genes", "tokens"])
    table = both.tables["tokens"]
    for name, model in zip(("fold 0", "fold 3"), models, strict=True):
        one = importance([model], brain, nulls=2, surrogate="hungarian", kinds=["tokens"])
        own = table[table["unit"].str.startswith(name)].reset_index(drop=True)
        own = own.assign(unit=own["unit"].str.removeprefix(f"{name}: "))
        columns = ["group", "unit", "n_genes", "importance", "null_mean", "p"]
        pd.testing.assert_frame_equal(own[columns], one.tables["tokens"][columns])
    assert set(both.tables["genes"]["unit"]) == {gene for model in models for gene in model.genes}
    same = importance([models[0], models[0]], brain, kinds=["tokens"])
    assert not same.tables["tokens"]["unit"].str.contains("fold").any()


def test_what_cannot_be_explained_is_refused(kernel, tmp_path):
    model, brain = kernel
    geography, _ = saved(tmp_path / "geography", brain, "geography")
    with pytest.raises(UserError, match="geography reads no expression, so no gene matters"):
        importance([geography], brain)
    with pytest.raises(UserError, match="fitted in closed form and has no gradients"):
        importance([model], brain, method="gradients")
    with pytest.raises(UserError, match="no method of explanation named 'magic'"):
        importance([model], brain, method="magic")
    network, _ = saved(tmp_path / "mlp", brain, "mlp")
    with pytest.raises(UserError, match="a retraining without each gene"):
        importance([network], brain, method="left-out")
    with pytest.raises(UserError, match="not the data on which"):
        importance([network], dataclasses.replace(brain, checksum="other"), nulls=1)
    bins, _ = saved(tmp_path / "bins", brain, "genevec_self", expression="binned", model_dim=8)
    with pytest.raises(UserError, match="reads expression in bins"):
        importance([bins], brain)


def test_a_knock_out_is_the_prediction_of_another_brain(kernel):
    model, brain = kernel
    genes = [*model.genes[:2], "UNKNOWN"]
    found = knock_out([model], brain, genes)
    columns = [brain.genes.index(gene) for gene in genes[:2]]
    train = [brain.labels.index(label) for label in model.about.training_regions]
    for quantile in (None, 0.9):
        rows = brain.expression[np.ix_(train, columns)]
        value = rows.mean(axis=0) if quantile is None else np.quantile(rows, quantile, axis=0)
        expression = brain.expression.copy()
        expression[:, columns] = value
        other = dataclasses.replace(brain, expression=expression)
        expected = model.predict(other) - model.predict(brain)
        found = knock_out([model], brain, genes, quantile=quantile)
        assert found.genes == tuple(genes[:2]) and found.n_members == 1
        np.testing.assert_allclose(found.change, expected, atol=1e-12)
    two = knock_out([model, model], brain, genes)
    np.testing.assert_allclose(two.deviation, 0, atol=1e-12)
    with pytest.raises(UserError, match="reads none of the 1 genes"):
        knock_out([model], brain, ["UNKNOWN"])
    with pytest.raises(UserError, match="the quantile is 2"):
        knock_out([model], brain, genes, quantile=2)
