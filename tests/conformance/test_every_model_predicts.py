"""Every model: symmetric predictions, of which each depends on its own two regions alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from cases import (
    CLOSED_FORMS,
    NETWORKS,
    PROFILE,
    all_but_exempt,
    brief_config,
    brief_fit,
    outer_fold,
    planted_brain,
    retrained,
)

from gx2c.fit import NetworkFit, TrainingSet
from gx2c.models import MODELS
from gx2c.models.spec import COORDINATES, EXPRESSION, TRAIN_TEST_EDGES
from gx2c.splits import Fold

every_model = pytest.mark.parametrize("model", MODELS)
every_closed_form = pytest.mark.parametrize("model", CLOSED_FORMS)


@every_model
def test_predictions_are_symmetric_and_finite(model):
    predicted = brief_fit(model).predicted
    assert predicted.shape == (len(outer_fold().test_regions),) * 2
    assert np.isfinite(predicted).all()
    np.testing.assert_array_equal(predicted, predicted.T)


@pytest.mark.parametrize("model", all_but_exempt("same_in_any_company"))
def test_a_pair_is_predicted_alike_in_any_company(model):
    fold, some = outer_fold(), [0, 7, 9]
    alone = retrained(
        brief_config(model), fold=Fold(fold.train_regions, fold.test_regions[some])
    ).predicted
    together = brief_fit(model).predicted[np.ix_(some, some)]
    edges = np.triu_indices(len(some), 1)
    np.testing.assert_allclose(alone[edges], together[edges], atol=1e-6)


@pytest.mark.parametrize("model", all_but_exempt("encode_once", NETWORKS))
def test_encoding_once_gives_the_values_and_gradients_of_pair_by_pair(model):
    """Dropout is off and batch statistics stand still, so that only the encoding differs."""
    config, brain = brief_config(model), planted_brain()
    sets = [TrainingSet.cut(brain, f.train_regions, config.genes) for f in outer_fold().inner]
    fit = NetworkFit(config, sets, seeds=[1, 2], profile=PROFILE)
    fit.run_epoch(1, 3e-3)
    network = fit.network.double().eval()
    n = 5
    expression, coords = (
        torch.stack([getattr(inputs, source)[:n] for inputs in fit.inputs]).double()
        for source in ("expression", "coords")
    )
    once = network.decode_within(network.encode(expression, coords))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    by_pair = torch.stack(
        [
            network.decode_within(network.encode(expression[:, [i, j]], coords[:, [i, j]]))[:, 0]
            for i, j in pairs
        ],
        dim=1,
    )
    torch.testing.assert_close(once, by_pair, rtol=1e-8, atol=1e-10)
    expected, found = (_gradients(network, predicted) for predicted in (by_pair, once))
    assert max(g.abs().max() for g in expected.values()) > 1e-6
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-7, atol=1e-10)


def _gradients(network, predicted):
    network.zero_grad()
    weights = torch.linspace(-1, 1, predicted.shape[1], dtype=predicted.dtype)
    (predicted * weights).square().sum().backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def fitted(config, training, connectome):
    """Fit a closed form on given arrays, and show it the edges that it may ask for."""
    model = MODELS[config.model].build(**config.hyperparameters)
    model.fit(training.regions, connectome)
    if TRAIN_TEST_EDGES in config.uses:
        fold, brain = outer_fold(), planted_brain()
        model.see_edges(brain.connectome[np.ix_(fold.train_regions, fold.test_regions)])
    return model


def training_and_shown(config):
    fold, brain = outer_fold(), planted_brain()
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    return training, training.show(brain, fold.test_regions)


@every_model
def test_only_what_a_config_says_it_uses_changes_its_prediction(model):
    config = brief_config(model)
    brain, fold = planted_brain(), outer_fold()
    rng = np.random.default_rng(2)
    coords = brain.coords_mm + rng.normal(scale=3, size=(brain.n_regions, 3))
    changed = {
        EXPRESSION: {"expression": rng.permuted(brain.expression, axis=0)},
        COORDINATES: {"coords_mm": coords},
    }
    expected = brief_fit(model).predicted
    for source, parts in changed.items():
        other = retrained(config, brain=dataclasses.replace(brain, **parts), fold=fold).predicted
        assert np.array_equal(other, expected) == (source not in config.uses), source


@pytest.mark.parametrize("model", all_but_exempt("order_of_training_regions", CLOSED_FORMS))
def test_order_of_training_regions_does_not_matter(model):
    fold = outer_fold()
    shuffled = np.random.default_rng(1).permutation(fold.train_regions)
    other = retrained(brief_config(model), fold=Fold(shuffled, fold.test_regions))
    np.testing.assert_allclose(other.predicted, brief_fit(model).predicted, atol=1e-5)


@every_closed_form
def test_the_diagonal_of_the_connectome_is_not_data(model):
    config = brief_config(model)
    training, shown = training_and_shown(config)
    spoiled = training.connectome.copy()
    np.fill_diagonal(spoiled, np.nan)
    predicted = [
        fitted(config, training, connectome).predict(shown)
        for connectome in (training.connectome, spoiled)
    ]
    np.testing.assert_array_equal(*predicted)


@every_closed_form
def test_fitting_leaves_its_input_alone(model):
    config = brief_config(model)
    training, _ = training_and_shown(config)
    regions = training.regions
    arrays = (regions.expression, regions.coords_mm, training.connectome)
    before = [array.copy() for array in arrays]
    fitted(config, training, training.connectome)
    for kept, now in zip(before, arrays, strict=True):
        np.testing.assert_array_equal(kept, now)
