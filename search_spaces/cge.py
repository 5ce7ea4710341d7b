"""Search space of correlated gene expression."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.components import suggest_components
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value

MOST_COMPONENTS = 64

# GeneEx2Conn, NeurIPS 2025, sweep `cge` on its 27 principal components
FIRST: Mapping[str, Value] = {"features": "pca", "n_components": 27, "scale_range": False}


def suggest_cge(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest what `CorrelatedGeneExpression` correlates and how it scales its predictions."""
    features = trial.suggest_categorical("features", ("raw", "z_scored", "pca"))
    chosen = {
        "features": features,
        "scale_range": trial.suggest_categorical("scale_range", (True, False)),
    }
    if features == "pca":
        chosen["n_components"] = suggest_components(trial, scale, MOST_COMPONENTS)
    return chosen, None


SPACES = (
    SearchSpace(
        model="cge",
        suggest=suggest_cge,
        first=FIRST,
        most_components={"n_components": MOST_COMPONENTS},
    ),
)
