"""Search spaces of the rules of distance: points, for there is nothing to choose.

What the published sweeps vary (`SA_inf`, `SA_lambda`, `init_sigma`) is overwritten by the fit or
only moves its start; both models have a fixed start, and all their parameters are learned.
"""

from __future__ import annotations

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike


def suggest_nothing(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest the model as it is."""
    return {}, None


SPACES = tuple(
    SearchSpace(model=model, suggest=suggest_nothing)
    for model in ("exponential_decay", "gaussian_kernel")
)
