"""Search spaces of the MLP and the transformers on PCA, PLS and the code of an autoencoder."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.components import suggest_scores
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths
from search_spaces.transformer import (
    FIRST_TRANSFORMER,
    FIRST_TRANSFORMER_SMALL,
    suggest_transformer,
)

# Published searches offer up to 320, of which those above the number of training regions fail
MOST_COMPONENTS = 320
CODE_DIMS, CODE_DIMS_SMALL = (32, 64, 128), (8, 16, 32)
# At least 4, since attention over one token is no attention
TOKENS = (4, 8, 16)

# GeneEx2Conn, NeurIPS 2025, sweeps `shared_transformer_pca`, `_pls` and `_ae`
FIRST_PCA: Mapping[str, Value] = {
    **FIRST_TRANSFORMER,
    "n_components": 128,
    "n_tokens": 8,
    "token_output_dim": 10,
    "whiten": False,
    "alibi": False,
    "learning_rate": 1e-3,
    "weight_decay": 1e-4,
}
FIRST_PLS: Mapping[str, Value] = {**FIRST_PCA, "learning_rate": 7e-4}
FIRST_AE: Mapping[str, Value] = {**FIRST_PCA, "learning_rate": 5e-4, "weight_decay": 1e-5}
FIRST_SMALL: Mapping[str, Value] = {
    **FIRST_TRANSFORMER_SMALL,
    "n_components": 16,
    "n_tokens": 4,
}
# The published MLP takes components that explain 95 % of the variance: 27 there
FIRST_MLP: Mapping[str, Value] = {
    "n_components": 27,
    "whiten": False,
    "hidden_dims": "512-256-128",
    "dropout": 0.1,
    "learning_rate": 9e-5,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "block_regions": 23,
}
FIRST_MLP_SMALL: Mapping[str, Value] = {**FIRST_TRAINING_SMALL, "hidden_dims": "128-64"}


def suggest_mlp_pca(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `reduced_mlp` network and how to train it."""
    widths = ("64-32", "128-64") if scale.small else ("256-128", "512-256-128", "1024-512-256-128")
    hyperparameters = {
        **suggest_scores(trial, scale, MOST_COMPONENTS),
        "hidden_dims": suggest_widths(trial, widths),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_scores_smt(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a transformer on PCA or PLS scores and how to train it."""
    hyperparameters = {
        **suggest_scores(trial, scale, MOST_COMPONENTS),
        "n_tokens": trial.suggest_categorical("n_tokens", TOKENS),
        **suggest_transformer(trial, scale, model_dims=(64, 128, 256), flat=True),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_smt_ae(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a transformer on the code of an autoencoder and how to train it."""
    dims = CODE_DIMS_SMALL if scale.small else CODE_DIMS
    hyperparameters = {
        "n_components": trial.suggest_categorical("n_components", dims),
        "n_tokens": trial.suggest_categorical("n_tokens", TOKENS),
        **suggest_transformer(trial, scale, model_dims=(64, 128, 256), flat=True),
    }
    return hyperparameters, suggest_training(trial, scale)


SPACES = (
    *(
        SearchSpace(
            model=model,
            suggest=suggest,
            first=first,
            first_small=small,
            most_components={"n_components": MOST_COMPONENTS},
        )
        for model, suggest, first, small in (
            ("mlp_pca", suggest_mlp_pca, FIRST_MLP, FIRST_MLP_SMALL),
            ("smt_pca", suggest_scores_smt, FIRST_PCA, FIRST_SMALL),
            ("smt_pls", suggest_scores_smt, FIRST_PLS, FIRST_SMALL),
        )
    ),
    SearchSpace(model="smt_ae", suggest=suggest_smt_ae, first=FIRST_AE, first_small=FIRST_SMALL),
)
