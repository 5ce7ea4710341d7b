"""The spaces reach every value of the published sweeps, and begin with the published best."""

from __future__ import annotations

import optuna
import pytest

from gx2c.fit.config import FitConfig, GeneOptions
from search_spaces import Scale, get_search_space, suggest_config
from search_spaces.training import block_choices

PAPER = Scale(small=False, n_genes=7380, n_train_regions=228, max_passes=110, patience=50)

SMT = {
    "genes_per_token": [20, 60, 180],
    "model_dim": [64, 128],
    "token_output_dim": [5, 10],
    "n_heads": [2, 4],
    "n_layers": [2, 4],
    "hidden_dims": ["256-128", "512-256-128"],
    "alibi": [True],
    "encoder_dropout": [0.1, 0.2],
    "dropout": [0.1, 0.2, 0.3],
    "learning_rate": [9e-5, 1e-4],
    "weight_decay": [1e-4, 1e-3],
}
POOL = {
    "genes_per_token": [10, 20, 60],
    "model_dim": [64, 128, 256],
    "n_heads": [4],
    "n_layers": [4],
    "hidden_dims": ["512-256-128"],
    "alibi": [True, False],
    "encoder_dropout": [0.1, 0.2],
    "dropout": [0.1, 0.2],
    "learning_rate": [5e-4],
    "weight_decay": [0.0, 1e-5, 1e-4],
}
CONV = {
    **{name: POOL[name] for name in ("n_heads", "n_layers", "hidden_dims", "encoder_dropout")},
    **{name: POOL[name] for name in ("dropout", "learning_rate", "weight_decay")},
    "kernel_size": [16, 32, 64],
    "stride": [16, 32],
    "out_channels": [16, 32],
    "n_tokens": [64, 96, 128, 256],
    "model_dim": [64, 128],
    "alibi": [True],
}
# above 227 components the published inner folds of 228 regions fail
SCORES = {
    **{name: SMT[name] for name in ("n_heads", "n_layers", "hidden_dims")},
    "n_components": [64, 128, 227],
    "model_dim": [64, 128, 256],
    "encoder_dropout": [0.1, 0.2],
    "dropout": [0.1, 0.2],
    "learning_rate": [1e-4, 3e-4, 5e-4, 7e-4],
    "weight_decay": [0.0, 1e-5, 1e-4],
}
GENEVEC = {
    "identity": ["one_hot"],
    "expression": ["continuous", "binned"],
    "model_dim": [16, 32, 64],
    "n_heads": [2, 4],
    "n_layers": [2, 4],
    "hidden_dims": ["256-128-64"],
    "readout": ["flatten"],
    "alibi": [True, False],
    "encoder_dropout": [0.1, 0.2, 0.3],
    "dropout": [0.1, 0.2, 0.3],
    "learning_rate": [9e-5, 1e-4],
    "weight_decay": [0.0, 1e-5, 1e-4, 1e-3],
    "symmetric": [False],
}
MLP = {
    "hidden_dims": ["256-128", "512-256-128", "1024-512-256-128"],
    "dropout": [0.0, 0.1, 0.3],
    "learning_rate": [9e-5, 1e-4],
    "weight_decay": [0.0, 1e-5, 1e-4],
}
TWO_STEPS = {
    name: [2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 50] for name in ("n_components_l", "n_components_k")
}
# GeneEx2Conn, NeurIPS 2025: its sweep of each model, in this project's words
PUBLISHED = {
    "bilinear_lowrank": {
        "rank": [5, 8, 10, 15, 20, 25],
        "activation": ["none", "relu", "sigmoid", "softplus"],
        "shared_weights": [True, False],
        "l2_weight": [1e-3],
        "learning_rate": [1e-4],
    },
    "bilinear_cm": {"ridge": [1e-3, 1e-2, 0.1, 1.0]},
    "bilinear_cm_pca": {"ridge": [1e-3, 1e-2, 0.1, 1.0], "n_components": [27]},
    "bilinear_cm_pls": {
        "ridge": [1e-3, 1e-2, 0.1, 1.0],
        "n_components": [5, 10, 12, 25, 30, 50],
    },
    "cge": {"scale_range": [True, False], "features": ["raw", "pca"], "n_components": [27]},
    "mlp": MLP,
    "mlp_coords": MLP,
    "shared_linear": {
        "embedding_dim": [8, 16, 24, 32, 128],
        "hidden_dims": ["32-16", "64-32", "128-64-32"],
        "dropout": [0.0, 0.1, 0.2, 0.3],
        "learning_rate": [1e-5, 1e-2],
        "weight_decay": [0.0, 1e-4, 1e-3, 1e-2, 1e-1],
        "penalty_norm": ["l1", "l2"],
        "l2_weight": [1e-4, 1e-3, 1e-2, 1e-1],
    },
    "shared_mlp": {
        "encoder_dim": [128, 256, 512],
        "embedding_dim": [4, 8, 16, 32],
        "decoder": ["bilinear"],
        "learning_rate": [1e-5, 1e-2],
        "weight_decay": [0.0, 1e-4, 1e-3, 1e-2],
        "penalty_norm": ["none", "l1"],
    },
    "xgboost": {
        "n_trees": [150, 250, 350],
        "max_depth": [3, 4, 5, 6, 7],
        "learning_rate": [1e-4, 1e-3, 1e-2, 0.1],
        "row_share": [0.6, 0.8, 1.0],
        "column_share": [0.6, 0.8, 1.0],
        "min_split_gain": [0.0, 0.1, 0.5],
        "l2": [0.0, 1e-4, 0.01, 0.1, 1.0],
        "l1": [0.0, 1e-4, 0.01, 0.1, 1.0],
        "min_weight": [1, 3, 5],
        "n_components": [27],
    },
    "pls_bilinear": {
        "n_components": [5, 10, 12, 25, 30, 50],
        "learning_rate": [3e-3],
        "weight_decay": [1e-3, 1e-2, 0.1, 1.0],
    },
    "pls_mlp": {
        "n_components": [5, 8, 10, 12, 15, 25, 30, 50],
        "hidden_dims": ["128-64", "256-128", "512-256-128"],
        "dropout": [0.0, 0.2, 0.4],
        "learning_rate": [9e-5],
        "weight_decay": [0.0, 1e-4, 1e-3],
    },
    "pls_twostep": TWO_STEPS,
    "pls_twostep_published": TWO_STEPS,
    "smt": SMT,
    "smt_cls": {**SMT, "genes_per_token": [20, 60], "alibi": [True, False]},
    "smt_pool": POOL,
    "smt_pca": SCORES,
    "smt_pls": SCORES,
    "smt_ae": {**SCORES, "n_components": [32, 64, 128]},
    "mlp_pca": {**MLP, "n_components": [27]},
    "genevec_self": {**GENEVEC, "combine": ["concat", "mean"], "symmetry_weight": [1e-5]},
    "genevec_cross": {**GENEVEC, "bidirectional": [True, False], "symmetry_weight": [1e-5, 1e-4]},
    "genevec_mixed": GENEVEC,
    "smt_cls_pool": {"cls_dropout": [0.0, 0.2, 0.4, 0.5, 0.6, 0.8], "genes_per_token": [60]},
    "smt_conv": CONV,
}
PUBLISHED_BATCHES = (256, 512, 1024)
CASES = [
    (model, name, value)
    for model, ranges in PUBLISHED.items()
    for name, values in ranges.items()
    for value in values
]


