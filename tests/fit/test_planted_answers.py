"""What is planted in a synthetic brain is found in held-out regions; what is not, is not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_fits import PROFILE, make_brain

from gx2c.fit import FitConfig, TrainingSettings, retrain
from gx2c.fit.nested import learning_rates
from gx2c.models import MODELS
from gx2c.splits import make_folds

HEAD = {"hidden_dims": (64, 32), "dropout": 0.2}
ENCODER = {
    "genes_per_token": 10,
    "model_dim": 16,
    "token_output_dim": 4,
    "n_heads": 2,
    "n_layers": 1,
    "encoder_dropout": 0.1,
}
TRAINING = TrainingSettings(learning_rate=3e-3, weight_decay=1e-3, block_regions=16, max_epochs=40)
BILINEAR = dataclasses.replace(TRAINING, learning_rate=1e-2, weight_decay=0.0)
CONFIGS = {
    "smt": FitConfig("smt", ENCODER | HEAD, TRAINING),
    "mlp": FitConfig("mlp", HEAD, TRAINING),
    "bilinear_lowrank": FitConfig(
        "bilinear_lowrank", {"rank": 8, "shared_weights": False, "penalty_weight": 1e-3}, BILINEAR
    ),
    "geography": FitConfig("geography", MODELS["geography"].defaults),
}
# a reference run gave .80, .90 and .94; shuffled .01, .02 and -.09
EXPECTED_R = {"smt": 0.65, "mlp": 0.78, "bilinear_lowrank": 0.85}


def planted_brain(**weights):
    return make_brain(
        n_regions=64, n_genes=40, seed=0, noise_weight=0.2, symmetric=False, n_latents=3, **weights
    )


@pytest.fixture(scope="module")
def genetic_brain():
    return planted_brain(expression_weight=1.0, geography_weight=0.0)


@pytest.fixture(scope="module")
def geographic_brain():
    return planted_brain(expression_weight=0.0, geography_weight=1.0)


def mean_test_r(brain, model):
    """Average test r over two outer folds."""
    config = CONFIGS[model]
    rates = learning_rates(config.training) if MODELS[model].trains_in_epochs else []
    folds = make_folds(brain, seed=1)[:2]
    scores = [
        retrain(config, [brain], fold, learning_rates=rates, seeds=[0], profile=PROFILE)[0].scores
        for fold in folds
    ]
    return np.mean([s["pearson_r"] for s in scores])


@pytest.mark.parametrize("model", EXPECTED_R)
def test_a_function_of_expression_is_found(genetic_brain, model):
    assert mean_test_r(genetic_brain, model) > EXPECTED_R[model]


@pytest.mark.parametrize("model", EXPECTED_R)
def test_nothing_is_found_in_shuffled_expression(genetic_brain, model):
    order = np.random.default_rng(9).permutation(genetic_brain.n_regions)
    shuffled = dataclasses.replace(genetic_brain, expression=genetic_brain.expression[order])
    assert abs(mean_test_r(shuffled, model)) < 0.25


def test_genes_beat_geography_where_only_genes_matter(genetic_brain):
    assert mean_test_r(genetic_brain, "mlp") > mean_test_r(genetic_brain, "geography") + 0.5


def test_geography_beats_genes_where_only_geography_matters(geographic_brain):
    geography = mean_test_r(geographic_brain, "geography")
    assert geography > 0.9
    for model in EXPECTED_R:
        assert mean_test_r(geographic_brain, model) < geography - 0.4
