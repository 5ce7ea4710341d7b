"""How many components a reduction may have: never more than the inner-training regions allow."""

from __future__ import annotations

from typing import Any

from gx2c.models.reduction import most_components
from search_spaces.space import Scale, SearchSpace, TrialLike

FEWEST = 2


def suggest_components(
    trial: TrialLike, scale: Scale, most: int, *, name: str = "n_components"
) -> int:
    """Suggest a number of components from 2 to `most`, or to what the scale allows."""
    cap = component_cap(scale, most)
    return trial.suggest_int(name, FEWEST, cap, log=True) if cap > FEWEST else cap


def cap_notes(space: SearchSpace, scale: Scale) -> list[str]:
    """Say which numbers of components are capped below what the search space offers."""
    caps = {name: component_cap(scale, most) for name, most in space.most_components.items()}
    return [
        f"{name} is at most {caps[name]}, not {most}: an inner fold has {scale.n_train_regions} "
        f"training regions and {scale.n_genes} genes"
        for name, most in space.most_components.items()
        if caps[name] < most
    ]


def component_cap(scale: Scale, most: int) -> int:
    """Return `most`, or what the training regions of an inner fold allow."""
    return min(most, most_components(scale.n_train_regions, scale.n_genes))


def suggest_scores(trial: TrialLike, scale: Scale, most: int) -> dict[str, Any]:
    """Suggest how many scores a region gets, and whether all vary alike."""
    return {
        "n_components": suggest_components(trial, scale, most),
        "whiten": trial.suggest_categorical("whiten", (False, True)),
    }
