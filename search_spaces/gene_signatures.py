"""Search spaces of the transformers on gene signatures and on region embeddings."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.smt import token_choices
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value, suggest_one
from search_spaces.training import suggest_training
from search_spaces.transformer import (
    FIRST_TRANSFORMER,
    FIRST_TRANSFORMER_SMALL,
    suggest_transformer,
)

READOUTS = ("flatten", "attention")
# Published is 1; longer tokens cost the square less
DIMS_PER_TOKEN = (1, 4, 16)

# GeneEx2Conn, NeurIPS 2025, sweeps `shared_transformer_celltype` and `_geneformer`
FIRST_CELLTYPE: Mapping[str, Value] = {
    **FIRST_TRANSFORMER,
    "projection_layers": 1,
    "readout": "flatten",
    "n_layers": 2,
    "alibi": False,
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
}
FIRST_GENEFORMER: Mapping[str, Value] = {
    **FIRST_TRANSFORMER,
    "genes_per_token": 1,
    "readout": "flatten",
    "alibi": False,
}
FIRST_SMALL: Mapping[str, Value] = {**FIRST_TRANSFORMER_SMALL, "genes_per_token": 20}


def suggest_smt_celltype(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt_celltype` and how to train it."""
    hyperparameters = {
        "projection_layers": trial.suggest_categorical("projection_layers", (1, 3)),
        "readout": trial.suggest_categorical("readout", READOUTS),
        **suggest_transformer(trial, scale, flat=False),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_smt_geneformer(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt_geneformer` and how to train it."""
    choices = token_choices(scale, DIMS_PER_TOKEN)
    hyperparameters = {
        "genes_per_token": suggest_one(trial, "genes_per_token", choices),
        "readout": trial.suggest_categorical("readout", READOUTS),
        **suggest_transformer(trial, scale, model_dims=(64, 128, 256), flat=False),
    }
    return hyperparameters, suggest_training(trial, scale)


SPACES = (
    SearchSpace(
        model="smt_celltype",
        suggest=suggest_smt_celltype,
        first=FIRST_CELLTYPE,
        first_small=FIRST_SMALL,
    ),
    SearchSpace(
        model="smt_geneformer",
        suggest=suggest_smt_geneformer,
        first=FIRST_GENEFORMER,
        first_small=FIRST_SMALL,
    ),
)
