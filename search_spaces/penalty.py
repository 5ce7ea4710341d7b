"""A penalty on a network's weights beside or in place of weight decay."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.space import TrialLike

# Ranges of the penalty's weight by norm: a sum of |w| over thousands of small weights is about a
# hundred times a sum of w^2. They are two parameters because the searcher keeps one range each.
PENALTY_WEIGHTS = {"l1": (1e-7, 1e-2), "l2": (1e-5, 1.0)}


def suggest_penalty(
    trial: TrialLike, norms: Sequence[str] = ("none", "l1", "l2")
) -> dict[str, str | float]:
    """Suggest `penalty_norm` and `penalty_weight`, which is 0 without a norm."""
    norm = trial.suggest_categorical("penalty_norm", norms)
    if norm == "none":
        return {"penalty_weight": 0.0}
    low, high = PENALTY_WEIGHTS[norm]
    weight = trial.suggest_float(f"{norm}_weight", low, high, log=True)
    return {"penalty_norm": norm, "penalty_weight": weight}


def suggest_l1_weight(trial: TrialLike) -> float:
    """Suggest the weight of a penalty whose norm is fixed; 0 is on offer."""
    return float(suggest_penalty(trial, ("none", "l1"))["penalty_weight"])
