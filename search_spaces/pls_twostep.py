"""Search spaces of two-step PLS, in the form that sees no train x test edge and as published."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.components import suggest_components
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value

MOST_COMPONENTS = 50

# GeneEx2Conn, NeurIPS 2025, sweep `pls_twostep`
FIRST: Mapping[str, Value] = {"n_components_l": 10, "n_components_k": 5}


def suggest_pls_twostep(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest the components of both steps."""
    return {
        name: suggest_components(trial, scale, MOST_COMPONENTS, name=name)
        for name in ("n_components_l", "n_components_k")
    }, None


SPACES = tuple(
    SearchSpace(
        model=model,
        suggest=suggest_pls_twostep,
        first=FIRST,
        most_components=dict.fromkeys(FIRST, MOST_COMPONENTS),
    )
    for model in ("pls_twostep", "pls_twostep_published")
)
