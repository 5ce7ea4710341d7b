"""Fresh models with a chosen config on all outer-training regions, scored once on test regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.scoring import score_or_diverged, score_train_test
from gx2c.models import MODELS, Model
from gx2c.models.pls_twostep import PublishedTwoStepPLS
from gx2c.models.protocol import TRAIN_TEST_EDGES
from gx2c.splits.fold import Fold


@dataclass(frozen=True)
class Retrained:
    """One retrained model on one outer fold.

    Attributes
    ----------
    predicted
        (n_test_regions, n_test_regions), symmetric.
    scores
        Each metric over the undirected test edges that count; None if the fit diverged.
    weights
        Of an iterative model; empty for a closed form.
    train_test_scores
        Each metric over the edges between training and test regions, if they were asked for.
    """

    predicted: FloatArray
    scores: dict[str, float] | None
    weights: dict[str, Tensor]
    train_test_scores: dict[str, float] | None = None


class Fitted(Protocol):
    """Fitted models, one a training set."""

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each model's regions."""

    def weights(self) -> dict[str, Tensor]:
        """Return all weights, the first axis counting models; empty for closed forms."""


def retrain(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    *,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
    train_test_edges: bool = False,
) -> list[Retrained]:
    """Retrain one config on the training regions of a fold, once for each brain.

    Parameters
    ----------
    config
        Chosen without a look at the test regions.
    brains
        The true brain, or surrogates of it; their networks train side by side.
    fold
        Whose test regions are scored.
    learning_rates
        One a pass, as recorded in the search; its length is the number of passes. Empty for a
        closed form.
    seeds
        One per brain.
    profile
        How to compute.
    train_test_edges
        Whether to score edges between training and test regions too.
    """
    fit = _FITS[MODELS[config.model].kind]
    with profile.active():
        sets = [_cut(config, brain, fold) for brain in brains]
        fitted = fit(config, sets, learning_rates, seeds, profile)
        predicted = _predict(fitted, sets, brains, fold.test_regions)
        weights = fitted.weights()
        scores = [score_or_diverged(p, b, fold) for p, b in zip(predicted, brains, strict=True)]
        across: list[dict[str, float] | None] = [None] * len(brains)
        if train_test_edges and None not in scores:
            across = [*_score_across(fitted, sets, brains, fold)]
    return [
        Retrained(
            predicted[k],
            scores[k],
            {name: value[k : k + 1].cpu().contiguous() for name, value in weights.items()},
            across[k],
        )
        for k in range(len(brains))
    ]


def frozen_scores(
    config: FitConfig,
    brain: Brain,
    surrogates: Iterable[Brain],
    fold: Fold,
    *,
    learning_rates: Sequence[float],
    seed: int,
    profile: ComputeProfile,
) -> list[dict[str, float] | None]:
    """Train on the true brain and test it on the test regions of surrogates.

    The score's drop says how much a trained model reads from expression; it is no null of a test,
    for nothing was trained on the surrogates.

    Parameters
    ----------
    config, fold, learning_rates, profile
        As in `retrain`.
    brain
        On whose training regions the model is fitted.
    surrogates
        Whose test regions it then sees.
    seed
        Of the model.
    """
    fit = _FITS[MODELS[config.model].kind]
    with profile.active():
        sets = [_cut(config, brain, fold)]
        fitted = fit(config, sets, learning_rates, [seed], profile)
        return [
            score_or_diverged(_predict(fitted, sets, [s], fold.test_regions)[0], brain, fold)
            for s in surrogates
        ]


def fit_predict_closed_form(config: FitConfig, brain: Brain, fold: Fold) -> FloatArray:
    """Fit a closed form on a fold's training regions and predict its held-out regions."""
    sets = [_cut(config, brain, fold)]
    return _predict(_ClosedForms(config, sets), sets, [brain], fold.test_regions)[0]


def _cut(config: FitConfig, brain: Brain, fold: Fold) -> TrainingSet:
    """Cut what a config may see; one model is marked as seeing more than the training regions."""
    training = TrainingSet.cut(brain, fold.train_regions, config.genes, config.task)
    if TRAIN_TEST_EDGES not in config.uses:
        return training
    edges = brain.connectome[np.ix_(fold.train_regions, fold.test_regions)]
    return replace(training, train_test_edges=edges)


class _ClosedForms:
    """Closed-form models, fitted one after another."""

    def __init__(self, config: FitConfig, training_sets: Sequence[TrainingSet]) -> None:
        self.models: list[Model] = []
        for training in training_sets:
            model: Model = MODELS[config.model].build(**config.hyperparameters)
            model.fit(training.regions, training.connectome)
            if training.train_test_edges is not None:
                assert isinstance(model, PublishedTwoStepPLS)
                model.see_edges(training.train_test_edges)
            self.models.append(model)

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        return [model.predict(shown) for model, shown in zip(self.models, regions, strict=True)]

    def weights(self) -> dict[str, Tensor]:
        return {}


def _fit_networks(
    config: FitConfig,
    training_sets: Sequence[TrainingSet],
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> Fitted:
    fit = FitInTurn(config, training_sets, seeds=seeds, profile=profile)
    for number, rate in enumerate(learning_rates, start=1):
        fit.run_pass(number, rate)
    return fit


def _fit_closed_forms(
    config: FitConfig,
    training_sets: Sequence[TrainingSet],
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> Fitted:
    return _ClosedForms(config, training_sets)


def _predict(
    fitted: Fitted, sets: Sequence[TrainingSet], brains: Sequence[Brain], regions: IntArray
) -> list[FloatArray]:
    shown = [s.show(b, regions) for s, b in zip(sets, brains, strict=True)]
    predicted = fitted.predict(shown)
    return [s.finisher(r)(p) for s, r, p in zip(sets, shown, predicted, strict=True)]


def _score_across(
    fitted: Fitted, sets: Sequence[TrainingSet], brains: Sequence[Brain], fold: Fold
) -> list[dict[str, float]]:
    n_train = len(fold.train_regions)
    everything = np.concatenate([fold.train_regions, fold.test_regions])
    predicted = _predict(fitted, sets, brains, everything)
    return [
        score_train_test(p[:n_train, n_train:], brain, fold)
        for p, brain in zip(predicted, brains, strict=True)
    ]


_FITS = {"iterative": _fit_networks, "closed_form": _fit_closed_forms}
