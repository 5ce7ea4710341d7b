"""Search spaces of the Spatiomolecular Transformer, without and with a CLS token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value, suggest_one
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths

GENES_PER_TOKEN = (20, 60, 180)
TOKENS_SMALL = (50, 25, 10)

# GeneEx2Conn, NeurIPS 2025, sweep `shared_transformer`
FIRST: Mapping[str, Value] = {
    "genes_per_token": 60,
    "model_dim": 128,
    "token_output_dim": 10,
    "n_heads": 4,
    "n_layers": 4,
    "hidden_dims": "512-256-128",
    "alibi": True,
    "encoder_dropout": 0.2,
    "dropout": 0.2,
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "block_regions": 23,
}
# The same model's sweep `shared_transformer_cls`
FIRST_CLS: Mapping[str, Value] = {**FIRST, "genes_per_token": 20, "block_regions": 32}
FIRST_SMALL: Mapping[str, Value] = {
    **FIRST_TRAINING_SMALL,
    "genes_per_token": 20,
    "model_dim": 32,
    "token_output_dim": 4,
    "n_layers": 1,
    "hidden_dims": "128-64",
}


def suggest_smt(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `SMT` and how to train it."""
    genes_per_token = suggest_one(trial, "genes_per_token", token_choices(scale))
    hyperparameters = {
        "genes_per_token": genes_per_token,
        **(_suggest_small_encoder(trial) if scale.small else _suggest_encoder(trial)),
        "alibi": trial.suggest_categorical("alibi", (True, False)),
        "encoder_dropout": trial.suggest_float("encoder_dropout", 0.0, 0.4),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return hyperparameters, suggest_training(trial, scale)


def token_choices(scale: Scale) -> tuple[int, ...]:
    """Return the token lengths on offer, of which every one gives several tokens.

    The published lengths are numbers of genes; a small search, whose genes are few, offers
    numbers of tokens instead.
    """
    lengths = (
        tuple(sorted({-(-scale.n_genes // n) for n in TOKENS_SMALL}))
        if scale.small
        else GENES_PER_TOKEN
    )
    return tuple(n for n in lengths if n < scale.n_genes) or (max(1, scale.n_genes // 2),)


def _suggest_encoder(trial: TrialLike) -> dict[str, Any]:
    # every width is a multiple of every number of heads
    return {
        "model_dim": trial.suggest_categorical("model_dim", (64, 128)),
        "token_output_dim": trial.suggest_int("token_output_dim", 3, 10, log=True),
        "n_heads": trial.suggest_categorical("n_heads", (2, 4)),
        "n_layers": trial.suggest_int("n_layers", 2, 4),
        "hidden_dims": suggest_widths(trial, ("256-128", "512-256-128")),
    }


def _suggest_small_encoder(trial: TrialLike) -> dict[str, Any]:
    return {
        "model_dim": trial.suggest_categorical("model_dim", (16, 32)),
        "token_output_dim": trial.suggest_int("token_output_dim", 3, 5),
        "n_heads": 2,
        "n_layers": trial.suggest_int("n_layers", 1, 2),
        "hidden_dims": suggest_widths(trial, ("64-32", "128-64")),
    }


SPACES = tuple(
    SearchSpace(model=model, suggest=suggest_smt, first=first, first_small=FIRST_SMALL)
    for model, first in (("smt", FIRST), ("smt_cls", FIRST_CLS))
)
