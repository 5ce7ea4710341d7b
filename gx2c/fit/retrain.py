"""Fresh models with a chosen config on all outer-training regions, scored once on test regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gx2c.data.brain import Brain
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.network import NetworkFit
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.scoring import score_or_diverged
from gx2c.models import MODELS
from gx2c.splits.fold import Fold

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Retrained:
    """One retrained model on one outer fold.

    Attributes
    ----------
    predicted
        (n_test_regions, n_test_regions), symmetric.
    scores
        Each metric over the undirected test edges; None if the fit diverged.
    weights
        Of an iterative model; empty for a closed form.
    """

    predicted: FloatArray
    scores: dict[str, float] | None
    weights: dict[str, Tensor]


def retrain(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    *,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
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
    """
    fit = _FITS[MODELS[config.model].kind]
    with profile.active():
        return fit(config, brains, fold, learning_rates, seeds, profile)


def _retrain_networks(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> list[Retrained]:
    sets = [TrainingSet.cut(brain, fold.train_regions, config.genes) for brain in brains]
    fit = NetworkFit(config, sets, seeds=seeds, profile=profile)
    for number, rate in enumerate(learning_rates, start=1):
        fit.run_pass(number, rate)
    shown = [s.show(b, fold.test_regions) for s, b in zip(sets, brains, strict=True)]
    weights = fit.weights()
    return [
        Retrained(
            p,
            score_or_diverged(p, brain.connectome_block(fold.test_regions)),
            {name: value[k : k + 1].cpu().contiguous() for name, value in weights.items()},
        )
        for k, (p, brain) in enumerate(zip(fit.predict(shown), brains, strict=True))
    ]


def _retrain_closed_form(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> list[Retrained]:
    results = []
    for brain in brains:
        predicted = fit_predict_closed_form(config, brain, fold)
        measured = brain.connectome_block(fold.test_regions)
        results.append(Retrained(predicted, score_or_diverged(predicted, measured), {}))
    return results


def fit_predict_closed_form(config: FitConfig, brain: Brain, fold: Fold) -> FloatArray:
    """Fit a closed form on a fold's training regions and predict its held-out regions."""
    training = TrainingSet.cut(brain, fold.train_regions, config.genes)
    model = MODELS[config.model].build(**config.hyperparameters)
    model.fit(training.regions, training.connectome)
    predicted: FloatArray = model.predict(training.show(brain, fold.test_regions))
    return predicted


_FITS = {"iterative": _retrain_networks, "closed_form": _retrain_closed_form}
