"""A chosen config on all outer-training regions, for the true brain and for surrogates."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from small_fits import CLOSED_FORMS, NETWORKS, PROFILE, make_brain, make_fold, network_config

from gx2c.fit import (
    FitConfig,
    NetworkFit,
    TrainingSet,
    rank_closed_forms,
    retrain,
    validate_closed_form,
)
from gx2c.metrics import score_edges
from gx2c.models import MODELS

RATES = [1e-3, 3e-3, 2e-3]


@pytest.fixture(scope="module")
def brain():
    return make_brain()


@pytest.fixture(scope="module")
def fold(brain):
    return make_fold(brain)


@pytest.fixture(scope="module")
def surrogate(brain):
    order = np.random.default_rng(0).permutation(brain.n_regions)
    return dataclasses.replace(brain, expression=brain.expression[order])


def run(config, brains, fold, *, rates=RATES, seeds=(1, 2)):
    seeds = seeds[: len(brains)]
    return retrain(config, brains, fold, learning_rates=rates, seeds=seeds, profile=PROFILE)


@pytest.mark.parametrize("model", NETWORKS)
def test_the_recorded_rates_are_replayed(brain, fold, model):
    config = network_config(model)
    found = run(config, [brain], fold)[0]
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    fit = NetworkFit(config, [training], seeds=[1], profile=PROFILE)
    for number, rate in enumerate(RATES, start=1):
        fit.run_epoch(number, rate)
    assert found.weights.keys() == fit.network.state_dict().keys()
    for name, values in fit.network.state_dict().items():
        assert torch.equal(found.weights[name], values)
    other = run(config, [brain], fold, rates=RATES[::-1])[0]
    assert not np.array_equal(other.predicted, found.predicted)


@pytest.mark.parametrize("model", NETWORKS)
def test_a_rerun_gives_the_same_numbers_to_the_last_digit(brain, fold, model):
    first, again = (run(network_config(model), [brain], fold)[0] for _ in range(2))
    np.testing.assert_array_equal(first.predicted, again.predicted)
    assert first.scores == again.scores


@pytest.mark.parametrize("model", NETWORKS)
def test_surrogates_hardly_change_the_true_brain_beside_them(brain, surrogate, fold, model):
    """Rounding apart, which Adam and ReLU may blow up; in float64 see `test_network_fit`."""
    rates = [1e-4] * 3
    together = run(network_config(model), [brain, surrogate], fold, rates=rates)
    for index, one in enumerate((brain, surrogate)):
        alone = run(network_config(model), [one], fold, rates=rates, seeds=(1 + index,))[0]
        np.testing.assert_allclose(alone.predicted, together[index].predicted, atol=2e-3)
        for name, values in alone.weights.items():
            torch.testing.assert_close(together[index].weights[name], values, atol=5e-3, rtol=0)
    assert np.abs(together[0].predicted - together[1].predicted).max() > 0.05


@pytest.mark.parametrize("model", [*NETWORKS, *CLOSED_FORMS])
def test_scores_are_those_of_the_test_edges(brain, surrogate, fold, model):
    spec = MODELS[model]
    iterative = spec.trains_in_epochs
    config = network_config(model) if iterative else FitConfig(model, spec.defaults)
    results = run(config, [brain, surrogate], fold, rates=RATES if iterative else [])
    for result in results:
        measured = brain.connectome_block(fold.test_regions)
        assert result.scores == score_edges(result.predicted, measured)
        assert bool(result.weights) == iterative


def test_a_diverged_retrain_says_so(brain, fold):
    result = run(network_config("mlp"), [brain], fold, rates=[1e30] * 3)[0]
    assert result.scores is None and np.isnan(result.predicted).any()


@pytest.mark.parametrize("model", CLOSED_FORMS)
def test_a_closed_form_is_validated_on_its_inner_folds(brain, fold, model):
    spec = MODELS[model]
    config = FitConfig(model, spec.defaults)
    validated = validate_closed_form(brain, fold, config, metric="val_pearson_r")
    expected = []
    for inner in fold.inner:
        built = spec.build(**spec.defaults)
        train, test = inner.train_regions, inner.test_regions
        along = brain.expression[:, np.argsort(brain.tss)]
        built.fit(brain.regions(train).with_columns(along[train]), brain.connectome_block(train))
        if spec.name == "pls_twostep_published":
            built.see_edges(brain.connectome[np.ix_(train, test)])
        predicted = built.predict(brain.regions(test).with_columns(along[test]))
        expected.append(score_edges(predicted, brain.connectome_block(inner.test_regions)))
    for name, value in validated.validation.items():
        assert value == pytest.approx(np.mean([scores[name] for scores in expected]))
    assert validated.score == validated.validation["pearson_r"]


def test_the_best_closed_form_is_chosen_and_the_first_of_equals(brain, fold):
    configs = [FitConfig("geography", {"ridge": ridge}) for ridge in (1e4, 0.3, 1e-5)]
    scores = [validate_closed_form(brain, fold, c, metric="val_mse").score for c in configs]
    best = configs[int(np.argmax(scores))]
    assert rank_closed_forms(brain, fold, configs, metric="val_mse")[0] is best
    same = [FitConfig("geography", {"ridge": 0.3}) for _ in range(3)]
    assert rank_closed_forms(brain, fold, same, metric="val_mse")[0] is same[0]
