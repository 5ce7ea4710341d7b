"""The spaces reach every value of the published sweeps, and begin with the published best."""

from __future__ import annotations

import dataclasses

import optuna
import pytest
from optuna.samplers import RandomSampler

from gx2c.fit.augmentation import Augmentation
from gx2c.fit.config import FitConfig, GeneOptions, Task
from gx2c.models import MODELS
from search_spaces import Scale, get_search_space, suggest_config
from search_spaces.space import block_choices, written

PAPER = Scale(
    small=False,
    n_genes=7380,
    n_train_regions=228,
    max_epochs=110,
    patience=50,
    augment_search=True,
)

PUBLISHED_BATCHES = (256, 512, 1024)

# What a value brings into play
COMPANIONS = {
    ("penalty_norm", "l1"): {"l1_weight": 1e-4},
    ("expression", "binned"): {"expression_bins": 5},
}


def fixed_config(model: str, params: dict) -> FitConfig:
    """Rebuild a config; Optuna refuses a value that is out of range or missing."""
    space = get_search_space(model)
    return suggest_config(space, optuna.trial.FixedTrial(params), PAPER, GeneOptions())


@pytest.mark.parametrize("model", [name for name, spec in MODELS.items() if spec.published])
def test_every_published_value_is_reachable(model):
    params = get_search_space(model).defaults(PAPER)
    for name, values in MODELS[model].published.items():
        assert name in params
        for value in map(written, values):
            fixed_config(model, params | {name: value} | COMPANIONS.get((name, value), {}))


AUGMENTED = [name for name, spec in MODELS.items() if "augment_probability" in spec.published]


@pytest.mark.parametrize("model", AUGMENTED)
def test_augmentation_is_searched_as_published_and_only_on_request(model):
    space, kinds = get_search_space(model), Augmentation(("strong-edges", "subject-edges"))
    plain = dataclasses.replace(PAPER, augment_search=False)
    for k in range(8):
        studies = [optuna.create_study(sampler=RandomSampler(seed=k)) for _ in range(2)]
        found, as_given = (
            suggest_config(space, study.ask(), scale, GeneOptions(), Task(augmentation=kinds))
            for study, scale in zip(studies, (PAPER, plain), strict=True)
        )
        # nothing else is drawn differently, and without the request nothing is searched
        assert found.hyperparameters == as_given.hyperparameters
        assert found.training == as_given.training
        assert as_given.task.augmentation == kinds
        for name, values in space.augments.items():
            assert getattr(found.task.augmentation, name) in values
        assert found.task.augmentation.kinds == kinds.kinds
    first = fixed_config(model, space.defaults(PAPER)).task.augmentation
    assert first.probability == space.augments["probability"][0]


def test_every_published_sweep_is_declared():
    without = {name for name, spec in MODELS.items() if not spec.published}
    # rules without a hyperparameter, and models that no published sweep has
    assert without == {
        "exponential_decay",
        "gaussian_kernel",
        "kernel_ridge",
        "geography",
        "geography+genes",
        "smt_cls_fixed",
        "smt_cls_random",
        "bilinear_lowrank_pca",
        "bilinear_lowrank_pls",
    }


def test_a_value_out_of_range_would_be_noticed():
    params = get_search_space("smt").defaults(PAPER)
    with pytest.raises(ValueError, match="genes_per_token|50"):
        fixed_config("smt", params | {"genes_per_token": 50})


def test_blocks_cover_the_published_batches():
    blocks = block_choices(PAPER)
    for batch in PUBLISHED_BATCHES:
        assert min(blocks) * (min(blocks) - 1) <= batch <= max(blocks) * (max(blocks) - 1)


NETWORKS = [name for name, spec in MODELS.items() if spec.trains_in_epochs]


@pytest.mark.parametrize("model", NETWORKS)
def test_networks_begin_with_the_published_best(model):
    config = fixed_config(model, get_search_space(model).defaults(PAPER))
    spec = MODELS[model]
    assert config.hyperparameters.items() <= spec.defaults.items()
    # a published block may lie between two on offer
    block = min(block_choices(PAPER), key=lambda n: abs(n - spec.training["block_regions"]))
    training = {**spec.training, "block_regions": block}
    assert training.items() <= dataclasses.asdict(config.training).items()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("geography", {"coordinate_scale": 0.1, "ridge": 0.3}),
        ("kernel_ridge", {"expression_power": 4, "ridge": 1.0, "mean": "geography"}),
        (
            "geography+genes",
            {"ridge": 0.3, "gene_ridge": 1.0, "gene_weight": 0.5, "combine": "average"},
        ),
    ],
)
def test_kernel_models_begin_with_the_settings_of_the_check_values(model, expected):
    config = fixed_config(model, get_search_space(model).defaults(PAPER))
    expected = {**expected, "mean_ridge": 0.01, "diagonal": "zero"}
    assert expected.items() <= config.hyperparameters.items()


def test_small_networks_are_small():
    quick = Scale(small=True, n_genes=500, n_train_regions=48, max_epochs=12, patience=5)
    space = get_search_space("smt")
    for seed in range(30):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        config = suggest_config(space, study.ask(), quick, GeneOptions())
        values = config.hyperparameters
        assert values["genes_per_token"] in (10, 20, 50)
        assert values["model_dim"] <= 32
        assert values["n_layers"] <= 2
        assert max(values["hidden_dims"]) <= 128
