"""What geography leaves: predicted out of sample, and added again at the end."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from garbage import with_garbage
from small_fits import PROFILE, make_brain, make_fold, nested, network_config

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, Task, TrainingSet, retrain, validate_closed_form
from gx2c.fit.residual import N_BLOCKS, take_geography_out
from gx2c.metrics import score_edges
from gx2c.models import MODELS
from gx2c.models.closed_form.geography import geography
from gx2c.splits import make_folds

RESIDUAL = Task(learned="geography-residual")
ALL = np.arange(40)


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def off_diagonal(matrix):
    return matrix[~np.eye(len(matrix), dtype=bool)]


def test_every_edge_is_predicted_without_its_two_regions(brain):
    """Change all edges of one region: geography at its own edges must not follow."""
    part = take_geography_out(brain.regions(ALL), brain.connectome)
    region = 7
    changed = brain.connectome.copy()
    others = np.delete(ALL, region)
    changed[region, others] = changed[others, region] = -changed[region, others]
    after = take_geography_out(brain.regions(ALL), changed)
    predicted = brain.connectome - part.residual
    again = changed - after.residual
    np.testing.assert_allclose(again[region, others], predicted[region, others], atol=1e-10)
    rest = np.ix_(others, others)
    assert np.abs(again[rest] - predicted[rest]).max() > 1e-4, "others do learn from its edges"


def test_residuals_are_those_of_direct_fits(brain):
    regions = brain.regions(ALL)
    part = take_geography_out(regions, brain.connectome)
    edges = [(0, 21), (3, 35), (12, 13)]
    folds = make_folds(brain, n_folds=N_BLOCKS, n_inner_folds=2, seed=0)
    block = np.empty(40, dtype=int)
    for number, fold in enumerate(folds):
        block[fold.test_regions] = number
    for i, j in edges:
        rows = np.flatnonzero(~np.isin(block, [block[i], block[j]]))
        model = geography()
        model.fit(brain.regions(rows), brain.connectome_block(rows))
        expected = brain.connectome[i, j] - model.predict(brain.regions(np.array([i, j])))[0, 1]
        assert part.residual[i, j] == pytest.approx(expected, abs=1e-9)


def test_residuals_in_training_are_as_large_as_in_held_out_regions():
    brain = make_synthetic_brain(n_regions=80, n_genes=10, seed=5, expression_weight=0.5)
    fold = make_folds(brain, seed=1)[0]
    train = brain.regions(fold.train_regions)
    part = take_geography_out(train, brain.connectome_block(fold.train_regions))
    inside = off_diagonal(part.residual).std()
    test = brain.regions(fold.test_regions)
    outside = brain.connectome_block(fold.test_regions) - part.model.predict(test)
    resubstituted = brain.connectome_block(fold.train_regions) - part.model.predict(train)
    assert inside == pytest.approx(off_diagonal(outside).std(), rel=0.5)
    assert off_diagonal(resubstituted).std() < inside


def test_prediction_is_geography_and_what_was_learned(brain):
    fold = make_fold(brain)
    config = FitConfig("kernel_ridge", MODELS["kernel_ridge"].defaults, task=RESIDUAL)
    result = retrain(config, [brain], fold, learning_rates=(), seeds=(0,), profile=PROFILE)[0]
    training = TrainingSet.cut(brain, fold.train_regions, GeneOptions(), RESIDUAL)
    model = MODELS["kernel_ridge"].build(**config.hyperparameters)
    model.fit(training.regions, training.connectome)
    shown = training.show(brain, fold.test_regions)
    base = geography()
    base.fit(brain.regions(fold.train_regions), brain.connectome_block(fold.train_regions))
    total = model.predict(shown) + base.predict(brain.regions(fold.test_regions))
    expected = np.clip(total, -1, 1)
    np.testing.assert_allclose(off_diagonal(result.predicted), off_diagonal(expected), atol=1e-9)
    measured = brain.connectome_block(fold.test_regions)
    assert result.scores["pearson_r"] == pytest.approx(score_edges(expected, measured)["pearson_r"])


def test_a_network_is_validated_on_the_real_edges(brain):
    """Genes that say nothing leave geography, not nothing."""
    noise = np.random.default_rng(0).standard_normal(brain.expression.shape)
    brain = dataclasses.replace(brain, expression=noise)
    fold = make_fold(brain)
    plain = network_config("bilinear_lowrank", max_epochs=3)
    scores = {}
    for task in (Task(), RESIDUAL):
        fit = nested(brain, fold, dataclasses.replace(plain, task=task))
        scores[task] = fit.advance().validation["pearson_r"]
    assert scores[RESIDUAL] > scores[Task()] + 0.2


@pytest.mark.parametrize("model", ["mlp", "kernel_ridge"])
def test_the_residual_never_sees_test_regions(brain, model):
    fold = make_fold(brain)
    if model == "mlp":
        config = dataclasses.replace(network_config(model), task=RESIDUAL)
        rates = [3e-3, 1e-3]
    else:
        config, rates = FitConfig(model, MODELS[model].defaults, task=RESIDUAL), []
    garbage = with_garbage(brain, fold.test_regions)
    sets = [
        TrainingSet.cut(b, fold.train_regions, config.genes, RESIDUAL) for b in (brain, garbage)
    ]
    np.testing.assert_array_equal(sets[0].connectome, sets[1].connectome)
    results = [
        retrain(config, [b], fold, learning_rates=rates, seeds=[3], profile=PROFILE)[0]
        for b in (brain, garbage)
    ]
    for name, weights in results[0].weights.items():
        assert weights.numpy().tobytes() == results[1].weights[name].numpy().tobytes()
    if model == "kernel_ridge":
        validated = [
            validate_closed_form(b, fold, config, metric="val_mse") for b in (brain, garbage)
        ]
        assert validated[0] == validated[1]


MEMBERS = ({"ridge": 0.1}, {"coordinate_scale": 0.4, "ridge": 3.0})


def test_an_ensemble_geography_is_the_mean_of_its_members(brain):
    regions = brain.regions(ALL)
    whole = take_geography_out(regions, brain.connectome, MEMBERS)
    parts = [take_geography_out(regions, brain.connectome, [one]) for one in MEMBERS]
    assert np.abs(parts[0].residual - parts[1].residual).max() > 1e-3
    mean = np.mean([part.residual for part in parts], axis=0)
    np.testing.assert_allclose(whole.residual, mean, atol=1e-12)
    predicted = np.mean([part.model.predict(regions) for part in parts], axis=0)
    np.testing.assert_allclose(whole.model.predict(regions), predicted, atol=1e-12)


def test_a_task_determines_the_geography_and_the_weight(brain):
    """Prediction = ensemble geography + weight x what was learned from its residual."""
    fold, train = make_fold(brain), make_fold(brain).train_regions
    task = Task(learned="geography-residual", geography=MEMBERS, weight=0.25)
    config = FitConfig("kernel_ridge", MODELS["kernel_ridge"].defaults, task=task)
    config = FitConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert config.task == task
    found = retrain(config, [brain], fold, learning_rates=(), seeds=(0,), profile=PROFILE)[0]
    part = take_geography_out(brain.regions(train), brain.connectome_block(train), MEMBERS)
    model = MODELS["kernel_ridge"].build(**config.hyperparameters)
    training = TrainingSet.cut(brain, train, GeneOptions(), task)
    model.fit(training.regions, part.residual)
    learned = model.predict(training.show(brain, fold.test_regions))
    base = part.model.predict(brain.regions(fold.test_regions))
    expected = np.clip(base + 0.25 * learned, -1, 1)
    np.testing.assert_allclose(off_diagonal(found.predicted), off_diagonal(expected), atol=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight": 0.5}, "has no geography and the weight 1"),
        ({"geography": [{"ridge": 1.0}]}, "has no geography and the weight 1"),
        ({"learned": "geography-residual", "weight": 1.5}, "weight is 1.5"),
        (
            {"learned": "geography-residual", "geography": [{"ridges": 1.0}]},
            "not a config of a fit",
        ),
        ({"learned": "geography-residual", "geography": [{"ridge": -1.0}]}, "ridge is -1.0"),
    ],
)
def test_a_task_that_cannot_be_is_refused(given, message):
    with pytest.raises(UserError, match=message):
        FitConfig.from_dict({"model": "kernel_ridge", "task": given})
