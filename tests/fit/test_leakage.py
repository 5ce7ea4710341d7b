"""No word of a held-out region reaches a chosen config, a fitted weight or a prediction.

Held-out regions are replaced by garbage while the folds stand still. The same garbage in training
regions must change every answer, or these tests could not fail.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_fits import (
    CLOSED_FORMS,
    NETWORKS,
    PROFILE,
    make_brain,
    make_fold,
    nested,
    network_config,
    with_garbage,
)

from gx2c.data import Brain
from gx2c.fit import (
    FitConfig,
    GeneOptions,
    TrainingSet,
    choose_closed_form,
    retrain,
    validate_closed_form,
)
from gx2c.models import MODELS
from gx2c.splits import Fold

GENES = GeneOptions(which="16_var", order="expression")
RATES = [3e-3, 2e-3, 1e-3]
every_split = pytest.mark.parametrize("split", ["bilateral", "random"])
every_network = pytest.mark.parametrize("model", NETWORKS)
every_closed_form = pytest.mark.parametrize("model", CLOSED_FORMS)


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def closed_form_config(model: str, **keywords) -> FitConfig:
    return FitConfig(model, {**MODELS[model].defaults, **keywords}, genes=GENES)


def retrained(brain: Brain, fold: Fold, config: FitConfig):
    rates = RATES if MODELS[config.model].kind == "iterative" else []
    return retrain(config, [brain], fold, learning_rates=rates, seeds=[3], profile=PROFILE)[0]


def equal_weights(one, other):
    assert one.weights.keys() == other.weights.keys()
    return all(torch.equal(values, other.weights[name]) for name, values in one.weights.items())


@every_split
@every_network
def test_search_of_a_network_never_sees_test_regions(brain, model, split):
    fold = make_fold(brain, split=split)
    config = network_config(model, genes=GENES, max_passes=4)

    def curve(brain):
        return list(nested(brain, fold, config).points())

    honest = curve(brain)
    assert curve(with_garbage(brain, fold.test_regions)) == honest
    assert curve(with_garbage(brain, fold.train_regions)) != honest


@every_split
@every_closed_form
def test_search_of_a_closed_form_never_sees_test_regions(brain, model, split):
    fold = make_fold(brain, split=split)
    config = closed_form_config(model)

    def validated(brain):
        return validate_closed_form(brain, fold, config, metric="val_mse")

    honest = validated(brain)
    assert np.isfinite(honest.score)
    assert validated(with_garbage(brain, fold.test_regions)) == honest
    assert validated(with_garbage(brain, fold.train_regions)) != honest


@every_network
def test_weights_of_a_retrained_network_never_saw_test_regions(brain, model):
    fold, config = make_fold(brain), network_config(model, genes=GENES)
    honest = retrained(brain, fold, config)
    spoiled = retrained(with_garbage(brain, fold.test_regions), fold, config)
    assert equal_weights(honest, spoiled)
    assert spoiled.scores != honest.scores
    assert not equal_weights(
        honest, retrained(with_garbage(brain, fold.train_regions), fold, config)
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_prediction_depends_on_no_other_held_out_region(brain, model):
    """Half the test regions are probes; the other half is garbage, then part of training is."""
    fold = make_fold(brain)
    probes, others = fold.test_regions[::2], fold.test_regions[1::2]
    shown = Fold(fold.train_regions, probes)
    config = network_config(model, genes=GENES) if model in NETWORKS else closed_form_config(model)

    def predicted(brain):
        return retrained(brain, shown, config).predicted

    honest = predicted(brain)
    np.testing.assert_array_equal(predicted(with_garbage(brain, others)), honest)
    # not all of training: an exponential may not fit garbage alone
    spoiled = predicted(with_garbage(brain, fold.train_regions[:12]))
    assert np.abs(spoiled - honest)[np.triu_indices(len(probes), 1)].max() > 1e-6


@every_network
def test_an_inner_fold_never_trains_on_its_validation_regions(brain, model):
    fold, config = make_fold(brain), network_config(model, genes=GENES)
    held_out = fold.inner[1].test_regions

    def weights(brain):
        fit = nested(brain, fold, config)
        fit.advance()
        return fit.fit.weights()

    honest, spoiled = weights(brain), weights(with_garbage(brain, held_out))
    for name, values in honest.items():
        assert torch.equal(spoiled[name][1], values[1])
    changed = [name for name, values in honest.items() if not torch.equal(spoiled[name], values)]
    assert changed, "the other inner folds train on these regions"


def test_the_config_chosen_never_depends_on_test_regions(brain):
    """Candidates that garbage ranks otherwise, so that a look at the test regions would tell."""
    fold = make_fold(brain)
    candidates = [closed_form_config("kernel_ridge", ridge=10.0**k) for k in range(-3, 4)]

    def chosen(brain):
        return choose_closed_form(brain, fold, candidates, metric="val_mse")

    assert chosen(with_garbage(brain, fold.test_regions)) == chosen(brain)
    assert chosen(with_garbage(brain, fold.train_regions)) != chosen(brain)


def test_genes_are_chosen_and_ordered_without_test_regions(brain):
    """Garbage makes other genes vary most; only in training regions may that count."""
    fold = make_fold(brain)
    config = network_config("mlp", genes=GENES)

    def genes(brain):
        fit = nested(brain, fold, config)
        return [m.expression.mean.tolist() for group in fit.fit.groups for m in group.input_makers]

    assert genes(with_garbage(brain, fold.test_regions)) == genes(brain)
    assert genes(with_garbage(brain, fold.train_regions)) != genes(brain)
    over_all = [
        TrainingSet.cut(b, np.arange(b.n_regions), GENES).gene_indices.tolist()
        for b in (brain, with_garbage(brain, fold.test_regions))
    ]
    assert over_all[0] != over_all[1], "garbage that changes no choice proves nothing"
