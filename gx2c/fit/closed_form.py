"""Inner-validation scores of closed-form configs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gx2c.data.brain import Brain
from gx2c.fit.config import FitConfig
from gx2c.fit.retrain import fit_predict_closed_form
from gx2c.fit.scoring import mean_scores, score_or_diverged, selection_score
from gx2c.splits.fold import Fold


@dataclass(frozen=True)
class Validated:
    """One config's score on the inner folds.

    Attributes
    ----------
    score
        By which configs are ranked, larger is better; minus infinity if a fold has none.
    validation
        Each metric, averaged over inner folds.
    """

    score: float
    validation: dict[str, float]


def validate_closed_form(brain: Brain, fold: Fold, config: FitConfig, *, metric: str) -> Validated:
    """Fit a config on each inner fold and score the validation regions."""
    scores = [
        score_or_diverged(fit_predict_closed_form(config, brain, inner), brain, inner)
        for inner in fold.inner
    ]
    finite = [s for s in scores if s is not None]
    if len(finite) < len(scores):
        return Validated(-math.inf, {})
    validation = mean_scores(finite)
    return Validated(selection_score(validation, metric), validation)


def choose_closed_form(
    brain: Brain, fold: Fold, configs: Sequence[FitConfig], *, metric: str
) -> FitConfig:
    """Return the config with the best inner-validation score; the first of equals."""
    scores = [validate_closed_form(brain, fold, c, metric=metric).score for c in configs]
    return configs[max(range(len(configs)), key=scores.__getitem__)]
