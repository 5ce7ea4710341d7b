"""Fresh models with a chosen config on all outer-training regions, scored once on test regions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.fitted import FittedModels
from gx2c.fit.scoring import score_or_diverged, score_train_test
from gx2c.fit.start import start_of
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
    fitted, member
        The fitted models, and which of them this one is; None where they were left behind.
    profile
        Number format, kernel and threads with which it was computed.
    train_test_scores
        Each metric over the edges between training and test regions, if they were asked for.
    train_test_predicted
        (n_train_regions, n_test_regions), the prediction behind them.
    """

    predicted: FloatArray
    scores: dict[str, float] | None
    fitted: FittedModels | None
    member: int
    profile: ComputeProfile
    train_test_scores: dict[str, float] | None = None
    train_test_predicted: FloatArray | None = None

    @property
    def weights(self) -> dict[str, Tensor]:
        """A copy of the weights of a network, on the CPU; empty for a closed form."""
        assert self.fitted is not None, "the model was left behind"
        members = slice(self.member, self.member + 1)
        return {n: v[members].cpu().contiguous() for n, v in self.fitted.weights().items()}


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
        Config chosen without the test regions.
    brains
        The true brain, or surrogates of it; their networks train side by side.
    fold
        The fold whose test regions are scored.
    learning_rates
        One per epoch, as recorded in the search; its length is the number of epochs. Empty for a
        closed form.
    seeds
        One per brain.
    profile
        Device, threads and number format.
    train_test_edges
        Whether to score edges between training and test regions too.
    """
    with profile.active():
        fitted = FittedModels.fit(
            config,
            brains,
            fold.train_regions,
            fold.test_regions,
            learning_rates=learning_rates,
            seeds=seeds,
            profile=profile,
            start=start_of(fold, config),
        )
        predicted = fitted.predict(brains, fold.test_regions)
        scores = [score_or_diverged(p, b, fold) for p, b in zip(predicted, brains, strict=True)]
        across: list[FloatArray | None] = [None] * len(brains)
        if train_test_edges and None not in scores:
            n_train = len(fold.train_regions)
            everything = np.concatenate([fold.train_regions, fold.test_regions])
            across = [p[:n_train, n_train:] for p in fitted.predict(brains, everything)]
    return [
        Retrained(
            predicted[k],
            scores[k],
            fitted,
            k,
            profile,
            None if (found := across[k]) is None else score_train_test(found, brains[k], fold),
            across[k],
        )
        for k in range(len(brains))
    ]


def fit_predict_closed_form(config: FitConfig, brain: Brain, fold: Fold) -> FloatArray:
    """Fit a closed form on a fold's training regions and predict its held-out regions."""
    fitted = FittedModels.fit(config, [brain], fold.train_regions, fold.test_regions)
    return fitted.predict([brain], fold.test_regions)[0]
