"""What networks share: how they are trained, and how widths are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gx2c.fit.config import TrainingSettings
from search_spaces.space import Scale, TrialLike, Value, suggest_one

# A block of n regions is n (n - 1) ordered pairs. Published batches of 256, 512 and 1024 pairs
# are blocks of 16, 23 and 32 regions.
BLOCKS_OF_REGIONS = (16, 32, 64)
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

# The published rates belong to some 25,000 steps; a small search takes hundreds
FIRST_TRAINING_SMALL: Mapping[str, Value] = {
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "block_regions": 16,
}


def suggest_training(
    trial: TrialLike, scale: Scale, *, weight_decays: Sequence[float] = WEIGHT_DECAYS
) -> TrainingSettings:
    """Suggest how a network is trained.

    Parameters
    ----------
    trial, scale
        See `SearchSpace`.
    weight_decays
        Choices for AdamW's decay; a single one is taken as it is.
    """
    return TrainingSettings(
        learning_rate=trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True),
        weight_decay=suggest_one(trial, "weight_decay", weight_decays),
        schedule=trial.suggest_categorical("schedule", ("cosine", "plateau", "constant")),
        block_regions=suggest_one(trial, "block_regions", block_choices(scale)),
        max_passes=scale.max_passes,
        patience=scale.patience,
    )


def block_choices(scale: Scale) -> tuple[int, ...]:
    """Return the block sizes that every inner fold can fill."""
    possible = tuple(n for n in BLOCKS_OF_REGIONS if n <= scale.n_train_regions)
    return possible or (scale.n_train_regions,)


def suggest_widths(trial: TrialLike, choices: Sequence[str]) -> tuple[int, ...]:
    """Suggest the widths of hidden layers, each choice written like "512-256-128"."""
    written = suggest_one(trial, "hidden_dims", choices)
    return tuple(int(width) for width in written.split("-"))
