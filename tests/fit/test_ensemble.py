"""Configs and seeds retrained and averaged; the weight of a model after geography."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from garbage import with_garbage
from small_fits import PROFILE, make_brain, make_fold, network_config

from gx2c.errors import UserError
from gx2c.fit import (
    Chosen,
    FitConfig,
    Task,
    choose_weight,
    rank_closed_forms,
    rank_configs,
    retrain,
    retrain_ensemble,
)
from gx2c.metrics import score_edges
from gx2c.models import MODELS

RESIDUAL = Task(learned="geography-residual", geography=({"ridge": 0.3}, {"ridge": 3.0}))
RATES = (3e-3, 1e-3)
METRIC = "val_mse"


@pytest.fixture(scope="module")
def brain():
    return make_brain()


@pytest.fixture(scope="module")
def fold(brain):
    return make_fold(brain)


def networks(task=RESIDUAL):
    configs = [network_config("mlp", keywords={"hidden_dims": dims}) for dims in ((16, 8), (8,))]
    return [Chosen(dataclasses.replace(config, task=task), RATES) for config in configs]


def kernels(task=RESIDUAL, **keywords):
    config = FitConfig("kernel_ridge", MODELS["kernel_ridge"].defaults | keywords, task=task)
    return [Chosen(config)]


def ensemble(chosen, brains, fold, seeds, **keywords):
    return retrain_ensemble(chosen, brains, fold, seeds=seeds, profile=PROFILE, **keywords)


def test_members_are_those_of_retrain_and_their_mean_is_scored(brain, fold):
    seeds = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    found = ensemble(networks(), [brain, brain], fold, seeds, train_test_edges=True)
    for number, one in enumerate(found):
        alone = [
            retrain(
                chosen.config,
                [brain],
                fold,
                learning_rates=RATES,
                seeds=[seed],
                profile=PROFILE,
                train_test_edges=True,
            )[0]
            for chosen, of_config in zip(networks(), seeds, strict=True)
            for seed in of_config[number]
        ]
        for member, expected in zip(one.members, alone, strict=True):
            np.testing.assert_allclose(member.predicted, expected.predicted, atol=1e-5)
        mean = np.mean([member.predicted for member in alone], axis=0)
        np.testing.assert_allclose(one.predicted, mean, atol=1e-5)
        measured = brain.connectome_block(fold.test_regions)
        assert one.scores == score_edges(one.predicted, measured)
        spread = np.std([member.scores["pearson_r"] for member in one.members], ddof=1)
        assert one.spread["pearson_r"] == pytest.approx(spread) and spread > 0
        across = np.mean([member.train_test_predicted for member in alone], axis=0)
        test = brain.connectome[np.ix_(fold.train_regions, fold.test_regions)]
        r = np.corrcoef(across.ravel(), test.ravel())[0, 1]
        assert one.train_test_scores["pearson_r"] == pytest.approx(r, abs=1e-4)


def test_a_member_that_diverged_is_left_out(brain, fold):
    good, bad = networks(Task())
    mixed = ensemble(
        [good, bad._replace(learning_rates=(1e30,) * 3)], [brain], fold, [[[1]], [[2]]]
    )
    (alone,) = ensemble([good], [brain], fold, [[[1]]])
    np.testing.assert_array_equal(mixed[0].predicted, alone.predicted)
    assert mixed[0].n_diverged == 1 and mixed[0].scores == alone.scores
    assert np.isnan(mixed[0].spread["pearson_r"]), "one score has no spread"
    lost = ensemble([bad._replace(learning_rates=(1e30,) * 3)], [brain], fold, [[[2, 3]]])[0]
    assert lost.scores is None and lost.n_diverged == 2


def test_configs_are_ranked_and_those_without_a_score_left_out(brain, fold):
    flat = dataclasses.replace(brain, expression=np.ones_like(brain.expression))
    geography = [FitConfig("geography", {"ridge": ridge}) for ridge in (1e4, 0.3, 30.0, 0.3)]
    ranked = rank_closed_forms(brain, fold, geography, metric=METRIC)
    assert [geography.index(one) for one in ranked] == [1, 1, 2, 0]
    assert ranked[0] is geography[1], "the first of equals ranks higher"
    unfit = FitConfig("kernel_ridge", {"expression_kernel": "rbf"})
    fits = FitConfig("kernel_ridge", {"coordinate_kernel": "rbf", "expression_kernel": "none"})
    assert rank_closed_forms(flat, fold, [unfit, fits], metric=METRIC) == [fits]
    assert rank_closed_forms(flat, fold, [unfit], metric=METRIC) == [unfit]
    few = [network_config("mlp", max_epochs=2, learning_rate=rate) for rate in (1e30, 1e-3, 1e-2)]
    chosen = rank_configs(brain, fold, few, metric=METRIC, seeds=[1, 2, 3], profile=PROFILE)
    assert {one.config.training.learning_rate for one in chosen} == {1e-3, 1e-2}


def weight_of(brain, fold, chosen, seeds=((3,),), metric=METRIC):
    return choose_weight(brain, fold, chosen, metric=metric, seeds=seeds, profile=PROFILE)


def test_the_weight_is_that_with_the_best_inner_validation(brain, fold):
    chosen = kernels(gene_ridge=0.3)
    losses = []
    for weight in (0.0, 0.25, 0.5, 0.75, 1.0):
        task = dataclasses.replace(RESIDUAL, weight=weight)
        config = dataclasses.replace(chosen[0].config, task=task)
        inner = [
            retrain(config, [brain], one, learning_rates=(), seeds=[0], profile=PROFILE)[0]
            for one in fold.inner
        ]
        losses.append(np.mean([result.scores["mse"] for result in inner]))
    assert len(set(losses)) == 5
    assert weight_of(brain, fold, chosen) == 0.25 * int(np.argmin(losses))


@pytest.fixture(scope="module")
def larger():
    return make_brain(n_regions=60)


LINEAR = {"mean": "none", "diagonal": "impute", "expression_kernel": "linear"}


def test_genes_get_weight_and_noise_gets_none(larger):
    noise = np.random.default_rng(1).standard_normal(larger.expression.shape)
    blank = dataclasses.replace(larger, expression=noise)
    assert weight_of(larger, make_fold(larger), kernels(**LINEAR)) > 0
    assert weight_of(blank, make_fold(larger), kernels(**LINEAR)) == 0


def test_the_weight_never_depends_on_test_regions(larger):
    fold, pairs = make_fold(larger), ((3, 4), (5,))
    for chosen, seeds in ((kernels(**LINEAR), ((3,),)), (networks(), pairs)):
        spoiled = with_garbage(larger, fold.test_regions)
        assert weight_of(spoiled, fold, chosen, seeds) == weight_of(larger, fold, chosen, seeds)
    spoiled = with_garbage(larger, fold.train_regions)
    chosen = kernels(**LINEAR)
    assert weight_of(spoiled, fold, chosen) != weight_of(larger, fold, chosen)


def test_a_network_that_diverges_gets_no_weight(brain, fold):
    wild = networks()[0]._replace(learning_rates=(1e30,) * 3)
    assert weight_of(brain, fold, [wild]) == 0.0


def test_without_a_geography_there_is_no_weight_to_choose(brain, fold):
    with pytest.raises(UserError, match="kernel_ridge learns the connectome"):
        weight_of(brain, fold, kernels(Task()))
