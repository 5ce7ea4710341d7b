"""Search spaces of bilinear networks and an MLP on PCA or PLS scores."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.bilinear import FIRST as FIRST_LOW_RANK
from search_spaces.bilinear import suggest_bilinear_lowrank
from search_spaces.components import suggest_scores
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value
from search_spaces.training import FIRST_TRAINING_SMALL, suggest_training, suggest_widths

MOST_COMPONENTS = 64
WIDTHS, WIDTHS_SMALL = ("128-64", "256-128", "512-256-128"), ("64-32", "128-64")
# A form of 25 x 25 has more weights than a small search has steps: it begins with the fewest
# components of the published search (5, 10, 12, 25, 30, 50)
FIRST_BILINEAR_SMALL: Mapping[str, Value] = {**FIRST_TRAINING_SMALL, "n_components": 5}
_CAPS = {"n_components": MOST_COMPONENTS}

# GeneEx2Conn, NeurIPS 2025: sweeps `bilinear_lowrank`, `pls_bilineardecoder`, `pls_mlpdecoder`
FIRST_REDUCED: Mapping[str, Value] = {**FIRST_LOW_RANK, "n_components": 27, "whiten": False}
FIRST_BILINEAR: Mapping[str, Value] = {
    "n_components": 25,
    "whiten": False,
    "learning_rate": 3e-3,
    "weight_decay": 1e-2,
    "schedule": "plateau",
    "block_regions": 23,
}
FIRST_MLP: Mapping[str, Value] = {
    "n_components": 10,
    "whiten": False,
    "hidden_dims": "128-64",
    "dropout": 0.2,
    "learning_rate": 9e-5,
    "weight_decay": 1e-4,
    "schedule": "plateau",
    "block_regions": 23,
}


def suggest_reduced_lowrank(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `ReducedBilinearLowRank` and how to train it."""
    form, training = suggest_bilinear_lowrank(trial, scale)
    return {**suggest_scores(trial, scale, MOST_COMPONENTS), **form}, training


def suggest_pls_bilinear(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `reduced_bilinear` network and how to train it."""
    decays = (0.0, 1e-3, 1e-2, 1e-1, 1.0)
    return suggest_scores(trial, scale, MOST_COMPONENTS), suggest_training(
        trial, scale, weight_decays=decays
    )


def suggest_pls_mlp(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `reduced_mlp` network on PLS scores and how to train it."""
    hyperparameters = {
        **suggest_scores(trial, scale, MOST_COMPONENTS),
        "hidden_dims": suggest_widths(trial, WIDTHS_SMALL if scale.small else WIDTHS),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }
    return hyperparameters, suggest_training(trial, scale)


SPACES = (
    *(
        SearchSpace(
            model=model,
            suggest=suggest_reduced_lowrank,
            first=FIRST_REDUCED,
            first_small=FIRST_BILINEAR_SMALL,
            most_components=_CAPS,
        )
        for model in ("bilinear_lowrank_pca", "bilinear_lowrank_pls")
    ),
    SearchSpace(
        model="pls_bilinear",
        suggest=suggest_pls_bilinear,
        first=FIRST_BILINEAR,
        first_small=FIRST_BILINEAR_SMALL,
        most_components=_CAPS,
    ),
    SearchSpace(
        model="pls_mlp",
        suggest=suggest_pls_mlp,
        first=FIRST_MLP,
        first_small=FIRST_TRAINING_SMALL,
        most_components=_CAPS,
    ),
)
