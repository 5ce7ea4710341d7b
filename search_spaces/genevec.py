"""Search spaces of the gene grammar: attention within a region, across a pair, over both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths
from search_spaces.transformer import suggest_dropouts

BINS = (5, 10, 100)
READOUTS = ("flatten", "attention", "mean")
SYMMETRY_WEIGHTS = (1e-5, 1.0)

# GeneEx2Conn, sweeps `self_attention_genevec`, `cross_attention_genevec` and
# `mixed_attention_genevec`; of its 100 bins it reads none, but a line
FIRST: Mapping[str, Value] = {
    "identity": "one_hot",
    "expression": "continuous",
    "model_dim": 32,
    "n_heads": 2,
    "n_layers": 2,
    "hidden_dims": "256-128-64",
    "alibi": True,
    "encoder_dropout": 0.1,
    "dropout": 0.1,
    "readout": "flatten",
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "block_regions": 32,
}
FIRST_SELF: Mapping[str, Value] = {
    **FIRST,
    "combine": "concat",
    "symmetric": True,
    "symmetry_weight": 1e-5,
    "learning_rate": 9e-5,
    "weight_decay": 1e-5,
    "block_regions": 23,
}
FIRST_CROSS: Mapping[str, Value] = {
    **FIRST,
    "readout": "attention",
    "bidirectional": True,
    "symmetric": True,
    "symmetry_weight": 1e-4,
    "learning_rate": 9e-5,
}
FIRST_MIXED: Mapping[str, Value] = {**FIRST, "symmetric": False}
FIRST_SMALL: Mapping[str, Value] = {
    **FIRST_TRAINING_SMALL,
    "model_dim": 16,
    "n_layers": 1,
    "hidden_dims": "64-32",
    "readout": "flatten",
    "learning_rate": 6e-3,
}


def suggest_genevec_self(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `genevec_self` and how to train it."""
    combine = trial.suggest_categorical("combine", ("concat", "mean"))
    hyperparameters = {
        **_suggest_encoder(trial, scale),
        "combine": combine,
        # the mean of two embeddings is symmetric already
        **(_suggest_symmetry(trial) if combine == "concat" else {}),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_genevec_cross(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `genevec_cross` and how to train it."""
    hyperparameters = {
        **_suggest_encoder(trial, scale),
        "bidirectional": trial.suggest_categorical("bidirectional", (True, False)),
        **_suggest_symmetry(trial),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_genevec_mixed(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `genevec_mixed`, without coordinates as published, and how to train it."""
    hyperparameters = {**_suggest_encoder(trial, scale), **_suggest_symmetry(trial)}
    return hyperparameters, suggest_training(trial, scale)


def _suggest_encoder(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    widths = ("64-32", "128-64") if scale.small else ("256-128-64", "128-64")
    identities = ("one_hot", "coexpression") + ("vectors",) * scale.has_gene_vectors
    return {
        "identity": trial.suggest_categorical("identity", identities),
        **_suggest_expression(trial),
        "model_dim": trial.suggest_categorical(
            "model_dim", (8, 16) if scale.small else (16, 32, 64)
        ),
        "n_heads": 2 if scale.small else trial.suggest_categorical("n_heads", (2, 4)),
        "n_layers": trial.suggest_int("n_layers", *((1, 2) if scale.small else (2, 4))),
        "hidden_dims": suggest_widths(trial, widths),
        "alibi": trial.suggest_categorical("alibi", (True, False)),
        **suggest_dropouts(trial),
        "readout": trial.suggest_categorical("readout", READOUTS),
    }


def _suggest_expression(trial: TrialLike) -> dict[str, Any]:
    kind = trial.suggest_categorical("expression", ("continuous", "binned", "both"))
    if kind == "continuous":
        return {"expression": kind}
    bins = trial.suggest_categorical("expression_bins", BINS)
    return {"expression": kind, "expression_bins": bins}


def _suggest_symmetry(trial: TrialLike) -> dict[str, float]:
    if not trial.suggest_categorical("symmetric", (False, True)):
        return {"symmetry_weight": 0.0}
    weight = trial.suggest_float("symmetry_weight", *SYMMETRY_WEIGHTS, log=True)
    return {"symmetry_weight": weight}


SPACES = tuple(
    SearchSpace(model=model, suggest=suggest, first=first, first_small=FIRST_SMALL)
    for model, suggest, first in (
        ("genevec_self", suggest_genevec_self, FIRST_SELF),
        ("genevec_cross", suggest_genevec_cross, FIRST_CROSS),
        ("genevec_mixed", suggest_genevec_mixed, FIRST_MIXED),
    )
)
