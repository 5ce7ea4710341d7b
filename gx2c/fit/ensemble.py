"""Several configs, each with several seeds, retrained and averaged, and their weight.

With `Task.learned` "geography-residual" the prediction is geography + weight x model. A model that
learned from few regions may do better with less than its whole prediction, so the weight is chosen
on the inner folds, as configs are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.errors import UserError
from gx2c.fit.choose import Chosen
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import GEOGRAPHY_RESIDUAL
from gx2c.fit.fitted import FittedModels
from gx2c.fit.network import derive_seed
from gx2c.fit.retrain import Retrained, retrain
from gx2c.fit.scoring import (
    best_first,
    mean_prediction,
    mean_scores,
    score_or_diverged,
    score_train_test,
    selection_score,
)
from gx2c.fit.start import start_of
from gx2c.metrics import METRICS
from gx2c.splits.fold import Fold

# The first of equals is chosen: the least of the model
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class RetrainedEnsemble:
    """The members of an ensemble on one outer fold, and their mean.

    Attributes
    ----------
    predicted
        (n_test_regions, n_test_regions), the mean over members that did not diverge.
    scores
        Each metric of the mean prediction; None if every member diverged.
    members
        Config by config, each with all its seeds.
    train_test_scores
        As in `Retrained`, of the mean prediction.
    """

    predicted: FloatArray
    scores: dict[str, float] | None
    members: tuple[Retrained, ...]
    train_test_scores: dict[str, float] | None = None

    @property
    def n_diverged(self) -> int:
        """Number of members that the mean leaves out, or of all if every one diverged."""
        return sum(member.scores is None for member in self.members)

    @property
    def fitted(self) -> list[FittedModels]:
        """The fitted models, one for each config."""
        found = [member.fitted for member in self.members if member.fitted is not None]
        return list({id(fitted): fitted for fitted in found}.values())

    def without_models(self) -> Self:
        """Return the same without what was fitted, which may be large."""
        members = (replace(member, fitted=None) for member in self.members)
        return replace(self, members=tuple(members))

    @property
    def spread(self) -> dict[str, float]:
        """Standard deviation of each metric over members, NaN with fewer than two scored ones."""
        scored = [member.scores for member in self.members if member.scores is not None]
        if len(scored) < 2:
            return dict.fromkeys(METRICS, np.nan)
        return {name: float(np.std([s[name] for s in scored], ddof=1)) for name in METRICS}


def retrain_ensemble(
    chosen: Sequence[Chosen],
    brains: Sequence[Brain],
    fold: Fold,
    *,
    seeds: Sequence[Sequence[Sequence[int]]],
    profile: ComputeProfile,
    train_test_edges: bool = False,
) -> list[RetrainedEnsemble]:
    """Retrain configs on the training regions of a fold and average them, once for each brain.

    Parameters
    ----------
    chosen
        Configs chosen without the test regions, the best first.
    brains
        The true brain, or surrogates of it. All networks of one config, over seeds and brains,
        train side by side.
    fold
        The fold whose test regions are scored.
    seeds
        By config and brain, the seeds of its models; a closed form needs one and ignores it.
    profile, train_test_edges
        As in `retrain`.

    References
    ----------
    Lakshminarayanan et al. (2017), NeurIPS 30 (averages over seeds).
    Caruana et al. (2004), ICML 21 (averages over configs).
    """
    found: list[list[Retrained]] = [[] for _ in brains]
    for (config, rates), of_config in zip(chosen, seeds, strict=True):
        members = [(k, seed) for k, own in enumerate(of_config) for seed in own]
        results = retrain(
            config,
            [brains[k] for k, _ in members],
            fold,
            learning_rates=rates,
            seeds=[seed for _, seed in members],
            profile=profile,
            train_test_edges=train_test_edges,
        )
        for (k, _), result in zip(members, results, strict=True):
            found[k].append(result)
    return [_average(brain, fold, own) for brain, own in zip(brains, found, strict=True)]


def _average(brain: Brain, fold: Fold, members: Sequence[Retrained]) -> RetrainedEnsemble:
    predicted = mean_prediction([member.predicted for member in members])
    across = [m.train_test_predicted for m in members if m.train_test_predicted is not None]
    return RetrainedEnsemble(
        predicted,
        score_or_diverged(predicted, brain, fold),
        tuple(members),
        score_train_test(mean_prediction(across), brain, fold) if across else None,
    )


def frozen_scores(
    chosen: Sequence[Chosen],
    brain: Brain,
    surrogates: Iterable[Brain],
    fold: Fold,
    *,
    seeds: Sequence[Sequence[int]],
    profile: ComputeProfile,
) -> list[dict[str, float] | None]:
    """Train on the true brain and test it on the test regions of surrogates.

    The drop of the score shows how much a trained model reads from expression. It is no null of a
    test, because nothing was trained on the surrogates.

    Parameters
    ----------
    chosen, fold, profile
        As in `retrain_ensemble`.
    brain
        The brain on whose training regions the models are fitted.
    surrogates
        Brains whose test regions they then see.
    seeds
        By config, the seeds of its models.
    """
    with profile.active():
        fitted = _fit_members(brain, fold, chosen, seeds, profile)
        return [
            score_or_diverged(mean_prediction(_predict(fitted, one, fold)), brain, fold)
            for one in surrogates
        ]


def _fit_members(
    brain: Brain,
    fold: Fold,
    chosen: Sequence[Chosen],
    seeds: Sequence[Sequence[int]],
    profile: ComputeProfile,
) -> list[FittedModels]:
    """Fit each config, its seeds side by side."""
    return [
        FittedModels.fit(
            config,
            [brain] * len(own),
            fold.train_regions,
            fold.test_regions,
            learning_rates=rates,
            seeds=own,
            profile=profile,
            start=start_of(fold, config),
        )
        for (config, rates), own in zip(chosen, seeds, strict=True)
    ]


def _predict(
    fitted: Sequence[FittedModels], brain: Brain, fold: Fold, weight: float | None = None
) -> list[FloatArray]:
    """Predict the held-out regions with every member."""
    return [
        predicted
        for models in fitted
        for predicted in models.predict([brain] * len(models.views), fold.test_regions, weight)
    ]


def choose_weight(
    brain: Brain,
    fold: Fold,
    chosen: Sequence[Chosen],
    *,
    metric: str,
    seeds: Sequence[Sequence[int]],
    profile: ComputeProfile,
) -> float:
    """Choose the weight of an ensemble's prediction after geography, on the inner folds.

    Each member is trained on the inner-training regions, for as many epochs as it will be on all
    training regions, and the mean prediction of the validation regions is scored with each of
    `WEIGHTS`. A weight of 0 leaves geography alone.

    Parameters
    ----------
    brain
        Only its outer-training regions are read.
    fold
        An outer fold with inner folds.
    chosen
        Configs whose task learns the geography residual; their own weights are ignored.
    metric
        A key of `SELECTION_METRICS`.
    seeds
        By config, the seeds of its models; each inner fold has its own, derived from them.
    profile
        Device, threads and number format.

    Raises
    ------
    UserError
        If a config learns something else than the geography residual.
    """
    if wrong := [c.config.model for c in chosen if c.config.task.learned != GEOGRAPHY_RESIDUAL]:
        raise UserError(
            f"{wrong[0]} learns the connectome, so there is no geography to weigh it against; "
            f"choose a weight for a model that learns the {GEOGRAPHY_RESIDUAL}"
        )
    with profile.active():
        validation = [
            _scores_by_weight(
                brain,
                inner,
                chosen,
                [[derive_seed(seed, number) for seed in own] for own in seeds],
                profile,
            )
            for number, inner in enumerate(fold.inner)
        ]
    ranked = best_first([_selection(of, metric) for of in zip(*validation, strict=True)])
    return WEIGHTS[ranked[0]] if ranked else WEIGHTS[0]


def _scores_by_weight(
    brain: Brain,
    inner: Fold,
    chosen: Sequence[Chosen],
    seeds: Sequence[Sequence[int]],
    profile: ComputeProfile,
) -> list[dict[str, float] | None]:
    fitted = _fit_members(brain, inner, chosen, seeds, profile)
    return [
        score_or_diverged(mean_prediction(_predict(fitted, brain, inner, weight)), brain, inner)
        for weight in WEIGHTS
    ]


def _selection(scores: Sequence[dict[str, float] | None], metric: str) -> float:
    finite = [one for one in scores if one is not None]
    return selection_score(mean_scores(finite), metric) if len(finite) == len(scores) else -np.inf
