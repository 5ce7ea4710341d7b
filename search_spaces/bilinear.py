"""Search space of the low-rank bilinear model."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training

# Ranges of the penalty's weight by norm: a sum of |w| over thousands of small weights is about a
# hundred times a sum of w^2. They are two parameters because the searcher keeps one range each.
PENALTY_WEIGHTS = {"l1": (1e-7, 1e-2), "l2": (1e-5, 1.0)}

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
        **_suggest_penalty(trial),
    }
    return hyperparameters, suggest_training(trial, scale, weight_decays=(0.0,))


def _suggest_penalty(trial: TrialLike) -> dict[str, str | float]:
    norm = trial.suggest_categorical("penalty_norm", ("none", "l1", "l2"))
    if norm == "none":
        return {"penalty_weight": 0.0}
    low, high = PENALTY_WEIGHTS[norm]
    weight = trial.suggest_float(f"{norm}_weight", low, high, log=True)
    return {"penalty_norm": norm, "penalty_weight": weight}


SPACES = (
    SearchSpace(
        model="bilinear_lowrank",
        suggest=suggest_bilinear_lowrank,
        first=FIRST,
        first_small=FIRST_TRAINING_SMALL,
    ),
)
