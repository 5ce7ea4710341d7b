"""Inner-validation scores of configs, and the choice of the best."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from gx2c.data.brain import Brain
from gx2c.errors import UserError
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.nested import NestedFit, epochs_to_retrain
from gx2c.fit.retrain import fit_predict_closed_form
from gx2c.fit.scoring import best_first, mean_scores, score_or_diverged, selection_score
from gx2c.models import MODELS
from gx2c.splits.fold import Fold


class Validated(NamedTuple):
    """A config's score on the inner folds.

    Attributes
    ----------
    score
        Score by which configs are ranked, larger is better; minus infinity if a fold has none.
    validation
        Each metric, averaged over inner folds.
    cause
        Why the config could not be fitted, else empty.
    """

    score: float
    validation: dict[str, float]
    cause: str = ""


def validate_closed_form(brain: Brain, fold: Fold, config: FitConfig, *, metric: str) -> Validated:
    """Fit a config on each inner fold and score the validation regions.

    A config that cannot be fitted scores last, and must not take others along.
    """
    try:
        scores = [
            score_or_diverged(fit_predict_closed_form(config, brain, inner), brain, inner)
            for inner in fold.inner
        ]
    except (UserError, np.linalg.LinAlgError) as error:
        return Validated(-math.inf, {}, str(error))
    finite = [s for s in scores if s is not None]
    if len(finite) < len(scores):
        return Validated(-math.inf, {})
    validation = mean_scores(finite)
    return Validated(selection_score(validation, metric), validation)


class Chosen(NamedTuple):
    """A config to retrain, and the learning rate of each epoch; none for a model without epochs."""

    config: FitConfig
    learning_rates: tuple[float, ...] = ()

    def with_weight(self, weight: float) -> Self:
        """Return the config with another weight after geography."""
        return self._replace(config=self.config.with_weight(weight))


def rank_configs(
    brain: Brain,
    fold: Fold,
    configs: Sequence[FitConfig],
    *,
    metric: str,
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> list[Chosen]:
    """Rank configs by their inner-validation scores, the best first, the first of equals before.

    Every network trains to its end: none is stopped early, as a sweep does.

    Parameters
    ----------
    brain, fold
        The brain, and an outer fold with inner folds.
    configs
        Candidates, all of one model.
    metric
        A key of `SELECTION_METRICS`.
    seeds
        One per config; only networks draw from them.
    profile
        Device, threads and number format.

    Returns
    -------
    list of Chosen
        Without configs that have no score; if no closed form has one, the first of them, whose
        retraining reports the reason.
    """
    if not MODELS[configs[0].model].trains_in_epochs:
        ranked = rank_closed_forms(brain, fold, configs, metric=metric)
        return [Chosen(config) for config in ranked]
    chosen, scores = [], []
    for config, seed in zip(configs, seeds, strict=True):
        nested = NestedFit(brain, fold, config, metric=metric, seed=seed, profile=profile)
        points = list(nested.points())
        if nested.best is not None:
            n_epochs = epochs_to_retrain(
                nested.best.epochs, trained=len(points), settings=config.training
            )
            rates = tuple(point.learning_rate for point in points[:n_epochs])
            chosen.append(Chosen(config, rates))
            scores.append(nested.best.score)
    return [chosen[number] for number in best_first(scores)]


def rank_closed_forms(
    brain: Brain, fold: Fold, configs: Sequence[FitConfig], *, metric: str
) -> list[FitConfig]:
    """Rank configs of a model without epochs; see `rank_configs`."""
    scores = [validate_closed_form(brain, fold, c, metric=metric).score for c in configs]
    return [configs[number] for number in best_first(scores)] or [configs[0]]
