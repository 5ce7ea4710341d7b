"""One tiny planted brain, one outer fold, and the first small config of every model."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

import numpy as np
import optuna

from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import (
    ComputeProfile,
    FitConfig,
    NestedFit,
    Retrained,
    rank_closed_forms,
    retrain,
)
from gx2c.fit.config import GeneOptions
from gx2c.fit.nested import learning_rates
from gx2c.models import MODELS
from gx2c.saved.loading import load_model
from gx2c.saved.model import SavedModel
from gx2c.saved.writing import Training, model_files, write_model
from gx2c.splits import Fold, make_folds
from search_spaces import SEARCH_SPACES, Scale, suggest_config
from search_spaces.space import NearestTrial

PROFILE = ComputeProfile()
SEED = 5
N_GENES = 40
# genes are chosen and put in order on training regions alone, and garbage would show it
GENES = GeneOptions(which="30_var", order="expression")
SCALE = Scale(small=True, n_genes=30, n_train_regions=24, max_epochs=24, patience=24)
CLOSED_FORMS = [name for name, spec in MODELS.items() if not spec.trains_in_epochs]
NETWORKS = [name for name, spec in MODELS.items() if spec.trains_in_epochs]

# What a model need not do, and why; whatever is not listed here must pass
EXEMPTIONS: dict[str, dict[str, str]] = {
    "order_of_training_regions": {
        "xgboost": "every tree draws pairs by their number",
    },
    "encode_once": dict.fromkeys(
        ("genevec_cross", "genevec_mixed"), "attends across the two regions of a pair"
    ),
    "same_in_any_company": {
        "pls_twostep_published": "its second step finds components of all test edges at once",
    },
    "blind_to_test_regions": {
        "pls_twostep_published": "its second step learns from edges of the test regions",
    },
}

# Models whose form cannot be what `planted_brain` holds, and why: they find `level_brain`
FIND_A_LEVEL: dict[str, str] = {
    "cge": "says how alike two regions are, no other function of both",
    "xgboost": "inner folds of 18 regions give trees of one feature, not of three",
    **dict.fromkeys(
        ("smt_pool", "smt_cls_pool", "smt_conv"),
        "the mean of tokens forgets which genes were in each",
    ),
}


def all_but_exempt(rule: str, models: list[str] | None = None) -> list[str]:
    """Return the models that a rule holds for."""
    return [name for name in models or list(MODELS) if name not in EXEMPTIONS[rule]]


@lru_cache
def planted_brain() -> Brain:
    """Half of its connectome is a function of expression, half of geography."""
    brain = make_synthetic_brain(
        n_regions=48, n_genes=N_GENES, seed=0, noise_weight=0.2, symmetric=False, n_latents=3
    )
    # what tells genes apart, for the models that read it
    vectors = np.random.default_rng(0).standard_normal((N_GENES, 3))
    return dataclasses.replace(brain, gene_vectors=vectors)


@lru_cache
def level_brain() -> Brain:
    """All genes of a region follow one level, and its connectome says how alike two levels are."""
    brain, rng = planted_brain(), np.random.default_rng(1)
    level = rng.standard_normal(brain.n_regions)
    noise = rng.standard_normal(brain.expression.shape)
    expression = 0.5 + 0.1 * (np.outer(level, rng.uniform(0.5, 1.5, N_GENES)) + 0.5 * noise)
    connectome = 0.8 * np.tanh(np.outer(level, level))
    wobble = rng.normal(0, 0.05, connectome.shape)
    connectome += (wobble + wobble.T) / 2
    np.fill_diagonal(connectome, 1.0)
    return dataclasses.replace(brain, expression=expression, connectome=connectome)


def brain_for(model: str) -> Brain:
    """Return a brain that holds what the model can find."""
    return level_brain() if model in FIND_A_LEVEL else planted_brain()


@lru_cache
def outer_fold(split: str = "bilateral") -> Fold:
    """Return the first of four outer folds, with two inner folds."""
    brain = planted_brain()
    folds = make_folds(brain, split=split, n_folds=4, n_inner_folds=2, seed=1)
    return folds[0]


def first_config(model: str, **training: int | float | str) -> FitConfig:
    """Return the config that a small search of the model tries first."""
    space = SEARCH_SPACES[model]
    config = suggest_config(space, NearestTrial(space.defaults(SCALE)), SCALE, GENES)
    settings = dataclasses.replace(config.training, **training)
    return dataclasses.replace(config, training=settings)


def searched_config(model: str) -> FitConfig:
    """Return the first config of a network; of a closed form the best of some, as a sweep would."""
    first = first_config(model)
    if model in NETWORKS:
        return first
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [suggest_config(SEARCH_SPACES[model], study.ask(), SCALE, GENES) for _ in range(8)]
    return rank_closed_forms(brain_for(model), outer_fold(), [first, *drawn], metric="val_mse")[0]


def nested(brain: Brain, config: FitConfig, *, fold: Fold | None = None) -> NestedFit:
    """Prepare a network on the inner folds."""
    fold = outer_fold() if fold is None else fold
    return NestedFit(brain, fold, config, metric="val_mse", seed=SEED, profile=PROFILE)


def retrained(
    config: FitConfig, *, brain: Brain | None = None, fold: Fold | None = None, seed: int = SEED
) -> Retrained:
    """Fit on all outer-training regions and predict the test regions."""
    return retrained_each(config, [seed], brain=brain, fold=fold)[0]


def retrained_each(
    config: FitConfig, seeds: list[int], *, brain: Brain | None = None, fold: Fold | None = None
) -> list[Retrained]:
    """Do so once with each seed."""
    iterative = MODELS[config.model].trains_in_epochs
    return retrain(
        config,
        [planted_brain() if brain is None else brain] * len(seeds),
        outer_fold() if fold is None else fold,
        learning_rates=learning_rates(config.training) if iterative else [],
        seeds=seeds,
        profile=PROFILE,
    )


@lru_cache
def brief_fit(model: str) -> Retrained:
    """Retrain the model's brief config; the same for every test."""
    return retrained(brief_config(model))


def brief_config(model: str) -> FitConfig:
    """Return the first config with two epochs: enough to tell two fits apart."""
    return first_config(model, max_epochs=2)


def saved_fit(model: str, folder: Path) -> SavedModel:
    """Save the brief fit as a sweep would, and load it."""
    brain, fold = planted_brain(), outer_fold()
    rates = [0.1] * 2 if model in NETWORKS else []
    training = Training(
        fold.train_regions, fold.test_regions, [rates], [[SEED]], PROFILE, "bilateral", 0, 1
    )
    write_model(folder, model_files([brief_fit(model).fitted], brain, training))
    return load_model(folder)