# What a value brings into play
COMPANIONS = {
    ("penalty_norm", "l1"): {"l1_weight": 1e-4},
    ("expression", "binned"): {"expression_bins": 5},
}


def fixed_config(model: str, params: dict) -> FitConfig:
    """Rebuild a config; Optuna refuses a value that is out of range or missing."""
    space = get_search_space(model)
    return suggest_config(space, optuna.trial.FixedTrial(params), PAPER, GeneOptions())


@pytest.mark.parametrize(("model", "name", "value"), CASES)
def test_published_value_is_reachable(model, name, value):
    params = get_search_space(model).defaults(PAPER)
    assert name in params
    fixed_config(model, params | {name: value} | COMPANIONS.get((name, value), {}))


def test_a_value_out_of_range_would_be_noticed():
    params = get_search_space("smt").defaults(PAPER)
    with pytest.raises(ValueError, match="genes_per_token|50"):
        fixed_config("smt", params | {"genes_per_token": 50})


def test_blocks_cover_the_published_batches():
    blocks = block_choices(PAPER)
    for batch in PUBLISHED_BATCHES:
        assert min(blocks) * (min(blocks) - 1) <= batch <= max(blocks) * (max(blocks) - 1)


NETWORKS = [
    "bilinear_lowrank",
    "mlp",
    "mlp_coords",
    "shared_linear",
    "shared_mlp",
    "smt",
    "smt_cls",
]
FIRST_RATE = {"mlp": 9e-5, "mlp_coords": 9e-5}
FIRST_DECAY = dict.fromkeys(["bilinear_lowrank", "shared_linear", "shared_mlp"], 0.0)


@pytest.mark.parametrize("model", NETWORKS)
def test_networks_begin_with_the_published_best(model):
    from gx2c.models import MODELS

    config = fixed_config(model, get_search_space(model).defaults(PAPER))
    assert config.hyperparameters == MODELS[model].defaults
    assert config.training.schedule == "plateau"
    assert config.training.learning_rate == FIRST_RATE.get(model, 1e-4)
    assert config.training.weight_decay == FIRST_DECAY.get(model, 1e-4)


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
    quick = Scale(small=True, n_genes=500, n_train_regions=48, max_passes=12, patience=5)
    space = get_search_space("smt")
    for seed in range(30):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        config = suggest_config(space, study.ask(), quick, GeneOptions())
        values = config.hyperparameters
        assert values["genes_per_token"] in (10, 20, 50)
        assert values["model_dim"] <= 32
        assert values["n_layers"] <= 2
        assert max(values["hidden_dims"]) <= 128
