"""Inner-validation scores of closed-form configs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gx2c.data.brain import Brain
from gx2c.errors import UserError
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


def validate_or_say_why(
    brain: Brain, fold: Fold, config: FitConfig, *, metric: str
) -> tuple[Validated, str]:
    """Validate a closed form; one that cannot be fitted scores last and must not take others along.

    Returns
    -------
    Validated
        Score and validation.
    str
        Why it could not be fitted, else empty.
    """
    try:
        return validate_closed_form(brain, fold, config, metric=metric), ""
    except (UserError, np.linalg.LinAlgError) as error:
        return Validated(-math.inf, {}), str(error)


def choose_closed_form(
    brain: Brain, fold: Fold, configs: Sequence[FitConfig], *, metric: str
) -> FitConfig:
    """Return the config with the best inner-validation score; the first of equals.

    One that cannot be fitted comes last.
    """
    scores = [validate_or_say_why(brain, fold, c, metric=metric)[0].score for c in configs]
    return configs[max(range(len(configs)), key=scores.__getitem__)]
