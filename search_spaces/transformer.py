"""What the transformers share: blocks, readout, pair head and where to start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces.space import Scale, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_widths

# As the published sweeps begin
FIRST_TRANSFORMER: Mapping[str, Value] = {
    "model_dim": 128,
    "n_heads": 4,
    "n_layers": 4,
    "hidden_dims": "512-256-128",
    "alibi": True,
    "encoder_dropout": 0.1,
    "dropout": 0.1,
    "learning_rate": 5e-4,
    "weight_decay": 1e-5,
    "schedule": "plateau",
    "block_regions": 32,
}
FIRST_TRANSFORMER_SMALL: Mapping[str, Value] = {
    **FIRST_TRAINING_SMALL,
    "model_dim": 32,
    "token_output_dim": 4,
    "n_layers": 1,
    "hidden_dims": "128-64",
}


def suggest_transformer(
    trial: TrialLike, scale: Scale, *, model_dims: Sequence[int] = (64, 128), flat: bool
) -> dict[str, Any]:
    """Suggest the keywords of a `TokenNetwork`.

    Parameters
    ----------
    trial, scale
        See `SearchSpace`.
    model_dims
        Widths on offer where the scale is not small; each a multiple of 4.
    flat
        Whether tokens are flattened, so that the width to which they are mapped acts.
    """
    # every width is a multiple of every number of heads
    chosen: dict[str, Any] = {
        "model_dim": trial.suggest_categorical("model_dim", (16, 32) if scale.small else model_dims)
    }
    if flat:
        chosen["token_output_dim"] = (
            trial.suggest_int("token_output_dim", 3, 5)
            if scale.small
            else trial.suggest_int("token_output_dim", 3, 10, log=True)
        )
    chosen["n_heads"] = 2 if scale.small else trial.suggest_categorical("n_heads", (2, 4))
    chosen["n_layers"] = trial.suggest_int("n_layers", *((1, 2) if scale.small else (2, 4)))
    widths = ("64-32", "128-64") if scale.small else ("256-128", "512-256-128")
    return chosen | {
        "hidden_dims": suggest_widths(trial, widths),
        "alibi": trial.suggest_categorical("alibi", (True, False)),
        **suggest_dropouts(trial),
    }


def suggest_dropouts(trial: TrialLike) -> dict[str, float]:
    """Suggest the dropout of the encoder and that of the pair head."""
    return {
        "encoder_dropout": trial.suggest_float("encoder_dropout", 0.0, 0.4),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
