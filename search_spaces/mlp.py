"""Search spaces of the pair MLP, without and with coordinates."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths

WIDTHS = ("256-128", "512-256-128", "1024-512-256-128")
WIDTHS_SMALL = ("64-32", "128-64")

# GeneEx2Conn, NeurIPS 2025, sweep `dynamic_mlp`
FIRST: Mapping[str, Value] = {
    "hidden_dims": "512-256-128",
    "dropout": 0.1,
    "learning_rate": 9e-5,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "block_regions": 23,
}
FIRST_SMALL: Mapping[str, Value] = {**FIRST_TRAINING_SMALL, "hidden_dims": "128-64"}


def suggest_mlp(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `PairMLP` and how to train it."""
    hyperparameters = {
        "hidden_dims": suggest_widths(trial, WIDTHS_SMALL if scale.small else WIDTHS),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return hyperparameters, suggest_training(trial, scale)


SPACES = tuple(
    SearchSpace(model=model, suggest=suggest_mlp, first=FIRST, first_small=FIRST_SMALL)
    for model in ("mlp", "mlp_coords")
)
