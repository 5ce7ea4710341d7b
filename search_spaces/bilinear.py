"""Search space of the low-rank bilinear model."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.penalty import suggest_penalty
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training

# GeneEx2Conn, NeurIPS 2025, sweep `bilinear_lowrank`
FIRST: Mapping[str, Value] = {
    "rank": 10,
    "activation": "none",
    "shared_weights": True,
    "penalty_norm": "l2",
    "l2_weight": 1e-3,
    "learning_rate": 1e-4,
    "schedule": "plateau",
    "block_regions": 16,
}


def suggest_bilinear_lowrank(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `BilinearLowRank` and how to train it.

    Its own penalty is the regulariser; weight decay beside it would be the same thing twice.
    """
    hyperparameters = {
        "rank": trial.suggest_int("rank", 2, 32, log=True),
        "activation": trial.suggest_categorical(
            "activation", ("none", "relu", "sigmoid", "softplus")
        ),
        "shared_weights": trial.suggest_categorical("shared_weights", (True, False)),
        **suggest_penalty(trial),
    }
    return hyperparameters, suggest_training(trial, scale, weight_decays=(0.0,))


SPACES = (
    SearchSpace(
        model="bilinear_lowrank",
        suggest=suggest_bilinear_lowrank,
        first=FIRST,
        first_small=FIRST_TRAINING_SMALL,
    ),
)
