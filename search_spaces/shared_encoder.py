"""Search spaces of the shared encoders, linear and MLP."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.penalty import suggest_l1_weight, suggest_penalty
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths

# GeneEx2Conn, NeurIPS 2025, sweep `shared_linear_encoder`. Its best penalty, 1e-4 times an
# un-squared norm of some ten, is in force and size nearest to this one.
FIRST_LINEAR: Mapping[str, Value] = {
    "embedding_dim": 24,
    "hidden_dims": "64-32",
    "dropout": 0.2,
    "penalty_norm": "l2",
    "l2_weight": 1e-4,
    "learning_rate": 1e-4,
    "weight_decay": 0.0,
    "schedule": "plateau",
    "block_regions": 16,
}
# The same project's sweep `shared_mlp_encoder`
FIRST_MLP: Mapping[str, Value] = {
    "encoder_dim": 256,
    "embedding_dim": 16,
    "decoder": "bilinear",
    "hidden_dims": "32",
    "dropout": 0.0,
    "penalty_norm": "none",
    "learning_rate": 1e-4,
    "weight_decay": 0.0,
    "schedule": "plateau",
    "block_regions": 16,
}
FIRST_MLP_SMALL: Mapping[str, Value] = {**FIRST_TRAINING_SMALL, "encoder_dim": 64}


def suggest_shared_linear(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `shared_linear` and how to train it."""
    hyperparameters = {
        "embedding_dim": trial.suggest_int(
            "embedding_dim", 8, 32 if scale.small else 128, log=True
        ),
        "hidden_dims": suggest_widths(trial, ("32-16", "64-32", "128-64-32")),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        **suggest_penalty(trial),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_shared_mlp(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `shared_mlp` and how to train it."""
    low, high = (32, 128) if scale.small else (128, 512)
    hyperparameters = {
        "encoder_dim": trial.suggest_int("encoder_dim", low, high, log=True),
        "embedding_dim": trial.suggest_int("embedding_dim", 4, 32, log=True),
        "decoder": trial.suggest_categorical("decoder", ("bilinear", "mlp")),
        "penalty_weight": suggest_l1_weight(trial),
    }
    if hyperparameters["decoder"] == "mlp":
        hyperparameters["hidden_dims"] = suggest_widths(trial, ("32", "64-32"))
        hyperparameters["dropout"] = trial.suggest_float("dropout", 0.0, 0.5)
    return hyperparameters, suggest_training(trial, scale)


SPACES = (
    SearchSpace(
        model="shared_linear",
        suggest=suggest_shared_linear,
        first=FIRST_LINEAR,
        first_small=FIRST_TRAINING_SMALL,
    ),
    SearchSpace(
        model="shared_mlp",
        suggest=suggest_shared_mlp,
        first=FIRST_MLP,
        first_small=FIRST_MLP_SMALL,
    ),
)
