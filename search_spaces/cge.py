"""Search space of correlated gene expression."""

from __future__ import annotations

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike

# GeneEx2Conn, NeurIPS 2025, sweep `cge`
FIRST = {"standardise": True, "scale_range": False}


def suggest_cge(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest how `CorrelatedGeneExpression` weighs genes and scales its predictions."""
    return {
        "standardise": trial.suggest_categorical("standardise", (True, False)),
        "scale_range": trial.suggest_categorical("scale_range", (True, False)),
    }, None


SPACES = (SearchSpace(model="cge", suggest=suggest_cge, first=FIRST),)
